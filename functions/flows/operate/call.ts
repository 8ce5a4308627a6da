import type { Caller, Refusal } from '../../domain/operate/operation.ts'
import { failed, type Result } from '../../domain/result.ts'
import type { Instant } from '../../domain/time.ts'
import type { Answer, OperatePorts } from './carry.ts'
import { type GoOns, goOn } from './go-on.ts'
import { operate } from './operate.ts'
import { goOnTest } from './test/test-connector.ts'
import { widgetCall } from './widget-call.ts'

/** The changes that go on after they were answered. */
const goOns: GoOns = { test: goOnTest }

/**
 * Answers a call of the function `operate`. CloudWatch adds `widgetContext` to every call that a dashboard makes, and asks with `describe`
 * for documentation: neither can be a command's. `until`: the function has to end by then. Never throws.
 */
export async function answerCall(ports: OperatePorts, event: unknown, caller: Caller, until: Instant): Promise<Result<Answer, Refusal>> {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return operate(ports, event, caller)
  if ('describe' in event) return failed(noDocumentation)
  if ('widgetContext' in event) return widgetCall(ports, withoutContext(event), caller, operate)
  return 'goOn' in event ? goOn(ports, event, caller, until, goOns) : operate(ports, event, caller)
}

/**
 * The call without the context. The first rendering of a widget sends the parameters of the dashboard: those that make a page act count
 * only when somebody has pressed a button of the page.
 */
function withoutContext({ widgetContext, ...call }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const params = typeof widgetContext === 'object' && widgetContext !== null && 'params' in widgetContext ? widgetContext.params : undefined
  const isFixed = (name: string) => typeof params === 'object' && params !== null && name in params
  const acting = ['review', 'submit', 'ticket'].filter(isFixed)
  const rest = Object.fromEntries(Object.entries(call).filter(([name]) => !acting.includes(name)))
  return Object.keys(rest).length === 0 ? { action: 'list' } : rest
}

const noDocumentation: Refusal = { code: 'wrong', message: 'This function has no parameters. docs/operations.md says how to call it.' }
