import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

/**
 * The floor, as a process of its own: it parses pages and writes records of the same size as ours, but makes nothing of the items. A record
 * holds its item twice as values and once as text, and a filler up to the bytes of our line. It prints `Floor` as JSON.
 * `node floor.ts FILE`: a file with `FloorPage[]` as JSON.
 */
export interface FloorPage {
  readonly body: string
  /** The bytes of our line for each item of the page. */
  readonly lineBytes: readonly number[]
}

export interface Floor {
  /** CPU time of an event (µs). */
  readonly micros: number
  /** With its line compressed, page by page. */
  readonly microsWithGzip: number
  /** The bytes that were written, in comparison with ours. */
  readonly timesOurBytes: number
}

const rounds = 3
/** More bytes than a line has. */
const filler = '.'.repeat(64 * 1024)

function bufferOf({ body }: FloorPage, fillerBytes: readonly number[]): Buffer {
  const { security_events: items } = JSON.parse(body) as { readonly security_events: readonly unknown[] }
  const lines = items.map((item, index) => lineOf(item, fillerBytes[index] ?? 0))
  return Buffer.from(lines.join(''))
}

function lineOf(item: unknown, fillerBytes: number): string {
  return `${JSON.stringify({ item, fields: item, raw: JSON.stringify(item), filler: filler.slice(0, fillerBytes) })}\n`
}

function fillersOf({ body, lineBytes }: FloorPage): readonly number[] {
  const { security_events: items } = JSON.parse(body) as { readonly security_events: readonly unknown[] }
  return items.map((item, index) => Math.max(0, (lineBytes[index] ?? 0) - Buffer.byteLength(lineOf(item, 0))))
}

function microsOf(events: number, work: () => void): number {
  // Warms up.
  work()
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round += 1) work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (rounds * events)
}

const pages: readonly FloorPage[] = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const fillers = pages.map(fillersOf)
const ours = pages.flatMap(({ lineBytes }) => lineBytes)
function work(write: (buffer: Buffer) => Buffer): number {
  return pages.reduce((bytes, page, index) => bytes + write(bufferOf(page, fillers[index] ?? [])).length, 0)
}

const floor: Floor = {
  micros: microsOf(ours.length, () => work((buffer) => buffer)),
  microsWithGzip: microsOf(ours.length, () => work((buffer) => gzipSync(buffer))),
  timesOurBytes: work((buffer) => buffer) / ours.reduce((bytes, more) => bytes + more, 0),
}
process.stdout.write(JSON.stringify(floor))
