import { describe, expect, it } from 'vitest'
import { coveredTo, missing } from '../../functions/domain/ledger.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { audit } from './audit.ts'
import { connectorItem, key, start, World, type WorldOptions } from './world.ts'

async function run(options: WorldOptions, forMs: number, item = {}): Promise<World> {
  const world = new World(options)
  await world.put(connectorItem(item))
  await world.run(forMs)
  expect(world.crashes).toEqual([])
  return world
}

async function expectComplete(world: World, eventsLeast: number): Promise<void> {
  const { expected, missing, twice } = await audit(world)
  expect(missing).toEqual([])
  expect(twice).toEqual([])
  expect(expected).toBeGreaterThanOrEqual(eventsLeast)
}

describe('a quiet stream', () => {
  it('is complete up to the late-arrival minutes, with one request a run', async () => {
    const world = await run({}, 2 * hour)
    await expectComplete(world, 90)
    const { counts, covered } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(counts.requests).toBeLessThanOrEqual(26)
    expect(covered).toHaveLength(1)
    expect(covered[0]!.to).toBeGreaterThan(start + 2 * hour - 16 * minute)
    expect(await world.status('acme-cas')).toMatchObject({ state: 'ok', reason: '' })
  })

  it('counts every item as delivered, filtered or already seen', async () => {
    const world = await run({ vendor: { eventsPerHour: 600 } }, hour, {
      logFilters: [{ name: 'quarantined', conditions: [{ field: 'action', operator: 'equals', values: ['Quarantine'] }] }],
    })
    const { counts } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(counts.filtered).toBeGreaterThan(0)
    expect(counts.byFilter).toEqual({ quarantined: counts.filtered })
    expect(counts.delivered + counts.filtered + counts.alreadySeen).toBe(counts.fetched)
    expect(world.lake.records).toBe(counts.delivered)
  })
})

describe('events late by up to lateArrivalMinutes', () => {
  it('are all delivered, once', async () => {
    const world = await run({ vendor: { eventsPerHour: 600, lateShare: 0.5, lateMaxMs: 10 * minute } }, 3 * hour)
    await expectComplete(world, 1_500)
  })

  it('are delivered by the daily second look when they are later still, and the status says so', async () => {
    const world = await run({ vendor: { eventsPerHour: 30, lateShare: 0.3, lateMaxMs: 3 * hour } }, 25 * hour)
    const { counts } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(counts.late).toBeGreaterThan(50)
    expect((await world.status('acme-cas')).reason).toContain('later than lateArrivalMinutes')
    await expectComplete(world, 300)
  })
})

describe('an event exactly on the cut of every slice', () => {
  it.each(['inclusive', 'half-open', 'start-exclusive', 'exclusive'] as const)(
    'is delivered once when the bounds are %s',
    async (bounds) => {
      const world = await run({ vendor: { eventsPerHour: 1_200, wholeSeconds: true, bounds } }, 2 * hour)
      await expectComplete(world, 2_000)
    },
  )
})

describe('3,000 events on one millisecond', () => {
  it('are all delivered when page ids live 45 s', async () => {
    const at = start + 20 * minute + 123
    const world = await run({ vendor: { eventsPerHour: 60, bursts: [{ at, count: 3_000 }], pageIdLifeMs: 45 * second } }, 90 * minute, {
      eventTypes: ['dlp', 'securityrisk'],
    })
    await expectComplete(world, 6_000)
    expect(coveredTo(await world.stream('acme-cas', 'sharepoint/dlp'), start + 90 * minute)).toBeGreaterThan(at + minute)
  })
})

describe('a busy stream', () => {
  it('is read about twice, and complete', async () => {
    const world = await run({ vendor: { eventsPerHour: 30_000 } }, hour)
    await expectComplete(world, 24_000)
    const { counts } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(counts.fetched / counts.delivered).toBeLessThan(2.3)
  })
})

describe('a backfill from the horizon', () => {
  it('while tokens are scarce: what could not be read is a hole, everything else is there', async () => {
    const world = await run({ vendor: { eventsPerHour: 6_000, requestsPerMinute: 1 } }, 5 * hour, {
      requestsPerMinute: 1,
      initialBackfillMinutes: 4_310,
      eventTypes: ['dlp', 'securityrisk'],
    })
    await expectComplete(world, 10_000)
    const now = world.clock.now()
    const lost = []
    for (const name of ['sharepoint/dlp', 'sharepoint/securityrisk'] as const) {
      const stream = await world.stream('acme-cas', name)
      lost.push(...stream.holes)
      for (const hole of stream.holes) expect(hole.to).toBeLessThanOrEqual(now - 72 * hour + 2 * minute)
      // Nothing falls between what is proven, what is given up and what is still to be read.
      const known = [...stream.covered, ...stream.holes, ...missing(stream, now)].sort((a, b) => a.from - b.from)
      for (let i = 1; i < known.length; i++) expect(known[i]!.from).toBeLessThanOrEqual(known[i - 1]!.to)
    }
    expect(lost.length).toBeGreaterThan(0)
    expect(lost.every(({ reason }) => reason === 'horizon')).toBe(true)
    expect((await world.status('acme-cas')).state).toBe('losing-data')
    expect(world.model.account.mostRequestsInAnyMinute(key)).toBeLessThanOrEqual(1)
  })

  it('of a quiet stream is complete within minutes', async () => {
    const world = await run({ vendor: { eventsPerHour: 60 } }, 10 * minute, { initialBackfillMinutes: 4_300 })
    const stream = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(stream.holes).toEqual([])
    expect(coveredTo(stream, world.clock.now())).toBeGreaterThan(start - 15 * minute)
    await expectComplete(world, 4_000)
  })
})

describe('a connector that was switched off', () => {
  it('reads what it missed when it is on again, and calls what passed the horizon paused', async () => {
    const world = await run({ vendor: { eventsPerHour: 30 } }, hour)
    await world.put(connectorItem({ enabled: false }))
    await world.run(80 * hour)
    expect(await world.status('acme-cas')).toMatchObject({ state: 'paused' })
    await world.put(connectorItem())
    await world.run(30 * minute)
    const { holes } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(holes.map(({ reason }) => reason)).toEqual(['paused'])
    await expectComplete(world, 2_000)
  })

  it('resumes its ledger when its item was deleted and comes back within 4 days', async () => {
    const world = await run({}, hour)
    await world.remove('acme-cas')
    await world.run(3 * hour)
    expect(await world.status('acme-cas')).toMatchObject({ state: 'retired' })
    await world.put(connectorItem())
    await world.run(20 * minute)
    await expectComplete(world, 200)
    expect((await world.stream('acme-cas', 'sharepoint/dlp')).covered).toHaveLength(1)
  })
})
