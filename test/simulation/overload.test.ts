import { describe, expect, it } from 'vitest'
import { runMaxMs } from '../../functions/domain/dispatch.ts'
import { type Instant, minute, second } from '../../functions/domain/time.ts'
import { dispatchDue } from '../../functions/flows/dispatch-due.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { dueAges } from '../../functions/flows/oldest-due.ts'
import { eventTypeNames } from '../../local/simulator/catalogue.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'
import { memoryState } from '../../simulation/fakes/state.ts'
import { type WorkMessage, WorkQueue } from '../../simulation/fakes/work-queue.ts'
import { connectorItem, secretNameOf, start, World } from '../../simulation/world.ts'

const intervalMs = 5 * minute
/** A connector may wait so much longer than its interval: for the tick, and for a place (ms). */
const lateMaxMs = minute

/** The formula of docs/settings.md: four fifths of the places, so that runs that come together find one. */
function connectorsOf(places: number, runMs: number): number {
  return Math.floor((0.8 * places * intervalMs) / runMs)
}

async function putAll(
  world: World,
  count: number,
  originOf: (i: number) => { readonly tenant: 'acme' | 'globex'; readonly baseUrl: string },
  more: ConnectorItem = {},
) {
  for (let i = 1; i <= count; i++) {
    const { tenant, baseUrl } = originOf(i)
    const connectorId = `${tenant}.${i}`
    const own = { connectorId, name: connectorId, tenantName: tenant, apiKeySecrets: [secretNameOf(i, tenant)], baseUrl }
    await world.put(connectorItem({ ...own, initialBackfillMinutes: 0, ...more }))
    // Nobody writes a thousand items in one instant.
    if (i % 20 === 0) await world.run(second)
  }
}

/** The longest time between two reads of one connector, or until now, from `from` on (ms). */
async function longestGap(world: World, ids: readonly string[], from: Instant, forMs: number): Promise<number> {
  let longest = 0
  const lastRead = new Map<string, Instant>()
  for (const end = from + forMs; world.clock.now() < end; ) {
    await world.run(30 * second)
    for (const id of ids) {
      const { streams } = await world.state.readRun(id)
      for (const { readThrough } of streams.values()) {
        const before = lastRead.get(id) ?? readThrough
        if (world.clock.now() >= from) longest = Math.max(longest, readThrough - before, world.clock.now() - readThrough)
        lastRead.set(id, readThrough)
      }
    }
  }
  return longest
}

const healthyOrigin = 'https://api.tmcas.trendmicro.com'
const deadOrigins = ['https://api-eu.tmcas.trendmicro.com', 'https://api-au.tmcas.trendmicro.com']

describe('1,000 connectors on the places that docs/settings.md names for them', () => {
  it('keep their interval from the third minute on, if their origin responds and those of 900 others do not', {
    timeout: 300_000,
  }, async () => {
    const places = 20
    const diesAt = start + 10 * minute
    const originTroubles = deadOrigins.map(
      (origin) => ({ origin, kind: 'request to a dead origin', from: diesAt, to: diesAt + 24 * 60 * minute }) as const,
    )
    const world = new World({ vendor: { eventsPerHour: 0 }, furtherKeys: 1_000, runsMax: places, originTroubles })
    const isHealthy = (i: number) => i % 10 === 0
    const healthy = Array.from({ length: 100 }, (_, i) => `acme.${10 * (i + 1)}`)
    await putAll(world, 1_000, (i) =>
      isHealthy(i) ? { tenant: 'acme', baseUrl: healthyOrigin } : { tenant: 'globex', baseUrl: deadOrigins[i % 2] ?? healthyOrigin },
    )
    await world.run(diesAt - world.clock.now())
    const requestsBefore = world.record.faults.get('request to a dead origin') ?? 0
    const longest = await longestGap(world, healthy, diesAt + 2 * minute, 12 * minute)
    const requests = (world.record.faults.get('request to a dead origin') ?? 0) - requestsBefore
    console.info(`longest gap of a healthy connector ${longest / second} s; requests to the dead origins in 14 min: ${requests}`)
    expect(longest).toBeLessThanOrEqual(intervalMs + lateMaxMs)
    expect(world.record.faults.get('message expired')).toBeUndefined()
    // While the outage is found, each place asks twice or three times; then each origin is asked once a minute.
    expect(requests).toBeLessThanOrEqual(3 * places + 2 * 14)
    expect(await world.status('globex.1')).toMatchObject({ state: 'failing', cause: 'timed-out' })
    expect(await world.status('acme.10')).toMatchObject({ state: 'ok' })
  })
})

describe('a vendor that takes 5 s to respond', () => {
  it('is read at its interval by as many connectors as the formula says', { timeout: 300_000 }, async () => {
    const places = 8
    const delayMs = { min: 5 * second, max: 5 * second }
    const count = connectorsOf(places, delayMs.max + 100)
    const world = new World({ vendor: { eventsPerHour: 0, delayMs }, furtherKeys: count, runsMax: places })
    await putAll(world, count, () => ({ tenant: 'acme', baseUrl: healthyOrigin }))
    await world.run(10 * minute)
    const ids = Array.from({ length: count }, (_, i) => `acme.${i + 1}`)
    const longest = await longestGap(world, ids, world.clock.now(), 15 * minute)
    console.info(`${count} connectors on ${places} places: longest gap ${longest / second} s`)
    expect(longest).toBeLessThanOrEqual(intervalMs + lateMaxMs)
    expect(world.record.faults.get('message expired')).toBeUndefined()
  })
})

describe('a vendor that responds in half a second', () => {
  it('is read at its interval by as many connectors of four event types as the formula says', { timeout: 300_000 }, async () => {
    const delayMs = { min: second / 2, max: second / 2 }
    const count = connectorsOf(1, second)
    const world = new World({ vendor: { eventsPerHour: 0, delayMs }, furtherKeys: count, runsMax: 1 })
    await putAll(world, count, () => ({ tenant: 'acme', baseUrl: healthyOrigin }), { eventTypes: eventTypeNames })
    await world.run(10 * minute)
    const ids = Array.from({ length: count }, (_, i) => `acme.${i + 1}`)
    const longest = await longestGap(world, ids, world.clock.now(), 15 * minute)
    console.info(`${count} connectors of ${eventTypeNames.length} event types on 1 place: longest gap ${longest / second} s`)
    expect(longest).toBeLessThanOrEqual(intervalMs + lateMaxMs)
    expect(world.record.faults.get('message expired')).toBeUndefined()
  })
})

/** A deployment whose runs only take their time: the real dispatch and state table, the queue, and as many places. */
class StubbedFleet {
  readonly clock = new VirtualClock(start)
  readonly state = memoryState(this.clock)
  readonly begun: { readonly connectorId: string; readonly dueSince: Instant }[] = []
  expired = 0
  private readonly queue: WorkQueue
  private readonly places: number
  private readonly runMs: number

  constructor(places: number, runMs: number) {
    this.places = places
    this.runMs = runMs
    const happened = (event: string) => {
      if (event === 'message expired') this.expired += 1
    }
    this.queue = new WorkQueue({ clock: this.clock, places, run: (message) => this.run(message), happened })
  }

  /** The longest time that a connector waits at the end of a minute (ms). */
  async tick(): Promise<number> {
    await dispatchDue({ clock: this.clock, state: this.state, queue: this.queue, log: () => undefined }, this.places)
    await this.clock.advance(minute - 1)
    let oldest = 0
    for await (const { ageMs } of dueAges(this.state, this.clock.now())) oldest = Math.max(oldest, ageMs)
    await this.clock.advance(1)
    return oldest
  }

  private async run({ connectorId, claim }: WorkMessage): Promise<void> {
    const { clock, state } = this
    const due = await state.readDue(connectorId)
    if (due === undefined || due.nextDueAt !== claim) return
    const repeatedAt = clock.now() + runMaxMs
    if (!(await state.beginDue(connectorId, claim, repeatedAt))) return
    this.begun.push({ connectorId, dueSince: due.dueSince ?? clock.now() })
    await clock.sleepUntil(clock.now() + this.runMs)
    await state.setDue(connectorId, repeatedAt, clock.now() + intervalMs + 1)
  }
}

describe('10,000 connectors on the default places', () => {
  it('are read by turns, the oldest first, with no message that expires, and the metric tells', { timeout: 300_000 }, async () => {
    const [count, places, runMs] = [10_000, 8, 3 * second]
    const minutes = 70
    const fleet = new StubbedFleet(places, runMs)
    for (let i = 0; i < count; i++) await fleet.state.makeDue(`acme.${i}`, start + Math.floor((i / count) * intervalMs) + 1, 0)
    const ages: number[] = []
    for (let passed = 0; passed < minutes; passed++) ages.push(await fleet.tick())
    const runs = Map.groupBy(fleet.begun, ({ connectorId }) => connectorId)
    // A tick claims twice as many as the one before, until it has found how many are served.
    const rampMinutes = 6
    const served = ((minutes - rampMinutes) * minute * places) / runMs
    console.info(
      `${fleet.begun.length} runs, ${served} possible after the first minutes, ${runs.size} connectors read, ${fleet.expired} messages expired, DueAgeMax at the end ${Math.round((ages.at(-1) ?? 0) / minute)} min`,
    )
    expect(fleet.expired).toBe(0)
    expect(fleet.begun.length).toBeGreaterThanOrEqual(served)
    expect(runs.size).toBe(count)
    // Each round takes 62.5 minutes, and the first connectors of the second round wait for it to end.
    expect(Math.max(...[...runs.values()].map(({ length }) => length))).toBeLessThanOrEqual(2)
    expect(ages.at(-1)).toBeGreaterThan(50 * minute)
    // The oldest comes first, but for the claims that wait together.
    let latest = 0
    for (const { dueSince } of fleet.begun) {
      expect(latest - dueSince).toBeLessThan(minute)
      latest = Math.max(latest, dueSince)
    }
  })
})
