import { describe, expect, it } from 'vitest'
import type { FieldTable } from '../../functions/domain/record/fields.ts'
import { columnsOf, lakeViews, storedView } from '../../lib/lake/lake-views.ts'

const fields = {
  id: { type: 'string', required: true, doc: 'Identity.' },
  timestamp: { type: 'bigint', required: true, doc: 'When.' },
  malformed: { type: 'boolean', doc: 'Odd.' },
  names: { type: 'array<string>', doc: 'Names.' },
  origin: {
    type: 'struct',
    doc: 'Where from.',
    fields: {
      user: { type: 'string', doc: 'Who.' },
      place: { type: 'struct', doc: 'Where.', fields: { floor: { type: 'int', doc: 'Floor.' } } },
    },
  },
} as const satisfies FieldTable

const views = lakeViews(fields)
const sqlOf = (name: string) => views.find((view) => view.name === name)?.sql
const columns = '"id", "timestamp", "malformed", "names", "origin", "dt", "hour"'

describe('the views of the lake', () => {
  it('each view selects every column by its name, and the two columns of arrival', () => {
    expect(sqlOf('syslog_raw')).toBe(`SELECT ${columns} FROM records WHERE id IS NOT NULL`)
    for (const view of views.filter(({ name }) => name !== 'operations')) {
      expect(view.sql.startsWith(`SELECT ${columns} FROM`)).toBe(true)
      expect(
        columnsOf(view)
          .map(({ name }) => `"${name}"`)
          .join(', '),
      ).toBe(columns)
    }
  })

  it('the view syslog looks for copies within a day, so that one day is read alone, and syslog_exact looks in the whole lake', () => {
    expect(sqlOf('syslog')).toContain('PARTITION BY dt, id ORDER BY ingested_at')
    expect(sqlOf('syslog_exact')).toContain('PARTITION BY id ORDER BY ingested_at')
  })

  it('the view operations has the lines of the history, each once a day of arrival, and no view of events has them', () => {
    expect(sqlOf('operations')).toContain('FROM records WHERE "operation"."id" IS NOT NULL) WHERE occurrence = 1')
    expect(sqlOf('operations')).toContain('PARTITION BY dt, "operation"."id"')
    for (const view of views.filter(({ name }) => name !== 'operations')) expect(view.sql).toContain('WHERE id IS NOT NULL')
    expect(columnsOf(views.find(({ name }) => name === 'operations')!).map(({ name }) => name)).toEqual([
      ...['at', 'tenant', 'connector_id', 'id', 'action', 'outcome', 'message', 'request_id', 'aws_request_id', 'caller', 'says'],
      ...['before', 'after', 'dt', 'hour'],
    ])
  })

  it('a stored view has the SQL, the database and the types as Athena writes them, with names in quotes', () => {
    const [syslog] = views
    const stored = storedView(syslog!, 'second_lake')
    const [, encoded = ''] = /^\/\* Presto View: (\S+) \*\/$/.exec(stored) ?? []
    expect(JSON.parse(Buffer.from(encoded, 'base64').toString())).toEqual({
      originalSql: syslog!.sql,
      catalog: 'awsdatacatalog',
      schema: 'second_lake',
      columns: [
        { name: 'id', type: 'varchar' },
        { name: 'timestamp', type: 'bigint' },
        { name: 'malformed', type: 'boolean' },
        { name: 'names', type: 'array(varchar)' },
        { name: 'origin', type: 'row("user" varchar, "place" row("floor" integer))' },
        { name: 'dt', type: 'varchar' },
        { name: 'hour', type: 'varchar' },
      ],
    })
  })
})
