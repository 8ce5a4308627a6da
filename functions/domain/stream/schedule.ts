import { type Instant, minute, second } from '../time.ts'
import { type ReadingPolicy, stepPagesMax } from './ledger.ts'
import { edgeAgeMs, edgeDueAt, liveIsDue, pagesLeft, planGap, planLive, planReread, readableGaps } from './plan.ts'
import type { Range, StreamId, StreamState } from './stream.ts'

/** The next action of a run: read a few pages of one range of one stream. */
export interface ReadStep {
  readonly stream: StreamId
  readonly range: Range
  /** How long the step may wait in place for a token (ms). Beyond it the run ends and comes back when the token is free. */
  readonly waitMaxMs: number
  /** The step ends at this time, after as many pages as it takes at least: then another live edge is due. */
  readonly yieldAt: Instant
  /** The step takes so many pages before it ends for another live edge (count). */
  readonly pagesMin: number
}

/** One in this many steps goes to a gap (count). If live edges always came first, gaps would pass the retention limit. */
const gapStepEvery = 5
/** A token that is used comes back after this time, at the earliest (ms). */
const windowMs = minute
/** A live edge may wait for one whole window of the limiter, and a little longer (ms). */
const liveWaitMaxMs = 65 * second
/** A gap waits less, so that one backlog does not occupy a function for minutes (ms). */
const gapWaitMaxMs = 15 * second
/** A connector that is due again before the next tick is not claimed before it, so its token would lie unused (ms). */
const tickMs = minute
/** A tick claims and sends within this time (ms). */
const claimMs = 5 * second

/**
 * Chooses the next step; undefined if nothing is due. Live edges that are old enough come first, beginning with the stream that had its
 * last turn longest ago, also if its range is half read: whoever has just read gives way. Every fifth step goes to the gap that is nearest
 * to the retention limit. If the oldest gap always came first, one backlog would starve every other stream; if live edges always came
 * first, gaps would be lost. Younger edges that were not read since the usual time follow after the gaps, before the run ends. Every other
 * gap step leaves out the paced streams, whose ranges may never come to an end. `readSteps`: steps of this connector that made a request
 * (count). A step that got no token leaves the count as it was, so the next run begins with the same kind of step.
 */
export function nextStep(
  streams: ReadonlyMap<StreamId, StreamState>,
  readSteps: number,
  now: Instant,
  policy: ReadingPolicy,
): ReadStep | undefined {
  const ready = [...streams].filter(([, stream]) => stream.trouble === undefined || stream.trouble.until <= now)
  const liveStep = (by: ReadingPolicy) => {
    const edge = best(ready, (stream) => (liveIsDue(stream, now, by) ? lastTurn(stream) : undefined))
    return stepOf(edge, (stream) => planLive(stream, now, policy), liveWaitMaxMs)
  }
  const live = liveStep({ ...policy, usualTime: 0 })
  const gapWaitMs = Math.max(gapWaitMaxMs, untilNextTick(now) + claimMs)
  const unpaced = ready.filter(([, { paced }]) => !paced)
  const oldestGap = (candidates: typeof ready) => best(candidates, (stream) => gapStart(stream, now, policy))
  const gap = stepOf(
    (readSteps % 2 === 0 ? oldestGap(unpaced) : undefined) ?? oldestGap(ready),
    (stream) => planGap(stream, now, policy),
    // A gap whose turn it is waits as long as the live edges do, or theirs would take every token of a loaded key.
    live === undefined ? gapWaitMs : liveWaitMaxMs,
  )
  const reread = best(ready, (stream) => (stream.range?.kind === 'reread' ? stream.range.from : planReread(stream)?.from))
  const isGapsTurn = readSteps % gapStepEvery === gapStepEvery - 1 && !hasJustRead(gap?.stream, streams)
  const first = isGapsTurn ? (gap ?? live) : (live ?? gap)
  const step = first ?? liveStep(policy) ?? stepOf(reread, planReread, gapWaitMs)
  if (step === undefined) return undefined
  const others = ready.flatMap(([id, stream]) => (id === step.stream ? [] : edgeDueAt(stream, now, policy)))
  const isPaced = streams.get(step.stream)?.paced === true
  return { ...step, yieldAt: Math.min(...others), pagesMin: requestsAreSpread(policy) && !isPaced ? 1 : stepPagesMax }
}

/**
 * Whether the requests of a run that has to wait for tokens keep apart. If it used its tokens all at once, the next ones would all be free a
 * window later, and a live edge that is due sooner would wait for them.
 */
export function requestsAreSpread(policy: Pick<ReadingPolicy, 'intervalMs'>): boolean {
  return edgeAgeMs(policy) < windowMs
}

/** Steps whose first requests are sent together (count): more would take too many tokens of a key at once. */
const stepsTogetherMax = 4

/**
 * The next steps that one request each can finish: whole tails of streams without trouble. Their first requests may be sent together.
 * Empty while the vendor's clock is unsure, because each response may then change the next range.
 */
export function stepsTogether(
  streams: ReadonlyMap<StreamId, StreamState>,
  readSteps: number,
  now: Instant,
  policy: ReadingPolicy,
): readonly ReadStep[] {
  const steps: ReadStep[] = []
  const left = new Map(streams)
  while (!policy.clock.isUnsure && steps.length < stepsTogetherMax) {
    const step = nextStep(left, readSteps + steps.length, now, policy)
    const stream = step && left.get(step.stream)
    if (step === undefined || stream === undefined) break
    if (step.range.kind !== 'tail' || step.range.page > 0 || stream.trouble !== undefined || pagesLeft(stream, step.range) > 1) break
    steps.push(step)
    left.delete(step.stream)
  }
  return steps
}

/**
 * How long a step may wait (ms) in a run whose last page begins at `lastPageBy`. The next tick brings a connector back when its token is
 * free, but one whose run is out of time comes back with the tick after. So a run near its end waits no further than the next tick.
 */
export function waitInRun(waitMaxMs: number, now: Instant, lastPageBy: Instant): number {
  return now + waitMaxMs > lastPageBy ? Math.min(waitMaxMs, untilNextTick(now)) : waitMaxMs
}

/**
 * When the last page of a run begins, at most `latest`. It is just before a tick: so the tick brings the connector back at once, and no
 * stream waits for the rest of a minute.
 */
export function lastPageBefore(latest: Instant, now: Instant): Instant {
  const beforeTick = latest - (latest % tickMs) - claimMs
  return beforeTick > now + tickMs ? beforeTick : latest
}

function untilNextTick(now: Instant): number {
  return tickMs - (now % tickMs)
}

/** Takes the range that is half read, or plans one. A paced stream may wait longer, because its links may die before another run. */
function stepOf(
  chosen: readonly [StreamId, StreamState] | undefined,
  plan: (stream: StreamState) => Range | undefined,
  waitMaxMs: number,
): Omit<ReadStep, 'yieldAt' | 'pagesMin'> | undefined {
  if (chosen === undefined) return undefined
  const [id, stream] = chosen
  const range = stream.range ?? plan(stream)
  return range === undefined ? undefined : { stream: id, range, waitMaxMs: stream.paced ? liveWaitMaxMs : waitMaxMs }
}

/** A step of a paced stream takes a minute of tokens. So it does not take two in a row while another stream is due. */
function hasJustRead(id: StreamId | undefined, streams: ReadonlyMap<StreamId, StreamState>): boolean {
  const stream = id === undefined ? undefined : streams.get(id)
  return stream?.paced === true && [...streams.values()].every(({ lastReadAt = 0 }) => lastReadAt <= (stream.lastReadAt ?? 0))
}

/** When the stream last had a turn: a page of it was read, or it failed and its wait is over. So those that failed come last. */
function lastTurn({ lastReadAt = 0, trouble }: StreamState): Instant {
  return Math.max(lastReadAt, trouble?.until ?? 0)
}

/** The start of the oldest gap that this stream can read now; undefined while a live range is half read. */
function gapStart(stream: StreamState, now: Instant, policy: ReadingPolicy): Instant | undefined {
  if (stream.range !== undefined) return stream.range.kind === 'final' ? stream.range.from : undefined
  return readableGaps(stream, now, policy)[0]?.from
}

/** The entry with the lowest rank; an entry without a rank is left out. */
function best<T>(entries: readonly (readonly [StreamId, T])[], rank: (value: T) => number | undefined): readonly [StreamId, T] | undefined {
  let min = Number.POSITIVE_INFINITY
  let chosen: readonly [StreamId, T] | undefined
  for (const entry of entries) {
    const value = rank(entry[1])
    if (value !== undefined && value < min) {
      min = value
      chosen = entry
    }
  }
  return chosen
}

/** The next time after `now` that falls on the connector's own phase of its interval. `phase` in [0, 1). */
export function nextPhaseTime(phase: number, intervalMs: number, now: Instant): Instant {
  const offset = Math.floor(phase * intervalMs)
  return Math.floor((now - offset) / intervalMs + 1) * intervalMs + offset
}
