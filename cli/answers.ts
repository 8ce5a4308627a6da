import * as z from 'zod'
import { shownStates } from '../functions/domain/status/shown-state.ts'
import { Refused } from './outcome.ts'

/** The answers of the function `operate`, as far as tables show them. `--json` prints whatever it answers. */

const problem = z.object({ path: z.string(), message: z.string() })

export const operatorAnswer = z.discriminatedUnion('ok', [
  z.looseObject({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string(), problems: z.array(problem).default([]) }),
])
export type OperatorAnswer = z.output<typeof operatorAnswer>

const instant = z.number()

/** A row of the lake, as JSON values. */
export const eventRow = z.looseObject({ timestamp: instant })
export type EventRow = Readonly<Record<string, unknown>>

const row = z.object({
  connectorId: z.string(),
  tenantName: z.string(),
  state: z.enum(shownStates),
  reason: z.string(),
  since: instant,
  lagMs: z.exactOptional(z.number()),
  retentionLeftMs: z.exactOptional(z.number()),
  lastSuccessAt: z.exactOptional(instant),
  deliveredToday: z.number(),
  deliveredWeek: z.number(),
  deliveredByDay: z.array(z.number()).readonly(),
  streamsBehind: z.exactOptional(z.number()),
  lostRanges: z.exactOptional(z.number()),
  loss: z.exactOptional(z.string()),
  keys: z.exactOptional(z.string()),
  nextStep: z.exactOptional(z.string()),
  activity: z.exactOptional(z.string()),
  nextTryAt: z.exactOptional(instant),
  test: z.exactOptional(z.string()),
})
export type Row = z.output<typeof row>

const item = z.record(z.string(), z.unknown())
export type Item = z.output<typeof item>

const interval = z.object({ from: instant, to: instant })

const coverage = z.object({
  stream: z.string(),
  since: instant,
  provenTo: instant,
  lostRanges: z.array(z.looseObject({ ...interval.shape, reason: z.exactOptional(z.string()) })),
  lostBefore: z.object({ count: z.number(), ms: z.number() }),
})
export type StreamCoverage = z.output<typeof coverage>

export const answers = {
  list: z.object({ asOf: instant, rows: z.array(row), total: z.number() }),
  show: z.object({
    asOf: instant,
    row,
    item: z.exactOptional(item),
    version: z.exactOptional(z.string()),
    streams: z.array(
      z.object({
        ...coverage.shape,
        counts: z.looseObject({ delivered: z.exactOptional(z.number()) }),
        trouble: z.exactOptional(z.looseObject({ failure: z.looseObject({ message: z.exactOptional(z.string()) }), until: instant })),
      }),
    ),
    keys: z.array(
      z.object({
        secret: z.string(),
        fingerprint: z.string(),
        storedAt: z.exactOptional(instant),
        rejected: z.exactOptional(z.object({ at: instant, until: instant })),
        usedBy: z.array(z.string()),
        usedByOthers: z.number(),
      }),
    ),
  }),
  history: z.object({
    entries: z.array(
      z.looseObject({
        at: instant,
        action: z.string(),
        tenantOfCaller: z.string(),
        says: z.exactOptional(z.string()),
        before: z.exactOptional(item),
        after: z.exactOptional(item),
        outcome: z.string(),
        message: z.exactOptional(z.string()),
        awsRequestId: z.exactOptional(z.string()),
      }),
    ),
  }),
  coverage: z.object({ asOf: instant, streams: z.array(coverage) }),
  done: z.object({ message: z.string() }),
} as const

export type Answers = { readonly [K in keyof typeof answers]: z.output<(typeof answers)[K]> }

/** The answer in its form. Throws `Refused` for a refusal, and for a form that another release has. */
export function answered<K extends keyof typeof answers>(kind: K, answer: OperatorAnswer): Answers[K] {
  if (!answer.ok) throw new Refused(answer)
  const parsed = answers[kind].safeParse(answer)
  if (parsed.success) return parsed.data as Answers[K]
  throw new Refused({
    code: 'failed',
    message: 'The deployment answers in a form that this release does not know. Use the release that the deployment has.',
  })
}
