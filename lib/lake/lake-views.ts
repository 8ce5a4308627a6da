import { operationFields } from '../../functions/domain/operate/history-line.ts'
import { type Field, type FieldTable, recordFields } from '../../functions/domain/record/fields.ts'
import { type GlueColumn, glueColumns } from '../../functions/domain/record/glue.ts'

/** The table of all delivered records. */
export const recordsTable = 'records'

/** Time of arrival (UTC), `2026-11-25` and `09`. Compared as texts they are in the order of time. */
export const partitionKeys = [
  { name: 'dt', type: 'string', comment: 'Day of arrival, UTC: yyyy-MM-dd. A condition on dt keeps a query small.' },
  { name: 'hour', type: 'string', comment: 'Hour of arrival, UTC: 00 to 23.' },
] as const satisfies readonly GlueColumn[]

export interface LakeView {
  readonly name: 'syslog' | 'syslog_exact' | 'syslog_newest' | 'syslog_raw' | 'operations'
  readonly doc: string
  /** A SELECT in the SQL of Athena, over `records` in the same database. */
  readonly sql: string
  /** The columns of the SELECT, in order; those of arrival come last. */
  readonly fields: FieldTable
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

/** The columns of a line of the history. `at` and the names of the tenant and the connector come first. */
const { at, ...otherFields } = operationFields.operation.fields
const historyFields = {
  at,
  tenant: recordFields.tenant,
  connector_id: { ...recordFields.connector_id, doc: 'The connector that the change was for.' },
  ...otherFields,
} as const satisfies FieldTable

/** The columns of the view `operations`, as they are in a line of the table. The SQL of Athena and of DuckDB is the same. */
export const historyColumns = Object.keys(historyFields)
  .map((name) => (name in operationFields.operation.fields ? `"operation".${quoted(name)} AS ${quoted(name)}` : quoted(name)))
  .join(', ')
export const isHistory = `"operation"."id" IS NOT NULL`
export const historyKey = `dt, "operation"."id"`

/** The columns of a view. */
export function columnsOf({ fields }: Pick<LakeView, 'fields'>): readonly GlueColumn[] {
  return [...glueColumns(fields), ...partitionKeys]
}

/** The views of a table whose records have these fields. They name every column, so a column that is added later makes none of them stale. */
export function lakeViews(fields: FieldTable): readonly LakeView[] {
  const names = columnsOf({ fields })
    .map(({ name }) => (name === 'tenant' ? `${tenantSql('regexp_like')} AS "tenant"` : quoted(name)))
    .join(', ')
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
      fields,
    },
    {
      name: 'syslog_exact',
      sql: oneOfEach('id'),
      doc: 'Each event once. Every query reads the whole lake, whatever its condition.',
      fields,
    },
    {
      name: 'syslog_newest',
      // Records from before 0.4.0 have no event_id, and an item may have none.
      sql: oneOfEach(newestKey, newestFirst),
      doc: 'Each event once, in its newest version. Every query reads the whole lake, whatever its condition.',
      fields,
    },
    {
      name: 'syslog_raw',
      sql: `SELECT ${names} FROM ${records}`,
      doc: 'Every record as delivered. After a crash an event can be there twice.',
      fields,
    },
    {
      name: 'operations',
      sql: `SELECT ${historyColumns}, dt, hour FROM (SELECT *, row_number() OVER (PARTITION BY ${historyKey} ORDER BY hour) AS occurrence FROM ${recordsTable} WHERE ${isHistory}) WHERE occurrence = 1`,
      doc: 'Each change of a connector that a person made or tried. No view of events has them.',
      fields: historyFields,
    },
  ]
}

/**
 * A view as Athena stores it in Glue. The types must be those of the SELECT, or Athena calls the view stale.
 * https://github.com/trinodb/trino/blob/master/core/trino-spi/src/main/java/io/trino/spi/connector/ConnectorViewDefinition.java
 */
export function storedView(view: Pick<LakeView, 'sql' | 'fields'>, database: string): string {
  const definition = {
    originalSql: view.sql,
    catalog: 'awsdatacatalog',
    schema: database,
    columns: [
      ...Object.entries(view.fields).map(([name, field]) => ({ name, type: prestoType(field) })),
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
