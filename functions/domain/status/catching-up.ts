import type { ReadingPolicy } from '../stream/ledger.ts'
import type { StreamState } from '../stream/stream.ts'
import { type Instant, iso, minute } from '../time.ts'

/** How long a connector still catches up, and why it does. */

/** The beginning of the time in which it is behind, and its lag then (ms). */
export interface CatchUp {
  readonly since: Instant
  readonly lagMs: number
}

/** The speed of less time says nothing (ms). */
const speedAfterMs = 5 * minute
/** An end that is further away is no forecast (ms). */
const forecastMaxMs = 14 * 24 * 60 * minute

/** When the lag is gone, if it goes on falling as it did since the beginning. Undefined if it does not fall, or if nobody knows yet. */
export function caughtUpAt({ since, lagMs: lagThen }: CatchUp, lagMs: number, now: Instant): Instant | undefined {
  const tookMs = now - since
  const gainedMs = lagThen - lagMs
  if (tookMs < speedAfterMs || gainedMs <= 0) return undefined
  const leftMs = (lagMs * tookMs) / gainedMs
  return leftMs > forecastMaxMs ? undefined : now + leftMs
}

/**
 * Sentences about the end and the reason. A token is free each `paceMs`, so there are `intervalMs / paceMs` requests for one interval. The
 * streams need one each at least, and as many as their events fill pages.
 */
export function catchUpTexts(
  catchUp: CatchUp,
  lagMs: number,
  streams: readonly StreamState[],
  policy: Pick<ReadingPolicy, 'intervalMs' | 'paceMs'>,
  now: Instant,
): readonly string[] {
  const at = caughtUpAt(catchUp, lagMs, now)
  const end = at === undefined ? [] : [`At the present speed that ends at about ${iso(at).slice(0, 16).replace('T', ' ')} UTC.`]
  return [...end, ...reasonTexts(streams, policy)]
}

function reasonTexts(
  streams: readonly StreamState[],
  { intervalMs, paceMs }: Pick<ReadingPolicy, 'intervalMs' | 'paceMs'>,
): readonly string[] {
  const allowed = Math.floor(intervalMs / paceMs)
  const interval = `each ${Math.round(intervalMs / minute)} min`
  if (streams.length > allowed) {
    return [
      `Too many streams: ${streams.length} need a request ${interval}, and the keys allow ${allowed}. Add a key, raise intervalMinutes, or collect fewer streams.`,
    ]
  }
  const read = streams.filter(({ lastReadAt }) => lastReadAt !== undefined)
  const pages = Math.ceil(read.reduce((sum, { widthMs, pagesTarget }) => sum + Math.max(1, (intervalMs * pagesTarget) / widthMs), 0))
  if (pages <= allowed) {
    return [
      `A backlog: of the ${allowed} requests that the keys allow ${interval}, the new events need about ${pages}. The others read older events.`,
    ]
  }
  return [
    `A spike: the new events fill about ${pages.toLocaleString('en-US')} pages ${interval}, and the keys allow ${allowed} requests. It ends with the spike, or with another key.`,
  ]
}
