import { setTimeout as wait } from 'node:timers/promises'
import { minute, second } from '../functions/domain/time.ts'
import type { Totals } from '../local/simulator/account.ts'
import { eventTypeNames, serviceNames } from '../local/simulator/catalogue.ts'
import { connectorItem, key, start, World } from '../simulation/world.ts'
import { type Deployment, startDeployment } from './deployment.ts'
import { startCollectorProcess } from './processes.ts'

/** What the documented limit lets through: 20 requests in any minute. */
const perMinute = 20
const connectorCounts = [1, 3, 10]
/** While everything starts the first tokens are all free; it is left out (ms). */
const leftOutMs = 4 * minute
const measuredMs = 20 * minute
const realLeftOutMs = minute
const realMeasuredMs = 3 * minute
const realProcesses = 3
const backlogHours = 70

export interface LimitUse {
  readonly connectors: number
  readonly window: 'fixed' | 'sliding'
  /** Requests of those that the limit allows (%). */
  readonly usedPercent: number
  readonly maxRequestsInAnyMinute: number
  /** Answers with 429. */
  readonly refused: number
}

/** A backlog that never ends, behind one key, in virtual time: the shipped flows on four clocks that are up to a second apart. */
export async function simulateLimit(): Promise<LimitUse[]> {
  const uses: LimitUse[] = []
  for (const window of ['fixed', 'sliding'] as const) {
    for (const connectors of connectorCounts) {
      const world = new World({
        pageItems: 25,
        vendor: { window, delayMs: { min: 0, max: 200 }, eventsPerHour: 1_500 / connectors },
        clocksOffMs: [0, 400, -500, 500],
      })
      for (let i = 0; i < connectors; i++) await world.put(connectorItem({ connectorId: `bench-${i}`, initialBackfillMinutes: 4_000 }))
      await world.run(leftOutMs + measuredMs + minute)
      const { account } = world.model
      const from = start + leftOutMs
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

/** The same in real time: three processes that collect from a simulator with a sliding window, for each count of connectors. */
export function measureLimit(): Promise<LimitUse[]> {
  return Promise.all(connectorCounts.map(measureLimitOf))
}

async function measureLimitOf(connectors: number): Promise<LimitUse> {
  const flags = ['--events-per-hour', '1500', '--backlog', `${backlogHours}h`, '--window', 'sliding', '--account', 'totals']
  const deployment = await startDeployment(flags, { tickMs: minute })
  const collectors = await Promise.all(Array.from({ length: realProcesses }, () => startCollectorProcess(deployment.environment)))
  try {
    for (let i = 0; i < connectors; i++) {
      await deployment.put(`bench-${i}`, { initialBackfillMinutes: 4_310, eventTypes: eventTypeNames })
    }
    while ((await totals(deployment)).requests === 0) await wait(100)
    await wait(realLeftOutMs)
    const before = await totals(deployment)
    await wait(realMeasuredMs)
    const after = await totals(deployment)
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

async function totals({ vendorUrl }: Deployment): Promise<Totals> {
  const response = await fetch(`${vendorUrl}/simulator/account`)
  return (await response.json()) as Totals
}

export interface PassTime {
  readonly streams: number
  readonly seconds: number
  /** 20 requests at once, 20 a minute later, 8 another minute later. */
  readonly minSeconds: number
  readonly refused: number
}

/** One pass over all 48 streams of one connector, in virtual time, from its first request to its last. */
export async function simulatePass(): Promise<PassTime> {
  const world = new World({ pageItems: 25, vendor: { eventsPerHour: 6 } })
  await world.put(connectorItem({ contentTypes: serviceNames, eventTypes: eventTypeNames }))
  await world.run(4 * minute)
  const streams = serviceNames.length * eventTypeNames.length
  const requests = world.model.account.requests(key)
  const read = world.log.filter(({ event }) => event === 'page-read').slice(0, streams)
  const [first, last] = [requests[0], requests[streams - 1]]
  if (first === undefined || last === undefined || new Set(read.map(({ stream }) => stream)).size !== streams)
    throw new Error(`The first ${streams} requests did not read each of the ${streams} streams once.`)
  return {
    streams,
    seconds: (last.at - first.at) / second,
    minSeconds: (Math.floor((streams - 1) / perMinute) * minute) / second,
    refused: world.model.account.refused(key),
  }
}
