import { type Field, type FieldTable, type GlueColumn, glueColumns } from '../../functions/domain/record.ts'

/** The table that holds everything delivered. */
export const recordsTable = 'records'

/** By arrival in UTC, `2026-11-25` and `09`. They compare as texts as they do as times. */
export const partitionKeys = [
  { name: 'dt', type: 'string', comment: 'Day of arrival, UTC: yyyy-MM-dd. A condition on it is what keeps a query small.' },
  { name: 'hour', type: 'string', comment: 'Hour of arrival, UTC: 00 to 23.' },
] as const satisfies readonly GlueColumn[]

export interface LakeView {
  readonly name: 'syslog' | 'syslog_exact' | 'syslog_raw'
  readonly doc: string
  /** A SELECT in Athena's SQL, over `records` in the same database. */
  readonly sql: string
  /** What it answers, in order. */
  readonly columns: readonly GlueColumn[]
}

/** The views of a table with these fields. They name every column: one that is added later makes none of them stale. */
export function lakeViews(fields: FieldTable): readonly LakeView[] {
  const columns = [...glueColumns(fields), ...partitionKeys]
  const names = columns.map(({ name }) => quoted(name)).join(', ')
  const firstOfEach = (key: string) =>
    `SELECT ${names} FROM (SELECT *, row_number() OVER (PARTITION BY ${key} ORDER BY ingested_at) AS occurrence FROM ${recordsTable}) WHERE occurrence = 1`
  return [
    {
      name: 'syslog',
      // A condition on dt is pushed below the window because dt is one of its keys.
      sql: firstOfEach('dt, id'),
      doc: 'One of each event within its day of arrival. A condition on dt reads those days only.',
      columns,
    },
    {
      name: 'syslog_exact',
      sql: firstOfEach('id'),
      doc: 'One of each event over everything. Reads the whole lake, whatever the condition.',
      columns,
    },
    {
      name: 'syslog_raw',
      sql: `SELECT ${names} FROM ${recordsTable}`,
      doc: 'Every record as delivered: after a crash an event can be there twice.',
      columns,
    },
  ]
}

/**
 * A view as Athena keeps it in Glue. The types have to be those that the SELECT answers, or Athena calls the view stale.
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

/** `timestamp` and `user` are words of the language. */
function quoted(name: string): string {
  return `"${name}"`
}
