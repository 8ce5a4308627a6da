import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createGunzip, createGzip } from 'node:zlib'
import { tenantOf } from '../functions/domain/connector/tenant.ts'

/** An object of the lake: gzipped NDJSON, of any number of gzip members. */
export type GzippedLines = Readable

/** Counts the records of the tenant. Rejects if the object is no gzip or ends too early. */
export async function countRecords(object: GzippedLines, tenant: string): Promise<number> {
  let count = 0
  for await (const line of linesOf(object)) if (isOfTenant(line, tenant)) count++
  return count
}

/** Returns the object without the records of the tenant, or nothing if no line is left. Every other line stays as it is, byte by byte. */
export async function withoutRecords(object: GzippedLines, tenant: string): Promise<Buffer | undefined> {
  let kept = 0
  async function* others(): AsyncIterable<Buffer> {
    for await (const line of linesOf(object)) {
      if (isOfTenant(line, tenant)) continue
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

/** A record from before 0.4.0 has no `tenant`; the id of its connector names it, as in the views. A line that is no record belongs to nobody. */
function isOfTenant(line: Buffer, tenant: string): boolean {
  // Nearly every line of another tenant is recognised without parsing it.
  if (!tenant.startsWith('~') && !line.includes(tenant)) return false
  const { tenant: named, connector_id: connectorId, tenant_name: tenantName } = fieldsOf(line)
  if (typeof named === 'string') return named === tenant
  return typeof connectorId === 'string' && tenantOf({ connectorId, tenantName: String(tenantName) }) === tenant
}

function fieldsOf(line: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line.toString())
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
