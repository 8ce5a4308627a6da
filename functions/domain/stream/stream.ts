import type { Failure } from '../failures.ts'
import type { Instant } from '../time.ts'

/** To all but its vendor's folder a stream's id is opaque. */
export type StreamId = string

/** `[from, to)`. */
export interface Interval {
  readonly from: Instant
  readonly to: Instant
}

/** Events of this time were not read and never will be. */
export interface LostRange extends Interval {
  /** `retention-limit`: the vendor no longer had them when their step came. `paused`: the same, while the connector was switched off. `unreadable`: every try failed. */
  readonly reason: 'retention-limit' | 'paused' | 'unreadable'
}

/**
 * - `tail`: the whole unsettled end of the stream, in one.
 * - `provisional`: the newest part of a busy stream; it delivers early and proves nothing.
 * - `final`: a part that nothing can come late to any more.
 * - `reread`: the daily second look.
 */
export type RangeKind = 'tail' | 'provisional' | 'final' | 'reread'

/** The piece of a stream that is being read, page by page. */
export interface Range extends Interval {
  readonly kind: RangeKind
  /** When its first page was requested; absent until then. */
  readonly readSince?: Instant
  /** The page to read next, as the vendor gave it; absent before the first page. */
  readonly nextLink?: string
  /** Pages read so far. */
  readonly page: number
  /** Items read so far. */
  readonly items: number
  /** The fingerprint of the key that reads it: page ids may be bound to a key. */
  readonly key?: string
}

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
  /** New items that only the daily second look found: they came later than `lateArrivalMinutes`. */
  readonly late: number
  /** What each log filter dropped or, in shadow, would have dropped, by the filter's name. */
  readonly byFilter: Readonly<Record<string, number>>
}

/** All that is known of one stream: one item of the state table, so that one condition guards a checkpoint. */
export interface StreamState {
  /** Goes up by one with each write; a write names the version it builds on. 0: never written. */
  readonly version: number
  readonly lease?: { readonly holder: string; readonly until: Instant }
  /** Start of responsibility. */
  readonly since: Instant
  /** Proven complete and settled: sorted, disjoint, not touching. */
  readonly covered: readonly Interval[]
  /** Lost for good: sorted, disjoint from `covered`; the last 100 of them. */
  readonly lostRanges: readonly LostRange[]
  readonly range?: Range
  /** Read at least once, fresh or settled, up to here. */
  readonly readThrough: Instant
  /** How wide the next range may be (ms). */
  readonly widthMs: number
  /** How many pages the next range may need; fewer after links died, up to what a step may take. */
  readonly pagesTarget: number
  /** A link died: until a range succeeds, this stream's requests keep apart and its step goes on to the range's end. */
  readonly paced: boolean
  /** Where a range was given up, and how wide one may be there: what is read with ease elsewhere makes it no wider. */
  readonly hard?: readonly (Interval & { readonly widthMs: number })[]
  /** 1 ms ranges that cannot be read to their end: left alone until then. */
  readonly setAside: readonly (Interval & { readonly until: Instant })[]
  /** What is left of the daily second look, and when the next one is due. */
  readonly reread?: Interval
  readonly nextRereadAt: Instant
  /** Widths (as the exponent of 4 in ms) of the ranges whose seen ids are kept, and when the last of each was written. */
  readonly seenClasses: Readonly<Record<string, Instant>>
  /** Failures in a row; the stream waits until `until`. */
  readonly trouble?: { readonly failure: Failure; readonly attempts: number; readonly until: Instant; readonly since: Instant }
  readonly lastReadAt?: Instant
  readonly counts: StreamCounts
}
