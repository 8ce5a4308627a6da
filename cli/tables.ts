import { remark, statusCells } from '../functions/domain/status/status-row.ts'
import { durationText, type Instant, iso } from '../functions/domain/time.ts'
import { formatTextTable } from '../local/text-table.ts'
import type { Answers, Row, StreamCoverage } from './answers.ts'
import { shortValue } from './plan.ts'

/** The answers as tables for people. Times are in UTC. */

/** `2026-11-24 20:35:26`. */
export function timeText(at: Instant): string {
  return iso(at).slice(0, 19).replace('T', ' ')
}

export function listTable(rows: readonly Row[], asOf: Instant): string {
  if (rows.length === 0) return 'No connectors.\n'
  // The last hour of a connector that is well is not worth a line of a long list.
  return rowsTable(
    rows.map((row) => (row.state === 'ok' ? withoutActivity(row) : row)),
    asOf,
  )
}

/** One connector, also if it is well. */
export function showTable(row: Row, asOf: Instant): string {
  return rowsTable([row], asOf)
}

function withoutActivity({ activity: _, ...row }: Row): Row {
  return row
}

function rowsTable(rows: readonly Row[], asOf: Instant): string {
  const table = rows.map((row) => {
    const { connector, tenant, state, lag, lastRead, today, week } = statusCells(row, asOf)
    return { connector, tenant, state, lag, 'last read': lastRead, today, '7 days': week }
  })
  const remarks = rows.flatMap((row) => {
    const words = remark(row)
    return words === '' ? [] : [`${row.connectorId}: ${words}\n`]
  })
  return [formatTextTable(table), ...remarks, `As of ${timeText(asOf)} UTC.\n`].join('')
}

export function historyTable({ entries }: Answers['history']): string {
  if (entries.length === 0) return 'No changes in the last 90 days.\n'
  return formatTextTable(
    entries.map(({ at, action, outcome, tenantOfCaller, says = '', before = {}, after = {}, message = '', awsRequestId = '' }) => ({
      'time (UTC)': timeText(at),
      action,
      outcome,
      'operator of': tenantOfCaller,
      says,
      change: outcome === 'done' ? valuesText(before, after) : message,
      request: awsRequestId,
    })),
  )
}

function valuesText(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names
    .map((name) =>
      name in before ? `${name}: ${shortValue(before[name])} → ${shortValue(after[name])}` : `${name}: ${shortValue(after[name])}`,
    )
    .join('; ')
}

/** The coverage of one connector. */
export interface ConnectorCoverage {
  readonly connectorId: string
  readonly tenant: string
  readonly asOf: Instant
  readonly streams: readonly StreamCoverage[]
}

/** A row for each stream, every lost range, and a row for each tenant. */
export function coverageTables(all: readonly ConnectorCoverage[]): string {
  const streams = all.flatMap(({ connectorId, asOf, streams }) =>
    streams.map((stream) => ({ connector: connectorId, stream: stream.stream, ...coverageCells([stream], asOf) })),
  )
  const ranges = all.flatMap(({ connectorId, streams }) =>
    streams.flatMap(({ stream, lostRanges }) =>
      lostRanges.map(({ from, to, reason = '' }) => ({
        connector: connectorId,
        stream,
        'lost from': timeText(from),
        to: timeText(to),
        reason,
      })),
    ),
  )
  const tenants = [...Map.groupBy(all, ({ tenant }) => tenant)].map(([tenant, own]) => ({
    tenant,
    connectors: own.length,
    ...coverageCells(
      own.flatMap(({ streams }) => streams),
      Math.max(...own.map(({ asOf }) => asOf)),
    ),
  }))
  return [streams, ranges, tenants].flatMap((rows) => (rows.length === 0 ? [] : [formatTextTable(rows)])).join('\n')
}

function coverageCells(streams: readonly StreamCoverage[], asOf: Instant) {
  if (streams.length === 0) return { 'from (UTC)': '–', 'proven to': '–', 'not proven yet': '–', lost: '–' }
  const provenTo = Math.min(...streams.map((stream) => stream.provenTo))
  const lost = lostOf(streams)
  return {
    'from (UTC)': timeText(Math.min(...streams.map(({ since }) => since))),
    'proven to': timeText(provenTo),
    'not proven yet': durationText(asOf - provenTo),
    lost: lost.count === 0 ? 'nothing' : `${lost.count}: ${durationText(lost.ms)}`,
  }
}

/** The lost ranges of streams (count), and how long they are together (ms). */
export function lostOf(streams: readonly StreamCoverage[]): { readonly count: number; readonly ms: number } {
  return streams.reduce(
    ({ count, ms }, { lostRanges, lostBefore }) => ({
      count: count + lostRanges.length + lostBefore.count,
      ms: ms + lostBefore.ms + lostRanges.reduce((total, { from, to }) => total + to - from, 0),
    }),
    { count: 0, ms: 0 },
  )
}
