import { day, type Instant, iso } from '../time.ts'

/** A search for events in the lake. An empty text does not limit it. */
export interface EventSearch {
  readonly from: Instant
  readonly to: Instant
  readonly tenant: string
  readonly connectorId: string
  readonly service: string
  readonly eventType: string
  /** A part of any text of the event, in upper or lower case. */
  readonly text: string
}

/** Events that a search shows, the newest first (count). */
export const eventsShown = 100
/** An event arrives so long after it happened at most (days): the vendor keeps events for 72 hours. */
const arrivalDays = 4

/** The columns of the table of events. */
export const eventColumns = [
  'timestamp',
  'tenant',
  'service',
  'event_type',
  'severity',
  'user',
  'file_name',
  'threat_name',
  'action',
] as const

/**
 * The query of a search, for Athena and for DuckDB. It names the days of arrival, so that no other object is read. `"timestamp"` and
 * `"user"` are words of SQL.
 */
export function searchSql({ from, to, tenant, connectorId, service, eventType, text }: EventSearch): string {
  const equals = (column: string, value: string) => (value === '' ? [] : [`${column} = ${literal(value)}`])
  const conditions = [
    `dt BETWEEN ${dateLiteral(from - day)} AND ${dateLiteral(to + arrivalDays * day)}`,
    `"timestamp" BETWEEN ${from} AND ${to}`,
    ...equals('tenant', tenant),
    ...equals('connector_id', connectorId),
    ...equals('service', service),
    ...equals('event_type', eventType),
    ...(text === '' ? [] : [`strpos(lower(raw), ${literal(text.toLowerCase())}) > 0`]),
  ]
  const columns = eventColumns.map((column) => `"${column}"`).join(', ')
  return `SELECT id, ${columns}\nFROM syslog\nWHERE ${conditions.join('\n  AND ')}\nORDER BY "timestamp" DESC\nLIMIT ${eventsShown}`
}

/** The query of one whole record. */
export function recordSql(id: string): string {
  return `SELECT * FROM syslog WHERE id = ${literal(id)} LIMIT 1`
}

/** `2026-11-24` as a text: `dt` is a partition, and both engines compare it so. */
function dateLiteral(at: Instant): string {
  return `'${iso(Math.max(0, at)).slice(0, 10)}'`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
