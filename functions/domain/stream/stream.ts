import type { Failure } from '../failures.ts'
import type { Instant } from '../time.ts'
import type { Changes } from './changes.ts'

/** Only the vendor's folder knows the structure of a stream's id; for all other code it is opaque. */
export type StreamId = string

/** `[from, to)`: `from` is in it, `to` is not. */
export interface Interval {
  readonly from: Instant
  readonly to: Instant
}

/** Events of this interval were not read and never will be. */
export interface LostRange extends Interval {
  /**
   * - `retention-limit`: the vendor deleted the events before they were read.
   * - `paused`: the same, while the connector was switched off.
   * - `unreadable`: every try to read them failed.
   */
  readonly reason: 'retention-limit' | 'paused' | 'unreadable'
}

/**
 * - `tail`: the whole unproven end of the stream, in one range.
 * - `provisional`: the newest part of a busy stream; it delivers early and proves nothing.
 * - `final`: a part before the watermark, where no late event can appear any more.
 * - `reread`: a part of the daily re-read.
 */
export type RangeKind = 'tail' | 'provisional' | 'final' | 'reread'

/** The piece of a stream that is being read, page by page. */
export interface Range extends Interval {
  readonly kind: RangeKind
  /** When the first page was requested; absent until then. */
  readonly readSince?: Instant
  /** The link to the next page, as the vendor gave it; absent before the first page. */
  readonly nextLink?: string
  /** Pages read so far (count). */
  readonly page: number
  /** Items read so far (count). */
  readonly items: number
  /** The fingerprint of the key that reads it: page ids may be bound to a key. */
  readonly key?: string
}

/** Counts since the stream was first accepted. */
export interface StreamCounts {
  readonly pages: number
  readonly requests: number
  readonly throttled: number
  /** fetched = delivered + filtered + alreadySeen. */
  readonly fetched: number
  readonly delivered: number
  readonly filtered: number
  readonly alreadySeen: number
  readonly malformed: number
  /** New items that only the daily re-read found: they came later than `lateArrivalMinutes`. */
  readonly late: number
  /** New items whose id was seen before with other content: updates. They are delivered or filtered, and never late. */
  readonly changed: number
  /** Delivered or filtered events from which an API key of the connector was removed. */
  readonly redacted: number
  /** Events that each log filter dropped or, in shadow, would have dropped, by the filter's name. */
  readonly byFilter: Readonly<Record<string, number>>
}

/** A time that somebody asked to be read again. */
export interface RequestedReread extends Interval {
  /** Events that the lake has are sent again. */
  readonly redeliver?: true
}

/** The whole state of one stream: one item of the state table, so that one condition guards a checkpoint. */
export interface StreamState {
  /** Goes up by one with each write; a write names the version it builds on. 0: never written. */
  readonly version: number
  readonly lease?: { readonly holder: string; readonly until: Instant }
  /** The connector is responsible for events from this instant on. */
  readonly since: Instant
  /** Proven complete: sorted, disjoint, not touching. */
  readonly covered: readonly Interval[]
  /** Lost for good: sorted, disjoint from `covered`; the last 100 of them. */
  readonly lostRanges: readonly LostRange[]
  /** Lost ranges before those in the list: how many, and how long together (ms). */
  readonly lostBefore?: { readonly count: number; readonly ms: number }
  readonly range?: Range
  /** Everything before this instant was read at least once, provisionally or not, but for what is `skipped` and gaps before `jumpedTo`. */
  readonly readThrough: Instant
  /** The last answers at the live edge showed events up to this instant, by the vendor's clock. Absent if `readThrough` went past a part. */
  readonly shownThrough?: Instant
  /** The live edge jumped to this instant, over time that it never read. The gaps before it are read without delay, however short. */
  readonly jumpedTo?: Instant
  /** A part that could not be read, which the live edge went past. It is tried again while the live edge is not due. */
  readonly skipped?: Interval
  /** Width limit of the next range (ms). */
  readonly widthMs: number
  /** Pages that the next range aims at (count). Dead links lower it; it never exceeds the pages of a step. */
  readonly pagesTarget: number
  /** A link died: until a range succeeds, a step of this stream continues to the range's end, with a pause before each request. */
  readonly paced: boolean
  /** Places where a range was given up, each with its own width limit (ms). Easy ranges at other places do not raise it. */
  readonly hard?: readonly (Interval & { readonly widthMs: number })[]
  /**
   * Ranges in a row that were given up for their links (count), since when, and why the last one was. A range that is read to its end ends
   * it. Without `since` an earlier release wrote it.
   */
  readonly givenUp?: { readonly failure: Failure; readonly count: number; readonly since?: Instant }
  /** Ranges of 1 ms that cannot be read to their end: not tried again before `until`. */
  readonly setAside: readonly (Interval & { readonly until: Instant })[]
  /** The part of the daily re-read that is still to do; `nextRereadAt` is when the next one is due. */
  readonly reread?: Interval
  readonly nextRereadAt: Instant
  /** The re-read is for a new key: what it finds is not late. */
  readonly rereadForKey?: true
  /** Somebody asked for the re-read: what it finds is not late. `redeliver`: events that the lake has are sent again. */
  readonly rereadAsked?: 'new' | 'redeliver'
  /** Re-reads that somebody asked for and that wait for their turn, the oldest first. */
  readonly requestedRereads?: readonly RequestedReread[]
  /** The origin and the fingerprints of the keys that the stream was read with. */
  readonly origin?: string
  readonly keys?: readonly string[]
  /** Width classes (`seenClass`) of the ranges whose seen ids are stored, and when the last page of each was written. */
  readonly seenClasses: Readonly<Record<string, Instant>>
  /** The failures in a row; the stream is not read before `until`. */
  readonly trouble?: { readonly failure: Failure; readonly attempts: number; readonly until: Instant; readonly since: Instant }
  readonly lastReadAt?: Instant
  /** Items that came again, and how many of them had changed. */
  readonly changes?: Changes
  /** The log filters that took too many steps on the last page with new events, and so dropped nothing on the rest of it. */
  readonly filtersOff?: readonly string[]
  /** Deliveries in a row of which the lake refused a record for itself (count). */
  readonly refusals?: number
  readonly counts: StreamCounts
}
