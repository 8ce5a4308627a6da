import { ceilToSecond, floorToSecond, type Instant, second } from '../time.ts'
import * as intervals from './intervals.ts'
import { isHard, openGaps, type ReadingPolicy, rereadLeft } from './ledger.ts'
import { canProve, limitOf, vendorNow, watermarkNow } from './proof.ts'
import type { Interval, Range, RangeKind, StreamState } from './stream.ts'

/** Plans the range of a stream to read next. The plan follows from the ledger alone. */

/**
 * Whether the live edge should be read now. There are five reasons: it is old enough; it was not read since the connector's
 * usual time, and the next one is an interval later; somebody asked for events up to now; one request can read and prove the whole tail;
 * the vendor's clock seems to be off, and another answer is needed to be sure.
 */
export function liveIsDue(stream: StreamState, now: Instant, policy: ReadingPolicy): boolean {
  if (stream.range !== undefined && isLive(stream.range.kind)) return true
  return edgeIsDue(stream, now, policy) || skippedLeft(stream) !== undefined
}

/** A live edge that is younger is not due (ms): the live edges of many streams would leave a backlog too little of the limit. */
const edgeAgeMinMs = 45 * second

/** A live edge is due when it is so old (ms). */
export function edgeAgeMs({ intervalMs }: Pick<ReadingPolicy, 'intervalMs'>): number {
  return Math.max(intervalMs / 2, edgeAgeMinMs)
}

/** When the live edge is old enough to be due. */
export function edgeDueAt({ readThrough }: StreamState, now: Instant, policy: ReadingPolicy): Instant {
  return readThrough + edgeAgeMs(policy) - (vendorNow(now, policy) - now)
}

function edgeIsDue(stream: StreamState, now: Instant, policy: ReadingPolicy): boolean {
  if (policy.clock.isUnsure) return true
  const there = vendorNow(now, policy)
  const wantedTo = Math.min(now, policy.wantedTo)
  const asked = vendorNow(Math.max(wantedTo, policy.usualTime), policy)
  if (stream.readThrough < floorToSecond(Math.max(there - edgeAgeMs(policy), asked))) return true
  return canProve(policy) && tailStart(stream, there) < wantedUntil(stream, now, { ...policy, wantedTo }) && tailFits(stream, there)
}

/** Even a short gap before this instant is read: somebody waits for its events, or nobody has read them. */
function wantedUntil({ jumpedTo = 0 }: StreamState, now: Instant, policy: ReadingPolicy): Instant {
  const unread = jumpedTo <= watermarkNow(now, policy) ? jumpedTo : 0
  return Math.max(unread, watermarkNow(policy.wantedTo, policy))
}

function isLive(kind: RangeKind): boolean {
  return kind === 'tail' || kind === 'provisional'
}

/**
 * The range to read for the live edge: the whole tail where it fits one range, else the next provisional piece. While the edge is not due,
 * a part that it went past is tried again.
 */
export function planLive(stream: StreamState, now: Instant, policy: ReadingPolicy): Range | undefined {
  const skipped = skippedLeft(stream)
  if (skipped !== undefined && !edgeIsDue(stream, now, policy)) return plan(stream, 'provisional', skipped.from, skipped.to)
  const there = vendorNow(now, policy)
  const end = floorToSecond(there)
  const from = tailStart(stream, there)
  if (tailFits(stream, there)) return plan(stream, 'tail', from, end)
  const { readThrough, shownThrough = readThrough } = stream
  const unseen = Math.min(readThrough, shownThrough)
  return plan(stream, 'provisional', Math.max(from, unseen, floorToSecond(watermarkNow(now, policy))), end)
}

/** The oldest gap that can be proven now. If one live range can read the whole tail, the tail is no gap here. */
export function planGap(stream: StreamState, now: Instant, policy: ReadingPolicy): Range | undefined {
  const gap = readableGaps(stream, now, policy)[0]
  return gap === undefined ? undefined : planBeforeLimit(stream, gap, now, policy)
}

/** A page may take this many times as long as the limiter alone makes it take: other streams and connectors have their turns. */
const pageDelaysMax = 3
/** A range of one page aims at this many, because density is an estimate. */
const onePageTarget = 0.7

/**
 * The beginning of the oldest gap. A range of several pages proves nothing if the retention limit reaches its start before its last page.
 * So near the limit it has only as many pages as there is time for; or it begins further away from the limit, if more of the gap can be
 * saved by that.
 */
function planBeforeLimit(stream: StreamState, gap: Interval, now: Instant, policy: ReadingPolicy): Range | undefined {
  const { widthMs, pagesTarget } = stream
  const limit = limitOf(now, policy)
  const pageMs = pageDelaysMax * policy.paceMs
  const pages = (gap.from - limit) / pageMs
  if (pages >= pagesTarget) return plan(stream, 'final', gap.from, gap.to)
  const further = ceilToSecond(limit + pagesTarget * pageMs)
  if (gap.to - further > further - gap.from) return plan(stream, 'final', further, gap.to)
  const target = Math.max(onePageTarget, pages * onePageTarget)
  return plan(stream, 'final', gap.from, gap.to, Math.max(1, Math.floor((widthMs * Math.min(target, pagesTarget)) / pagesTarget)))
}

/**
 * The gaps that a read of now can prove, the oldest first. Any other would be planned again as soon as it was read, and every other gap
 * would wait for it. It is given up later, by the limit of the earlier clock.
 */
export function readableGaps(stream: StreamState, now: Instant, policy: ReadingPolicy): Interval[] {
  return canProve(policy) ? intervals.since(finalGaps(stream, now, policy), limitOf(now, policy)) : []
}

/** The gaps before the watermark, the oldest first. If one live range can read the whole tail, the tail is not among them. */
export function finalGaps(stream: StreamState, now: Instant, policy: ReadingPolicy): Interval[] {
  const there = vendorNow(now, policy)
  const end = floorToSecond(watermarkNow(now, policy))
  const gaps = intervals.until(openGaps(stream, there), end)
  const tail = tailStart(stream, there)
  const worthwhile = Math.min(stream.widthMs, policy.intervalMs / 2)
  const wanted = wantedUntil(stream, now, policy)
  return gaps.filter(({ from, to }) => from < tail || (!tailFits(stream, there) && (to - from >= worthwhile || from < wanted)))
}

/** The pages that the range still has at the density of its stream (count), the next one included. Beyond that, as many as it had. */
export function pagesLeft({ widthMs, pagesTarget }: StreamState, { from, to, page }: Range): number {
  const expected = Math.ceil(((to - from) / widthMs) * pagesTarget)
  return Math.max(1, page < expected ? expected - page : page)
}

/** The next range of the daily re-read of the last 24 h. */
export function planReread(stream: StreamState): Range | undefined {
  const [next] = rereadLeft(stream)
  return next === undefined ? undefined : plan(stream, 'reread', next.from, next.to)
}

/** The part that the live edge went past, without what is set aside. */
function skippedLeft({ skipped, setAside }: StreamState): Interval | undefined {
  return skipped === undefined ? undefined : intervals.without(skipped, setAside)[0]
}

/** The start of the unproven end of the stream. */
function tailStart(stream: StreamState, now: Instant): Instant {
  return openGaps(stream, now).at(-1)?.from ?? now
}

function tailFits(stream: StreamState, now: Instant): boolean {
  const tail = { from: tailStart(stream, now), to: now }
  return tail.to - tail.from <= stream.widthMs && !isHard(stream, tail) && stream.skipped === undefined
}

/** The range `[from, end)`, or its beginning if it is too wide, cut on a whole second where possible. Undefined if it is empty. */
function plan(stream: StreamState, kind: RangeKind, from: Instant, end: Instant, widthMs = stream.widthMs): Range | undefined {
  if (from >= end) return undefined
  const latest = Math.min(end, from + widthMs, ...(stream.hard ?? []).map((place) => easyTo(place, from)))
  const whole = floorToSecond(latest)
  return { kind, from, to: whole > from ? whole : latest, page: 0, items: 0 }
}

/** The latest end of a range from `from`. Before a hard place it is the start of the place; inside, the place sets the width. */
function easyTo(place: Interval & { readonly widthMs: number }, from: Instant): Instant {
  if (place.from > from) return place.from
  return place.to > from ? Math.min(place.to, from + place.widthMs) : Number.POSITIVE_INFINITY
}

/**
 * The interval to ask the vendor for: one millisecond more at both ends. So an event on the cut between two ranges is in one of them,
 * whether the vendor includes its bounds or not.
 */
export function askedRange(range: Interval): Interval {
  return { from: range.from - 1, to: range.to + 1 }
}
