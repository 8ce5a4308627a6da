import { traitsOfShown } from '../../functions/domain/status/shown-state.ts'
import { newStatus } from '../../functions/domain/status/status.ts'
import { type StatusRow, statusRow } from '../../functions/domain/status/status-row.ts'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import type { StreamId, StreamState } from '../../functions/domain/stream/stream.ts'
import type { Instant } from '../../functions/domain/time.ts'
import { responsibleSince } from '../../functions/flows/collect/collect-connector.ts'
import { localWords } from '../local-words.ts'
import { coverageOf, coverageText } from '../report/coverage.ts'
import { type BothCounts, type ConnectorRun, type CountsAtStart, countsOf, streamsOf, sumCounts, type Vendors } from '../report/runs.ts'
import { failureOf, type StreamFailure, stateOf } from '../report/stream-failure.ts'
import { timeAt, withTimes } from '../report/words.ts'

/** When a connector runs next: now, as soon as a place is free, or at an instant. */
export type NextRun = 'running' | 'queued' | Instant

/** One connector in the live table: the dashboard's row, and what only this machine knows. */
export interface LiveRow extends StatusRow {
  readonly counts: BothCounts
  /** Absent: none is planned. */
  readonly nextRun?: NextRun
  /** How often it collects (minutes), and how late its events may come. Absent: it is not accepted. */
  readonly intervalMinutes?: number
  readonly lateArrivalMinutes?: number
  /** The failure of its worst stream, if the reason does not have it; empty: none. */
  readonly streamReason: string
  readonly streams: readonly StreamRow[]
}

export interface StreamRow {
  readonly id: StreamId
  readonly counts: BothCounts
  readonly lagMs: number
  /** Absent: it was never read. */
  readonly lastReadAt?: Instant
  readonly failure?: StreamFailure
  /** The part that is proven, the part that is read, and the failure, if there is one. */
  readonly detail: string
}

export interface Surroundings {
  readonly now: Instant
  readonly vendors: Vendors
  readonly atStart: CountsAtStart
}

/**
 * The row of a connector. A run writes the status at its end, so lag and last read are taken from the streams, which are written with each
 * page.
 */
export function liveRow(each: ConnectorRun, { now, vendors, atStart }: Surroundings): LiveRow {
  const { connectorId, run } = each
  const state = stateOf(each, vendors)
  const row = statusRow(connectorId, run.status ?? newStatus(now, run.accepted?.connector.tenantName), now)
  const streams = streamsOf(each, vendors).map(({ id, stream }) => streamRow(each, id, stream, { now, atStart }))
  const lags = traitsOfShown(state).collects ? streams.map(({ lagMs }) => lagMs) : []
  const reads = streams.flatMap(({ lastReadAt }) => lastReadAt ?? [])
  const next = nextRun(each, streams, now)
  const { intervalMinutes, lateArrivalMinutes } = run.accepted?.connector ?? {}
  const reason = withTimes(localWords(row.reason), now)
  return {
    ...row,
    state,
    reason,
    ...(row.nextStep === undefined ? {} : { nextStep: localWords(row.nextStep) }),
    ...(lags.length === 0 ? {} : { lagMs: Math.max(...lags) }),
    ...(reads.length === 0 ? {} : { lastSuccessAt: Math.max(...reads) }),
    counts: sumCounts(streams.map(({ counts }) => counts)),
    ...(next === undefined ? {} : { nextRun: next }),
    ...(intervalMinutes === undefined || lateArrivalMinutes === undefined ? {} : { intervalMinutes, lateArrivalMinutes }),
    streamReason: traitsOfShown(state).collects ? streamReason(connectorId, reason, streams, now) : '',
    streams,
  }
}

/** Sorts the worse stream first: one that fails lastingly, one that fails, one that was never read, then by lag. */
export function worseStream(a: StreamRow, b: StreamRow): number {
  return rankOf(a) - rankOf(b) || b.lagMs - a.lagMs || (a.id < b.id ? -1 : 1)
}

function rankOf({ failure, lastReadAt }: StreamRow): number {
  if (failure !== undefined) return failure.isLasting ? 0 : 1
  return lastReadAt === undefined ? 2 : 3
}

function streamReason(connectorId: string, reason: string, streams: readonly StreamRow[], now: Instant): string {
  const untold = streams.toSorted(worseStream).flatMap(({ id, failure }) => {
    const isTold = failure === undefined || reason.includes(withTimes(failure.detail, now))
    return isTold ? [] : [{ id, failure }]
  })
  const [worst] = untold
  if (worst === undefined) return ''
  const others = untold.length - 1
  const more = others === 0 ? '' : ` ${others} more ${others === 1 ? 'stream fails' : 'streams fail'}: --streams ${connectorId} shows each.`
  return `${worst.id}: ${failureText(worst.failure, now)}${more}`
}

function failureText({ text, nextTryAt }: StreamFailure, now: Instant): string {
  const next = nextTryAt === undefined || nextTryAt <= now ? '' : ` Next try at ${timeAt(nextTryAt, now)}.`
  return `${withTimes(text, now)}${next}`
}

function streamRow(
  { connectorId, run }: ConnectorRun,
  id: StreamId,
  stream: StreamState | undefined,
  { now, atStart }: Pick<Surroundings, 'now' | 'atStart'>,
): StreamRow {
  const failure = failureOf(stream)
  return {
    id,
    counts: countsOf(connectorId, id, stream, atStart),
    lagMs: Math.max(0, now - provenTo(run, id, stream, now)),
    ...(stream?.lastReadAt === undefined ? {} : { lastReadAt: stream.lastReadAt }),
    ...(failure === undefined ? {} : { failure }),
    detail: `${coverageText(coverageOf(stream, run, now))}.${failure === undefined ? '' : ` Fails: ${failureText(failure, now)}`}`,
  }
}

/** All events before this instant are proven read. Of a stream that was never tried none are, so it is the beginning of what must be read. */
function provenTo({ accepted }: ConnectorRun['run'], id: StreamId, stream: StreamState | undefined, now: Instant): Instant {
  if (stream !== undefined) return ledger.coveredTo(stream, now)
  return accepted === undefined ? now : responsibleSince(accepted, id)
}

function nextRun({ run: { due, status, streams } }: ConnectorRun, rows: readonly StreamRow[], now: Instant): NextRun | undefined {
  if ([...streams.values()].some(({ lease }) => lease !== undefined && lease.until > now)) return 'running'
  if (due === undefined) return undefined
  // A run that is due finds nothing to read while each stream waits after a failure.
  const allWaitUntil = rows.length === 0 ? 0 : Math.min(...rows.map(({ failure }) => failure?.nextTryAt ?? 0))
  const until = Math.max(status?.trouble?.until ?? 0, allWaitUntil)
  if (until > now) return Math.max(due.nextDueAt, until)
  // A message is queued up to a minute before the connector is due.
  const dueAt = due.dueSince ?? due.nextDueAt
  return dueAt > now ? dueAt : 'queued'
}
