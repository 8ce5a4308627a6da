import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { FirehoseClient } from '@aws-sdk/client-firehose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../functions/adapters/clock.ts'
import { digest } from '../../functions/adapters/digest.ts'
import { fittingLine } from '../../functions/adapters/firehose/fitting-line.ts'
import { firehoseSink } from '../../functions/adapters/firehose/sink.ts'
import { tenantOf } from '../../functions/domain/connector/tenant.ts'
import { historyLine } from '../../functions/domain/operate/history-line.ts'
import { type LakeRecord, serialise } from '../../functions/domain/record/record.ts'
import { openLake } from '../../local/lake.ts'
import { formatTextTable } from '../../local/text-table.ts'
import { record } from '../../simulation/fakes/record.ts'
import { localServices, temporaryFolder } from '../local-services.ts'

/** Writes an object of the lake as Firehose would. */
function object(dataDir: string, day: string, lines: readonly string[]): void {
  const folder = join(dataDir, 'lake/syslog', `dt=${day}`, 'hour=10')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${crypto.randomUUID()}.json.gz`), gzipSync(lines.map((line) => `${line}\n`).join('')))
}

async function lakeOf(dataDir: string) {
  const lake = await openLake(dataDir)
  onTestFinished(() => lake.close())
  return lake
}

async function command(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../local/lake.ts'), ...args])
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { stdout, stderr, code: child.exitCode }
}

const entry = {
  connectorId: 'acme.cas',
  at: Date.UTC(2026, 10, 24, 10),
  action: 'pause',
  requestId: 'request-1',
  awsRequestId: 'aws-1',
  tenantOfCaller: 'all',
  outcome: 'done',
} as const

const ids = (rows: readonly Readonly<Record<string, unknown>>[]) => rows.map(({ id }) => id)

describe('the lake', () => {
  it('has every field of a record with its type', async () => {
    const dataDir = temporaryFolder()
    const whole = record('a', { email_recipients: ['a@example.com'], malformed: true })
    object(dataDir, '2026-11-24', [serialise(whole)])
    const [row] = await (await lakeOf(dataDir)).query('SELECT * FROM syslog')
    expect(row).toMatchObject(whole)
    expect(row).toMatchObject({ dt: '2026-11-24', hour: '10', user: null })
  })

  it('shows each event once a day in syslog, once in syslog_exact, and as often as delivered in syslog_raw', async () => {
    const dataDir = temporaryFolder()
    const line = (id: string, ingested_at: number): string => serialise(record(id, { ingested_at }))
    object(dataDir, '2026-11-23', [line('a', 1), line('a', 2), line('b', 1)])
    object(dataDir, '2026-11-24', [line('a', 3)])
    const lake = await lakeOf(dataDir)
    const counts = async (view: string) => ids(await lake.query(`SELECT id FROM ${view} ORDER BY id`))
    expect(await counts('syslog_raw')).toEqual(['a', 'a', 'a', 'b'])
    expect(await counts('syslog')).toEqual(['a', 'a', 'b'])
    expect(await counts('syslog_exact')).toEqual(['a', 'b'])
    expect(await lake.query("SELECT ingested_at FROM syslog_exact WHERE id = 'a'")).toEqual([{ ingested_at: 1 }])
  })

  it('shows the newest version of each event in syslog_newest, the same one each time', async () => {
    const dataDir = temporaryFolder()
    const line = (id: string, more: Partial<LakeRecord>): string => serialise(record(id, { event_id: 'U1', ...more }))
    object(dataDir, '2026-11-24', [line('b', { ingested_at: 1, action: 'Pending' }), line('c', { ingested_at: 2, action: 'Quarantine' })])
    object(dataDir, '2026-11-25', [line('a', { ingested_at: 2, action: 'Deleted' }), line('d', { ingested_at: 1, connector_id: 'other' })])
    object(dataDir, '2026-11-25', [serialise(record('without')), serialise(record('an id'))])
    const newest = await (await lakeOf(dataDir)).query('SELECT id, action FROM syslog_newest ORDER BY id')
    expect(newest.map(({ id }) => id)).toEqual(['a', 'an id', 'd', 'without'])
  })

  it('can be queried while it is empty', async () => {
    const { dataDir } = await localServices()
    mkdirSync(join(dataDir, 'lake'))
    const lake = await lakeOf(dataDir)
    expect(await lake.query('SELECT id, msg_origin.vendor, dt FROM syslog')).toEqual([])
  })

  it('can be queried although it contains odd lines', async () => {
    const dataDir = temporaryFolder()
    const odd = { ...record('b'), timestamp: 'yesterday', msg_origin: 'nobody', unknown: 1 } as unknown as LakeRecord
    object(dataDir, '2026-11-24', [serialise(record('a')), serialise(odd), 'no JSON', '{}'])
    const lake = await lakeOf(dataDir)
    expect(ids(await lake.query('SELECT id FROM syslog_raw'))).toContain('a')
  })

  it('leaves out lines that are no record, and names them', async () => {
    const dataDir = temporaryFolder()
    const halfCharacter = '{"id":"a","timestamp":1,"user":"\\ud83d"}'
    object(dataDir, '2026-11-24', [halfCharacter, '{"id":"b","timest', serialise(record('c')), '{}'])
    const lake = await lakeOf(dataDir)
    for (const view of ['syslog_raw', 'syslog', 'syslog_exact', 'syslog_newest']) {
      expect(await lake.query(`SELECT id FROM ${view}`)).toEqual([{ id: 'c' }])
      expect(await lake.query(`SELECT count(*) AS n FROM ${view}`)).toEqual([{ n: 1 }])
    }
    const bad = await lake.badLines(10)
    expect(bad.map(({ line }) => line)).toEqual([1, 2, 4])
    expect(bad[0]?.object).toMatch(/dt=2026-11-24.hour=10.+\.json\.gz$/)
    expect(await lake.badLines(2)).toHaveLength(2)
  })

  it('shows operations in their own view, each once, and in no view of events', async () => {
    const dataDir = temporaryFolder()
    const pause = { ...entry, before: { enabled: true }, after: { enabled: false }, says: 'Ann' } as const
    const lines = [pause, { ...entry, requestId: 'request-2', outcome: 'conflict', message: 'Changed by another.' } as const]
    const [first = '', second = ''] = lines.map((each) => historyLine(each, digest).trimEnd())
    object(dataDir, '2026-11-24', [first, serialise(record('a')), second, first])
    const lake = await lakeOf(dataDir)
    for (const view of ['syslog_raw', 'syslog', 'syslog_exact', 'syslog_newest'])
      expect(await lake.query(`SELECT id FROM ${view}`)).toEqual([{ id: 'a' }])
    expect(await lake.query('SELECT * EXCLUDE (id) FROM operations ORDER BY request_id')).toEqual([
      {
        ...{ at: entry.at, tenant: 'acme', connector_id: 'acme.cas', action: 'pause', outcome: 'done', message: null, says: 'Ann' },
        ...{ request_id: 'request-1', aws_request_id: 'aws-1', caller: 'all', before: '{"enabled":true}', after: '{"enabled":false}' },
        ...{ dt: '2026-11-24', hour: '10' },
      },
      expect.objectContaining({ request_id: 'request-2', outcome: 'conflict', message: 'Changed by another.', before: null }),
    ])
    expect(await lake.badLines(10)).toEqual([])
  })

  it('has a name with a NUL whole', async () => {
    const dataDir = temporaryFolder()
    object(dataDir, '2026-11-24', [serialise(record('n', { file_name: 'a\0b', raw: '{"file_name":"a\\u0000b"}' }))])
    const lake = await lakeOf(dataDir)
    for (const view of ['syslog_raw', 'syslog', 'syslog_exact', 'syslog_newest'])
      expect(await lake.query(`SELECT file_name, raw FROM ${view}`)).toEqual([{ file_name: 'a\0b', raw: '{"file_name":"a\\u0000b"}' }])
  })

  it('shows records that were cut beside an emoji, and no row without an id', async () => {
    const dataDir = temporaryFolder()
    const name = '😀'.repeat(100_000)
    const large = ['odd', 'even'].map((id) => {
      const file_name = id === 'odd' ? `x${name}` : name
      return record(id, {
        file_name,
        raw: JSON.stringify({ file_name }),
        syslog: { ...record(id).syslog, message: file_name },
        user: file_name,
      })
    })
    const lines = [...large, record('small', { file_name: 'ok' })].map((each) => fittingLine(each, 'whole'))
    object(dataDir, '2026-11-24', lines)
    const lake = await lakeOf(dataDir)
    expect(ids(await lake.query('SELECT id FROM syslog_raw ORDER BY id'))).toEqual(['even', 'odd', 'small'])
    for (const { file_name } of await lake.query('SELECT file_name FROM syslog_raw')) expect(String(file_name).isWellFormed()).toBe(true)
    expect(await lake.query("SELECT id FROM syslog_raw WHERE file_name LIKE '%…'")).toHaveLength(2)
    expect(await lake.badLines(10)).toEqual([])
  })

  it('can be queried although an object has 0 bytes', async () => {
    const dataDir = temporaryFolder()
    object(dataDir, '2026-11-24', [serialise(record('a'))])
    writeFileSync(join(dataDir, 'lake/syslog/dt=2026-11-24/hour=10/empty.json.gz'), '')
    expect(await (await lakeOf(dataDir)).query('SELECT id FROM syslog')).toEqual([{ id: 'a' }])
  })

  it('can lie in a folder of any name', async () => {
    const dataDir = join(temporaryFolder(), "it's [odd] *?")
    object(dataDir, '2026-11-24', [serialise(record('a'))])
    expect(await (await lakeOf(dataDir)).query('SELECT id FROM syslog')).toEqual([{ id: 'a' }])
  })

  it('has every record that a running owner has acknowledged', async () => {
    const { dataDir, addresses, clientConfig } = await localServices()
    const client = new FirehoseClient({ ...clientConfig, endpoint: addresses.firehose })
    const sink = firehoseSink({ client, deliveryStream: 'lake', clock: systemClock })
    await sink.deliver([record('a')])
    expect(await (await lakeOf(dataDir)).query('SELECT id FROM syslog_raw')).toEqual([{ id: 'a' }])
  })
})

describe('npm run lake', () => {
  it('reports lines that are no record beside the rows', async () => {
    const dataDir = temporaryFolder()
    object(dataDir, '2026-11-24', ['no JSON', serialise(record('a'))])
    const { code, stdout, stderr } = await command('--data', dataDir, '--json', 'SELECT id FROM syslog')
    expect({ code, rows: JSON.parse(stdout) }).toEqual({ code: 0, rows: [{ id: 'a' }] })
    expect(stderr).toMatch(/^1 line of the lake is no record and in no view:\n {2}.+hour=10.+\.json\.gz, line 1\n$/)
  })

  it('takes the tenant of a record from before 0.4.0 from the id of its connector', async () => {
    const dataDir = temporaryFolder()
    const before = (id: string, connectorId: string) => {
      const { tenant: _, ...rest } = record(id, { connector_id: connectorId, tenant_name: 'Acme' })
      return JSON.stringify(rest)
    }
    const ids = ['acme.cas', 'acme-cas', 'Acme.cas', 'acme.', `${'a'.repeat(41)}.cas`, 'a.b.c']
    object(dataDir, '2026-11-24', [...ids.map((id, i) => before(String(i), id)), serialise(record('9', { tenant: 'globex' }))])
    const { stdout } = await command('--data', dataDir, '--json', 'SELECT tenant FROM syslog ORDER BY id')
    const expected = [...ids.map((connectorId) => tenantOf({ connectorId, tenantName: 'Acme' })), 'globex']
    expect(JSON.parse(stdout)).toEqual(expected.map((tenant) => ({ tenant })))
    expect(expected.slice(0, 2)).toEqual(['acme', '~Acme'])
  })

  it('counts by tenant, event type and day when it is given no SQL', async () => {
    const dataDir = temporaryFolder()
    object(dataDir, '2026-11-24', [serialise(record('a')), serialise(record('a')), serialise(record('b', { tenant: 'globex' }))])
    expect(await command('--data', dataDir, '--json')).toMatchObject({
      code: 0,
      stdout: `${JSON.stringify(
        [
          { tenant: 'acme', event_type: 'dlp', day: '2026-11-24', events: 1 },
          { tenant: 'globex', event_type: 'dlp', day: '2026-11-24', events: 1 },
        ],
        null,
        2,
      )}\n`,
    })
  })

  it('prints a table', async () => {
    const dataDir = temporaryFolder()
    object(dataDir, '2026-11-24', [serialise(record('a'))])
    const { stdout } = await command('--data', dataDir, 'SELECT id, type_uid FROM syslog')
    expect(stdout).toBe('id  type_uid\n──  ────────\na     200601\n')
  })

  it('says in one sentence what to do when there is no lake', async () => {
    const { code, stderr, stdout } = await command('--data', join(temporaryFolder(), 'none'))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^There is no lake in .*none: nothing was delivered there yet\. The summary of "npm start" says why\. If your lake is elsewhere, name its folder with --data\.\n$/,
    )
  })

  it('shows the mistake in the SQL, without a stack trace', async () => {
    const dataDir = temporaryFolder()
    object(dataDir, '2026-11-24', [serialise(record('a'))])
    const { code, stderr } = await command('--data', dataDir, 'SELECT nothing FROM syslog')
    expect(code).toBe(1)
    expect(stderr).toContain('"nothing" not found')
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  it('names an unknown option', async () => {
    const { code, stderr } = await command('--tabel')
    expect(code).toBe(1)
    expect(stderr).toContain("'--tabel'")
  })
})

describe('a table for a terminal', () => {
  it('contains no control characters', () => {
    expect(formatTextTable([{ user: 'a\u001b[2Jb\nc' }])).toBe('user\n───────\na·[2Jb·c\n'.replace('───────', '────────'))
  })

  it('contains none in its headings either, and aligns characters of any width', () => {
    expect(formatTextTable([{ 'n\u001b]0;x\u0007': '東京', 'right\u202e': 1 }])).toBe(
      ['n·]0;x·  right·', '───────  ──────', '東京          1', ''].join('\n'),
    )
  })

  it('cuts a long cell', () => {
    expect(formatTextTable([{ raw: 'x'.repeat(5_000) }]).split('\n')[2]).toBe(`${'x'.repeat(59)}…`)
  })

  it('says that there are no rows', () => {
    expect(formatTextTable([])).toBe('No rows.\n')
  })
})
