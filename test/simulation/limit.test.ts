import { describe, expect, it, test } from 'vitest'
import type { Source } from '../../functions/domain/ports.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { eventTypeNames, type StreamName, serviceNames } from '../../local/simulator/catalogue.ts'
import { audit } from '../../simulation/audit.ts'
import type { FaultKind } from '../../simulation/faults.ts'
import { runScenario } from '../../simulation/run-scenario.ts'
import { drawScenario, type Scenario } from '../../simulation/scenario.ts'
import { connectorItem, key, secrets, start, World } from '../../simulation/world.ts'

/** The vendor allows one key this many in any 60 s (requests). */
const requestsPerMinute = 20
/** A token is free again 61 s after its response, because clocks may be a second apart: 60 of 61 requests can be used (share). */
const usedShareMin = 0.98
/** The first runs of all connectors begin in these minutes, so they are not counted. */
const firstMinutes = 4
const countedMinutes = 20
/** A request needs one read of the tokens, and some need a second one. A search for a free token that does not end needs thousands. */
const readsPerRequestMax = 2
/** Every event type of every service (streams). */
const allStreams = 48
/** With 20 requests a minute, the last of 48 requests is at least two windows after the first. 1 % for clocks and responses. */
const passMaxMs = 120 * second * 1.01
/** A connector that shares its key with a backlog is read at least at every second interval of 5 minutes. */
const readGapMaxMs = 10 * minute
/** Two hours have 24 intervals of 5 minutes (pages). */
const liveReadsMin = 20
/** A connector of several that share a key may differ from the mean by this much (share of the mean). */
const unevenShareMax = 0.1
/** The limiter learns what is left of a key that another consumer uses: fewer than one request in ten is refused. */
const throttledShareMax = 0.1

/** The claims of the simulation about the limit. */
const claimsOfTheLimit = [
  'The vendor never sees more requests of a key in any 60 s than it allows',
  'The vendor refuses no request, unless another consumer uses the key',
]

/** Half of ten connectors freeze, four minutes after the start (ms). */
const frozenMax = 5
const frozenFromMs = 4 * minute

const connectorNames = (count: number) => Array.from({ length: count }, (_, i) => `acme.${i}`)

async function putAll(world: World, ids: readonly string[], item = {}): Promise<void> {
  for (const connectorId of ids) await world.put(connectorItem({ connectorId, ...item }))
}

describe('the limit of a key', () => {
  it.each([
    { connectors: 1, window: 'fixed', delayMs: { min: 0, max: 200 } },
    { connectors: 3, window: 'sliding', delayMs: { min: 0, max: 200 } },
    { connectors: 10, window: 'fixed', delayMs: { min: 0, max: 200 } },
    { connectors: 10, window: 'sliding', delayMs: { min: 0, max: 200 } },
  ] as const)(
    'a backlog of $connectors connectors uses 98 % of what the vendor allows, and the vendor never sees a 21st request in any 60 s ($window window)',
    async ({ connectors, window, delayMs }) => {
      const world = new World({
        pageItems: 25,
        vendor: { window, delayMs, eventsPerHour: 1_500 / connectors },
        clocksOffMs: [0, 400, -500, 500],
      })
      await putAll(world, connectorNames(connectors), { initialBackfillMinutes: 4_000 })
      await world.run(25 * minute)
      const { account } = world.model
      expect(world.record.crashes).toEqual([])
      expect(account.refused(key)).toBe(0)
      expect(account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(requestsPerMinute)
      const from = start + firstMinutes * minute
      const counted = account.requests(key).filter(({ at }) => at >= from && at < from + countedMinutes * minute).length
      expect(counted / (countedMinutes * requestsPerMinute)).toBeGreaterThan(usedShareMin)
    },
  )

  it.each(['fixed', 'sliding'] as const)(
    'the vendor never sees a 21st request in any 60 s when its responses take seconds (%s window)',
    async (window) => {
      const world = new World({
        pageItems: 25,
        vendor: { window, delayMs: { min: 500, max: 20_000 }, eventsPerHour: 60 },
        clocksOffMs: [0, 500, -500],
      })
      await putAll(world, connectorNames(10), { initialBackfillMinutes: 3_000 })
      await world.run(30 * minute)
      expect(world.model.account.refused(key)).toBe(0)
      expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(requestsPerMinute)
    },
  )

  it('is the higher of two when it changes while requests of both are under way', async () => {
    const world = new World({
      pageItems: 25,
      vendor: { requestsPerMinute: 0, delayMs: { min: 0, max: 6_000 }, eventsPerHour: 1_500 },
      clocksOffMs: [0, 400, -500],
    })
    await putAll(world, connectorNames(3), { initialBackfillMinutes: 4_000 })
    await world.run(2 * minute + 20 * second)
    for (const limit of [5, 20, 1, 20]) {
      await world.put(connectorItem({ connectorId: 'acme.changing', requestsPerMinute: limit, initialBackfillMinutes: 4_000 }))
      await world.run(6 * minute + 20 * second)
    }
    expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(requestsPerMinute)
  })
})

test('requests of processes that freeze between their permits and the requests are not sent when they wake', async () => {
  const world = new World({ pageItems: 25, vendor: { requestsPerMinute: 0, eventsPerHour: 1_500 }, clocksOffMs: [0, 400, -500] })
  const portsOf = world.ports.bind(world)
  let frozen = 0
  world.ports = (process) => {
    const ports = portsOf(process)
    const fetch: Source['fetch'] = async (...request) => {
      if (world.clock.now() >= start + frozenFromMs && frozen < frozenMax) {
        frozen += 1
        // Their tokens are free again by then, and the others use them.
        await world.clock.sleepUntil(start + frozenFromMs + 3 * minute)
      }
      return ports.source.fetch(...request)
    }
    return { ...ports, source: { fetch } }
  }
  await putAll(world, connectorNames(10), { initialBackfillMinutes: 4_000 })
  await world.run(9 * minute)
  expect(frozen).toBe(frozenMax)
  expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(requestsPerMinute)
  expect(world.record.log.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
})

describe('the limit of a key that four connectors with a backlog share', () => {
  it.each<[string, readonly number[], Partial<Scenario['world']>, FaultKind, number]>([
    ['processes freeze', [9], { faults: { freeze: 0.01 } }, 'freeze before a call', 2 * hour],
    [
      'the clock of their one process is set',
      [6, 11],
      { clockStepRate: 1, stateMs: 40, clocksOffMs: [0] },
      'clock step of a process',
      hour / 2,
    ],
  ])('is kept when %s', async (_, seeds, world, fault, faultyMs) => {
    for (const seed of seeds) {
      const scenario = drawScenario('kills', seed)
      const items = connectorNames(4).map((id) => ({ ...scenario.items[0], connectorId: id, name: id, initialBackfillMinutes: 2_000 }))
      const crowd = { ...scenario, items, world: { ...scenario.world, faults: {}, ...world }, faultyMs, calmMs: minute }
      const { invariants, counts } = await runScenario(crowd, { onEffect: () => {} })
      expect(counts.faults[fault]).toBeGreaterThan(10)
      const ofTheLimit = invariants.filter(({ claim }) => claimsOfTheLimit.includes(claim))
      expect(ofTheLimit.map(({ problems }) => problems)).toEqual([[], []])
    }
  })
})

test('3,000 events in one millisecond are read with three requests a minute while page ids live 45 s', async () => {
  const at = start + 20 * minute + 123
  const vendor = { eventsPerHour: 60, bursts: [{ at, count: 3_000 }], pageIdLifeMs: 45 * second, requestsPerMinute: 3 }
  const world = new World({ vendor })
  await world.put(connectorItem({ requestsPerMinute: 3 }))
  await world.run(3 * hour)
  const { missing, expected } = await audit(world)
  expect(missing).toHaveLength(0)
  expect(expected).toBeGreaterThan(3_000)
})

test('the 48 streams of one key are all read within 1 % of the shortest possible time, without a 429', async () => {
  const world = new World({ pageItems: 25, vendor: { eventsPerHour: 6 } })
  await world.put(connectorItem({ contentTypes: serviceNames, eventTypes: eventTypeNames }))
  await world.run(3 * minute)
  const requests = world.model.account.requests(key)
  const read = world.record.log.filter(({ event }) => event === 'page-read').slice(0, allStreams)
  expect(new Set(read.map(({ stream }) => stream)).size).toBe(allStreams)
  expect(requests[allStreams - 1]!.at - requests[0]!.at).toBeLessThan(passMaxMs)
  expect(world.model.account.refused(key)).toBe(0)
})

describe('connectors that share a key', () => {
  it('are each read within twice their interval while one of them has a giant backlog', async () => {
    const world = new World({
      vendor: { eventsPerHour: 10, streamEventsPerHour: { 'exchange/dlp': 150, 'exchange/securityrisk': 150 } },
    })
    const live = connectorNames(9)
    await putAll(world, live)
    await world.put(
      connectorItem({ connectorId: 'acme.backlog', eventTypes: eventTypeNames, contentTypes: ['exchange'], initialBackfillMinutes: 4_300 }),
    )
    await world.run(2 * hour)
    for (const connectorId of live) {
      const reads = world.record.log
        .filter((entry) => entry.connectorId === connectorId && entry.event === 'page-read')
        .map((entry) => Number(entry['at']))
      expect(reads.length).toBeGreaterThan(liveReadsMin)
      for (let i = 1; i < reads.length; i++) expect(reads[i]! - reads[i - 1]!).toBeLessThan(readGapMaxMs)
    }
    expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(requestsPerMinute)
    expect((await world.stream('acme.backlog', 'exchange/dlp')).covered.length).toBeGreaterThan(0)
  })

  it('share it evenly', async () => {
    const world = new World({ pageItems: 25, vendor: { eventsPerHour: 250 }, clocksOffMs: [0, 100] })
    const ids = connectorNames(4)
    await putAll(world, ids, { initialBackfillMinutes: 4_000 })
    await world.run(40 * minute)
    const shares = await Promise.all(ids.map(async (id) => (await world.stream(id, 'sharepoint/dlp')).counts.requests))
    const fair = shares.reduce((a, b) => a + b) / shares.length
    for (const share of shares) expect(Math.abs(share / fair - 1)).toBeLessThan(unevenShareMax)
  })
})

describe('a connector whose key another consumer uses too', () => {
  it('slows down to the requests that are left, and loses nothing', async () => {
    const world = new World({ pageItems: 25, vendor: { otherRequestsPerMinute: 8, eventsPerHour: 60 } })
    await world.put(connectorItem({ initialBackfillMinutes: 4_000 }))
    await world.run(4 * hour)
    const { missing, twice, expected } = await audit(world)
    expect(missing).toEqual([])
    expect(twice).toEqual([])
    expect(expected).toBeGreaterThan(1_000)
  })

  it.each([429, 200] as const)('says in its status how much is left, and is seldom throttled, by status %i', async (throttledStatus) => {
    const world = new World({ pageItems: 25, vendor: { otherRequestsPerMinute: 14, eventsPerHour: 150, throttledStatus } })
    await world.put(connectorItem({ initialBackfillMinutes: 4_000, eventTypes: ['dlp', 'securityrisk'] }))
    await world.run(hour)
    expect((await world.status('acme.cas')).reason).toMatch(/Throttled by another consumer: about \d+ of the 20/)
    const { throttled, requests } = (await world.stream('acme.cas', 'sharepoint/dlp' as StreamName)).counts
    expect(throttled / requests).toBeLessThan(throttledShareMax)
  })
})

test('every key of a pool is used at once although the state table takes time to respond', async () => {
  let reads = 0
  const world = new World({
    pageItems: 25,
    vendor: { eventsPerHour: 600 },
    stateMs: 5,
    onEffect: ({ text }) => {
      if (text.startsWith('state.readTokens')) reads += 1
    },
  })
  await world.put(connectorItem({ apiKeySecrets: Object.keys(secrets), initialBackfillMinutes: 300 }))
  await world.run(minute)
  const { account } = world.model
  for (const each of Object.values(secrets)) expect(account.requests(each).length).toBeGreaterThan(10)
  expect(reads).toBeLessThan(readsPerRequestMax * account.totals().requests)
})

test('a daily cap of the vendor is kept by requestsPerDay', async () => {
  const world = new World({ pageItems: 25, vendor: { eventsPerHour: 300, requestsPerDay: 200 } })
  await world.put(connectorItem({ initialBackfillMinutes: 4_000, requestsPerDay: 200 }))
  await world.run(11 * hour)
  expect(world.model.account.refused(key)).toBe(0)
  expect(world.model.account.requests(key).length).toBe(200)
})
