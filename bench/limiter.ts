import { setTimeout as wait } from 'node:timers/promises'
import { minute, second } from '../functions/domain/time.ts'
import type { Totals } from '../local/simulator/account.ts'
import { eventTypeNames, serviceNames } from '../local/simulator/catalogue.ts'
import { connectorItem, key, start, World } from '../simulation/world.ts'
import { type Deployment, startDeployment } from './deployment.ts'
import { startCollectorProcess } from './processes.ts'

/** The documented limit of the vendor: 20 requests in any minute. */
const perMinute = 20
const connectorCounts = [1, 3, 10]
/** The first minutes are not measured, because at the start all tokens are free (ms). */
const warmUpMs = 4 * minute
const measuredMs = 20 * minute
const realWarmUpMs = minute
const realMeasuredMs = 3 * minute
const realProcesses = 3
const backlogHours = 70

export interface LimitUse {
  readonly connectors: number
  readonly window: 'fixed' | 'sliding'
  /** Requests sent, as a share of those that the limit allows (%). */
  readonly usedPercent: number
  readonly maxRequestsInAnyMinute: number
  /** Responses with status 429. */
  readonly refused: number
}

/** Simulates a backlog that never ends, on one key, in virtual time: the shipped flows on four clocks that are up to a second apart. */
export async function simulateLimit(): Promise<LimitUse[]> {
  const uses: LimitUse[] = []
  for (const window of ['fixed', 'sliding'] as const) {
    for (const connectors of connectorCounts) {
      const world = new World({
        pageItems: 25,
        vendor: { window, delayMs: { min: 0, max: 200 }, eventsPerHour: 1_500 / connectors },
        clocksOffMs: [0, 400, -500, 500],
      })
      for (let i = 0; i < connectors; i++) await world.put(connectorItem({ connectorId: `acme.bench-${i}`, initialBackfillMinutes: 4_000 }))
      await world.run(warmUpMs + measuredMs + minute)
      const { account } = world.model
      const from = start + warmUpMs
      const counted = account.requests(key).filter(({ at }) => at >= from && at < from + measuredMs).length
      uses.push({
        connectors,
        window,
        usedPercent: (100 * counted) / (perMinute * (measuredMs / minute)),
        maxRequestsInAnyMinute: account.maxRequestsInAnyMinute(key),
        refused: account.refused(key),
      })
    }
  }
  return uses
}

/** Measures the same in real time: three processes collect from a simulator with a sliding window, for each number of connectors. */
export function measureLimit(): Promise<LimitUse[]> {
  return Promise.all(connectorCounts.map(measureLimitOf))
}

async function measureLimitOf(connectors: number): Promise<LimitUse> {
  const flags = ['--events-per-hour', '1500', '--backlog', `${backlogHours}h`, '--window', 'sliding', '--account', 'totals']
  const deployment = await startDeployment(flags, { tickMs: minute })
  const collectors = await Promise.all(Array.from({ length: realProcesses }, () => startCollectorProcess(deployment.environment)))
  try {
    for (let i = 0; i < connectors; i++) {
      await deployment.put(`acme.bench-${i}`, { initialBackfillMinutes: 4_310, eventTypes: eventTypeNames })
    }
    while ((await readTotals(deployment)).requests === 0) await wait(100)
    await wait(realWarmUpMs)
    const before = await readTotals(deployment)
    await wait(realMeasuredMs)
    const after = await readTotals(deployment)
    return {
      connectors,
      window: 'sliding',
      usedPercent: (100 * (after.requests - before.requests)) / (perMinute * (realMeasuredMs / minute)),
      maxRequestsInAnyMinute: Math.max(...after.keys.map(({ maxRequestsInAnyMinute }) => maxRequestsInAnyMinute)),
      refused: after.refused,
    }
  } finally {
    await Promise.all(collectors.map((collector) => collector.stop()))
    await deployment.close()
  }
}

async function readTotals({ vendorUrl }: Deployment): Promise<Totals> {
  const response = await fetch(`${vendorUrl}/simulator/account`)
  return (await response.json()) as Totals
}

export interface PassTime {
  readonly streams: number
  readonly seconds: number
  /** The limit allows 20 requests at once, 20 a minute later, and 8 another minute later. */
  readonly minSeconds: number
  readonly refused: number
}

/** Simulates one pass over all 48 streams of one connector, from its first request to its last, in virtual time. */
export async function simulatePass(): Promise<PassTime> {
  const world = new World({ pageItems: 25, vendor: { eventsPerHour: 6 } })
  await world.put(connectorItem({ contentTypes: serviceNames, eventTypes: eventTypeNames }))
  await world.run(4 * minute)
  const streams = serviceNames.length * eventTypeNames.length
  const requests = world.model.account.requests(key)
  const read = world.record.log.filter(({ event }) => event === 'page-read').slice(0, streams)
  const [first, last] = [requests[0], requests[streams - 1]]
  if (first === undefined || last === undefined || new Set(read.map(({ stream }) => stream)).size !== streams)
    throw new Error(`The first ${streams} requests should read each of the ${streams} streams once, but did not.`)
  return {
    streams,
    seconds: (last.at - first.at) / second,
    minSeconds: (Math.floor((streams - 1) / perMinute) * minute) / second,
    refused: world.model.account.refused(key),
  }
}
