import type { Instant } from '../time.ts'
import { day, floorToSecond, hour, minute, second } from '../time.ts'
import * as intervals from './intervals.ts'
import { seenClass } from './seen-ids.ts'
import type { Hole, Interval, Slice, SliceKind, StreamState } from './stream.ts'

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
const widthGrowthMost = 8
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
/** Hard places that are remembered at once (count). */
const hardMost = 20
/** Pieces that are left alone at once (count); more of them, and the oldest is tried again before its time. */
const setAsideMost = 100
/** Links that fail this often in a row (count) count as dead. */
export const linkTriesMost = 5
/** A slice whose first page fails this often in a row (count) may be to blame itself. */
export const sliceTriesMost = 3

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

/** What is missing and not set aside, oldest first. */
function open(stream: StreamState, now: Instant): Interval[] {
  return intervals.without({ from: stream.since, to: now }, [...stream.covered, ...stream.holes, ...stream.setAside])
}

/** Something that is missing is left alone because it cannot be read. */
export function isUnreadable(stream: StreamState, now: Instant): boolean {
  return missing(stream, now).some((gap) => stream.setAside.some((aside) => overlap(aside, gap)))
}

/** Nothing that shows up in time can still show up before this, for a page requested at `readAt`. */
function settledBefore(readAt: Instant, policy: ReadingPolicy): Instant {
  return readAt - policy.lateMs - settleMarginMs - Math.min(Math.abs(policy.clockErrorMs), clockErrorMostMs)
}

/**
 * Gives up what is too near to the horizon to be read, and records it; `pause` is the last time the connector was switched
 * off. What nobody will ask of again is forgotten; and what was proven when less lateness was reckoned with is read again.
 */
export function expire(stream: StreamState, now: Instant, policy: ReadingPolicy, pause?: Interval): StreamState {
  const end = now - policy.horizonMs + horizonStartMs
  const lost = intervals.until(missing(stream, now), end)
  const { slice, hard, ...rest } = stream
  const kept = slice === undefined || slice.to <= end ? rest : { ...rest, slice }
  return {
    ...kept,
    ...withoutRead(hard, { from: 0, to: end }),
    holes: lost.reduce((holes, interval) => addHole(holes, { ...interval, reason: lostReason(stream, interval, pause) }), stream.holes),
    covered: intervals.until(intervals.since(stream.covered, end), settledBefore(now, policy)),
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

/** The live edge is due when it is half an interval old, or when somebody wants it; or its proof, where that comes with the live edge. */
export function liveIsDue(stream: StreamState, now: Instant, policy: ReadingPolicy): boolean {
  if (stream.slice !== undefined && isLive(stream.slice.kind)) return true
  const wantedTo = Math.min(now, policy.wantedTo)
  if (stream.freshTo < floorToSecond(Math.max(now - policy.intervalMs / 2, wantedTo))) return true
  return tailStart(stream, now) < settledBefore(wantedTo, policy) && tailFits(stream, now)
}

function isLive(kind: SliceKind): boolean {
  return kind === 'tail' || kind === 'fresh'
}

/** The slice to read for the live edge: the whole unsettled tail where it fits one slice, else the next fresh piece. */
export function planLive(stream: StreamState, now: Instant, policy: ReadingPolicy): Slice | undefined {
  const end = floorToSecond(now)
  const from = tailStart(stream, now)
  if (tailFits(stream, now)) return plan(stream, 'tail', from, end)
  return plan(stream, 'fresh', Math.max(from, stream.freshTo, floorToSecond(settledBefore(now, policy))), end)
}

/** The slice to read of what is missing and settled, oldest first. The tail is left to the live edge where that reads it whole. */
export function planHole(stream: StreamState, now: Instant, policy: ReadingPolicy): Slice | undefined {
  const gap = settledGaps(stream, now, policy)[0]
  return gap === undefined ? undefined : plan(stream, 'settling', gap.from, gap.to)
}

/** What is missing and could be read to its proof now, oldest first. */
export function settledGaps(stream: StreamState, now: Instant, policy: ReadingPolicy): Interval[] {
  const end = floorToSecond(settledBefore(now, policy))
  const gaps = intervals.until(open(stream, now), end)
  const tail = tailStart(stream, now)
  const worthwhile = Math.min(stream.widthMs, policy.intervalMs / 2)
  // Somebody who wants everything up to an instant wants its proof too, however little is left.
  const wanted = settledBefore(policy.wantedTo, policy)
  return gaps.filter(({ from, to }) => from < tail || (!tailFits(stream, now) && (to - from >= worthwhile || from < wanted)))
}

/** The daily second look at the last 24 h. */
export function planReread(stream: StreamState): Slice | undefined {
  const next = stream.reread === undefined ? undefined : intervals.without(stream.reread, stream.setAside)[0]
  return next === undefined ? undefined : plan(stream, 'reread', next.from, next.to)
}

/** Only what is proven is looked at again: what is new there came late, what is missing elsewhere did not. */
export function beginReread(stream: StreamState, now: Instant, policy: ReadingPolicy): StreamState {
  if (stream.reread !== undefined || stream.nextRereadAt > now) return stream
  const to = floorToSecond(coveredTo(stream, now))
  const from = Math.max(stream.since, to - day)
  if (from >= to || to < settledBefore(now, policy) - 2 * policy.intervalMs) return stream
  return { ...stream, reread: { from, to }, nextRereadAt: now + day }
}

function tailStart(stream: StreamState, now: Instant): Instant {
  return open(stream, now).at(-1)?.from ?? now
}

function tailFits(stream: StreamState, now: Instant): boolean {
  const tail = { from: tailStart(stream, now), to: now }
  return tail.to - tail.from <= stream.widthMs && !isHard(stream, tail)
}

/** `[from, end)` or its beginning, cut on a whole second where it can be; nothing when it is empty. */
function plan(stream: StreamState, kind: SliceKind, from: Instant, end: Instant): Slice | undefined {
  if (from >= end) return undefined
  const most = Math.min(end, from + stream.widthMs, ...(stream.hard ?? []).map((place) => easyTo(place, from)))
  const whole = floorToSecond(most)
  return { kind, from, to: whole > from ? whole : most, page: 0, items: 0 }
}

/** How far a slice from `from` may go because of a hard place: up to it, or with its width inside it. */
function easyTo(place: Interval & { readonly widthMs: number }, from: Instant): Instant {
  if (place.from > from) return place.from
  return place.to > from ? Math.min(place.to, from + place.widthMs) : Number.POSITIVE_INFINITY
}

/** What to ask the vendor for: a millisecond more at both ends, so that an event on a cut is in one of the two slices whatever the bounds mean. */
export function askedRange(slice: Interval): Interval {
  return { from: slice.from - 1, to: slice.to + 1 }
}

/** The slice was read to its end, its last page received at `receivedAt`. A fresh one proves nothing: scraps of proof would be without number. */
export function completeSlice(stream: StreamState, slice: Slice, receivedAt: Instant, policy: ReadingPolicy): StreamState {
  const { slice: _, reread, hard, ...rest } = stream
  // The vendor whose clock is ahead of ours drops its events so much earlier.
  const aheadMs = Math.min(Math.max(0, policy.clockErrorMs), clockErrorMostMs)
  const proven: Interval = {
    from: Math.max(slice.from, receivedAt - policy.horizonMs + horizonMarginMs + aheadMs),
    to: Math.min(slice.to, settledBefore(slice.readSince ?? receivedAt, policy)),
  }
  const left = slice.kind === 'reread' && reread !== undefined && slice.to < reread.to ? { from: slice.to, to: reread.to } : undefined
  const rereadLeft = slice.kind === 'reread' ? left : reread
  return {
    ...rest,
    ...(rereadLeft === undefined ? {} : { reread: rereadLeft }),
    ...withoutRead(hard, slice),
    covered: slice.kind === 'fresh' ? stream.covered : intervals.union(stream.covered, proven),
    freshTo: Math.max(stream.freshTo, slice.to),
    widthMs: nextWidth(stream, slice, policy),
    pagesTarget: Math.min(pagesTargetMost, stream.pagesTarget * 1.25),
    paced: false,
  }
}

/** Width comes from density: the pages that a slice may need. A slice much narrower than allowed shows a crowd, but no emptiness. */
function nextWidth(stream: StreamState, slice: Slice, policy: ReadingPolicy): number {
  const width = slice.to - slice.from
  const wanted = stream.pagesTarget * policy.pageItemsMax
  const ideal = slice.items === 0 ? Number.POSITIVE_INFINITY : Math.floor((width * wanted) / slice.items)
  const most = Math.max(stream.widthMs, width * widthGrowthMost)
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
  const widthMs = Math.max(1, narrower)
  const given: StreamState = {
    ...rest,
    widthMs,
    pagesTarget: Math.max(0.7, Math.min(pagesTargetMost, slice.page * 0.7)),
    paced: true,
  }
  return width > 1 ? withHard(given, slice, widthMs) : leaveAlone(given, slice, now)
}

/** The vendor fails again and again: the slice may be too wide for it, or hold an event that it cannot cope with. It is read again, narrower. */
export function narrowSlice(stream: StreamState, slice: Slice, now: Instant): StreamState {
  const width = slice.to - slice.from
  return width > 1 ? withHard(stream, slice, Math.floor(width / 2)) : leaveAlone(stream, slice, now)
}

/** Some of it was given up before. */
export function isHard({ hard = [] }: StreamState, slice: Interval): boolean {
  return hard.some((place) => overlap(place, slice))
}

function withHard(stream: StreamState, { from, to }: Interval, widthMs: number): StreamState {
  const others = (stream.hard ?? []).filter((place) => !overlap(place, { from, to }))
  return { ...stream, hard: [...others, { from, to, widthMs }].slice(-hardMost) }
}

/** Neighbours are left alone as one; and since the next slice asks for a millisecond of this one too, it is as narrow. */
function leaveAlone(stream: StreamState, { from, to }: Interval, now: Instant): StreamState {
  const until = now + setAsideMs
  const last = stream.setAside.at(-1)
  const setAside =
    last !== undefined && last.to === from
      ? [...stream.setAside.slice(0, -1), { from: last.from, to, until }]
      : [...stream.setAside, { from, to, until }].slice(-setAsideMost)
  const { hard, ...rest } = stream
  const passed = withoutRead(hard, { from, to })
  return withHard({ ...rest, ...passed, setAside }, { from: to, to: to + 2 }, 1)
}

/** What is left of the hard places when a slice was read; nothing at all where nothing is left. */
function withoutRead(hard: StreamState['hard'], slice: Interval): Pick<StreamState, 'hard'> {
  const left = (hard ?? []).flatMap((place) => {
    if (!overlap(place, slice)) return [place]
    return slice.to < place.to ? [{ ...place, from: slice.to }] : []
  })
  return left.length === 0 ? {} : { hard: left }
}

/** Remembers that seen ids of a slice as wide as this one may be kept. */
export function keepSeenClass(stream: StreamState, slice: Interval, now: Instant): StreamState {
  return { ...stream, seenClasses: { ...stream.seenClasses, [seenClass(slice)]: now } }
}
