import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EventSearch, searchSql } from '../../functions/domain/operate/event-search.ts'
import { day, hour } from '../../functions/domain/time.ts'

const at = Date.UTC(2026, 10, 24, 12)
const everything: EventSearch = { from: at - day, to: at, tenant: '', connectorId: '', service: '', eventType: '', text: '' }

/** A view `syslog` with three events, and a table that no search may touch. */
async function lake() {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const event = (id: string, ms: number, tenant: string, raw: string) =>
    `SELECT '${id}' AS id, ${ms}::BIGINT AS "timestamp", '${tenant}' AS tenant, '${tenant}.cas' AS connector_id, 'sharepoint' AS service, 'dlp' AS event_type,
     'high' AS severity, 'u' AS "user", 'f' AS file_name, 't' AS threat_name, 'a' AS action, '${raw}' AS raw, DATE '2026-11-24' AS dt`
  await connection.run(
    `CREATE TABLE syslog AS ${[event('1', at - hour, 'acme', 'Quarantined INVOICE'), event('2', at - 2 * hour, 'globex', 'x'), event('3', at - 3 * day, 'acme', 'x')].join(' UNION ALL ')}`,
  )
  return async (search: Partial<EventSearch>) => {
    const rows = await connection.runAndReadAll(searchSql({ ...everything, ...search }))
    return rows.getRowObjectsJson().map(({ id }) => id)
  }
}

describe('a search for events', () => {
  it('finds those of its time, the newest first', async () => {
    const find = await lake()
    expect(await find({})).toEqual(['1', '2'])
    expect(await find({ from: at - 4 * day })).toEqual(['1', '2', '3'])
  })

  it('finds those of a tenant, a connector, a service, a type and a text, in upper or lower case', async () => {
    const find = await lake()
    expect(await find({ tenant: 'globex' })).toEqual(['2'])
    expect(await find({ connectorId: 'acme.cas' })).toEqual(['1'])
    expect(await find({ service: 'onedrive' })).toEqual([])
    expect(await find({ eventType: 'dlp' })).toEqual(['1', '2'])
    expect(await find({ text: 'invoice' })).toEqual(['1'])
  })

  it('is only a search, whatever its texts are', async () => {
    const find = await lake()
    const text = fc.oneof(fc.string(), fc.constantFrom("'; DROP TABLE syslog; --", "' OR '1'='1", "\\' OR 1=1 --", '%_'))
    await fc.assert(
      fc.asyncProperty(text, text, text, async (tenant, service, words) => {
        expect(await find({ tenant: `${tenant}#`, service, text: words })).toEqual([])
      }),
    )
    expect(await find({})).toEqual(['1', '2'])
  })
})
