import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { serialise, toRecord } from '../functions/domain/record/record.ts'
import { floorToSecond, hour, type Instant, second } from '../functions/domain/time.ts'
import { vendors } from '../functions/vendors/index.ts'
import { trendmicroCas } from '../functions/vendors/trendmicro-cas/index.ts'
import { nodeFlags } from '../local/functions.ts'
import { findMissing } from '../local/report/missing.ts'
import { readRuns } from '../local/report/runs.ts'
import { summarise } from '../local/report/summary.ts'
import { eventTypeNames } from '../local/simulator/catalogue.ts'
import { apiKey, type Deployment, startDeployment } from './deployment.ts'
import type { Floor, FloorPage } from './floor.ts'
import type { Reading } from './gauge.ts'
import { startCollectorProcess } from './processes.ts'

/** The backlog reaches this far back: as far as the vendor keeps events, minus the time for reading it (h). */
const backlogHours = 70
const connectorId = 'acme.throughput'
const service = 'sharepoint'
/** The floor is measured on this number of pages. */
const floorPages = 60

const MiB = 2 ** 20

/** A figure at 10 %, 50 % and 100 % of the events. */
interface AtShares {
  readonly at10: number
  readonly at50: number
  readonly at100: number
}

export interface Throughput {
  readonly events: number
  readonly seconds: number
  readonly eventsPerSecond: number
  /** CPU time of all threads of the collecting process. */
  readonly cpuMicrosPerEvent: number
  /** A process that writes as many bytes of the same items, and makes nothing of them. */
  readonly floor: Floor
  /** Without gzip. */
  readonly timesTheFloor: number
  readonly peakMiB: number
  /** The maximum in the tenth of the run before each share. */
  readonly rssMiB: AtShares
  /** The minimum of the heap in use in the same tenths. Some sample comes soon after a garbage collection, so this is the live heap. */
  readonly liveHeapMiB: AtShares
  readonly pages: number
  /** The share of items that came twice (%). Ranges overlap by design. */
  readonly alreadySeenPercent: number
  readonly perPage: { readonly requests: number; readonly dynamodb: number; readonly firehose: number }
  /** The number of calls in the whole run, by operation. */
  readonly calls: Readonly<Record<string, number>>
}

/** Collects a backlog at an unlimited rate: the shipped `collect` reads it in its own process, one run after the other. */
export async function measureThroughput(options: {
  readonly events: number
  /** The collecting process writes its CPU profile to this folder. Absent: it makes none. */
  readonly profileDir?: string | undefined
  /** The checkout whose `collect` is measured; by default this one. */
  readonly checkout?: URL | undefined
}): Promise<Throughput> {
  const { events, profileDir, checkout } = options
  const perHour = String(Math.ceil(events / eventTypeNames.length / backlogHours))
  const backlog = ['--events-per-hour', perHour, '--backlog', `${backlogHours}h`, '--stop-at', '+0s']
  // With a tick a second, a run that is out of time continues a second later and not at the next minute.
  const deployment = await startDeployment([...backlog, '--requests-per-minute', '0', '--account', 'totals'], { tickMs: second })
  try {
    const samples: Sample[] = []
    const read = { pages: 0, fetched: 0, delivered: 0 }
    const collector = await startCollectorProcess(deployment.environment, {
      checkout,
      nodeFlags: profileDir === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileDir],
      onReading: (reading) => samples.push({ ...reading, delivered: read.delivered }),
      onPage({ fetched, delivered }) {
        read.pages += 1
        read.fetched += fetched
        read.delivered += delivered
      },
    })
    const startedAt = Date.now()
    await deployment.put(connectorId, {
      contentTypes: [service],
      eventTypes: eventTypeNames,
      requestsPerMinute: 6_000,
      initialBackfillMinutes: 4_310,
      lateArrivalMinutes: 10,
    })
    await waitUntilComplete(deployment, startedAt, () => read.pages)
    await collector.stop()
    await compareCounts(deployment, read.delivered)
    return resultOf(samples, read, await measureFloor(deployment.vendorUrl))
  } finally {
    await deployment.close()
  }
}

/** A reading of the collecting process, with the number of events delivered by then. */
interface Sample extends Reading {
  readonly delivered: number
}

function resultOf(
  samples: readonly Sample[],
  { pages, fetched, delivered }: { readonly pages: number; readonly fetched: number; readonly delivered: number },
  floor: Floor,
): Throughput {
  const begun = samples.findLast((sample) => sample.delivered === 0)
  const done = samples.find((sample) => sample.delivered === delivered)
  if (begun === undefined || done === undefined) throw new Error('The collecting process sent no readings at the beginning or the end.')
  const seconds = (done.at - begun.at) / second
  const cpuMicrosPerEvent = (done.cpuMicros - begun.cpuMicros) / delivered
  const callsTo = (service: string) =>
    Object.entries(done.calls).reduce((sum, [name, count]) => (name.startsWith(service) ? sum + count : sum), 0) / pages
  const atShares = (figure: (samples: readonly Sample[]) => number): AtShares => {
    const within = (from: number, to: number) =>
      figure(samples.filter((sample) => sample.delivered > from * delivered && sample.delivered <= to * delivered)) / MiB
    return { at10: within(0, 0.1), at50: within(0.4, 0.5), at100: within(0.9, 1) }
  }
  const rssMax = (of: readonly Sample[]) => Math.max(...of.map(({ rssBytes }) => rssBytes))
  return {
    events: delivered,
    seconds,
    eventsPerSecond: delivered / seconds,
    cpuMicrosPerEvent,
    floor,
    timesTheFloor: cpuMicrosPerEvent / floor.micros,
    peakMiB: rssMax(samples) / MiB,
    rssMiB: atShares(rssMax),
    liveHeapMiB: atShares((of) => Math.min(...of.map(({ heapUsedBytes }) => heapUsedBytes))),
    pages,
    alreadySeenPercent: 100 * (1 - delivered / fetched),
    perPage: { requests: callsTo('vendor'), dynamodb: callsTo('DynamoDB'), firehose: callsTo('Firehose') },
    calls: done.calls,
  }
}

/**
 * Returns when every stream is complete up to `start`, except for the late-arrival minutes. The end of a backlog is read with the live
 * edge, minutes later. To save these minutes the connector is made due at once, as `npm start -- --once` does.
 */
async function waitUntilComplete({ state }: Deployment, start: Instant, pagesRead: () => number): Promise<void> {
  for (let before = pagesRead(); ; ) {
    await wait(second)
    const missing = findMissing(await readRuns(state, [connectorId]), vendors, start)
    if (missing.length === 0) return
    const permanent = missing.find(({ isPermanent }) => isPermanent)
    if (permanent !== undefined) throw new Error(`${permanent.connectorId}: ${permanent.reason}`)
    const pages = pagesRead()
    if (pages === before && pages > 0) await state.makeDue(connectorId, Date.now(), floorToSecond(Date.now()))
    before = pages
  }
}

/** Throws when the log and the state table, which count independently, differ. */
async function compareCounts({ state }: Deployment, delivered: number): Promise<void> {
  const [connector] = summarise(await readRuns(state, [connectorId]), vendors, Date.now())
  const counted = connector?.streams.reduce((sum, stream) => sum + stream.delivered, 0)
  if (counted !== delivered) throw new Error(`The log has ${delivered} delivered events, but the state table has ${counted}.`)
}

/** Measures the floor on pages of the same vendor, in a process with the same limits of its heap. */
async function measureFloor(vendorUrl: string): Promise<Floor> {
  const pages: FloorPage[] = []
  const now = Date.now()
  for (const event of eventTypeNames) {
    const stream = `${service}/${event}`
    let url: string | undefined = trendmicroCas.firstRequest(vendorUrl, stream, now - backlogHours * hour, now).url
    for (let page = 0; page < floorPages / eventTypeNames.length && url !== undefined; page += 1) {
      const body = await (await fetch(url, { headers: { authorization: `Bearer ${apiKey}` } })).text()
      pages.push({ body, lineBytes: lineBytesOf(body, stream, vendorUrl, now) })
      url = JSON.parse(body).next_link || undefined
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'tributary-floor-'))
  try {
    const file = join(folder, 'pages.json')
    await writeFile(file, JSON.stringify(pages))
    const { stdout } = await promisify(execFile)(process.execPath, [...nodeFlags, new URL('floor.ts', import.meta.url).pathname, file])
    return JSON.parse(stdout)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The bytes of the lines that the shipped code makes of a page. */
function lineBytesOf(text: string, stream: string, vendorUrl: string, receivedAt: Instant): readonly number[] {
  const page = trendmicroCas.parsePage({ body: JSON.parse(text), text, receivedAt })
  if (!page.ok) throw new Error(page.failure.detail)
  const connector = { connectorId, name: connectorId, tenantName: 'bench', baseUrl: vendorUrl }
  return page.value.items.map((item) => {
    const envelope = { id: '0'.repeat(32), eventId: item.id ?? '', ingestedAt: receivedAt, ingestMode: 'backfill', connector } as const
    return Buffer.byteLength(serialise(toRecord(trendmicroCas.normalise(item, { stream, receivedAt }), envelope))) + 1
  })
}
