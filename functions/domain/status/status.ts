import type { Connector } from '../connector/connector.ts'
import type { Problem } from '../connector/problems.ts'
import { type Failure, type FailureCode, formatFailure, isLasting, isVendorsOwn } from '../failures.ts'
import type { ReadingPolicy } from '../stream/ledger.ts'
import { coveredTo, isUnreadable } from '../stream/ledger.ts'
import { readableGaps } from '../stream/plan.ts'
import type { StreamId, StreamState } from '../stream/stream.ts'
import { day, hour, type Instant, iso, minute } from '../time.ts'
import type { ConnectorState, StateChange } from './connector-state.ts'

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
  /** Why it is failing. */
  readonly cause?: FailureCode
  /** Changes of the state that have not been told yet, the oldest first. */
  readonly pendingChanges?: readonly StateChange[]
  readonly tenantName?: string
  /** The connector's `type` and `baseUrl`, once it was accepted. */
  readonly vendor?: string
  readonly origin?: string
  readonly lastRunAt?: Instant
  /** When a page was last read. */
  readonly lastSuccessAt?: Instant
  /** How far the stalest stream's proof lags behind now (ms), at `lastRunAt`. */
  readonly lagMs?: number
  /** Until the first unread event passes the horizon (ms), at `lastRunAt`. */
  readonly retentionLeftMs?: number
  /** Streams with settled events that are not proven complete. */
  readonly streamsBehind?: number
  /** Ranges lost for good that the ledgers still record. */
  readonly lostRanges?: number
  /** When the oldest of the keys was stored. */
  readonly oldestKeyAt?: Instant
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
  readonly readSteps: number
}

const daysKept = 8
/** From here on the status warns of the horizon (ms). */
const retentionWarnMs = day
/** Untold changes that are kept (count); more means that nobody has been able to tell for hours. */
const pendingChangesMax = 20
/** Days in a row with events, after which a whole day without is noticed (count). */
const dropOffAfterDays = 6

export function newStatus(now: Instant, tenantName?: string): ConnectorStatus {
  const tenant = tenantName === undefined ? {} : { tenantName }
  return { state: 'starting', reason: '', since: now, ...tenant, rejectedKeys: {}, problems: [], days: {}, readSteps: 0 }
}

/** What a run saw. */
export interface RunReport {
  readonly now: Instant
  readonly streams: ReadonlyMap<StreamId, StreamState>
  readonly policy: ReadingPolicy
  readonly connector: Pick<Connector, 'type' | 'baseUrl'>
  /** Why keys of the pool cannot be used, in words. */
  readonly unusableKeys: readonly string[]
  /** Requests a minute that seem to go to somebody else, of how many. */
  readonly otherConsumers?: { readonly taken: number; readonly limit: number }
  readonly delivered: DayCounts
}

/** What a run knows better than what is stored: the rest may have been changed by acceptance meanwhile. */
export type RunStatus = Pick<ConnectorStatus, 'lastFailure' | 'trouble' | 'keys' | 'oldestKeyAt' | 'rejectedKeys' | 'readSteps'>

/** The status after a run: the worst that is true of the connector, with what to do about it. */
export function statusAfterRun(stored: ConnectorStatus, run: RunStatus, report: RunReport): ConnectorStatus {
  const { now, streams, policy, connector } = report
  const oldest = Math.min(now, ...[...streams.values()].map((stream) => coveredTo(stream, now)))
  const lastSuccess = Math.max(0, ...[...streams.values()].map((stream) => stream.lastReadAt ?? 0))
  const { lastFailure: _, trouble: __, keys: ___, oldestKeyAt: ____, ...kept } = stored
  const next: ConnectorStatus = {
    ...kept,
    ...run,
    vendor: connector.type,
    origin: connector.baseUrl,
    lastRunAt: now,
    lagMs: now - oldest,
    retentionLeftMs: oldest + policy.retentionMs - now,
    streamsBehind: [...streams.values()].filter((stream) => readableGaps(stream, now, policy).length > 0).length,
    lostRanges: [...streams.values()].reduce((sum, { lostRanges }) => sum + lostRanges.length, 0),
    ...(lastSuccess === 0 ? {} : { lastSuccessAt: lastSuccess }),
    days: countDay(stored.days, now, report.delivered),
  }
  return withState(next, judge(next, report), now)
}

interface Judgement {
  readonly state: ConnectorState
  readonly reason: string
  readonly cause?: FailureCode
}

/** A new state starts anew, and is a change to be told; the same one goes on since it began. */
export function withState(status: ConnectorStatus, to: Judgement, now: Instant): ConnectorStatus {
  const { cause: causeBefore, ...rest } = status
  if (to.state === status.state && sameCause(to.cause, causeBefore)) return { ...rest, ...to }
  const change: StateChange = {
    from: status.state,
    to: to.state,
    reason: to.reason,
    since: now,
    ...(to.cause === undefined ? {} : { cause: to.cause }),
    ...(causeBefore === undefined ? {} : { causeBefore }),
  }
  const since = to.state === status.state ? status.since : now
  return { ...rest, ...to, since, pendingChanges: [...(status.pendingChanges ?? []), change].slice(-pendingChangesMax) }
}

/** An edit was refused, and the version before it goes on. It is a change to be sent, but once. */
export function withRefusedEdit(status: ConnectorStatus, problems: readonly Problem[], now: Instant): ConnectorStatus {
  const [said, before] = [problems, status.problems].map((each) => formatRefusedEdit(each).join(' '))
  if (said === undefined || said === before) return status
  const change: StateChange = { from: status.state, to: status.state, reason: said, since: now, refusedEdit: true }
  return { ...status, problems, pendingChanges: [...(status.pendingChanges ?? []), change].slice(-pendingChangesMax) }
}

export function formatRefusedEdit(problems: readonly Problem[]): string[] {
  return problems.map(({ path, message }) => `The last edit was refused, the version before it goes on: ${path}: ${message}`)
}

/** In an outage of the vendor the errors differ from one try to the next. */
function sameCause(a: FailureCode | undefined, b: FailureCode | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && isVendorsOwn(a) && isVendorsOwn(b))
}

/** The changes of a status that are not among those sent. */
export function changesNotIn({ pendingChanges = [] }: ConnectorStatus, sent: readonly StateChange[] = []): readonly StateChange[] {
  return pendingChanges.filter(({ since, to }) => !sent.some((change) => change.since === since && change.to === to))
}

export function withoutSent(status: ConnectorStatus, sent: readonly StateChange[]): ConnectorStatus {
  const { pendingChanges: _, ...rest } = status
  const left = changesNotIn(status, sent)
  return left.length === 0 ? rest : { ...rest, pendingChanges: left }
}

/** It delivered on each of six days, and nothing on the whole day after them nor since. */
export function hasDroppedOff({ days }: ConnectorStatus, now: Instant): boolean {
  const delivered = (daysAgo: number) => days[iso(now - daysAgo * day).slice(0, 10)]?.delivered ?? 0
  const before = Array.from({ length: dropOffAfterDays }, (_, i) => delivered(i + 2))
  return delivered(0) === 0 && delivered(1) === 0 && before.every((count) => count > 0)
}

function judge(status: ConnectorStatus, report: RunReport): Judgement {
  const { now, streams, policy, unusableKeys, otherConsumers } = report
  const troubled = [...streams].flatMap(([id, stream]) =>
    stream.trouble !== undefined && isLasting(stream.trouble.failure.code, stream.trouble.attempts)
      ? [{ id, trouble: stream.trouble }]
      : [],
  )
  const backlog = [...streams.values()].some(
    (stream) =>
      readableGaps(stream, now, policy).length > 0 || isUnreadable(stream, now) || now - stream.readThrough > policy.intervalMs * 2,
  )
  const unread = [...streams.values()].every((stream) => stream.lastReadAt === undefined)
  const lateFound = [...streams.values()].reduce((sum, stream) => sum + stream.counts.late, 0)
  const notes = [
    ...unusableKeys,
    ...(otherConsumers === undefined || otherConsumers.taken === 0
      ? []
      : [
          `Throttled by another consumer: about ${otherConsumers.taken} of the ${otherConsumers.limit} requests a minute go elsewhere. Use a key of its own, or lower requestsPerMinute.`,
        ]),
    ...(lateFound > 0
      ? [`${lateFound} events so far came later than lateArrivalMinutes and were found by the daily second look. Raise it.`]
      : []),
    ...formatRefusedEdit(status.problems),
  ]
  const said = (state: ConnectorState, ...first: string[]) => ({ state, reason: [...first, ...notes].join(' ') })
  if (status.trouble !== undefined) return { ...said('failing', formatFailure(status.trouble.failure)), cause: status.trouble.failure.code }
  if (backlog && (status.retentionLeftMs ?? Number.POSITIVE_INFINITY) < retentionWarnMs) {
    return said(
      'losing-data',
      `Events are lost in ${hoursText(status.retentionLeftMs ?? 0)} unless the backlog is read by then: the vendor keeps them ${hoursText(policy.retentionMs)}. Add a key of its own, or fewer streams.`,
    )
  }
  const [worst] = troubled
  if (worst !== undefined) {
    const reasons = troubled.slice(0, 3).map(({ id, trouble }) => `${id}: ${formatFailure(trouble.failure)}`)
    const own = troubled.find(({ trouble }) => !isVendorsOwn(trouble.failure.code)) ?? worst
    return { ...said('failing', ...reasons), cause: own.trouble.failure.code }
  }
  if (otherConsumers !== undefined && otherConsumers.taken > 0) return said('throttled')
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
