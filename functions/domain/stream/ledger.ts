import type { Instant } from '../time.ts'
import { day, floorToSecond, hour, minute, second } from '../time.ts'
import * as intervals from './intervals.ts'
import { seenClass } from './seen-ids.ts'
import type { Interval, LostRange, Range, RangeKind, StreamState } from './stream.ts'

/**
 * The coverage ledger of one stream: the set of intervals that are proven complete and settled. What is missing is a fact
 * derived from it, not a high-water mark; what to read next follows from what is missing.
 */

/** Pages of one step (count); a paced stream goes on to the end of its range, as long as its page ids live. */
export const stepPagesMax = 5
export const pacedStepPagesMax = 20
/** Slices aim below the step's end, since density is an estimate. */
const pagesTargetMax = 0.7 * stepPagesMax
/** A range of more pages than this (count) was much too wide: it is read anew, narrower, before the ids to remember grow without bound. */
const rangePagesMax = 100
/** The same where it cannot be narrower. */
const narrowestRangePagesMax = 2_000
/** The first range of a stream that nothing is known of (ms). */
const firstWidthMs = hour
const widthGrowthMax = 8
const setAsideMs = hour
/** Even without lateness an event takes this long to show up (ms). */
const watermarkMarginMs = 2 * second
/** A clock further off than this is taken for nonsense (ms): it must not keep a stream from ever being proven. */
const clockErrorMaxMs = 5 * minute
/** While a range is read, the horizon moves; what it proves begins this far above (ms). */
const retentionMarginMs = 2 * second
/** No range starts nearer to the horizon than this (ms). */
const retentionStartMs = 2 * minute
/** Holes that are kept for the record (count). */
const lostRangesMax = 100
/** Hard places that are remembered at once (count). */
const hardMax = 20
/** Pieces that are left alone at once (count); more of them, and the oldest is tried again before its time. */
const setAsideMax = 100
/** Links that fail this often in a row (count) count as dead. */
export const linkTriesMax = 5
/** A range whose first page fails this often in a row (count) may be to blame itself. */
export const rangeTriesMax = 3

/** What a plan depends on beside the ledger. */
export interface ReadingPolicy {
  readonly retentionMs: number
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
    lostRanges: [],
    readThrough: since,
    widthMs: firstWidthMs,
    pagesTarget: pagesTargetMax,
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
  return intervals.without({ from: stream.since, to: now }, [...stream.covered, ...stream.lostRanges])
}

/** Everything before it is proven complete or recorded as a lostRange. */
export function coveredTo(stream: StreamState, now: Instant): Instant {
  return missing(stream, now)[0]?.from ?? now
}

/** What is missing and not set aside, oldest first. */
function open(stream: StreamState, now: Instant): Interval[] {
  return intervals.without({ from: stream.since, to: now }, [...stream.covered, ...stream.lostRanges, ...stream.setAside])
}

/** Something that is missing is left alone because it cannot be read. */
export function isUnreadable(stream: StreamState, now: Instant): boolean {
  return missing(stream, now).some((gap) => stream.setAside.some((aside) => overlap(aside, gap)))
}

/** Nothing that shows up in time can still show up before this, for a page requested at `readAt`. */
function watermark(readAt: Instant, policy: ReadingPolicy): Instant {
  return readAt - policy.lateMs - watermarkMarginMs - Math.min(Math.abs(policy.clockErrorMs), clockErrorMaxMs)
}

/**
 * Gives up what is too near to the horizon to be read, and records it; `pause` is the last time the connector was switched
 * off. What nobody will ask of again is forgotten; and what was proven when less lateness was reckoned with is read again.
 */
export function expire(stream: StreamState, now: Instant, policy: ReadingPolicy, pause?: Interval): StreamState {
  const end = now - policy.retentionMs + retentionStartMs
  const lost = intervals.until(missing(stream, now), end)
  const { range, hard, ...rest } = stream
  const kept = range === undefined || range.to <= end ? rest : { ...rest, range }
  return {
    ...kept,
    ...withoutRead(hard, { from: 0, to: end }),
    lostRanges: lost.reduce(
      (lostRanges, interval) => addLostRange(lostRanges, { ...interval, reason: lostReason(stream, interval, pause) }),
      stream.lostRanges,
    ),
    covered: intervals.until(intervals.since(stream.covered, end), watermark(now, policy)),
    since: Math.max(stream.since, end),
    setAside: stream.setAside.filter(({ until, to }) => until > now && to > end),
    seenClasses: Object.fromEntries(Object.entries(stream.seenClasses).filter(([, at]) => at > now - policy.retentionMs - day)),
  }
}

function lostReason(stream: StreamState, lost: Interval, pause: Interval | undefined): LostRange['reason'] {
  if (stream.setAside.some((aside) => overlap(aside, lost))) return 'unreadable'
  return pause !== undefined && overlap(pause, lost) ? 'paused' : 'retention-limit'
}

function overlap(a: Interval, b: Interval): boolean {
  return a.from < b.to && b.from < a.to
}

function addLostRange(lostRanges: readonly LostRange[], lostRange: LostRange): LostRange[] {
  const last = lostRanges.at(-1)
  const touches = last !== undefined && last.to >= lostRange.from && last.reason === lostRange.reason
  const next = touches ? [...lostRanges.slice(0, -1), { ...last, to: lostRange.to }] : [...lostRanges, lostRange]
  return next.slice(-lostRangesMax)
}

/** The live edge is due when it is half an interval old, or when somebody wants it; or its proof, where that comes with the live edge. */
export function liveIsDue(stream: StreamState, now: Instant, policy: ReadingPolicy): boolean {
  if (stream.range !== undefined && isLive(stream.range.kind)) return true
  const wantedTo = Math.min(now, policy.wantedTo)
  if (stream.readThrough < floorToSecond(Math.max(now - policy.intervalMs / 2, wantedTo))) return true
  return tailStart(stream, now) < watermark(wantedTo, policy) && tailFits(stream, now)
}

function isLive(kind: RangeKind): boolean {
  return kind === 'tail' || kind === 'provisional'
}

/** The range to read for the live edge: the whole unsettled tail where it fits one range, else the next fresh piece. */
export function planLive(stream: StreamState, now: Instant, policy: ReadingPolicy): Range | undefined {
  const end = floorToSecond(now)
  const from = tailStart(stream, now)
  if (tailFits(stream, now)) return plan(stream, 'tail', from, end)
  return plan(stream, 'provisional', Math.max(from, stream.readThrough, floorToSecond(watermark(now, policy))), end)
}

/** The range to read of what is missing and settled, oldest first. The tail is left to the live edge where that reads it whole. */
export function planGap(stream: StreamState, now: Instant, policy: ReadingPolicy): Range | undefined {
  const gap = readableGaps(stream, now, policy)[0]
  return gap === undefined ? undefined : plan(stream, 'final', gap.from, gap.to)
}

/** What is missing and could be read to its proof now, oldest first. */
export function readableGaps(stream: StreamState, now: Instant, policy: ReadingPolicy): Interval[] {
  const end = floorToSecond(watermark(now, policy))
  const gaps = intervals.until(open(stream, now), end)
  const tail = tailStart(stream, now)
  const worthwhile = Math.min(stream.widthMs, policy.intervalMs / 2)
  // Somebody who wants everything up to an instant wants its proof too, however little is left.
  const wanted = watermark(policy.wantedTo, policy)
  return gaps.filter(({ from, to }) => from < tail || (!tailFits(stream, now) && (to - from >= worthwhile || from < wanted)))
}

/** The daily second look at the last 24 h. */
export function planReread(stream: StreamState): Range | undefined {
  const next = stream.reread === undefined ? undefined : intervals.without(stream.reread, stream.setAside)[0]
  return next === undefined ? undefined : plan(stream, 'reread', next.from, next.to)
}

/** Only what is proven is looked at again: what is new there came late, what is missing elsewhere did not. */
export function beginReread(stream: StreamState, now: Instant, policy: ReadingPolicy): StreamState {
  if (stream.reread !== undefined || stream.nextRereadAt > now) return stream
  const to = floorToSecond(coveredTo(stream, now))
  const from = Math.max(stream.since, to - day)
  if (from >= to || to < watermark(now, policy) - 2 * policy.intervalMs) return stream
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
function plan(stream: StreamState, kind: RangeKind, from: Instant, end: Instant): Range | undefined {
  if (from >= end) return undefined
  const most = Math.min(end, from + stream.widthMs, ...(stream.hard ?? []).map((place) => easyTo(place, from)))
  const whole = floorToSecond(most)
  return { kind, from, to: whole > from ? whole : most, page: 0, items: 0 }
}

/** How far a range from `from` may go because of a hard place: up to it, or with its width inside it. */
function easyTo(place: Interval & { readonly widthMs: number }, from: Instant): Instant {
  if (place.from > from) return place.from
  return place.to > from ? Math.min(place.to, from + place.widthMs) : Number.POSITIVE_INFINITY
}

/** What to ask the vendor for: a millisecond more at both ends, so that an event on a cut is in one of the two ranges whatever the bounds mean. */
export function askedRange(range: Interval): Interval {
  return { from: range.from - 1, to: range.to + 1 }
}

/** The range was read to its end, its last page received at `receivedAt`. A fresh one proves nothing: scraps of proof would be without number. */
export function completeRange(stream: StreamState, range: Range, receivedAt: Instant, policy: ReadingPolicy): StreamState {
  const { range: _, reread, hard, ...rest } = stream
  // The vendor whose clock is ahead of ours drops its events so much earlier.
  const aheadMs = Math.min(Math.max(0, policy.clockErrorMs), clockErrorMaxMs)
  const proven: Interval = {
    from: Math.max(range.from, receivedAt - policy.retentionMs + retentionMarginMs + aheadMs),
    to: Math.min(range.to, watermark(range.readSince ?? receivedAt, policy)),
  }
  const left = range.kind === 'reread' && reread !== undefined && range.to < reread.to ? { from: range.to, to: reread.to } : undefined
  const rereadLeft = range.kind === 'reread' ? left : reread
  return {
    ...rest,
    ...(rereadLeft === undefined ? {} : { reread: rereadLeft }),
    ...withoutRead(hard, range),
    covered: range.kind === 'provisional' ? stream.covered : intervals.union(stream.covered, proven),
    readThrough: Math.max(stream.readThrough, range.to),
    widthMs: nextWidth(stream, range, policy),
    pagesTarget: Math.min(pagesTargetMax, stream.pagesTarget * 1.25),
    paced: false,
  }
}

/** Width comes from density: the pages that a range may need. A range much narrower than allowed shows a crowd, but no emptiness. */
function nextWidth(stream: StreamState, range: Range, policy: ReadingPolicy): number {
  const width = range.to - range.from
  const wanted = stream.pagesTarget * policy.pageItemsMax
  const ideal = range.items === 0 ? Number.POSITIVE_INFINITY : Math.floor((width * wanted) / range.items)
  const most = Math.max(stream.widthMs, width * widthGrowthMax)
  return Math.max(1, Math.min(ideal, most, policy.retentionMs))
}

/** Too many pages to go on with. */
export function rangeIsEndless(range: Range): boolean {
  return range.page >= (range.to - range.from > 1 ? rangePagesMax : narrowestRangePagesMax)
}

/** The range's link died or its links have no end: the next one is narrower. One that cannot be is left alone for an hour. */
export function giveUpRange(stream: StreamState, range: Range, now: Instant): StreamState {
  const { range: _, ...rest } = stream
  const width = range.to - range.from
  const narrower = Math.floor(Math.min(width / 2, range.page > stepPagesMax ? (width * pagesTargetMax) / range.page : width))
  const widthMs = Math.max(1, narrower)
  const given: StreamState = {
    ...rest,
    widthMs,
    pagesTarget: Math.max(0.7, Math.min(pagesTargetMax, range.page * 0.7)),
    paced: true,
  }
  return width > 1 ? withHard(given, range, widthMs) : leaveAlone(given, range, now)
}

/** The vendor fails again and again: the range may be too wide for it, or hold an event that it cannot cope with. It is read again, narrower. */
export function narrowRange(stream: StreamState, range: Range, now: Instant): StreamState {
  const width = range.to - range.from
  return width > 1 ? withHard(stream, range, Math.floor(width / 2)) : leaveAlone(stream, range, now)
}

/** Some of it was given up before. */
export function isHard({ hard = [] }: StreamState, range: Interval): boolean {
  return hard.some((place) => overlap(place, range))
}

function withHard(stream: StreamState, { from, to }: Interval, widthMs: number): StreamState {
  const others = (stream.hard ?? []).filter((place) => !overlap(place, { from, to }))
  return { ...stream, hard: [...others, { from, to, widthMs }].slice(-hardMax) }
}

/** Neighbours are left alone as one; and since the next range asks for a millisecond of this one too, it is as narrow. */
function leaveAlone(stream: StreamState, { from, to }: Interval, now: Instant): StreamState {
  const until = now + setAsideMs
  const last = stream.setAside.at(-1)
  const setAside =
    last !== undefined && last.to === from
      ? [...stream.setAside.slice(0, -1), { from: last.from, to, until }]
      : [...stream.setAside, { from, to, until }].slice(-setAsideMax)
  const { hard, ...rest } = stream
  const passed = withoutRead(hard, { from, to })
  return withHard({ ...rest, ...passed, setAside }, { from: to, to: to + 2 }, 1)
}

/** What is left of the hard places when a range was read; nothing at all where nothing is left. */
function withoutRead(hard: StreamState['hard'], range: Interval): Pick<StreamState, 'hard'> {
  const left = (hard ?? []).flatMap((place) => {
    if (!overlap(place, range)) return [place]
    return range.to < place.to ? [{ ...place, from: range.to }] : []
  })
  return left.length === 0 ? {} : { hard: left }
}

/** Remembers that seen ids of a range as wide as this one may be kept. */
export function keepSeenClass(stream: StreamState, range: Interval, now: Instant): StreamState {
  return { ...stream, seenClasses: { ...stream.seenClasses, [seenClass(range)]: now } }
}
