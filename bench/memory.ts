import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { iso, minute } from '../functions/domain/time.ts'
import { bundleFunction } from '../lib/functions/bundle.ts'
import { responseBytesMax } from '../lib/functions/collect-memory.ts'
import { startDeployment } from './deployment.ts'

const run = promisify(execFile)
const MiB = 2 ** 20
const connectorId = 'acme.memory'
/** Pages of one run: enough for the heap to reach its size. */
const pagesRead = 10

export interface PageMemory {
  readonly page: string
  readonly bytes: number
  /** The most memory of the process. */
  readonly peakMiB: number
  /** The share of the function's memory that is left then. */
  readonly freePercent: number
  readonly delivered: number
}

/**
 * Measures the memory of the bundled `collect` while it reads and delivers the largest pages that it accepts with this memory, in different
 * shapes, each in a process of its own. Its heap has the flags that Lambda's bootstrap puts on the command line, where they beat NODE_OPTIONS.
 */
export async function measureMemory(memoryMb: number): Promise<PageMemory[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-memory-'))
  const measured: PageMemory[] = []
  try {
    bundleFunction({ file: 'functions/collect.ts' }, folder)
    const file = join(folder, 'index.mjs')
    for (const [page, bodyOf] of Object.entries(pages)) measured.push(await measurePage(file, page, memoryMb, bodyOf))
    return measured
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measurePage(file: string, page: string, memoryMb: number, bodyOf: BodyOf): Promise<PageMemory> {
  const bodyBytes = responseBytesMax(memoryMb)
  const vendor = await startVendor((n) => bodyOf(bodyBytes, n))
  const deployment = await startDeployment({ vendorUrl: vendor.url }, { tickMs: 60 * minute })
  try {
    await deployment.put(connectorId, { eventTypes: ['dlp'], requestsPerMinute: 6_000, initialBackfillMinutes: 60 })
    // Acceptance writes the status last.
    while ((await deployment.state.readStatus(connectorId)) === undefined) await wait(100)
    const env = { ...deployment.environment, RESPONSE_BYTES_MAX: String(bodyBytes) }
    const { stdout } = await run(
      process.execPath,
      [...lambdaFlags(memoryMb), '--input-type=module', '--eval', program, file, connectorId],
      {
        env,
        maxBuffer: 64 * MiB,
      },
    )
    const lines = stdout.trim().split('\n')
    const { counts } = [...(await deployment.state.readRun(connectorId)).streams.values()][0] ?? {}
    const peakMiB = Number(lines.at(-1)) / 1024
    const freePercent = 100 * (1 - peakMiB / memoryMb)
    if (counts === undefined || counts.pages < pagesRead)
      throw new Error(`${page}: only ${counts?.pages ?? 0} of ${pagesRead} pages were read.`)
    return { page, bytes: vendor.bytes(), peakMiB, freePercent, delivered: counts.delivered }
  } finally {
    await deployment.close()
    vendor.close()
  }
}

/** The bootstrap of Lambda's Node, as read in the images of earlier versions: 90 % of the memory for old objects, 5 % for each semi-space. */
function lambdaFlags(memoryMb: number): readonly string[] {
  return [`--max-semi-space-size=${Math.floor(memoryMb / 20)}`, `--max-old-space-size=${Math.floor(memoryMb * 0.9)}`]
}

const program = `
const { handler } = await import(process.argv[1])
const Records = [{ body: JSON.stringify({ connectorId: process.argv[2] }), attributes: { ApproximateReceiveCount: '1' } }]
await handler({ Records }, { getRemainingTimeInMillis: () => 300_000 })
console.log(process.resourceUsage().maxRSS)
process.exit(0)
`

interface BigVendor {
  readonly url: string
  /** The size of the largest body that was sent. */
  bytes(): number
  close(): void
}

/** A vendor whose first pages are the given ones; after them there is nothing. */
async function startVendor(bodyOf: (page: number) => string): Promise<BigVendor> {
  let sent = 0
  let bytes = 0
  const server = createServer((_, response) => {
    const page = sent++
    const body = page < pagesRead ? bodyOf(page) : '{"next_link":"","security_events":[]}'
    bytes = Math.max(bytes, Buffer.byteLength(body))
    response.setHeader('content-type', 'application/json')
    response.setHeader('content-encoding', 'gzip')
    response.end(gzipSync(body, { level: 1 }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytes: () => bytes,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The body of the page with this number, with at most so many bytes. */
type BodyOf = (bytes: number, page: number) => string

/** Pages that take much memory for their size. */
const pages: Readonly<Record<string, BodyOf>> = {
  usual: (bytes, page) => textPage(bytes, page, 500, 'Shared Documents '),
  '5,000 small items': (bytes, page) => textPage(bytes, page, 5_000, 'Shared Documents '),
  'one character that is not Latin-1': (bytes, page) => textPage(bytes, page, 500, 'Shared Documents ', '予'),
  'many characters that are not Latin-1': (bytes, page) => textPage(bytes, page, 500, '予算年度'),
  escapes: (bytes, page) => textPage(bytes, page, 500, '\\\\\\n'),
  'escapes of Unicode': (bytes, page) => textPage(bytes, page, 500, '\\u0001'),
  'one item': (bytes, page) => textPage(bytes, page, 1, 'Shared Documents '),
  'empty objects': (bytes, page) => valuesPage(bytes, page, 1, () => '{}'),
  numbers: (bytes, page) => valuesPage(bytes, page, 1, () => '1'),
  'objects with names of their own': (bytes, page) => valuesPage(bytes, page, 2, (n) => `{"n${n}":1}`),
  'deep lists': (bytes, page) => valuesPage(bytes, page, levels, () => `${'['.repeat(levels)}${']'.repeat(levels)}`),
}

/** Each item repeats `text`, as JSON writes it, in fields of which records have copies. */
function textPage(bytes: number, page: number, items: number, text: string, extra = ''): string {
  const itemBytes = Math.floor((bytes - 1_000) / items)
  const itemOf = (n: number) => {
    const head = `{"log_item_id":"${page}-${n}","message":{"detection_time":"${iso(Date.now() - minute)}","file_name":"${extra}","location":"`
    const size = Math.max(0, itemBytes - Buffer.byteLength(head) - 4)
    return `${head}${text.repeat(Math.floor(size / Buffer.byteLength(text)))}"}}`
  }
  return pageOf(
    page,
    Array.from({ length: items }, (_, n) => itemOf(n)),
  )
}

/** Levels of a value in an item: a body may have 64 (count). */
const levels = 58

/** One item with a list of as many values as a body of this size may have. `each`: the values of one element. */
function valuesPage(bytes: number, page: number, each: number, element: (n: number) => string): string {
  const count = Math.floor((bytes / 12 - 100) / each)
  const list = `[${Array.from({ length: count }, (_, n) => element(n)).join(',')}]`
  return pageOf(page, [`{"log_item_id":"${page}","message":{"detection_time":"${iso(Date.now() - minute)}","values":${list}}}`])
}

function pageOf(page: number, items: readonly string[]): string {
  const link = page + 1 < pagesRead ? `/siem/v1/security_events?page_id=${page + 1}` : ''
  return `{"next_link":"${link}","security_events":[${items.join(',')}]}`
}
