import { describe, expect, it } from 'vitest'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { eventTypeNames, type StreamName, serviceNames } from '../../local/simulator/catalogue.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, key, secrets, start, World } from '../../simulation/world.ts'

const connectorNames = (count: number) => Array.from({ length: count }, (_, i) => `acme-${i}`)

async function putAll(world: World, ids: readonly string[], item = {}): Promise<void> {
  for (const connectorId of ids) await world.put(connectorItem({ connectorId, ...item }))
}

describe('the vendor never sees a 21st request of one key in any 60 s, and a backlog uses 98 % of what is allowed', () => {
  it.each([
    { connectors: 1, window: 'fixed', delayMs: { min: 0, max: 200 } },
    { connectors: 3, window: 'sliding', delayMs: { min: 0, max: 200 } },
    { connectors: 10, window: 'fixed', delayMs: { min: 0, max: 200 } },
    { connectors: 10, window: 'sliding', delayMs: { min: 0, max: 200 } },
  ] as const)('$connectors connectors, $window window', async ({ connectors, window, delayMs }) => {
    const world = new World({
      pageItems: 25,
      vendor: { window, delayMs, eventsPerHour: 1_500 / connectors },
      clocksOffMs: [0, 400, -500, 500],
    })
    await putAll(world, connectorNames(connectors), { initialBackfillMinutes: 4_000 })
    await world.run(25 * minute)
    const { account } = world.model
    expect(world.crashes).toEqual([])
    expect(account.refused(key)).toBe(0)
    expect(account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(20)
    const counted = account.requests(key).filter(({ at }) => at >= start + 4 * minute && at < start + 24 * minute).length
    expect(counted / (20 * 20)).toBeGreaterThan(0.98)
  })

  it.each(['fixed', 'sliding'] as const)('nor with answers delayed by seconds, %s window', async (window) => {
    const world = new World({
      pageItems: 25,
      vendor: { window, delayMs: { min: 500, max: 20_000 }, eventsPerHour: 60 },
      clocksOffMs: [0, 500, -500],
    })
    await putAll(world, connectorNames(10), { initialBackfillMinutes: 3_000 })
    await world.run(30 * minute)
    expect(world.model.account.refused(key)).toBe(0)
    expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(20)
  })
})

describe('a key whose limit changes', () => {
  it('is held to the higher of the two while requests of both are under way', async () => {
    const world = new World({
      pageItems: 25,
      vendor: { requestsPerMinute: 0, delayMs: { min: 0, max: 6_000 }, eventsPerHour: 1_500 },
      clocksOffMs: [0, 400, -500],
    })
    await putAll(world, connectorNames(3), { initialBackfillMinutes: 4_000 })
    await world.run(2 * minute + 20 * second)
    for (const requestsPerMinute of [5, 20, 1, 20]) {
      await world.put(connectorItem({ connectorId: 'changing', requestsPerMinute, initialBackfillMinutes: 4_000 }))
      await world.run(6 * minute + 20 * second)
    }
    expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(20)
  })
})

describe('a crowd on one millisecond', () => {
  it('is read with three requests a minute while page ids live 45 s', async () => {
    const at = start + 20 * minute + 123
    const vendor = { eventsPerHour: 60, bursts: [{ at, count: 3_000 }], pageIdLifeMs: 45 * second, requestsPerMinute: 3 }
    const world = new World({ vendor })
    await world.put(connectorItem({ requestsPerMinute: 3 }))
    await world.run(3 * hour)
    const { missing, expected } = await audit(world)
    expect(missing).toHaveLength(0)
    expect(expected).toBeGreaterThan(3_000)
  })
})

describe('48 streams on one key', () => {
  it('are passed within 3 % of the least possible time, without a 429', async () => {
    const world = new World({ pageItems: 25, vendor: { eventsPerHour: 6 } })
    await world.put(connectorItem({ contentTypes: serviceNames, eventTypes: eventTypeNames }))
    await world.run(3 * minute)
    const requests = world.model.account.requests(key)
    const read = world.log.filter(({ event }) => event === 'page-read').slice(0, 48)
    expect(new Set(read.map(({ stream }) => stream)).size).toBe(48)
    expect(requests[47]!.at - requests[0]!.at).toBeLessThan(120 * second * 1.03)
    expect(world.model.account.refused(key)).toBe(0)
  })
})

describe('nine connectors with live traffic beside one with a giant backlog on the same key', () => {
  it('pass within twice their interval', async () => {
    const world = new World({
      vendor: { eventsPerHour: 10, streamEventsPerHour: { 'exchange/dlp': 150, 'exchange/securityrisk': 150 } },
    })
    const live = connectorNames(9)
    await putAll(world, live)
    await world.put(
      connectorItem({ connectorId: 'backlog', eventTypes: eventTypeNames, contentTypes: ['exchange'], initialBackfillMinutes: 4_300 }),
    )
    await world.run(2 * hour)
    for (const connectorId of live) {
      const reads = world.log
        .filter((entry) => entry.connectorId === connectorId && entry.event === 'page-read')
        .map((entry) => Number(entry['at']))
      expect(reads.length).toBeGreaterThan(20)
      for (let i = 1; i < reads.length; i++) expect(reads[i]! - reads[i - 1]!).toBeLessThan(10 * minute)
    }
    expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(20)
    expect((await world.stream('backlog', 'exchange/dlp')).covered.length).toBeGreaterThan(0)
  })

  it('and connectors that share a key share it evenly', async () => {
    const world = new World({ pageItems: 25, vendor: { eventsPerHour: 250 }, clocksOffMs: [0, 100] })
    const ids = connectorNames(4)
    await putAll(world, ids, { initialBackfillMinutes: 4_000 })
    await world.run(40 * minute)
    const shares = await Promise.all(ids.map(async (id) => (await world.stream(id, 'sharepoint/dlp')).counts.requests))
    const fair = shares.reduce((a, b) => a + b) / shares.length
    for (const share of shares) expect(Math.abs(share / fair - 1)).toBeLessThan(0.1)
  })
})

describe('a key that somebody else uses as well', () => {
  it('is throttled down to what is left, and nothing is lost', async () => {
    const world = new World({ pageItems: 25, vendor: { otherRequestsPerMinute: 8, eventsPerHour: 60 } })
    await world.put(connectorItem({ initialBackfillMinutes: 4_000 }))
    await world.run(4 * hour)
    const { missing, twice, expected } = await audit(world)
    expect(missing).toEqual([])
    expect(twice).toEqual([])
    expect(expected).toBeGreaterThan(1_000)
  })

  it('says so', async () => {
    const world = new World({ pageItems: 25, vendor: { otherRequestsPerMinute: 14, eventsPerHour: 150 } })
    await world.put(connectorItem({ initialBackfillMinutes: 4_000, eventTypes: ['dlp', 'securityrisk'] }))
    await world.run(hour)
    expect((await world.status('acme-cas')).reason).toMatch(/Throttled by another consumer: about \d+ of the 20/)
    const { throttled, requests } = (await world.stream('acme-cas', 'sharepoint/dlp' as StreamName)).counts
    expect(throttled / requests).toBeLessThan(0.1)
  })
})

describe('a pool of keys', () => {
  it('is used at once, key by key, although the state table takes time to answer', async () => {
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
    // A request takes one read; whoever looks for a free token without end takes thousands.
    expect(reads).toBeLessThan(2 * account.totals().requests)
  })
})

describe('a daily cap', () => {
  it('is kept by requestsPerDay', async () => {
    const world = new World({ pageItems: 25, vendor: { eventsPerHour: 300, requestsPerDay: 200 } })
    await world.put(connectorItem({ initialBackfillMinutes: 4_000, requestsPerDay: 200 }))
    await world.run(11 * hour)
    expect(world.model.account.refused(key)).toBe(0)
    expect(world.model.account.requests(key).length).toBe(200)
  })
})
