import { describe, expect, it } from 'vitest'
import type { FieldTable } from '../../functions/domain/record.ts'
import { lakeViews, storedView } from '../../lib/lake/lake-views.ts'

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
  it('answer every column by its name, and the two of arrival', () => {
    expect(sqlOf('syslog_raw')).toBe(`SELECT ${columns} FROM records`)
    for (const view of views) {
      expect(view.sql.startsWith(`SELECT ${columns} FROM`)).toBe(true)
      expect(view.columns.map(({ name }) => `"${name}"`).join(', ')).toBe(columns)
    }
  })

  it('find copies of an event among those of its day in syslog, so that a day is read alone, and among all in syslog_exact', () => {
    expect(sqlOf('syslog')).toContain('PARTITION BY dt, id ORDER BY ingested_at')
    expect(sqlOf('syslog_exact')).toContain('PARTITION BY id ORDER BY ingested_at')
  })

  it('are kept as Athena keeps them: the SQL, the database and the types in Athena’s words, names quoted', () => {
    const [syslog] = views
    const stored = storedView(syslog!, fields, 'second_lake')
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
