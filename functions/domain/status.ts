import type { Problem } from './connector.ts'
import { type Failure, isLasting, sayFailure } from './failures.ts'
import type { ReadingPolicy } from './ledger.ts'
import { coveredTo, isUnreadable, settledGaps } from './ledger.ts'
import type { StreamState } from './stream.ts'
import { day, hour, type Instant, iso, minute } from './time.ts'
import type { StreamId } from './vendor.ts'

/**
 * - `starting`: accepted, nothing read yet.
 * - `ok`: up to date.
 * - `catching-up`: older events are still being read.
 * - `throttled`: the vendor allows less than was said.
 * - `losing-data`: what has not been read is about to pass the horizon, or has.
 * - `failing`: something must be mended.
 * - `refused`: the item was never accepted.
 * - `paused`: `enabled` is false.
 * - `retired`: the item was deleted.
 */
export type ConnectorState = 'starting' | 'ok' | 'catching-up' | 'throttled' | 'losing-data' | 'failing' | 'refused' | 'paused' | 'retired'

export interface DayCounts {
  readonly delivered: number
  readonly filtered: number
  readonly requests: number
  readonly throttled: number
}

export interface ConnectorStatus {
  readonly state: ConnectorState
  /** What is wrong and what to do, in words; empty where all is well. */
  readonly reason: string
  readonly since: Instant
  readonly tenantName?: string
  readonly lastRunAt?: Instant
  /** When a page was last read. */
  readonly lastSuccessAt?: Instant
  /** How far the stalest stream's proof lags behind now (ms), at `lastRunAt`. */
  readonly lagMs?: number
  /** Until the first unread event passes the horizon (ms), at `lastRunAt`. */
  readonly horizonInMs?: number
  readonly lastFailure?: Failure & { readonly at: Instant; readonly stream?: StreamId }
  /** Failures in a row that concern the whole connector; it waits until `until`. */
  readonly trouble?: { readonly failure: Failure; readonly attempts: number; readonly until: Instant }
  /** The fingerprints of the keys that the last run could use. */
  readonly keys?: readonly string[]
  /** Keys (by fingerprint) that the vendor rejected, and until when they rest. */
  readonly rejectedKeys: Readonly<Record<string, { readonly at: Instant; readonly until: Instant; readonly attempts: number }>>
  /** Why the item as it stands was not accepted; the last accepted version goes on. */
  readonly problems: readonly Problem[]
  /** By UTC day, the last 8. */
  readonly days: Readonly<Record<string, DayCounts>>
  /** Turns taken, so that every fifth goes to a hole whatever run it falls into. */
  readonly turns: number
}

const daysKept = 8
/** From here on the status warns of the horizon (ms). */
const horizonWarnMs = day

export function newStatus(now: Instant, tenantName?: string): ConnectorStatus {
  const tenant = tenantName === undefined ? {} : { tenantName }
  return { state: 'starting', reason: '', since: now, ...tenant, rejectedKeys: {}, problems: [], days: {}, turns: 0 }
}

/** What a run saw. */
export interface RunReport {
  readonly now: Instant
  readonly streams: ReadonlyMap<StreamId, StreamState>
  readonly policy: ReadingPolicy
  /** Why keys of the pool cannot be used, in words. */
  readonly unusableKeys: readonly string[]
  /** Requests a minute that seem to go to somebody else, of how many. */
  readonly elsewhere?: { readonly taken: number; readonly limit: number }
  readonly delivered: DayCounts
}

/** The status after a run: the worst that is true of the connector, with what to do about it. */
export function statusAfterRun(before: ConnectorStatus, report: RunReport): ConnectorStatus {
  const { now, streams, policy } = report
  const oldest = Math.min(now, ...[...streams.values()].map((stream) => coveredTo(stream, now)))
  const lastSuccess = Math.max(0, ...[...streams.values()].map((stream) => stream.lastReadAt ?? 0))
  const next: ConnectorStatus = {
    ...before,
    lastRunAt: now,
    lagMs: now - oldest,
    horizonInMs: oldest + policy.horizonMs - now,
    ...(lastSuccess === 0 ? {} : { lastSuccessAt: lastSuccess }),
    days: countDay(before.days, now, report.delivered),
  }
  return withState(next, judge(next, report), now)
}

/** A new state starts anew; the same one goes on since it began. */
export function withState(
  status: ConnectorStatus,
  to: { readonly state: ConnectorState; readonly reason: string },
  now: Instant,
): ConnectorStatus {
  return { ...status, ...to, since: to.state === status.state ? status.since : now }
}

function judge(status: ConnectorStatus, report: RunReport): { readonly state: ConnectorState; readonly reason: string } {
  const { now, streams, policy, unusableKeys, elsewhere } = report
  const troubled = [...streams].flatMap(([id, stream]) =>
    stream.trouble !== undefined && isLasting(stream.trouble.failure.code, stream.trouble.attempts)
      ? [{ id, trouble: stream.trouble }]
      : [],
  )
  const backlog = [...streams.values()].some(
    (stream) => settledGaps(stream, now, policy).length > 0 || isUnreadable(stream, now) || now - stream.freshTo > policy.intervalMs * 2,
  )
  const unread = [...streams.values()].every((stream) => stream.lastReadAt === undefined)
  const lateFound = [...streams.values()].reduce((sum, stream) => sum + stream.counts.late, 0)
  const notes = [
    ...unusableKeys,
    ...(elsewhere === undefined || elsewhere.taken === 0
      ? []
      : [
          `Throttled by another consumer: about ${elsewhere.taken} of the ${elsewhere.limit} requests a minute go elsewhere. Use a key of its own, or lower requestsPerMinute.`,
        ]),
    ...(lateFound > 0
      ? [`${lateFound} events so far came later than lateArrivalMinutes and were found by the daily second look. Raise it.`]
      : []),
    ...status.problems.map(({ path, message }) => `The last edit was refused, the version before it goes on: ${path}: ${message}`),
  ]
  const said = (state: ConnectorState, ...first: string[]) => ({ state, reason: [...first, ...notes].join(' ') })
  if (status.trouble !== undefined) return said('failing', sayFailure(status.trouble.failure))
  if (backlog && (status.horizonInMs ?? Number.POSITIVE_INFINITY) < horizonWarnMs) {
    return said(
      'losing-data',
      `Events are lost in ${hoursText(status.horizonInMs ?? 0)} unless the backlog is read by then: the vendor keeps them ${hoursText(policy.horizonMs)}. Add a key of its own, or fewer streams.`,
    )
  }
  if (troubled.length > 0) return said('failing', ...troubled.slice(0, 3).map(({ id, trouble }) => `${id}: ${sayFailure(trouble.failure)}`))
  if (elsewhere !== undefined && elsewhere.taken > 0) return said('throttled')
  if (unread) return said('starting')
  return backlog
    ? said('catching-up', `Older events are still being read; proven complete to ${iso(now - (status.lagMs ?? 0))}.`)
    : said('ok')
}

function hoursText(ms: number): string {
  return ms < 2 * hour ? `${Math.max(0, Math.round(ms / minute))} min` : `${Math.floor(ms / hour)} h`
}

function countDay(days: ConnectorStatus['days'], now: Instant, more: DayCounts): ConnectorStatus['days'] {
  const today = iso(now).slice(0, 10)
  const before = days[today] ?? { delivered: 0, filtered: 0, requests: 0, throttled: 0 }
  const summed: DayCounts = {
    delivered: before.delivered + more.delivered,
    filtered: before.filtered + more.filtered,
    requests: before.requests + more.requests,
    throttled: before.throttled + more.throttled,
  }
  const kept = Object.entries({ ...days, [today]: summed }).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(kept.slice(-daysKept))
}
