import type { Instant } from '../time.ts'
import { day, floorToSecond, hour } from '../time.ts'
import { clockNotedMs } from '../vendor-clock.ts'
import * as intervals from './intervals.ts'
import {
  type Answers,
  limitOf,
  type ProofPolicy,
  provenPart,
  readableSince,
  shownTo,
  unreadableBefore,
  vendorNow,
  watermark,
  watermarkNow,
} from './proof.ts'
import { seenClass } from './seen-ids.ts'
import type { Interval, LostRange, Range, RequestedReread, StreamState } from './stream.ts'

/**
 * The coverage ledger of one stream: the set of intervals that are proven complete. The gaps follow from it, and the next range to
 * read follows from the gaps (`plan.ts`). There is no cursor that could run ahead of an unread event.
 */

/** Pages of one read step at most (count). A paced stream may take more, to reach the end of its range while its page ids live. */
export const stepPagesMax = 5
export const pacedStepPagesMax = 20
/** A range aims at fewer pages than a step may read, because density is an estimate (count). */
const pagesTargetMax = 0.7 * stepPagesMax
/** The width of a stream's first range, when nothing is known of its density (ms). */
const firstWidthMs = hour
/** A range may be this many times as wide as the one before. */
const widthGrowthMax = 8
/** An unreadable millisecond is left alone for this long (ms). */
const setAsideMs = hour
/** Lost ranges that a stream records at most (count). */
const lostRangesMax = 100
/** Covered intervals that a stream records at most (count). The narrowest are forgotten, and so read again. */
const coveredMax = 500
/** Hard places that a stream records at most (count). */
const hardMax = 20
/** Places that are left alone at once (count). With more of them, the oldest is tried again early. */
const setAsideMax = 100

/** The inputs of planning and proof, besides the ledger. */
export interface ReadingPolicy extends ProofPolicy {
  readonly pageItemsMax: number
  readonly intervalMs: number
  /** The time that the limiter leaves between two requests (ms). */
  readonly paceMs: number
  /** Everything up to this instant was asked for, by acceptance or by a person. */
  readonly wantedTo: Instant
  /** The last of the connector's usual times: 0 if there was none. */
  readonly usualTime: Instant
}

/** The state of a stream that was never read. `since`: the connector is responsible from this instant on. */
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
      changed: 0,
      redacted: 0,
      byFilter: {},
    },
  }
}

/**
 * Answers for events from `since` on, if that is earlier than before: more backfill was asked for, or the vendor's clock turned out to be
 * behind ours. Time that one of the two clocks has let pass the retention limit is left out: it may have been covered and forgotten.
 */
export function extendBack(stream: StreamState, since: Instant, now: Instant, policy: ProofPolicy): StreamState {
  const from = Math.max(since + Math.min(0, vendorNow(now, policy) - now), readableSince(now, policy))
  // The error of a clock is never the same twice.
  return from < stream.since - clockNotedMs ? { ...stream, since: from } : stream
}

/** Everything that is neither proven nor lost, the oldest first. The last gap always ends now. */
export function missing(stream: StreamState, now: Instant): Interval[] {
  return intervals.without({ from: stream.since, to: now }, [...stream.covered, ...stream.lostRanges])
}

/** Everything before this instant is proven complete or recorded as lost. */
export function coveredTo(stream: StreamState, now: Instant): Instant {
  return missing(stream, now)[0]?.from ?? now
}

/** The gaps without the places that are set aside, the oldest first. */
export function openGaps(stream: StreamState, now: Instant): Interval[] {
  return intervals.without({ from: stream.since, to: now }, [...stream.covered, ...stream.lostRanges, ...stream.setAside])
}

/** Everything before this instant was read at least once. */
export function readTo({ readThrough, skipped }: StreamState): Instant {
  return Math.min(readThrough, skipped?.from ?? readThrough)
}

/** Whether a gap is left alone because it cannot be read. */
export function isUnreadable(stream: StreamState, now: Instant): boolean {
  return missing(stream, now).some((gap) => stream.setAside.some((aside) => overlap(aside, gap)))
}

/**
 * Records gaps as lost if they are too near the retention limit to be read, and forgets state that is no longer needed. Proof after
 * the watermark, made with a smaller `lateArrivalMinutes`, is taken back, so that it is read again. `pause`: the last time the
 * connector was off.
 */
export function expire(stream: StreamState, now: Instant, policy: ReadingPolicy, pause?: Interval): StreamState {
  const end = unreadableBefore(now, policy)
  const lost = intervals.until(missing(stream, now), end)
  const { range, hard, skipped, ...rest } = stream
  const kept = range === undefined || range.to <= end ? rest : { ...rest, range }
  const there = vendorNow(now, policy)
  return {
    ...kept,
    ...withoutRead(hard, { from: 0, to: end }),
    // The skipped time before the watermark is a gap like any other.
    ...skippedAfter(skipped, 0, watermarkNow(now, policy)),
    ...withLostRanges(
      stream,
      lost.map((interval) => ({ ...interval, reason: lostReason(stream, interval, pause) })),
    ),
    covered: intervals.until(intervals.since(stream.covered, end), watermark(Math.min(now, there), policy)),
    // Nobody has read a time that the vendor's clock has not reached, so the live edge is due.
    readThrough: stream.readThrough <= there ? stream.readThrough : Math.min(there, stream.covered.at(-1)?.to ?? stream.since),
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

/** Keeps the last of the lost ranges one by one, and a sum of those before. */
function withLostRanges(stream: StreamState, more: readonly LostRange[]): Pick<StreamState, 'lostRanges' | 'lostBefore'> {
  const all = more.reduce(addLostRange, stream.lostRanges)
  const before = all.slice(0, Math.max(0, all.length - lostRangesMax))
  const { count = 0, ms = 0 } = stream.lostBefore ?? {}
  const lostBefore = { count: count + before.length, ms: before.reduce((sum, { from, to }) => sum + to - from, ms) }
  return { lostRanges: all.slice(before.length), ...(lostBefore.count === 0 ? {} : { lostBefore }) }
}

/** Joins the range to those of its reason that it touches. A clock may jump, so a range may be lost after a later one. */
function addLostRange(lostRanges: readonly LostRange[], lostRange: LostRange): readonly LostRange[] {
  const { reason } = lostRange
  const others = lostRanges.filter((range) => range.reason !== reason)
  const same = lostRanges.filter((range) => range.reason === reason)
  const joined = intervals.union(same, lostRange).map((interval) => ({ ...interval, reason }))
  return [...others, ...joined].sort((a, b) => a.from - b.from)
}

/** The last of the lost ranges that are new in `after` or have grown. */
export function newlyLost(before: StreamState, after: StreamState): LostRange | undefined {
  return after.lostRanges.findLast(({ from, to }) => !before.lostRanges.some((range) => range.from === from && range.to === to))
}

/**
 * Starts the daily re-read when it is due. It covers proven time only: a new event there came late; a new event in a gap did not. A place
 * that is set aside may stay so until the retention limit, so no re-read waits for it.
 */
export function beginReread(stream: StreamState, now: Instant, policy: ReadingPolicy): StreamState {
  if (rereadLeft(stream).length > 0) return stream
  const { reread: _, rereadForKey: __, rereadAsked: ___, ...idle } = stream
  const [asked, ...others] = stream.requestedRereads ?? []
  if (asked !== undefined) return beginAsked(idle, asked, others)
  if (stream.nextRereadAt > now) return idle
  const [gap = { from: now }] = intervals.since(openGaps(stream, now), limitOf(now, policy))
  const to = floorToSecond(gap.from)
  const from = Math.max(stream.since, to - day)
  if (from >= to || to < watermarkNow(now, policy) - 2 * policy.intervalMs) return idle
  return { ...idle, reread: { from, to }, nextRereadAt: now + day }
}

/** A re-read that is under way ends first, and so does each request before this one. */
function beginAsked(idle: StreamState, { from, to, redeliver }: RequestedReread, others: readonly RequestedReread[]): StreamState {
  const { requestedRereads: _, ...rest } = idle
  return {
    ...rest,
    reread: { from, to },
    rereadAsked: redeliver === true ? 'redeliver' : 'new',
    ...(others.length === 0 ? {} : { requestedRereads: others }),
  }
}

/** The parts of the re-read that can be read now. */
export function rereadLeft({ reread, setAside }: StreamState): Interval[] {
  return reread === undefined ? [] : intervals.without(reread, setAside)
}

/**
 * Records that the range was read to its end. A provisional range changes no coverage, because the ledger would get many small
 * intervals.
 */
export function completeRange(stream: StreamState, range: Range, answers: Answers, policy: ReadingPolicy): StreamState {
  const { range: _, reread, rereadForKey, rereadAsked, hard, skipped, jumpedTo: __, givenUp: ___, ...rest } = stream
  const proven = provenPart(range, answers, policy)
  const left = range.kind === 'reread' && reread !== undefined && range.to < reread.to ? { from: range.to, to: reread.to } : undefined
  const remaining = range.kind === 'reread' ? left : reread
  return {
    ...rest,
    ...(remaining === undefined
      ? {}
      : {
          reread: remaining,
          ...(rereadForKey === undefined ? {} : { rereadForKey }),
          ...(rereadAsked === undefined ? {} : { rereadAsked }),
        }),
    ...withoutRead(widened(hard, range, stream.pagesTarget * policy.pageItemsMax), range),
    ...skippedAfter(skipped, range.from, range.to),
    covered: range.kind === 'provisional' ? stream.covered : intervals.widest(intervals.union(stream.covered, proven), coveredMax),
    ...jumpAfter(stream, range),
    ...shownAfter(stream, range, answers, policy),
    readThrough: Math.max(stream.readThrough, Math.min(range.to, vendorNow(answers.receivedAt, policy))),
    widthMs: nextWidth(stream, range, policy),
    pagesTarget: Math.min(pagesTargetMax, stream.pagesTarget * 1.25),
    paced: false,
  }
}

/** How far the answers showed events at the live edge. A range behind it, or past a part that it has not reached, says nothing of that. */
function shownAfter(stream: StreamState, { from, to }: Range, answers: Answers, policy: ReadingPolicy): Pick<StreamState, 'shownThrough'> {
  const { readThrough, shownThrough = readThrough } = stream
  const shown = Math.min(to, shownTo(answers, policy))
  if (from <= shownThrough) return { shownThrough: Math.max(shownThrough, shown) }
  return to >= readThrough ? { shownThrough: shown } : {}
}

/**
 * The width of the next range (ms): as wide as the pages allow at this density. One narrow range
 * without items does not show that the stream is empty, so the growth is bounded.
 */
function nextWidth(stream: StreamState, range: Range, policy: ReadingPolicy): number {
  const width = range.to - range.from
  const wanted = stream.pagesTarget * policy.pageItemsMax
  const ideal = range.items === 0 ? Number.POSITIVE_INFINITY : Math.floor((width * wanted) / range.items)
  const widest = Math.max(stream.widthMs, width * widthGrowthMax)
  return Math.max(1, Math.min(ideal, widest, policy.retentionMs))
}

/** Gives up a range that cannot be read to its end: the next one is narrower, and paced. A range of 1 ms is left alone for an hour. */
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
  return width > 1 ? withHard(given, range, widthMs) : setAsideMillisecond(given, range, now)
}

/**
 * Makes the next range narrower after repeated failures: this one may be too wide, or hold an event that the vendor cannot show. The live
 * edge goes on past it.
 */
export function narrowRange(stream: StreamState, range: Range, now: Instant): StreamState {
  const width = range.to - range.from
  if (width <= 1) return setAsideMillisecond(stream, range, now)
  const to = Math.max(range.to, ...(stream.hard ?? []).filter((place) => overlap(place, range)).map((place) => place.to))
  const narrower = withHard(stream, { from: range.from, to }, Math.floor(width / 2))
  const isPast = range.kind === 'final' || range.kind === 'reread' || range.to <= stream.readThrough
  if (isPast) return narrower
  const from = stream.skipped?.from ?? Math.max(range.from, stream.readThrough)
  const { shownThrough: _, ...past } = narrower
  return { ...past, ...jumpAfter(stream, range), skipped: { from, to: range.to }, readThrough: range.to }
}

/** The jump of the live edge after the range. A jump is over when the last gap before it was read, proven or not. */
function jumpAfter({ readThrough, jumpedTo }: StreamState, { kind, from, to }: Range): Pick<StreamState, 'jumpedTo'> {
  if (from > readThrough) return { jumpedTo: from }
  const isOver = jumpedTo === undefined || (kind !== 'provisional' && to >= jumpedTo)
  return isOver ? {} : { jumpedTo }
}

/** The skipped part after `[from, to)` was read. */
function skippedAfter(skipped: Interval | undefined, from: Instant, to: Instant): Pick<StreamState, 'skipped'> {
  if (skipped === undefined || from > skipped.from || to <= skipped.from) return skipped === undefined ? {} : { skipped }
  return to < skipped.to ? { skipped: { from: to, to: skipped.to } } : {}
}

/**
 * A range inside a hard place was read: the next one there may be twice as wide, if it has no more items than `itemsMax` (count). Only the
 * event that cannot be shown is read in the narrowest ranges.
 */
function widened(hard: StreamState['hard'], range: Range, itemsMax: number): StreamState['hard'] {
  const width = range.to - range.from
  const ideal = range.items === 0 ? Number.POSITIVE_INFINITY : Math.floor((width * itemsMax) / range.items)
  const widthMs = Math.max(1, Math.min(2 * width, ideal))
  return hard?.map((place) => (overlap(place, range) ? { ...place, widthMs: Math.max(place.widthMs, widthMs) } : place))
}

/** Whether a part of the range was given up before. */
export function isHard({ hard = [] }: StreamState, range: Interval): boolean {
  return hard.some((place) => overlap(place, range))
}

function withHard(stream: StreamState, { from, to }: Interval, widthMs: number): StreamState {
  const others = (stream.hard ?? []).filter((place) => !overlap(place, { from, to }))
  return { ...stream, hard: [...others, { from, to, widthMs }].slice(-hardMax) }
}

/** Sets a millisecond aside, together with its neighbour. The next range stays narrow, because it asks for this millisecond too. */
function setAsideMillisecond(stream: StreamState, { from, to }: Interval, now: Instant): StreamState {
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

/** The hard places that are left after a range was read; no attribute where none is left. */
function withoutRead(hard: StreamState['hard'], range: Interval): Pick<StreamState, 'hard'> {
  const left = (hard ?? []).flatMap((place) => intervals.without(place, [range]).map((part) => ({ ...place, ...part })))
  return left.length === 0 ? {} : { hard: left }
}

/** Records that seen ids of ranges as wide as this one may be stored. */
export function keepSeenClass(stream: StreamState, range: Interval, now: Instant): StreamState {
  return { ...stream, seenClasses: { ...stream.seenClasses, [seenClass(range)]: now } }
}
