import * as intervals from './intervals.ts'
import { seenClass } from './seen.ts'
import type { Hole, Interval, Slice, SliceKind, StreamState } from './stream.ts'
import type { Instant } from './time.ts'
import { day, floorToSecond, hour, minute, second } from './time.ts'

/**
 * The coverage ledger of one stream: the set of intervals that are proven complete and settled. What is missing is a fact
 * derived from it, not a high-water mark; what to read next follows from what is missing.
 */

/** Pages of one turn (count); a paced stream goes on to the end of its slice, as long as its page ids live. */
export const turnPagesMost = 5
export const pacedTurnPagesMost = 20
/** Slices aim below the turn's end, since density is an estimate. */
const pagesTargetMost = 0.7 * turnPagesMost
/** A slice of more pages than this (count) was much too wide: it is read anew, narrower, before the ids to remember grow without bound. */
const slicePagesMost = 100
/** The same where it cannot be narrower. */
const narrowestSlicePagesMost = 2_000
/** The first slice of a stream that nothing is known of (ms). */
const firstWidthMs = hour
const widthGrowthMost = 4
const setAsideMs = hour
/** Even without lateness an event takes this long to show up (ms). */
const settleMarginMs = 2 * second
/** A clock further off than this is taken for nonsense (ms): it must not keep a stream from ever being proven. */
const clockErrorMostMs = 5 * minute
/** While a slice is read, the horizon moves; what it proves begins this far above (ms). */
const horizonMarginMs = 2 * second
/** No slice starts nearer to the horizon than this (ms). */
const horizonStartMs = 2 * minute
/** Holes that are kept for the record (count). */
const holesMost = 100
/** Links that fail this often in a row (count) count as dead. */
export const linkTriesMost = 5

/** What a plan depends on beside the ledger. */
export interface ReadingPolicy {
  readonly horizonMs: number
  readonly pageItemsMax: number
  readonly lateMs: number
  readonly intervalMs: number
  /** The vendor's clock less ours (ms), as last seen. */
  readonly clockErrorMs: number
  /** Somebody wants the stream read beyond this instant. */
  readonly wantedTo: Instant
}

export function newStream(since: Instant, now: Instant): StreamState {
  return {
    version: 0,
    since,
    covered: [],
    holes: [],
    freshTo: since,
    widthMs: firstWidthMs,
    pagesTarget: pagesTargetMost,
    paced: false,
    setAside: [],
    nextRereadAt: now + day,
    seenClasses: {},
    counts: {
      pages: 0,
      requests: 0,
      throttled: 0,
      fetched: 0,
      delivered: 0,
      filtered: 0,
      alreadySeen: 0,
      malformed: 0,
      late: 0,
      byFilter: {},
    },
  }
}

/** All that is not proven and not given up, oldest first; the last one always ends now. */
export function missing(stream: StreamState, now: Instant): Interval[] {
  return intervals.without({ from: stream.since, to: now }, [...stream.covered, ...stream.holes])
}

/** Everything before it is proven complete or recorded as a hole. */
export function coveredTo(stream: StreamState, now: Instant): Instant {
  return missing(stream, now)[0]?.from ?? now
}

/** Nothing that shows up in time can still show up before this, for a page requested at `readAt`. */
function settledBefore(readAt: Instant, policy: ReadingPolicy): Instant {
  return readAt - policy.lateMs - settleMarginMs - Math.min(Math.abs(policy.clockErrorMs), clockErrorMostMs)
}

/**
 * Gives up what is too near to the horizon to be read, and records it; `pause` is the last time the connector was switched
 * off. What nobody will ask of again is forgotten.
 */
export function expire(stream: StreamState, now: Instant, policy: ReadingPolicy, pause?: Interval): StreamState {
  const end = now - policy.horizonMs + horizonStartMs
  const lost = intervals.until(missing(stream, now), end)
  const { slice, ...rest } = stream
  const kept = slice === undefined || slice.to <= end ? rest : stream
  return {
    ...kept,
    holes: lost.reduce((holes, interval) => addHole(holes, { ...interval, reason: lostReason(stream, interval, pause) }), stream.holes),
    covered: intervals.since(stream.covered, end),
    since: Math.max(stream.since, end),
    setAside: stream.setAside.filter(({ until, to }) => until > now && to > end),
    seenClasses: Object.fromEntries(Object.entries(stream.seenClasses).filter(([, at]) => at > now - policy.horizonMs - day)),
  }
}

function lostReason(stream: StreamState, lost: Interval, pause: Interval | undefined): Hole['reason'] {
  if (stream.setAside.some((aside) => overlap(aside, lost))) return 'unreadable'
  return pause !== undefined && overlap(pause, lost) ? 'paused' : 'horizon'
}

function overlap(a: Interval, b: Interval): boolean {
  return a.from < b.to && b.from < a.to
}

function addHole(holes: readonly Hole[], hole: Hole): Hole[] {
  const last = holes.at(-1)
  const touches = last !== undefined && last.to >= hole.from && last.reason === hole.reason
  const next = touches ? [...holes.slice(0, -1), { ...last, to: hole.to }] : [...holes, hole]
  return next.slice(-holesMost)
}

/** The live edge is due when it is half an interval old, or when somebody wants it. */
export function liveIsDue(stream: StreamState, now: Instant, policy: ReadingPolicy): boolean {
  if (stream.slice !== undefined && isLive(stream.slice.kind)) return true
  return stream.freshTo < floorToSecond(Math.max(now - policy.intervalMs / 2, Math.min(now, policy.wantedTo)))
}

function isLive(kind: SliceKind): boolean {
  return kind === 'tail' || kind === 'fresh'
}

/** The slice to read for the live edge: the whole unsettled tail where it fits one slice, else the next fresh piece. */
export function planLive(stream: StreamState, now: Instant, policy: ReadingPolicy): Slice | undefined {
  const end = floorToSecond(now)
  const from = tailStart(stream, now)
  if (tailFits(stream, now)) return plan('tail', from, end)
  return plan('fresh', Math.max(from, stream.freshTo, floorToSecond(settledBefore(now, policy))), end, stream.widthMs)
}

/** The slice to read of what is missing and settled, oldest first. The tail is left to the live edge where that reads it whole. */
export function planHole(stream: StreamState, now: Instant, policy: ReadingPolicy): Slice | undefined {
  const gap = settledGaps(stream, now, policy)[0]
  return gap === undefined ? undefined : plan('settling', gap.from, gap.to, stream.widthMs)
}

/** What is missing and could be read to its proof now, oldest first. */
export function settledGaps(stream: StreamState, now: Instant, policy: ReadingPolicy): Interval[] {
  const end = floorToSecond(settledBefore(now, policy))
  const gaps = intervals.until(missing(stream, now), end)
  const open = gaps.flatMap((gap) => intervals.without(gap, stream.setAside))
  const tail = tailStart(stream, now)
  const worthwhile = Math.min(stream.widthMs, policy.intervalMs / 2)
  return open.filter(({ from, to }) => from < tail || (!tailFits(stream, now) && to - from >= worthwhile))
}

/** The daily second look at the last 24 h. */
export function planReread(stream: StreamState): Slice | undefined {
  return stream.reread === undefined ? undefined : plan('reread', stream.reread.from, stream.reread.to, stream.widthMs)
}

/** Only what is proven is looked at again: what is new there came late, what is missing elsewhere did not. */
export function beginReread(stream: StreamState, now: Instant, policy: ReadingPolicy): StreamState {
  if (stream.reread !== undefined || stream.nextRereadAt > now) return stream
  const to = floorToSecond(coveredTo(stream, now))
  if (to < settledBefore(now, policy) - 2 * policy.intervalMs) return stream
  return { ...stream, reread: { from: Math.max(stream.since, to - day), to }, nextRereadAt: now + day }
}

function tailStart(stream: StreamState, now: Instant): Instant {
  return missing(stream, now).at(-1)?.from ?? now
}

function tailFits(stream: StreamState, now: Instant): boolean {
  return now - tailStart(stream, now) <= stream.widthMs
}

/** `[from, end)` or its beginning, cut on a whole second where it can be; nothing when it is empty. */
function plan(kind: SliceKind, from: Instant, end: Instant, widthMs = Number.POSITIVE_INFINITY): Slice | undefined {
  if (from >= end) return undefined
  const most = Math.min(end, from + widthMs)
  const whole = floorToSecond(most)
  return { kind, from, to: whole > from ? whole : most, page: 0, items: 0 }
}

/** What to ask the vendor for: a millisecond more at both ends, so that an event on a cut is in one of the two slices whatever the bounds mean. */
export function askedRange(slice: Interval): Interval {
  return { from: slice.from - 1, to: slice.to + 1 }
}

/** The slice was read to its end, its last page received at `receivedAt`. */
export function completeSlice(stream: StreamState, slice: Slice, receivedAt: Instant, policy: ReadingPolicy): StreamState {
  const { slice: _, reread, ...rest } = stream
  const proven: Interval = {
    from: Math.max(slice.from, receivedAt - policy.horizonMs + horizonMarginMs),
    to: Math.min(slice.to, settledBefore(slice.readSince ?? receivedAt, policy)),
  }
  const left = slice.kind === 'reread' && reread !== undefined && slice.to < reread.to ? { from: slice.to, to: reread.to } : undefined
  const rereadLeft = slice.kind === 'reread' ? left : reread
  return {
    ...rest,
    ...(rereadLeft === undefined ? {} : { reread: rereadLeft }),
    covered: intervals.union(stream.covered, proven),
    freshTo: Math.max(stream.freshTo, slice.to),
    widthMs: nextWidth(stream, slice, policy),
    pagesTarget: Math.min(pagesTargetMost, stream.pagesTarget * 1.25),
    paced: false,
  }
}

/** Width comes from density: the pages that a slice may need. A slice narrower than allowed shows a crowd, but no emptiness. */
function nextWidth(stream: StreamState, slice: Slice, policy: ReadingPolicy): number {
  const width = slice.to - slice.from
  const wanted = stream.pagesTarget * policy.pageItemsMax
  const ideal = slice.items === 0 ? Number.POSITIVE_INFINITY : Math.floor((width * wanted) / slice.items)
  const most = width >= floorToSecond(stream.widthMs) ? width * widthGrowthMost : stream.widthMs
  return Math.max(1, Math.min(ideal, most, policy.horizonMs))
}

/** Too many pages to go on with. */
export function sliceIsEndless(slice: Slice): boolean {
  return slice.page >= (slice.to - slice.from > 1 ? slicePagesMost : narrowestSlicePagesMost)
}

/** The slice's link died or its links have no end: the next one is narrower. One that cannot be is left alone for an hour. */
export function giveUpSlice(stream: StreamState, slice: Slice, now: Instant): StreamState {
  const { slice: _, ...rest } = stream
  const width = slice.to - slice.from
  const narrower = Math.floor(Math.min(width / 2, slice.page > turnPagesMost ? (width * pagesTargetMost) / slice.page : width))
  const given: StreamState = {
    ...rest,
    widthMs: Math.max(1, narrower),
    pagesTarget: Math.max(0.7, Math.min(pagesTargetMost, slice.page * 0.7)),
    paced: true,
  }
  if (width > 1) return given
  return { ...given, setAside: [...stream.setAside, { from: slice.from, to: slice.to, until: now + setAsideMs }] }
}

/** Remembers that seen ids of a slice as wide as this one are kept. */
export function keepSeenClass(stream: StreamState, slice: Interval, now: Instant): StreamState {
  return { ...stream, seenClasses: { ...stream.seenClasses, [seenClass(slice)]: now } }
}
