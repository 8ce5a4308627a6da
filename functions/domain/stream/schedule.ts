import { type Instant, minute, second } from '../time.ts'
import type { ReadingPolicy } from './ledger.ts'
import { liveIsDue, planGap, planLive, planReread, readableGaps } from './plan.ts'
import type { Range, StreamId, StreamState } from './stream.ts'

/** The next thing a run does: read one range of one stream, a few pages of it. */
export interface ReadStep {
  readonly stream: StreamId
  readonly range: Range
  /** How long the step may wait in place for a token (ms). Beyond it the run ends and comes back when the token is free. */
  readonly waitMaxMs: number
}

/** Every so many steps one goes to a gap (count). Live edges first for ever would lose gaps to the retention limit. */
const gapStepEvery = 5
/** A live edge waits for one whole window of the limiter, and a little (ms). */
const liveWaitMaxMs = 65 * second
/** A gap gives way sooner, so that one backlog does not hold a function for minutes (ms). */
const gapWaitMaxMs = 15 * second

/**
 * Due live edges come first, the one that was read longest ago before the others. Every fifth step goes to the gap that is nearest
 * to the retention limit. The stalest first, always, would let one backlog starve every other stream; live edges first, always,
 * would lose gaps. A stream whose ranges do not come to an end leaves every other gap step to the streams whose ranges do.
 */
export function nextStep(
  streams: ReadonlyMap<StreamId, StreamState>,
  readSteps: number,
  now: Instant,
  policy: ReadingPolicy,
): ReadStep | undefined {
  const ready = [...streams].filter(([, stream]) => stream.trouble === undefined || stream.trouble.until <= now)
  const edge = best(ready, (stream) => (liveIsDue(stream, now, policy) ? lastServedAt(stream) : undefined))
  const live = stepOf(edge, (stream) => planLive(stream, now, policy), liveWaitMaxMs)
  const unpaced = ready.filter(([, { paced }]) => !paced)
  const oldestGap = (candidates: typeof ready) => best(candidates, (stream) => gapStart(stream, now, policy))
  const gap = stepOf(
    (readSteps % 2 === 0 ? oldestGap(unpaced) : undefined) ?? oldestGap(ready),
    (stream) => planGap(stream, now, policy),
    gapWaitMaxMs,
  )
  const reread = best(ready, (stream) => (stream.range?.kind === 'reread' ? stream.range.from : planReread(stream)?.from))
  const first = readSteps % gapStepEvery === gapStepEvery - 1 ? (gap ?? live) : (live ?? gap)
  return first ?? stepOf(reread, planReread, gapWaitMaxMs)
}

/** The range that is half read, else the one that `plan` finds. The links of a paced stream may die before another run, so it may wait longer. */
function stepOf(
  chosen: readonly [StreamId, StreamState] | undefined,
  plan: (stream: StreamState) => Range | undefined,
  waitMaxMs: number,
): ReadStep | undefined {
  if (chosen === undefined) return undefined
  const [id, stream] = chosen
  const range = stream.range ?? plan(stream)
  return range === undefined ? undefined : { stream: id, range, waitMaxMs: stream.paced ? liveWaitMaxMs : waitMaxMs }
}

/** A paced stream may never come to the end of a range, so its last page counts as well: else it would come first for ever. */
function lastServedAt({ paced, readThrough, lastReadAt = 0 }: StreamState): Instant {
  return paced ? Math.max(readThrough, lastReadAt) : readThrough
}

/** Where the oldest gap begins that this stream can read now; nothing while a live range is half read. */
function gapStart(stream: StreamState, now: Instant, policy: ReadingPolicy): Instant | undefined {
  if (stream.range !== undefined) return stream.range.kind === 'final' ? stream.range.from : undefined
  return readableGaps(stream, now, policy)[0]?.from
}

function best<T>(entries: readonly (readonly [StreamId, T])[], rank: (value: T) => number | undefined): readonly [StreamId, T] | undefined {
  let least = Number.POSITIVE_INFINITY
  let chosen: readonly [StreamId, T] | undefined
  for (const entry of entries) {
    const value = rank(entry[1])
    if (value !== undefined && value < least) {
      least = value
      chosen = entry
    }
  }
  return chosen
}

/** The next time after `now` that falls on the connector's own phase of its interval. `phase` in [0, 1). */
export function nextTickOf(phase: number, intervalMs: number, now: Instant): Instant {
  const offset = Math.floor(phase * intervalMs)
  return Math.floor((now - offset) / intervalMs + 1) * intervalMs + offset
}

/** A claimed connector whose message was lost comes up again after this (ms). */
export const claimMs = 5 * minute
