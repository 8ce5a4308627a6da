import type { Field, FieldTable } from '../../functions/domain/record/fields.ts'
import { type GlueColumn, glueColumns } from '../../functions/domain/record/glue.ts'

/** The table of all delivered records. */
export const recordsTable = 'records'

/** Time of arrival (UTC), `2026-11-25` and `09`. Compared as texts they are in the order of time. */
export const partitionKeys = [
  { name: 'dt', type: 'string', comment: 'Day of arrival, UTC: yyyy-MM-dd. A condition on dt keeps a query small.' },
  { name: 'hour', type: 'string', comment: 'Hour of arrival, UTC: 00 to 23.' },
] as const satisfies readonly GlueColumn[]

export interface LakeView {
  readonly name: 'syslog' | 'syslog_exact' | 'syslog_newest' | 'syslog_raw'
  readonly doc: string
  /** A SELECT in the SQL of Athena, over `records` in the same database. */
  readonly sql: string
  /** The columns of the SELECT, in order. */
  readonly columns: readonly GlueColumn[]
}

/** An event and its updates. */
export const newestKey = 'connector_id, event_type, service, coalesce(event_id, id)'
/** The smaller `id` wins if two versions were received at once, so that each query shows the same one. */
export const newestFirst = 'ingested_at DESC, id'

/**
 * The tenant of a record. Records from before 0.4.0 have none, but the id of their connector names it, as `tenantOf` says.
 * `matches`: the function that looks for a regular expression, of Athena or of DuckDB.
 */
export const tenantSql = (matches: 'regexp_like' | 'regexp_matches') =>
  `coalesce("tenant", CASE WHEN ${matches}("connector_id", '^[a-z0-9-]{1,40}\\.[A-Za-z0-9._-]+$') THEN split_part("connector_id", '.', 1) ELSE '~' || "tenant_name" END)`

/** The views of a table with these fields. They name every column, so a column that is added later makes none of them stale. */
export function lakeViews(fields: FieldTable): readonly LakeView[] {
  const columns = [...glueColumns(fields), ...partitionKeys]
  const names = columns.map(({ name }) => (name === 'tenant' ? `${tenantSql('regexp_like')} AS "tenant"` : quoted(name))).join(', ')
  // A line that is no record gives a row of NULLs.
  const records = `${recordsTable} WHERE id IS NOT NULL`
  const oneOfEach = (key: string, order = 'ingested_at') =>
    `SELECT ${names} FROM (SELECT *, row_number() OVER (PARTITION BY ${key} ORDER BY ${order}) AS occurrence FROM ${records}) WHERE occurrence = 1`
  return [
    {
      name: 'syslog',
      // With dt as a key, Athena applies a condition on dt before it looks for copies.
      sql: oneOfEach('dt, id'),
      doc: 'Each event once for each day on which it arrived. With a condition on dt only those days are read.',
      columns,
    },
    {
      name: 'syslog_exact',
      sql: oneOfEach('id'),
      doc: 'Each event once. Every query reads the whole lake, whatever its condition.',
      columns,
    },
    {
      name: 'syslog_newest',
      // Records from before 0.4.0 have no event_id, and an item may have none.
      sql: oneOfEach(newestKey, newestFirst),
      doc: 'Each event once, in its newest version. Every query reads the whole lake, whatever its condition.',
      columns,
    },
    {
      name: 'syslog_raw',
      sql: `SELECT ${names} FROM ${records}`,
      doc: 'Every record as delivered. After a crash an event can be there twice.',
      columns,
    },
  ]
}

/**
 * A view as Athena stores it in Glue. The types must be those of the SELECT, or Athena calls the view stale.
 * https://github.com/trinodb/trino/blob/master/core/trino-spi/src/main/java/io/trino/spi/connector/ConnectorViewDefinition.java
 */
export function storedView(view: LakeView, fields: FieldTable, database: string): string {
  const definition = {
    originalSql: view.sql,
    catalog: 'awsdatacatalog',
    schema: database,
    columns: [
      ...Object.entries(fields).map(([name, field]) => ({ name, type: prestoType(field) })),
      ...partitionKeys.map(({ name }) => ({ name, type: prestoTypes.string })),
    ],
  }
  return `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`
}

const prestoTypes = { string: 'varchar', bigint: 'bigint', int: 'integer', boolean: 'boolean', 'array<string>': 'array(varchar)' } as const

/** `varchar`, `row("name" varchar, "type" varchar)`. */
function prestoType(field: Field): string {
  if (field.type !== 'struct') return prestoTypes[field.type]
  const members = Object.entries(field.fields).map(([name, member]) => `${quoted(name)} ${prestoType(member)}`)
  return `row(${members.join(', ')})`
}

/** `timestamp` and `user` are keywords of SQL. */
function quoted(name: string): string {
  return `"${name}"`
}
