import { newStatus } from '../../functions/domain/status/status.ts'
import { type StatusRow, statusRow } from '../../functions/domain/status/status-row.ts'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import type { StreamId, StreamState } from '../../functions/domain/stream/stream.ts'
import type { Instant } from '../../functions/domain/time.ts'
import { localWords } from '../local-words.ts'
import { coverageOf, coverageText } from '../report/coverage.ts'
import { type BothCounts, type ConnectorRun, type CountsAtStart, countsOf, streamsOf, sumCounts, type Vendors } from '../report/runs.ts'

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
  readonly streams: readonly StreamRow[]
}

export interface StreamRow {
  readonly id: StreamId
  readonly counts: BothCounts
  readonly lagMs?: number
  readonly lastReadAt?: Instant
  /** What is proven and what is read, and the failure, if there is one. */
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
  const streams = streamsOf(each, vendors)
  const row = statusRow(connectorId, run.status ?? newStatus(now, run.accepted?.connector.tenantName), now)
  const read = streams.flatMap(({ stream }) => (stream?.lastReadAt === undefined ? [] : [{ ...stream, lastReadAt: stream.lastReadAt }]))
  const ofStreams =
    row.lagMs === undefined && run.status?.lastRunAt !== undefined
      ? {}
      : {
          lagMs: now - Math.min(now, ...read.map((stream) => ledger.coveredTo(stream, now))),
          lastSuccessAt: Math.max(0, ...read.map(({ lastReadAt }) => lastReadAt)),
        }
  const rows = streams.map(({ id, stream }) => streamRow(each, id, stream, { now, atStart }))
  const next = nextRun(each, now)
  const { intervalMinutes, lateArrivalMinutes } = run.accepted?.connector ?? {}
  return {
    ...row,
    reason: localWords(row.reason),
    ...(read.length === 0 ? {} : ofStreams),
    counts: sumCounts(rows.map(({ counts }) => counts)),
    ...(next === undefined ? {} : { nextRun: next }),
    ...(intervalMinutes === undefined || lateArrivalMinutes === undefined ? {} : { intervalMinutes, lateArrivalMinutes }),
    streams: rows,
  }
}

function streamRow(
  { connectorId, run }: ConnectorRun,
  id: StreamId,
  stream: StreamState | undefined,
  { now, atStart }: Pick<Surroundings, 'now' | 'atStart'>,
): StreamRow {
  const failure = stream?.trouble === undefined ? '' : ` Fails: ${localWords(stream.trouble.failure.detail)}`
  return {
    id,
    counts: countsOf(connectorId, id, stream, atStart),
    ...(stream?.lastReadAt === undefined ? {} : { lagMs: now - ledger.coveredTo(stream, now), lastReadAt: stream.lastReadAt }),
    detail: `${coverageText(coverageOf(stream, run, now))}.${failure}`,
  }
}

function nextRun({ run: { due, status, streams } }: ConnectorRun, now: Instant): NextRun | undefined {
  if ([...streams.values()].some(({ lease }) => lease !== undefined && lease.until > now)) return 'running'
  if (due === undefined) return undefined
  const until = status?.trouble?.until ?? 0
  if (until > now) return Math.max(due.nextDueAt, until)
  return due.dueSince !== undefined || due.nextDueAt <= now ? 'queued' : due.nextDueAt
}
