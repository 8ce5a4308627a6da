import type { Connector } from '../connector/connector.ts'
import type { Problem } from '../connector/problems.ts'
import { tenantNote } from '../connector/tenant.ts'
import { type Failure, type FailureCode, formatFailure, isLasting, isVendorsOwn } from '../failures.ts'
import { outageText } from '../origin.ts'
import { changesTooMuch } from '../stream/changes.ts'
import type { EmptyReads } from '../stream/empty-reads.ts'
import type { ReadingPolicy } from '../stream/ledger.ts'
import { coveredTo, isUnreadable, readTo } from '../stream/ledger.ts'
import { finalGaps } from '../stream/plan.ts'
import { clockErrorMaxMs } from '../stream/proof.ts'
import type { Interval, StreamId, StreamState } from '../stream/stream.ts'
import { cutText } from '../text.ts'
import { day, durationText, hour, type Instant, iso, minute } from '../time.ts'
import { clockNotedMs } from '../vendor-clock.ts'
import { type Activity, addActivity } from './activity.ts'
import { type CatchUp, catchUpTexts } from './catching-up.ts'
import { type ConnectorState, type StateChange, traitsOfState } from './connector-state.ts'
import { type Acknowledgement, lastLostOf } from './loss.ts'

/** The counts of one UTC day. */
export interface DayCounts {
  readonly delivered: number
  readonly filtered: number
  readonly requests: number
  readonly throttled: number
}

/** The status of a connector: one item of the state table, shown to people. */
export interface ConnectorStatus {
  readonly state: ConnectorState
  /** The problem and what to do about it, in words; empty if all is well. */
  readonly reason: string
  readonly since: Instant
  /** The failure behind the state `failing`. */
  readonly cause?: FailureCode
  /** Changes of the state whose notifications have not been sent, the oldest first. */
  readonly pendingChanges?: readonly StateChange[]
  readonly tenantName?: string
  /** The acceptance that it was made from. Absent: an earlier release wrote it. */
  readonly acceptedAt?: Instant
  /** The connector's `type` and `baseUrl`, once it was accepted. */
  readonly vendor?: string
  readonly origin?: string
  readonly lastRunAt?: Instant
  /** When a page was last read. */
  readonly lastSuccessAt?: Instant
  /** Time since the instant up to which the stalest stream is proven complete (ms), at `lastRunAt`. */
  readonly lagMs?: number
  /** Time until the first unread event passes the retention limit (ms), at `lastRunAt`. */
  readonly retentionLeftMs?: number
  /** Streams with final events that are not proven complete (count). */
  readonly streamsBehind?: number
  /** Ranges lost for good that the ledgers still record (count). */
  readonly lostRanges?: number
  /** The latest of them. */
  readonly lastLost?: Interval
  /** The last acknowledgement of lost ranges: how many there were then. More of them are a new loss. */
  readonly acknowledged?: Acknowledgement
  /** The vendor's clock minus ours (ms), at `lastRunAt`. */
  readonly vendorClockMs?: number
  /** When the oldest of the keys was stored. */
  readonly oldestKeyAt?: Instant
  /** When each key was stored, by fingerprint, if the secret says so. */
  readonly keysStoredAt?: Readonly<Record<string, Instant>>
  readonly lastFailure?: Failure & { readonly at: Instant; readonly stream?: StreamId }
  /** Failures in a row that concern the whole connector; it is not read before `until`. */
  readonly trouble?: { readonly failure: Failure; readonly attempts: number; readonly until: Instant }
  /** When the first stream that fails lastingly is tried again. */
  readonly nextTryAt?: Instant
  /** The fingerprints of the keys that the last run could use. */
  readonly keys?: readonly string[]
  /** Keys (by fingerprint) that the vendor rejected; a key is not used before `until`. */
  readonly rejectedKeys: Readonly<Record<string, { readonly at: Instant; readonly until: Instant; readonly attempts: number }>>
  /** The problems of the current item, if it was not accepted; the last accepted version goes on. */
  readonly problems: readonly Problem[]
  /** Requests and events of the last hour. */
  readonly activity?: readonly Activity[]
  /** Set while older events are still being read: since when, and the lag then. */
  readonly catchUp?: CatchUp
  /** Set while a Test of it runs: "3 of 7". Not after `until`, which a Test that was killed does not move on. */
  readonly test?: { readonly progress: string; readonly until: Instant }
  /** Reads that found nothing and that no stream's item has, by stream. */
  readonly emptyReads?: Readonly<Record<StreamId, EmptyReads>>
  /** Counts by UTC day: of today, and of those of the 7 days before that had events or refused requests. */
  readonly days: Readonly<Record<string, DayCounts>>
  /** Read steps taken (count), so that every fifth step goes to a gap, in whatever run it is. */
  readonly readSteps: number
}

const daysKept = 8
/** The status warns when the retention limit is nearer than this (ms). */
const retentionWarnMs = day
/** Pending changes that are kept (count). More of them mean that no notification could be sent for hours. */
const pendingChangesMax = 20
/** A whole day without events is noticed after this many days in a row with events (count). */
const dropOffAfterDays = 6

/** The status of a connector that has not run yet. */
export function newStatus(now: Instant, tenantName?: string): ConnectorStatus {
  const tenant = tenantName === undefined ? {} : { tenantName }
  return { state: 'starting', reason: '', since: now, ...tenant, rejectedKeys: {}, problems: [], days: {}, readSteps: 0 }
}

/** The observations of a run. */
export interface RunReport {
  readonly now: Instant
  readonly streams: ReadonlyMap<StreamId, StreamState>
  readonly policy: ReadingPolicy
  readonly connector: Pick<Connector, 'connectorId' | 'type' | 'baseUrl'>
  /** One sentence for each key of the pool that cannot be used, with the reason. */
  readonly unusableKeys: readonly string[]
  /** Requests a minute that other consumers of the key seem to take, and the limit. */
  readonly otherConsumers?: { readonly taken: number; readonly limit: number }
  readonly delivered: DayCounts
  readonly emptyReads?: ConnectorStatus['emptyReads'] | undefined
  /** Why the run left the origin alone, if it is down. */
  readonly outage?: Failure
}

/** The parts of the status that only a run writes. Acceptance may have changed the other parts meanwhile. */
export type RunStatus = Pick<
  ConnectorStatus,
  'lastFailure' | 'trouble' | 'keys' | 'oldestKeyAt' | 'keysStoredAt' | 'rejectedKeys' | 'readSteps'
>

/** The status after a run: the worst that is true of the connector, with what to do about it. */
export function statusAfterRun(stored: ConnectorStatus, run: RunStatus, report: RunReport): ConnectorStatus {
  const { now, streams, policy, connector, emptyReads } = report
  const oldest = Math.min(now, ...[...streams.values()].map((stream) => coveredTo(stream, now)))
  const lastSuccess = Math.max(0, ...[...streams.values()].map((stream) => stream.lastReadAt ?? 0))
  const { catchUp, ...kept } = withoutRun(stored)
  const lastLost = lastLostOf(streams.values())
  const nextTryAt = nextTryOf(streams)
  const vendorClockMs = policy.clock.agreedMs ?? policy.clock.lastMs
  const isBehind = [...streams.values()].some((stream) => hasBacklog(stream, now, policy))
  const next: ConnectorStatus = {
    ...kept,
    ...run,
    vendor: connector.type,
    origin: connector.baseUrl,
    lastRunAt: now,
    lagMs: now - oldest,
    retentionLeftMs: oldest + policy.retentionMs - now,
    streamsBehind: [...streams.values()].filter((stream) => isBehindNow(stream, now, policy)).length,
    lostRanges: [...streams.values()].reduce((sum, { lostRanges, lostBefore }) => sum + lostRanges.length + (lostBefore?.count ?? 0), 0),
    ...(lastLost === undefined ? {} : { lastLost }),
    ...(nextTryAt === undefined ? {} : { nextTryAt }),
    ...(lastSuccess === 0 ? {} : { lastSuccessAt: lastSuccess }),
    ...(vendorClockMs === 0 ? {} : { vendorClockMs }),
    ...(emptyReads === undefined ? {} : { emptyReads }),
    activity: addActivity(stored.activity ?? [], report.delivered, now),
    ...(isBehind ? { catchUp: catchUp ?? { since: now, lagMs: now - oldest } } : {}),
    days: countDay(stored.days, now, report.delivered),
  }
  return withState(next, judge(next, report), now)
}

/** The status without what a run writes anew, or not at all. */
function withoutRun(stored: ConnectorStatus) {
  const { lastFailure: _, trouble: __, nextTryAt: ___, keys: ____, oldestKeyAt: _____, keysStoredAt: ______, ...rest } = stored
  const { vendorClockMs: _______, emptyReads: ________, ...kept } = rest
  return kept
}

/** A stream that was never read is behind too, though one request might read all of it. */
function isBehindNow(stream: StreamState, now: Instant, policy: ReadingPolicy): boolean {
  return stream.lastReadAt === undefined || finalGaps(stream, now, policy).length > 0
}

interface Judgement {
  readonly state: ConnectorState
  readonly reason: string
  readonly cause?: FailureCode
}

/** A status has up to 21 reasons, and one item of the state table has room for 400 KB (characters). */
const reasonLengthMax = 4_000

/** Sets the state. A new state begins now and adds a pending change; the same state keeps its beginning. */
export function withState(status: ConnectorStatus, judged: Judgement, now: Instant): ConnectorStatus {
  const to = { ...judged, reason: cutText(judged.reason, reasonLengthMax) }
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

/** Records that an edit was refused, which is one pending change; the version before it goes on. */
export function withRefusedEdit(status: ConnectorStatus, problems: readonly Problem[], now: Instant): ConnectorStatus {
  const [reason, before] = [problems, status.problems].map((each) => cutText(formatRefusedEdit(each).join(' '), reasonLengthMax))
  if (reason === undefined || reason === before) return status
  const change: StateChange = { from: status.state, to: status.state, reason, since: now, refusedEdit: true }
  return { ...status, problems, pendingChanges: [...(status.pendingChanges ?? []), change].slice(-pendingChangesMax) }
}

/** One sentence for each problem of a refused edit. */
export function formatRefusedEdit(problems: readonly Problem[]): string[] {
  return problems.map(({ path, message }) => `The last edit was refused, so the version before it stays in use: ${path}: ${message}`)
}

/** All of the vendor's own errors count as one cause, because an outage shows different errors from one try to the next. */
function sameCause(a: FailureCode | undefined, b: FailureCode | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && isVendorsOwn(a) && isVendorsOwn(b))
}

/** The changes of a status that are not among those sent. */
export function changesNotIn({ pendingChanges = [] }: ConnectorStatus, sent: readonly StateChange[] = []): readonly StateChange[] {
  return pendingChanges.filter(({ since, to }) => !sent.some((change) => change.since === since && change.to === to))
}

/** The status without the pending changes that were sent. */
export function withoutSent(status: ConnectorStatus, sent: readonly StateChange[]): ConnectorStatus {
  const { pendingChanges: _, ...rest } = status
  const left = changesNotIn(status, sent)
  return left.length === 0 ? rest : { ...rest, pendingChanges: left }
}

/** Whether the connector delivered events on each of six days, and none on the whole day after them nor since. */
export function hasDroppedOff({ days }: ConnectorStatus, now: Instant): boolean {
  const delivered = (daysAgo: number) => days[iso(now - daysAgo * day).slice(0, 10)]?.delivered ?? 0
  const before = Array.from({ length: dropOffAfterDays }, (_, i) => delivered(i + 2))
  return delivered(0) === 0 && delivered(1) === 0 && before.every((count) => count > 0)
}

/** The worst state that is true of the connector after the run, with its reason. */
function judge(status: ConnectorStatus, report: RunReport): Judgement {
  const { now, streams, policy, otherConsumers } = report
  const notes = notesOf(status, report)
  const judgement = (state: ConnectorState, ...first: string[]) => ({ state, reason: [...new Set([...first, ...notes])].join(' ') })
  const { trouble, catchUp, lagMs = 0, retentionLeftMs = Number.POSITIVE_INFINITY } = status
  const isLosing = catchUp !== undefined && retentionLeftMs < retentionWarnMs
  const loss = `The oldest unread events are lost in ${hoursText(retentionLeftMs)}: the vendor keeps events for ${hoursText(policy.retentionMs)}.`
  if (report.outage !== undefined && (trouble === undefined || isVendorsOwn(trouble.failure.code))) {
    const text = outageText(report.outage, report.connector.baseUrl)
    return { ...judgement('failing', text, ...(isLosing ? [loss] : [])), cause: report.outage.code }
  }
  // A failure that somebody must mend comes first, and must not hide how long there is for it.
  if (trouble !== undefined) {
    return { ...judgement('failing', formatFailure(trouble.failure), ...(isLosing ? [loss] : [])), cause: trouble.failure.code }
  }
  if (isLosing) return judgement('losing-data', `${loss} ${traitsOfState('losing-data').remedy}`, ...troubleReasons(streams))
  const troubled = lastingTroubles(streams)
  const [worst] = troubled
  if (worst !== undefined) {
    const own = troubled.find(({ failure }) => !isVendorsOwn(failure.code)) ?? worst
    return { ...judgement('failing', ...troubleReasons(streams)), cause: own.failure.code }
  }
  const clockOff = policy.clock.agreedMs ?? policy.clock.lastMs
  if (Math.abs(clockOff) > clockErrorMaxMs) {
    return judgement('failing', 'With such a clock nothing can be proven complete. Ask the vendor, or check the clock of this machine.')
  }
  const behind =
    catchUp === undefined
      ? []
      : [
          `Older events, from ${iso(now - lagMs)} on, are still being read.`,
          ...catchUpTexts(catchUp, lagMs, [...streams.values()], policy, now),
        ]
  const throttled = throttledNote(otherConsumers)
  if (throttled.length > 0) return judgement('throttled', ...throttled, ...behind)
  if ([...streams.values()].every((stream) => stream.lastReadAt === undefined)) return judgement('starting')
  return catchUp === undefined ? judgement('ok') : judgement('catching-up', ...behind)
}

/** Sentences that belong to the reason in any state. */
function notesOf(
  { problems, vendorClockMs = 0 }: ConnectorStatus,
  { streams, connector, unusableKeys, otherConsumers }: RunReport,
): readonly string[] {
  const lateFound = [...streams.values()].reduce((sum, stream) => sum + stream.counts.late, 0)
  const late =
    lateFound === 0
      ? []
      : [`The daily re-read has found ${lateFound} events that came later than lateArrivalMinutes. Raise lateArrivalMinutes.`]
  return [
    ...unusableKeys,
    ...throttledNote(otherConsumers),
    ...clockNote(vendorClockMs),
    ...late,
    ...changing(streams),
    ...slowFilters(streams),
    ...formatRefusedEdit(problems),
    ...tenantNote(connector.connectorId),
  ]
}

function throttledNote(others: RunReport['otherConsumers']): readonly string[] {
  if (others === undefined || others.taken === 0) return []
  return [
    `Throttled by another consumer: about ${others.taken} of the ${others.limit} requests a minute go to it. ${traitsOfState('throttled').remedy}`,
  ]
}

function clockNote(clockMs: number): readonly string[] {
  if (Math.abs(clockMs) <= clockNotedMs) return []
  const side = clockMs < 0 ? 'behind' : 'ahead of'
  return [`The vendor's clock is ${durationText(Math.abs(clockMs))} ${side} ours. Ranges and proofs follow it; tell the vendor.`]
}

function changing(streams: RunReport['streams']): readonly string[] {
  return [...streams].flatMap(([id, { changes }]) => {
    if (changes === undefined || !changesTooMuch(changes)) return []
    const share = Math.round((100 * changes.changed) / changes.again)
    const fields = changes.fields.length === 0 ? 'fields that are not known yet' : changes.fields.join(', ')
    return [
      `${share} % of the events of ${id} that came again had changed, in ${fields}: each change is a new record. Name fields that change with every request in identityIgnoredFields.`,
    ]
  })
}

function slowFilters(streams: RunReport['streams']): readonly string[] {
  const names = new Set([...streams.values()].flatMap(({ filtersOff = [] }) => filtersOff))
  if (names.size === 0) return []
  const filters = [...names].sort().join(', ')
  return [
    `Log filters took too many steps, and dropped nothing on the rest of a page: ${filters}. Give simpler regular expressions, or shorter fields.`,
  ]
}

function hasBacklog(stream: StreamState, now: Instant, policy: ReadingPolicy): boolean {
  return finalGaps(stream, now, policy).length > 0 || isUnreadable(stream, now) || now - readTo(stream) > policy.intervalMs * 2
}

/** The reasons of the streams that fail, at most three. */
function troubleReasons(streams: RunReport['streams']): readonly string[] {
  return lastingTroubles(streams)
    .slice(0, 3)
    .map(({ id, failure }) => `${id}: ${formatFailure(failure)}`)
}

function lastingTroubles(streams: RunReport['streams']): readonly { readonly id: StreamId; readonly failure: Failure }[] {
  return [...streams].flatMap(([id, { trouble, givenUp }]) => {
    if (trouble !== undefined && isLasting(trouble.failure.code, trouble.attempts)) return [{ id, failure: trouble.failure }]
    return givenUp !== undefined && isLasting(givenUp.failure.code, givenUp.count) ? [{ id, failure: givenUp.failure }] : []
  })
}

/** When the first of the streams that fail lastingly is tried again; nothing if none waits. */
function nextTryOf(streams: RunReport['streams']): Instant | undefined {
  const untils = [...streams.values()].flatMap(({ trouble }) =>
    trouble !== undefined && isLasting(trouble.failure.code, trouble.attempts) ? [trouble.until] : [],
  )
  return untils.length === 0 ? undefined : Math.min(...untils)
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
  const oldest = iso(now - (daysKept - 1) * day).slice(0, 10)
  // A day that says nothing is not kept: the status of a quiet connector stays below 1 KB, and each KB of a write costs twice.
  const isKept = ([name, { delivered, filtered, throttled }]: [string, DayCounts]) =>
    name === today || (name >= oldest && delivered + filtered + throttled > 0)
  const kept = Object.entries({ ...days, [today]: summed }).filter(isKept)
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)))
}
