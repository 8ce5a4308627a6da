import { type Instant, minute, second } from '../time.ts'
import type { ReadingPolicy } from './ledger.ts'
import { liveIsDue, planGap, planLive, planReread, readableGaps } from './ledger.ts'
import type { Range, StreamId, StreamState } from './stream.ts'

/** Whose step it is: one range of one stream. */
export interface ReadStep {
  readonly stream: StreamId
  readonly range: Range
  /** How long it is worth waiting for a token in place (ms). */
  readonly waitMaxMs: number
}

const gapStepEvery = 5
const liveWaitMaxMs = 65 * second
const gapWaitMaxMs = 15 * second

/**
 * Due live edges come first, the one least fresh before the others; every fifth step goes to the gap that is nearest to
 * the horizon. Strictly the stalest first lets one backlog starve every other stream; strictly live first loses lostRanges.
 * A stream whose ranges do not come to an end leaves every other gap step to those whose ranges do.
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
  const oldest = (of: typeof ready) => best(of, (stream) => gapStart(stream, now, policy))
  const gap = stepOf(
    (readSteps % 2 === 0 ? oldest(unpaced) : undefined) ?? oldest(ready),
    (stream) => planGap(stream, now, policy),
    gapWaitMaxMs,
  )
  const again = best(ready, (stream) => (stream.range?.kind === 'reread' ? stream.range.from : planReread(stream)?.from))
  const first = readSteps % gapStepEvery === gapStepEvery - 1 ? (gap ?? live) : (live ?? gap)
  return first ?? stepOf(again, planReread, gapWaitMaxMs)
}

/** The range that is half read, else the one that `plan` finds. That of a paced stream may not live until another run: it is worth a longer wait. */
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

/** A paced stream may never come to the end of a range: how fresh it is must not make it first for ever. */
function lastServedAt({ paced, readThrough, lastReadAt = 0 }: StreamState): Instant {
  return paced ? Math.max(readThrough, lastReadAt) : readThrough
}

/** Where the oldest gap begins that this stream could read now; nothing while a live range is half read. */
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

/** A claimed connector whose message is lost comes up again after this (ms). */
export const claimMs = 5 * minute
