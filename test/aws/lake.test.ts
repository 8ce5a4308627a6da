import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { historyLine } from '../../functions/domain/operate/history-line.ts'
import type { HistoryEntry } from '../../functions/domain/operate/operation.ts'
import { type LakeRecord, serialise } from '../../functions/domain/record/record.ts'
import { day, minute } from '../../functions/domain/time.ts'
import { openDeliveryStream } from '../../local/services/firehose/delivery-stream.ts'
import { record } from '../../simulation/fakes/record.ts'
import { assemblyDir, judgesDir, lakeDir, runDir } from './folders.ts'
import { readLake } from './lake-objects.ts'
import { Stack } from './template.ts'

/**
 * The table, the views and the saved queries of the template, over objects that were written as the template says. Athena does not run
 * here: sqlglot translates its SQL and its types for DuckDB, and DuckDB runs them.
 */

interface Column {
  readonly Name: string
  readonly Type: string
}

interface GlueTable {
  readonly Name: string
  readonly TableType: string
  readonly PartitionKeys: readonly Column[]
  readonly Parameters: Readonly<Record<string, string>>
  readonly StorageDescriptor: { readonly Columns: readonly Column[] }
  readonly ViewOriginalText?: string
}

interface PrestoView {
  readonly originalSql: string
  readonly schema: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

const stack = new Stack(assemblyDir)
const glueTables = stack.ofType('AWS::Glue::Table').map(({ properties }) => properties['TableInput'] as GlueTable)
const table = glueTables.find(({ TableType }) => TableType === 'EXTERNAL_TABLE')!
const columns = [...table.StorageDescriptor.Columns, ...table.PartitionKeys]
const views = glueTables
  .filter(({ TableType }) => TableType === 'VIRTUAL_VIEW')
  .map((view) => ({ ...view, definition: definitionOf(view) }))
const namedQueries = stack.ofType('AWS::Athena::NamedQuery').map(({ properties }) => ({
  name: String(properties['Name']).replace(/^.*?: /, ''),
  sql: String(properties['QueryString']),
}))
const inDuckDb = translated()

function definitionOf({ ViewOriginalText = '' }: GlueTable): PrestoView {
  const encoded = /^\/\* Presto View: ([\w+/=]+) \*\/$/.exec(ViewOriginalText)?.[1] ?? ''
  return JSON.parse(Buffer.from(encoded, 'base64').toString())
}

function translated(): {
  readonly athena: readonly string[]
  readonly glueTypes: readonly string[]
  readonly athenaTypes: readonly string[]
} {
  const asked = {
    athena: [...views.map(({ definition }) => definition.originalSql), ...namedQueries.map(({ sql }) => sql)],
    glueTypes: [...columns, ...views.flatMap(({ StorageDescriptor }) => StorageDescriptor.Columns)].map(({ Type }) => Type),
    athenaTypes: views.flatMap(({ definition }) => definition.columns.map(({ type }) => type)),
  }
  const judge = [join(judgesDir, 'venv/bin/python'), join(import.meta.dirname, 'judges/views.py')] as const
  return JSON.parse(execFileSync(judge[0], [judge[1]], { input: JSON.stringify(asked), encoding: 'utf8' }))
}

/** The text of a query, by its name. */
function queryOf(name: string): string {
  return inDuckDb.athena[views.length + namedQueries.findIndex((query) => query.name === name)]!
}

/** A lake of objects, with DuckDB instead of Athena. */
class Athena {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance
    this.#connection = connection
  }

  static async over(lake: string): Promise<Athena> {
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const types = columns.map(({ Name }, index) => `${literal(Name)}: ${literal(inDuckDb.glueTypes[index]!)}`)
    const ofObjects = types.slice(0, -table.PartitionKeys.length)
    const ofPartitions = types.slice(-table.PartitionKeys.length)
    const objects = join(lake, folderOf('*', '*'), '*')
    await connection.run("SET TimeZone = 'UTC'")
    await connection.run(`CREATE VIEW ${table.Name} AS SELECT * FROM read_json(${literal(objects)}, format = 'newline_delimited',
      compression = ${literal(table.Parameters['compressionType']!)}, columns = {${ofObjects.join(', ')}}, hive_partitioning = true,
      hive_types = {${ofPartitions.join(', ')}})`)
    for (const [index, { Name }] of views.entries()) await connection.run(`CREATE VIEW ${Name} AS ${inDuckDb.athena[index]}`)
    return new Athena(instance, connection)
  }

  async rows(sql: string, parameters: readonly string[] = []): Promise<Record<string, unknown>[]> {
    return (await this.#connection.runAndReadAll(sql, [...parameters])).getRowObjectsJson()
  }

  close(): void {
    this.#connection.closeSync()
    this.#instance.closeSync()
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** The folder of the objects of one partition, as Athena computes it. */
function folderOf(dt: string, hourOfDay: string): string {
  const bucket = `s3://${stack.only('AWS::S3::Bucket').ref}/`
  const location = table.Parameters['storage.location.template']!.replace('$' + '{dt}', dt).replace('$' + '{hour}', hourOfDay)
  if (!location.startsWith(bucket)) throw new Error(`${location} is not in the lake's bucket ${bucket}`)
  return location.slice(bucket.length)
}

/** Every partition that Athena looks for. https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html */
function projectedFolders(): Set<string> {
  const of = (property: string) => table.Parameters[`projection.${property}`]!
  expect([of('enabled'), of('dt.type'), of('dt.format'), of('hour.type')]).toEqual(['true', 'date', 'yyyy-MM-dd', 'integer'])
  const [firstDay, lastDay] = of('dt.range').split(',')
  expect(lastDay).toBe('NOW')
  const [firstHour, lastHour] = of('hour.range').split(',').map(Number)
  const folders = new Set<string>()
  for (let at = Date.parse(firstDay!); at <= Date.now(); at += day) {
    for (let hourOfDay = firstHour!; hourOfDay <= lastHour!; hourOfDay += 1) {
      folders.add(folderOf(dayOf(at), String(hourOfDay).padStart(Number(of('hour.digits')), '0')))
    }
  }
  return folders
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

function hourOf(at: number): string {
  return new Date(at).toISOString().slice(11, 13)
}

const now = Date.now()
/** A time before the range of every saved query. */
const longAgo = now - 45 * day
const today = dayOf(now)
const yesterday = dayOf(now - day)
const folder = mkdtempSync(join(tmpdir(), 'tributary-lake-'))
const lake = join(folder, 'lake')
let athena: Athena

/** Delivers records that arrive together, as one object. */
async function deliver(arrivedAt: number, ...records: readonly LakeRecord[]): Promise<void> {
  await deliverLines(
    arrivedAt,
    records.map((each) => `${serialise(each)}\n`),
  )
}

async function deliverLines(arrivedAt: number, lines: readonly string[]): Promise<void> {
  const stream = await openDeliveryStream({
    dataDir: folder,
    destination: stack.only('AWS::KinesisFirehose::DeliveryStream').properties['ExtendedS3DestinationConfiguration'],
    now: () => arrivedAt,
  })
  const Data = Buffer.from(lines.join('')).toString('base64')
  await stream.operations['Firehose_20150804.PutRecordBatch']!({ DeliveryStreamName: 'lake', Records: [{ Data }] })
  await stream.close()
}

/** An event that was received ten minutes after it happened. */
const received = (at: number) => ({ ingested_at: at, timestamp: at - 10 * minute })

const leak = (at: number) =>
  record('leak', { ...received(at), user: 'Ann@example.com', policy_name: 'cards', dlp_templates: ['PAN', 'IBAN'], action: 'block' })
const virus = (at: number) =>
  record('virus', { ...received(at), event_type: 'malware', class_uid: 2004, type_uid: 200401, threat_name: 'Eicar', severity: 'high' })

/** An event and two updates of it, all with one id of the vendor. */
const versions = ['update-0', 'update-a', 'update-b']
const version = (id: string, at: number) => record(id, { ...received(at), event_id: 'changing' })

const pause: HistoryEntry = {
  connectorId: 'acme.cas',
  at: now,
  action: 'pause',
  requestId: 'request-1',
  awsRequestId: 'aws-1',
  tenantOfCaller: 'all',
  outcome: 'done',
}

beforeAll(async () => {
  await deliver(now, leak(now - minute), virus(now), virus(now - 1), record('odd', { ...received(now), malformed: true }))
  await deliverLines(now, [historyLine(pause, digest), historyLine(pause, digest)])
  await deliver(now - day, leak(now - day), record('quiet', { ...received(now - day), ingest_mode: 'backfill' }))
  await deliver(
    longAgo,
    record('old', received(longAgo)),
    version('update-b', longAgo),
    version('update-a', longAgo),
    version('update-0', longAgo - 1),
  )
  athena = await Athena.over(lake)
})

afterAll(() => {
  athena.close()
  rmSync(folder, { recursive: true, force: true })
})

const ids = (rows: readonly Readonly<Record<string, unknown>>[]) => rows.map(({ id }) => id)

describe('the table', () => {
  it('finds every object of the last days in one of its projected partitions', () => {
    const projected = projectedFolders()
    const lying = readLake(lake).map(({ key }) => key.slice(0, key.lastIndexOf('/') + 1))
    const recent = lying.filter((place) => place !== folderOf(dayOf(longAgo), hourOf(longAgo)))
    expect(recent).toHaveLength(3)
    expect(recent.filter((place) => !projected.has(place))).toEqual([])
  })

  it('reads each record as it was written', async () => {
    const [row] = await athena.rows(`SELECT * FROM ${table.Name} WHERE id = 'leak' AND dt = '${today}'`)
    const { timestamp, ingested_at, type_uid, ...others } = leak(now - minute)
    expect(row).toMatchObject({ ...others, dt: today, hour: hourOf(now) })
    expect([row!['timestamp'], row!['ingested_at'], row!['type_uid']]).toEqual([timestamp, ingested_at, type_uid].map(String))
  })
})

describe('the views', () => {
  it('are operations, syslog, syslog_exact, syslog_newest and syslog_raw, in the database of the table', () => {
    expect(views.map(({ Name }) => Name).sort()).toEqual(['operations', 'syslog', 'syslog_exact', 'syslog_newest', 'syslog_raw'])
    const { Name } = stack.only('AWS::Glue::Database').properties['DatabaseInput'] as { readonly Name: string }
    expect(new Set(views.map(({ definition }) => definition.schema))).toEqual(new Set([Name]))
  })

  it.each(views)(
    'have the columns that they select, with the types that Glue and Athena get: $Name',
    async ({ Name, definition, StorageDescriptor }) => {
      const typesInDuckDb = async (names: readonly string[]) => {
        const [row] = await athena.rows(`SELECT ${names.map((type, index) => `typeof(NULL::${type}) AS "${index}"`).join(', ')}`)
        return names.map((_, index) => row![String(index)])
      }
      const before = views.slice(
        0,
        views.findIndex((view) => view.Name === Name),
      )
      const first = before.flatMap((view) => view.definition.columns).length
      const own = StorageDescriptor.Columns
      const inGlue = inDuckDb.glueTypes.slice(columns.length + first).slice(0, own.length)
      const declared = inDuckDb.athenaTypes.slice(first, first + own.length)
      const described = await athena.rows(`DESCRIBE ${Name}`)
      expect(described.map(({ column_name }) => column_name)).toEqual(own.map((column) => column.Name))
      expect(described.map(({ column_type }) => column_type)).toEqual(await typesInDuckDb(inGlue))
      expect(await typesInDuckDb(declared)).toEqual(await typesInDuckDb(inGlue))
      if (Name !== 'operations') expect(own).toEqual(columns.filter((column) => column.Name !== 'operation'))
      expect(definition.columns.map((column) => column.name)).toEqual(own.map((column) => column.Name))
    },
  )

  it('show each event once within a day in syslog, once overall in syslog_exact, and every copy in syslog_raw', async () => {
    const of = async (view: string) => ids(await athena.rows(`SELECT id FROM ${view} ORDER BY id`))
    expect(await of('syslog_raw')).toEqual(['leak', 'leak', 'odd', 'old', 'quiet', ...versions, 'virus', 'virus'])
    expect(await of('syslog')).toEqual(['leak', 'leak', 'odd', 'old', 'quiet', ...versions, 'virus'])
    expect(await of('syslog_exact')).toEqual(['leak', 'odd', 'old', 'quiet', ...versions, 'virus'])
  })

  it('show an operation in operations, and in no view of events', async () => {
    expect(await athena.rows('SELECT action, caller, request_id FROM operations')).toEqual([
      { action: 'pause', caller: 'all', request_id: 'request-1' },
    ])
  })

  it('show the record of each event that was received first', async () => {
    const of = async (view: string, id: string) =>
      (await athena.rows(`SELECT ingested_at FROM ${view} WHERE id = '${id}'`)).map((row) => row['ingested_at'])
    expect(await of('syslog', 'virus')).toEqual([String(now - 1)])
    expect(await of('syslog_exact', 'leak')).toEqual([String(now - day)])
  })

  it('show the newest version of each event in syslog_newest, and of two that were received at once the one with the smaller id', async () => {
    const newest = await athena.rows(`SELECT id, event_id, ingested_at FROM syslog_newest ORDER BY id`)
    expect(ids(newest)).toEqual(['leak', 'odd', 'old', 'quiet', 'update-a', 'virus'])
    expect(newest.find(({ id }) => id === 'virus')?.['ingested_at']).toBe(String(now))
  })

  it('show the whole struct syslog only under an alias, because in the view syslog, syslog.severity is a column of the view', async () => {
    const severities = async (sql: string) => (await athena.rows(sql)).map(({ severity }) => severity)
    expect(await severities(`SELECT syslog.severity FROM syslog WHERE id = 'virus'`)).toEqual(['high'])
    expect(await severities(`SELECT syslog.severity FROM syslog AS s WHERE id = 'virus'`)).toEqual([virus(now).syslog.severity])
  })

  it('open only the objects of the day that is asked for, except syslog_exact, which opens all of them', async () => {
    // A query that opens an unreadable object fails, which shows that it opened it.
    const others = readLake(lake).filter(({ key }) => !key.includes(`dt=${today}/`))
    const whole = others.map(({ key }) => readFileSync(join(lake, key)))
    for (const { key } of others) writeFileSync(join(lake, key), 'no gzip')
    try {
      for (const view of ['syslog', 'syslog_raw']) {
        expect(new Set(ids(await athena.rows(`SELECT id FROM ${view} WHERE dt = '${today}'`)))).toEqual(new Set(['leak', 'virus', 'odd']))
        await expect(athena.rows(`SELECT id FROM ${view} WHERE dt >= '${yesterday}'`)).rejects.toThrow(`dt=${yesterday}`)
      }
      await expect(athena.rows(`SELECT id FROM syslog_exact WHERE dt = '${today}'`)).rejects.toThrow('not a GZIP')
    } finally {
      for (const [index, { key }] of others.entries()) writeFileSync(join(lake, key), whole[index]!)
    }
  })
})

describe('the saved queries', () => {
  const expectedRows: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
    'Ingestion of the last hour': [
      { tenant: 'acme', connector_id: 'acme-mail', event_type: 'dlp', events: '2' },
      { tenant: 'acme', connector_id: 'acme-mail', event_type: 'malware', events: '1' },
    ],
    'Top threats': [{ threat_name: 'Eicar', events: '1', high_or_critical: '1' }],
    'Data loss prevention by policy': [
      { policy_name: 'cards', template: 'IBAN', action: 'block', events: '2', users: '1' },
      { policy_name: 'cards', template: 'PAN', action: 'block', events: '2', users: '1' },
      { policy_name: null, template: '(none named)', events: '2' },
    ],
    'Events of one user': [{ id: 'leak' }, { id: 'leak' }],
    'OCSF classes': [
      { dt: today, class_uid: 2004, type_uid: '200401', events: '1' },
      { dt: today, class_uid: 2006, type_uid: '200601', events: '2' },
      { dt: yesterday, class_uid: 2006, type_uid: '200601', events: '2' },
    ],
    'Delay from event to arrival': [
      { dt: today, event_type: 'dlp', events: '2', p50_minutes: 10, p99_minutes: 10, max_minutes: 10 },
      { dt: today, event_type: 'malware', events: '1' },
      { dt: yesterday, event_type: 'dlp', events: '1' },
    ],
    Duplicates: [{ connector_id: 'acme-mail', events: '2', records: '4', max_copies: '2' }],
    'Malformed records': [{ id: 'odd', dt: today }],
    'Changes by people': [{ tenant: 'acme', connector_id: 'acme.cas', action: 'pause', outcome: 'done', aws_request_id: 'aws-1' }],
  }

  it('are all covered by this test', () => {
    expect(namedQueries.map(({ name }) => name).sort()).toEqual(Object.keys(expectedRows).sort())
  })

  it.each(Object.entries(expectedRows))('return the expected rows: %s', async (name, expected) => {
    const rows = await athena.rows(queryOf(name), name === 'Events of one user' ? ['ann@EXAMPLE.com'] : [])
    expect(rows).toHaveLength(expected.length)
    expect(rows).toEqual(expect.arrayContaining(expected.map((row) => expect.objectContaining(row))))
  })

  it.each(namedQueries)('read recent days only: $name', async ({ name }) => {
    const old = readLake(lake).find(({ records }) => ids(records).includes('old'))!
    const whole = readFileSync(join(lake, old.key))
    writeFileSync(join(lake, old.key), 'no gzip')
    try {
      await athena.rows(queryOf(name), name === 'Events of one user' ? ['nobody'] : [])
    } finally {
      writeFileSync(join(lake, old.key), whole)
    }
  })
})

describe('the lake of the deployment', () => {
  it('has each expected event once in syslog_exact', async () => {
    const deployed = await Athena.over(lakeDir)
    const found = ids(await deployed.rows('SELECT id FROM syslog_exact'))
    const expected: string[] = JSON.parse(readFileSync(join(runDir, 'expected-ids.json'), 'utf8'))
    const once = new Set(found)
    expect(found).toHaveLength(once.size)
    expect(expected.filter((id) => !once.has(id))).toEqual([])
    deployed.close()
  })

  it('can be read by every saved query', async () => {
    const deployed = await Athena.over(lakeDir)
    const counts = new Map<string, number>()
    for (const { name } of namedQueries) {
      counts.set(name, (await deployed.rows(queryOf(name), name === 'Events of one user' ? ['nobody'] : [])).length)
    }
    expect(counts.get('Ingestion of the last hour')).toBeGreaterThan(0)
    expect(counts.get('Top threats')).toBeGreaterThan(0)
    expect(counts.get('Malformed records')).toBeGreaterThan(0)
    deployed.close()
  })
})
