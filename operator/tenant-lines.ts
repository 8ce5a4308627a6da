import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createGunzip, createGzip } from 'node:zlib'
import { tenantOf, tenantOfId } from '../functions/domain/connector/tenant.ts'

/** An object of the lake: gzipped NDJSON, of any number of gzip members. */
export type GzippedLines = Readable

/** The lines of an object that concern a tenant (count). */
export interface Lines {
  readonly records: number
  /** Lines that are no record, but name the tenant: a write that broke off, or two records in one line. Nobody can tell whose they are. */
  readonly unclear: number
}

/** Counts the lines of the tenant. Rejects if the object is no gzip or ends too early. */
export async function countLines(object: GzippedLines, tenant: string): Promise<Lines> {
  const count = { record: 0, unclear: 0, other: 0 }
  for await (const line of linesOf(object)) count[kindOf(line, tenant)]++
  return { records: count.record, unclear: count.unclear }
}

/** Returns the object without the records of the tenant, or nothing if no line is left. Every other line stays as it is, byte by byte. */
export async function withoutRecords(object: GzippedLines, tenant: string): Promise<Buffer | undefined> {
  let kept = 0
  async function* others(): AsyncIterable<Buffer> {
    for await (const line of linesOf(object)) {
      if (kindOf(line, tenant) === 'record') continue
      kept++
      yield line
    }
  }
  const content = await buffer(Readable.from(others(), { objectMode: false }).compose(createGzip()))
  return kept === 0 ? undefined : content
}

/** The lines, each with its line feed. */
async function* linesOf(object: GzippedLines): AsyncIterable<Buffer> {
  let beginning: Buffer[] = []
  for await (const chunk of object.compose(createGunzip()) as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      yield Buffer.concat([...beginning, chunk.subarray(from, end + 1)])
      beginning = []
      from = end + 1
    }
    if (from < chunk.length) beginning.push(chunk.subarray(from))
  }
  if (beginning.length > 0) yield Buffer.concat(beginning)
}

const lineFeed = 0x0a

/**
 * The kind of a line. Either of the two names of its tenant counts: a record from before 0.4.0 has no `tenant`, and the id of a connector names it as well.
 */
function kindOf(line: Buffer, tenant: string): 'record' | 'unclear' | 'other' {
  // Nearly every line of another tenant is recognised without parsing it. JSON may write a letter as \u00….
  if (!tenant.startsWith('~') && !line.includes(tenant) && !line.includes('\\u00')) return 'other'
  const fields = fieldsOf(line)
  if (fields === undefined) return namesTenant(line, tenant) ? 'unclear' : 'other'
  const { tenant: named, connector_id: connectorId, tenant_name: tenantName } = fields
  if (named === tenant) return 'record'
  if (typeof connectorId !== 'string') return 'other'
  const ofId = tenantOfId(connectorId)
  if (ofId !== undefined) return ofId === tenant ? 'record' : 'other'
  return typeof named !== 'string' && tenantOf({ connectorId, tenantName: String(tenantName) }) === tenant ? 'record' : 'other'
}

/** The members of a record; nothing if the line is none. */
function fieldsOf(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString().replace(/^\uFEFF/, ''))
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

function namesTenant(line: Buffer, tenant: string): boolean {
  const marks = tenant.startsWith('~') ? [JSON.stringify(tenant.slice(1))] : [`"${tenant}"`, `"${tenant}.`]
  return marks.some((mark) => line.includes(mark))
}
