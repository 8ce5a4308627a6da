import * as intervals from '../stream/intervals.ts'
import type { Interval, LostRange, StreamState } from '../stream/stream.ts'
import { hour, type Instant } from '../time.ts'

/** The coverage of a stream, as people and programs read it: which part of a time is proven, and what of the rest. */

/** How far back coverage is shown (ms). */
export const coverageShownMs = 72 * hour

/**
 * `proven`: complete. `read`: read at least once, and late events may still come. `unread`: not read yet, or to be read again. `lost`: the
 * vendor no longer keeps it.
 */
export type CoverageKind = 'proven' | 'read' | 'unread' | 'lost'

export interface CoverageSegment extends Interval {
  readonly kind: CoverageKind
}

/** The segments of `[from, now]`, the oldest first, without a gap between them. Time before the stream's `since` has none. */
export function coverageSegments(stream: StreamState, from: Instant, now: Instant): readonly CoverageSegment[] {
  const whole = { from: Math.max(from, stream.since), to: now }
  if (whole.from >= whole.to) return []
  const inside = (parts: readonly Interval[]) => intervals.without(whole, intervals.without(whole, parts))
  const proven = inside(stream.covered)
  const lost = intervals.without(whole, intervals.without(whole, stream.lostRanges)).flatMap((part) => intervals.without(part, proven))
  const open = intervals.without(whole, [...proven, ...lost])
  const unread = open.flatMap((part) => partsIn(part, unreadParts(stream, now)))
  const read = open.flatMap((part) => intervals.without(part, unread))
  const of = (kind: CoverageKind, parts: readonly Interval[]) => parts.map(({ from, to }) => ({ kind, from, to }))
  return [...of('proven', proven), ...of('read', read), ...of('unread', unread), ...of('lost', lost)].sort((a, b) => a.from - b.from)
}

/** The live edge has not reached it, went past it, or jumped over it. */
function unreadParts({ since, readThrough, skipped, jumpedTo, lastReadAt }: StreamState, now: Instant): readonly Interval[] {
  if (lastReadAt === undefined) return [{ from: since, to: now }]
  return [
    { from: readThrough, to: now },
    ...(skipped === undefined ? [] : [skipped]),
    ...(jumpedTo === undefined ? [] : [{ from: since, to: jumpedTo }]),
  ]
}

function partsIn(whole: Interval, parts: readonly Interval[]): readonly Interval[] {
  return intervals.without(whole, intervals.without(whole, parts))
}

export interface Coverage {
  /** The stream answers for events from here on. */
  readonly since: Instant
  /** Everything from `since` to here is proven complete, or recorded as lost. */
  readonly provenTo: Instant
  readonly segments: readonly CoverageSegment[]
  /** The ranges that are lost for good, of the last that are kept one by one. */
  readonly lostRanges: readonly LostRange[]
  /** Lost ranges before those (count), and how long they are together (ms). */
  readonly lostBefore: { readonly count: number; readonly ms: number }
}

/** The coverage of the last 72 hours. */
export function coverageOf(stream: StreamState, now: Instant): Coverage {
  const segments = coverageSegments(stream, now - coverageShownMs, now)
  const [open = { from: now }] = intervals.without({ from: stream.since, to: now }, [...stream.covered, ...stream.lostRanges])
  return {
    since: stream.since,
    provenTo: Math.max(stream.since, open.from),
    segments,
    lostRanges: stream.lostRanges,
    lostBefore: stream.lostBefore ?? { count: 0, ms: 0 },
  }
}
