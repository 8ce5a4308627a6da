import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { vendors } from '../functions/vendors/index.ts'
import { trendmicroCas } from '../functions/vendors/trendmicro-cas/index.ts'
import { eventTypeNames } from '../local/simulator/catalogue.ts'
import { summarise, whatIsMissing } from '../local/summary.ts'
import { apiKey, type Deployment, startDeployment } from './deployment.ts'
import type { Reading } from './gauge.ts'
import { startCollectorProcess, startSimulatorProcess } from './processes.ts'

/** The backlog reaches so far back: as far as the vendor keeps events, less what passes while it is read (h). */
const backlogHours = 70
const connectorId = 'throughput'
const service = 'sharepoint'
/** Pages that the floor is measured on. */
const floorPages = 120

const MiB = 2 ** 20

export interface Throughput {
  readonly events: number
  readonly seconds: number
  readonly eventsPerSecond: number
  /** Of the collecting process, all its threads. */
  readonly cpuMicrosPerEvent: number
  /** Parse, stringify and gzip the same items, and nothing else. */
  readonly floorMicrosPerEvent: number
  readonly timesTheFloor: number
  readonly peakMiB: number
  /** The most in the tenth of the run before 10 %, 50 % and 100 % of the events. */
  readonly rssMiB: { readonly at10: number; readonly at50: number; readonly at100: number }
  readonly pages: number
  /** Items that came twice: slices overlap by design. */
  readonly alreadySeenShare: number
  readonly perPage: { readonly requests: number; readonly dynamodb: number; readonly firehose: number }
  /** Calls of the whole run, by operation. */
  readonly calls: Readonly<Record<string, number>>
}

/** A backlog at an unlimited rate, read by one run after the other of the shipped `collect` in a process of its own. */
export async function measureThroughput(options: { readonly events: number; readonly profileDir?: string | undefined }): Promise<Throughput> {
  const { events, profileDir } = options
  const perHour = Math.ceil(events / eventTypeNames.length / backlogHours)
  const simulator = await startSimulatorProcess([
    ...['--events-per-hour', String(perHour), '--backlog', `${backlogHours}h`, '--stop-at', '+0s'],
    ...['--requests-per-minute', '0', '--account', 'totals'],
  ])
  const deployment = await startDeployment(simulator.url, { tickMs: 1_000 })
  try {
    const readings: (Reading & { readonly delivered: number })[] = []
    let delivered = 0
    let fetched = 0
    let pages = 0
    const collector = await startCollectorProcess({
      environment: deployment.environment,
      nodeFlags: profileDir === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileDir],
      onReading: (reading) => readings.push({ ...reading, delivered }),
      onPage(page) {
        pages += 1
        delivered += page.delivered
        fetched += page.fetched
      },
    })
    const startedAt = Date.now()
    await deployment.put({
      connectorId,
      contentTypes: [service],
      eventTypes: eventTypeNames,
      requestsPerMinute: 6_000,
      initialBackfillMinutes: 4_310,
      lateArrivalMinutes: 10,
    })
    await covered(deployment, startedAt)
    const [first, last] = [readings[0], readings.at(-1)]
    await collector.stop()
    if (first === undefined || last === undefined) throw new Error('The collecting process said nothing of itself.')
    await mustBeCounted(deployment, delivered)
    const floorMicrosPerEvent = await measureFloor(simulator.url)

    const begun = readings.find((reading) => reading.delivered > 0) ?? first
    const done = readings.find((reading) => reading.delivered === delivered) ?? last
    const seconds = (done.at - begun.at) / 1_000
    const cpuMicrosPerEvent = (done.cpuMicros - first.cpuMicros) / delivered
    const calls = (prefix: string) => Object.entries(done.calls).reduce((sum, [name, count]) => (name.startsWith(prefix) ? sum + count : sum), 0)
    const mostIn = (from: number, to: number) =>
      Math.max(...readings.filter((reading) => reading.delivered > from * delivered && reading.delivered <= to * delivered).map(({ rssBytes }) => rssBytes)) /
      MiB
    return {
      events: delivered,
      seconds,
      eventsPerSecond: delivered / seconds,
      cpuMicrosPerEvent,
      floorMicrosPerEvent,
      timesTheFloor: cpuMicrosPerEvent / floorMicrosPerEvent,
      peakMiB: Math.max(...readings.map(({ rssBytes }) => rssBytes)) / MiB,
      rssMiB: { at10: mostIn(0, 0.1), at50: mostIn(0.4, 0.5), at100: mostIn(0.9, 1) },
      pages,
      alreadySeenShare: 1 - delivered / fetched,
      perPage: { requests: calls('vendor') / pages, dynamodb: calls('DynamoDB') / pages, firehose: calls('Firehose') / pages },
      calls: done.calls,
    }
  } finally {
    await deployment.close()
    await simulator.stop()
  }
}

/** Returns when every stream is covered up to `start`, the late-arrival minutes excepted. */
async function covered({ state }: Deployment, start: number): Promise<void> {
  for (;;) {
    const missing = await whatIsMissing({ state, vendors }, [connectorId], start)
    if (missing.length === 0) return
    const hopeless = missing.find((each) => each.hopeless)
    if (hopeless !== undefined) throw new Error(`${hopeless.connectorId}: ${hopeless.what}`)
    await wait(500)
  }
}

/** The log and the state table count apart from each other. */
async function mustBeCounted({ state }: Deployment, delivered: number): Promise<void> {
  const [connector] = await summarise({ state, vendors }, [connectorId], Date.now())
  const counted = connector?.streams.reduce((sum, stream) => sum + stream.delivered, 0)
  if (counted !== delivered) throw new Error(`The log says that ${delivered} events were delivered, the state table ${counted}.`)
}

/** CPU time of parsing pages, and writing their items as lines and compressing those (µs an event). */
async function measureFloor(vendorUrl: string): Promise<number> {
  const bodies: string[] = []
  const now = Date.now()
  for (const event of eventTypeNames) {
    let url: string | undefined = trendmicroCas.firstRequest(vendorUrl, `${service}/${event}`, now - backlogHours * 3_600_000, now).url
    for (let page = 0; page < floorPages / eventTypeNames.length && url !== undefined; page += 1) {
      const body = await (await fetch(url, { headers: { authorization: `Bearer ${apiKey}` } })).text()
      bodies.push(body)
      url = JSON.parse(body).next_link || undefined
    }
  }
  // The first round warms up.
  let micros = 0
  for (let round = 0; round < 2; round += 1) {
    const before = process.cpuUsage()
    let events = 0
    for (const body of bodies) {
      const { security_events: items } = JSON.parse(body) as { security_events: unknown[] }
      gzipSync(items.map((item) => `${JSON.stringify(item)}\n`).join(''))
      events += items.length
    }
    const { user, system } = process.cpuUsage(before)
    micros = (user + system) / events
  }
  return micros
}
