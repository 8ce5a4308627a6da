import * as z from 'zod/mini'
import type { ConnectorTest, Fault, Probe } from '../../../domain/operate/test/connector-test.ts'
import type { TestStore } from '../../../domain/ports.ts'
import { day } from '../../../domain/time.ts'
import { isAbsent, isLive } from '../expressions.ts'
import { testKey } from '../item-keys.ts'
import { failure, type Shape } from '../schemas.ts'
import type { Store } from '../store.ts'

/** A Test that nobody dismisses stays so long (ms), as the history of its connector does. */
const testKeptMs = 90 * day

const text = z.string()
const count = z.number()
const instant = z.number()
const optional = z.exactOptional

const fault = z.object({
  tried: text,
  field: optional(text),
  failure: optional(failure),
  message: optional(text),
  againAt: optional(instant),
} satisfies Shape<Fault>)

const step = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('waiting') }),
  z.object({ kind: z.literal('running'), done: count, of: count, note: optional(text) }),
  z.object({ kind: z.literal('passed'), words: text }),
  z.object({ kind: z.literal('failed'), words: text, faults: z.array(fault) }),
  z.object({ kind: z.literal('left-out'), why: text }),
])

const testSchema: z.ZodMiniType<ConnectorTest, Readonly<Record<string, unknown>>> = z.object({
  version: count,
  connectorId: text,
  begunAt: instant,
  says: optional(text),
  vendor: optional(text),
  item: optional(z.record(text, z.unknown())),
  isUnsaved: z.boolean(),
  steps: z.array(step),
  probes: z.array(
    z.object({
      stream: text,
      key: text,
      failure: optional(failure),
      againAt: optional(instant),
      events: count,
    } satisfies Shape<Probe>),
  ),
  holder: optional(text),
  aliveAt: instant,
  endedAt: optional(instant),
} satisfies Shape<ConnectorTest>)

export function testItems(store: Store): TestStore {
  const isSame = {
    holds: `${isLive} AND #version = :before AND #begunAt = :begunAt`,
    values: (before: ConnectorTest) => ({ before: before.version, begunAt: before.begunAt }),
  }
  return {
    readTest: (connectorId) => store.get(testKey(connectorId), testSchema),

    /**
     *     process A                          process B
     *     step 5: 12 → 13
     *     freezes; its Test is over
     *                                        a new Test: 13 → 14, begun later
     *     wakes, step 5: 13 → 14: refused
     */
    writeTest(next, before) {
      const condition = before === undefined ? { holds: isAbsent } : { holds: isSame.holds, values: isSame.values(before) }
      const expiresAt = next.aliveAt + testKeptMs
      return store.put(testKey(next.connectorId), z.encode(testSchema, next), { condition, expiresAt })
    },

    /** It expires instead, so that the function `operate` needs no right to delete. */
    async removeTest(before) {
      const condition = { holds: isSame.holds, values: isSame.values(before) }
      await store.put(testKey(before.connectorId), z.encode(testSchema, before), { condition, expiresAt: before.begunAt })
    },
  }
}
