import * as z from 'zod/mini'
import type { Caller, Refusal } from '../../domain/operate/operation.ts'
import type { Result } from '../../domain/result.ts'
import type { Instant } from '../../domain/time.ts'
import type { Answer, OperatePorts } from './carry.ts'
import { type GoOns, goOn } from './go-on.ts'
import { operate } from './operate.ts'
import { goOnTest } from './test/test-connector.ts'
import { widgetCall } from './widget-call.ts'

/** The changes that go on after they were answered. */
const goOns: GoOns = { test: goOnTest }

/**
 * Answers a call of the function `operate` by a program: a command's operation, `{ page: call }` of a page that people look at, or its own
 * `{ goOn, ticket }`. `until`: the function has to end by then. Never throws.
 */
export async function answerCall(ports: OperatePorts, event: unknown, caller: Caller, until: Instant): Promise<Result<Answer, Refusal>> {
  if (typeof event !== 'object' || event === null) return operate(ports, event, caller)
  if ('page' in event) return widgetCall(ports, z.catch(pageSchema, {}).parse(event.page), caller, operate)
  return 'goOn' in event ? goOn(ports, event, caller, until, goOns) : operate(ports, event, caller)
}

const pageSchema = z.record(z.string(), z.unknown())
