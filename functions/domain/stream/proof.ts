import { day, type Instant, minute, second } from '../time.ts'
import type { VendorClock } from '../vendor-clock.ts'
import type { Interval, Range } from './stream.ts'

/** The rules of proof: which part of a range is complete once it was read, and which part of a gap can no longer be read. */

/** Even an event that is not late takes this long to show up (ms). */
export const watermarkMarginMs = 2 * second
/** The retention limit moves while a range is read, so its proof begins this far above the limit (ms). */
const retentionMarginMs = 2 * second
/** No range starts nearer to the retention limit than this (ms). */
const retentionStartMs = 2 * minute
/** With a clock that is further off than this, nothing that the vendor shows can be placed in time (ms). */
export const clockErrorMaxMs = day

/** The settings of the connector, the limit of its vendor and the state of the clocks, as far as proof depends on them. */
export interface ProofPolicy {
  readonly retentionMs: number
  readonly lateMs: number
  readonly clock: VendorClock
}

/** The answers to the pages of a range, as far as proof depends on them. */
export interface Answers {
  /** The vendor's time of the oldest of them, at most: a cached answer is as old as its `Date`. */
  readonly readSince: Instant
  /** When the last of them was received. */
  readonly receivedAt: Instant
  /** The vendor's clock minus ours at the last of them (ms), if its `Date` shows it. */
  readonly clockErrorMs?: number
}

/** Nothing that arrives in time can still show up before this instant in an answer of `readAt`. */
export function watermark(readAt: Instant, { lateMs }: Pick<ProofPolicy, 'lateMs'>): Instant {
  return readAt - lateMs - watermarkMarginMs
}

/** The watermark that an answer of now is expected to have: the earlier of the two clocks counts. */
export function watermarkNow(now: Instant, policy: ProofPolicy): Instant {
  return watermark(earlierNow(now, policy), policy)
}

/** The time by the earlier of the two clocks. */
function earlierNow(now: Instant, { clock: { agreedMs, lastMs } }: Pick<ProofPolicy, 'clock'>): Instant {
  return now + Math.min(0, agreedMs ?? lastMs)
}

/** The time by the later of the two clocks. */
function laterNow(now: Instant, { clock: { agreedMs, lastMs } }: Pick<ProofPolicy, 'clock'>): Instant {
  return now + Math.max(0, agreedMs ?? lastMs)
}

/** The time by the vendor's clock, once its answers agree; ours until then. Ranges are asked for up to this instant. */
export function vendorNow(now: Instant, { clock: { agreedMs = 0 } }: Pick<ProofPolicy, 'clock'>): Instant {
  return now + agreedMs
}

/**
 * Even if no event is late, the answers to a range may lack events from this instant on, by the vendor's clock. A range is asked for up to
 * our idea of that clock, which may be ahead of it.
 */
export function shownTo({ readSince }: Answers, { clock: { agreedMs = 0 } }: Pick<ProofPolicy, 'clock'>): Instant {
  return readSince + Math.max(0, agreedMs) - watermarkMarginMs
}

/**
 * The part of a range that is complete now that all its pages are read. It may be empty. A vendor that numbers the items of its pages
 * shifts them when the retention limit passes the first ones, so a range of several pages whose start the limit has reached proves nothing.
 */
export function provenPart(range: Range, { readSince, receivedAt, clockErrorMs = 0 }: Answers, policy: ProofPolicy): Interval {
  const limit = receivedAt + Math.max(0, clockErrorMs) - policy.retentionMs + retentionMarginMs
  const isShifted = range.page > 1 && limit > range.from
  if (isShifted || Math.abs(clockErrorMs) > clockErrorMaxMs) return { from: range.from, to: range.from }
  return { from: Math.max(range.from, limit), to: Math.min(range.to, watermark(readSince, policy)) }
}

/** Whether a read of now can prove anything, as far as the last answer shows. */
export function canProve({ clock }: Pick<ProofPolicy, 'clock'>): boolean {
  return Math.abs(clock.lastMs) <= clockErrorMaxMs
}

/** The vendor shows no event before this instant, by the later of the two clocks; with the margin of proof. */
export function limitOf(now: Instant, policy: ProofPolicy): Instant {
  return laterNow(now, policy) - policy.retentionMs + retentionMarginMs
}

/**
 * A stream may begin to answer for events from this instant on. By the later clock, so it is never before what `unreadableBefore` was at an
 * earlier time, whatever was known of the clock then: proof that was forgotten there is not missed.
 */
export function readableSince(now: Instant, policy: ProofPolicy): Instant {
  return laterNow(now, policy) - policy.retentionMs + retentionStartMs
}

/** Nothing before this instant can be read in time any more, even if the vendor's clock is behind ours. */
export function unreadableBefore(now: Instant, policy: ProofPolicy): Instant {
  return earlierNow(now, policy) - policy.retentionMs + retentionStartMs
}
