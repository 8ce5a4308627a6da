import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type DuckDBConnection, DuckDBInstance, type DuckDBValueConverter, type Json, JsonDuckDBValueConverter } from '@duckdb/node-api'
import { operationFields } from '../functions/domain/operate/history-line.ts'
import type { Field } from '../functions/domain/record/fields.ts'
import { ownLineAttribute } from '../functions/domain/record/own-lines.ts'
import { visible, visibleJson, visibleLines } from '../functions/domain/text.ts'
import { lakeFields } from '../functions/vendors/index.ts'
import { historyColumns, historyKey, isHistory, newestFirst, newestKey, tenantSql } from '../lib/lake/lake-views.ts'
import { refuseSwallowedOptions } from './npm-options.ts'
import { endWithOutput } from './output.ts'
import { dataFolder } from './services/data-folder.ts'
import { shownPath } from './services/files.ts'
import { damagedObjects, looksGzipped } from './services/firehose/damaged-objects.ts'
import { lakeDir, moveOpenObjects, openObjectNames } from './services/firehose/lake-objects.ts'
import { takeOwnership } from './services/ownership.ts'
import { connectServices } from './services/services.ts'
import { StartupError } from './services/startup-error.ts'
import { formatTextTable } from './text-table.ts'

const usage = `Usage: npm run lake -- [options] ["SQL"]

Queries the lake with DuckDB. Without SQL it counts the events by tenant, event type and day. Views:
  syslog        each event once within a day of arrival (dt); use this one
  syslog_exact  each event once in the whole lake
  syslog_newest each event once, in its newest version
  syslog_raw    events as they were delivered: after a crash an event can be there twice
  operations    changes of connectors that people made or tried

  --data DIR    the data folder (default .tributary)
  --json        print the rows as a JSON array
  --help        print this text
`

const defaultSql = `
  SELECT tenant, event_type, CAST(epoch_ms("timestamp") AS DATE) AS day, count(*) AS events
  FROM syslog_exact GROUP BY ALL ORDER BY ALL`

export interface BadLine {
  /** The path of the object in the lake. */
  readonly object: string
  /** 1 is the first line. */
  readonly line: number
}

export type Row = Readonly<Record<string, Json>>

export interface Lake {
  /** Returns rows as JSON values; a number that JavaScript cannot hold exactly is a text. Throws DuckDB's error when the SQL is wrong. */
  query(sql: string): Promise<Row[]>
  /** Lines of the lake that are neither a record nor an operation, at most `max` of them. No view shows them. */
  badLines(max: number): Promise<readonly BadLine[]>
  /** Objects of the lake that are not as they were written, at most `max` of them. What a view has of their records is a part. */
  damaged(max: number): Promise<readonly string[]>
  close(): void
}

/** Opens the lake of a data folder, with every record that was acknowledged until now. Throws `StartupError` when there is no lake. */
export async function openLake(dataDir: string): Promise<Lake> {
  await completeLake(dataDir)
  if (!existsSync(lakeDir(dataDir))) {
    throw new StartupError(
      `There is no lake in ${shownPath(dataDir)}: nothing was delivered there yet. The summary of "npm start" says why. If your lake is elsewhere, name its folder with --data.`,
    )
  }
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const all = objectsOf(lakeDir(dataDir))
  const objects = all.filter(looksGzipped)
  await createViews(connection, objects)
  return {
    async query(sql) {
      const reader = await connection.runAndReadAll(sql)
      return reader.convertRowObjects(jsonConverter)
    },
    badLines: (max) => badLinesOf(connection, objects, max),
    damaged: (max) => damagedObjects(all, max),
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** A process that is just starting to own the folder is ready, or has ended, within this time (tries of 100 ms). */
const triesMax = 100

/** Moves delivered records that are not in the lake yet into it: by the owner of the folder, or by this process when the folder has no owner. */
async function completeLake(dataDir: string): Promise<void> {
  for (let attempt = 1; attempt <= triesMax && (await openObjectNames(dataDir)).length > 0; attempt += 1) {
    const services = await connectServices(dataDir)
    if (services !== undefined) {
      await services.flush()
      await services.close()
      return
    }
    const ownership = await takeOwnership(dataDir)
    if (ownership !== undefined) {
      await moveOpenObjects(dataDir)
      await ownership.release()
      return
    }
    await wait(100)
  }
}

/** Takes the types from the field table: DuckDB would guess them from the data, and a small or odd lake would mislead it. */
async function createViews(connection: DuckDBConnection, objects: readonly string[]): Promise<void> {
  const columns = Object.entries({ ...lakeFields, ...operationFields }).map(([name, field]) => ({ name, type: duckType(field) }))
  await connection.run(`CREATE VIEW records AS ${objects.length === 0 ? selectNothing(columns) : selectLines(objects, columns)}`)
  await connection.run(`CREATE VIEW syslog_raw AS ${selectRecords}`)
  await connection.run(`CREATE VIEW syslog AS ${selectOnce('dt, id')}`)
  await connection.run(`CREATE VIEW syslog_exact AS ${selectOnce('id')}`)
  await connection.run(`CREATE VIEW syslog_newest AS ${selectOnce(newestKey, newestFirst)}`)
  const history = `SELECT ${historyColumns}, dt, hour FROM records WHERE ${isHistory}`
  await connection.run(`CREATE VIEW operations AS ${history} QUALIFY row_number() OVER (PARTITION BY ${historyKey} ORDER BY hour) = 1`)
}

interface Column {
  readonly name: string
  readonly type: string
}

/** Rows without an id are no records: lines of the history, and lines that are no JSON, which become rows of NULLs. */
const selectRecords = `SELECT * EXCLUDE (operation) REPLACE (${tenantSql('regexp_matches')} AS tenant) FROM records WHERE id IS NOT NULL`

function selectLines(objects: readonly string[], columns: readonly Column[]): string {
  return `SELECT * FROM ${readJson(objects, columns, 'hive_partitioning = true, hive_types = {dt: DATE, hour: VARCHAR}')}`
}

function readJson(objects: readonly string[], columns: readonly Column[], options = 'filename = false'): string {
  const paths = objects.map((path) => literal(path.replaceAll(/[*?[]/g, '[$&]')))
  const types = columns.map(({ name, type }) => `${literal(name)}: ${literal(type)}`)
  return `read_json([${paths.join(', ')}], format = 'newline_delimited', compression = 'gzip', columns = {${types.join(', ')}},
    ignore_errors = true, ${options})`
}

async function badLinesOf(connection: DuckDBConnection, objects: readonly string[], max: number): Promise<readonly BadLine[]> {
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson()
  const columns = [
    { name: 'id', type: 'VARCHAR' },
    { name: 'operation', type: duckType(operationFields.operation) },
    { name: ownLineAttribute, type: 'VARCHAR' },
  ]
  const isBad = `id IS NULL AND NOT coalesce(${isHistory}, false) AND ${quoted(ownLineAttribute)} IS NULL`
  const withBad =
    objects.length === 0
      ? []
      : await rows(
          `SELECT DISTINCT filename FROM ${readJson(objects, columns, 'filename = true')} WHERE ${isBad} ORDER BY ALL LIMIT ${max}`,
        )
  const bad: BadLine[] = []
  for (const object of withBad.map(({ filename }) => String(filename))) {
    // Rows come in the order of the lines.
    const lines = `SELECT *, row_number() OVER () AS line FROM ${readJson([object], columns)}`
    for (const { line } of await rows(`SELECT line FROM (${lines}) WHERE ${isBad} LIMIT ${max}`)) bad.push({ object, line: Number(line) })
  }
  return bad.slice(0, max)
}

/** An empty lake needs its own statement, because read_json fails without a file. */
function selectNothing(columns: readonly Column[]): string {
  const values = [...columns, { name: 'dt', type: 'DATE' }, { name: 'hour', type: 'VARCHAR' }]
  return `SELECT ${values.map(({ name, type }) => `NULL::${type} AS ${quoted(name)}`).join(', ')} WHERE false`
}

function objectsOf(folder: string): readonly string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json.gz'))
  return paths.map((path) => join(folder, path)).filter((path) => statSync(path).isFile())
}

function selectOnce(key: string, order = 'ingested_at'): string {
  return `SELECT * FROM syslog_raw QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY ${order}) = 1`
}

const duckTypes = { string: 'VARCHAR', bigint: 'BIGINT', int: 'INTEGER', boolean: 'BOOLEAN', 'array<string>': 'VARCHAR[]' } as const

function duckType(field: Field): string {
  if (field.type !== 'struct') return duckTypes[field.type]
  const members = Object.entries(field.fields).map(([name, member]) => `${quoted(name)} ${duckType(member)}`)
  return `STRUCT(${members.join(', ')})`
}

function quoted(name: string): string {
  return `"${name}"`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

const jsonConverter: DuckDBValueConverter<Json> = (value, type) => {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  return JsonDuckDBValueConverter(value, type, jsonConverter)
}

/** Lines, and objects, that are named at most (count). */
const namedMax = 10

function damagedText(objects: readonly string[]): string {
  if (objects.length === 0) return ''
  const count = objects.length === 1 ? '1 object' : `${objects.length === namedMax ? 'At least ' : ''}${objects.length} objects`
  return `${count} of the lake ${objects.length === 1 ? 'is' : 'are'} damaged, and the views have only a part of the events there. Restore from a backup, or move away:${objects.map((object) => `\n  ${visible(object)}`).join('')}\n`
}

function badLinesText(lines: readonly BadLine[]): string {
  if (lines.length === 0) return ''
  const places = lines.map(({ object, line }) => `\n  ${visible(object)}, line ${line}`).join('')
  const count =
    lines.length === 1 ? '1 line of the lake is' : `${lines.length === namedMax ? 'At least ' : ''}${lines.length} lines of the lake are`
  return `${count} no record and in no view:${places}\n`
}

/** Runs the command and returns its exit code. Writes a failure to stderr, as a sentence without a stack trace. */
async function main(args: string[]): Promise<number> {
  try {
    refuseSwallowedOptions('npm run lake', usage)
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { data: { type: 'string', default: '.tributary' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help) {
      process.stdout.write(usage)
      return 0
    }
    if (positionals.length > 1) throw new StartupError('There is more than one argument. Put the whole SQL in double quotes.')
    dataFolder(values.data)
    const lake = await openLake(values.data)
    const rows = await lake.query(positionals[0] ?? defaultSql)
    process.stdout.write(values.json ? `${visibleJson(rows, 2)}\n` : formatTextTable(rows))
    const damaged = await lake.damaged(namedMax)
    // The end of a damaged object is no record either.
    process.stderr.write(damaged.length > 0 ? damagedText(damaged) : badLinesText(await lake.badLines(namedMax)))
    lake.close()
    return damaged.length > 0 ? 1 : 0
  } catch (thrown) {
    process.stderr.write(`${visibleLines(thrown instanceof Error ? thrown.message : String(thrown))}\n`)
    return 1
  }
}

if (import.meta.main) {
  endWithOutput(() => process.exit(0))
  process.exitCode = await main(process.argv.slice(2))
}
