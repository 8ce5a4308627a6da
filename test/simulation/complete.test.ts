import { describe, expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { recordId } from '../../functions/domain/record/record-id.ts'
import { coveredTo, missing } from '../../functions/domain/stream/ledger.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, key, start, World, type WorldOptions } from '../../simulation/world.ts'

async function run(options: WorldOptions, forMs: number, item = {}): Promise<World> {
  const world = new World(options)
  await world.put(connectorItem(item))
  await world.run(forMs)
  expect(world.crashes).toEqual([])
  return world
}

async function expectComplete(world: World, eventsMin: number): Promise<void> {
  const { expected, missing, twice } = await audit(world)
  expect(missing).toEqual([])
  expect(twice).toEqual([])
  expect(expected).toBeGreaterThanOrEqual(eventsMin)
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

  it('are delivered by the daily re-read when they are later still, and the status says so', async () => {
    const world = await run({ vendor: { eventsPerHour: 30, lateShare: 0.3, lateMaxMs: 3 * hour } }, 25 * hour)
    const { counts } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(counts.late).toBeGreaterThan(50)
    expect((await world.status('acme-cas')).reason).toContain('later than lateArrivalMinutes')
    await expectComplete(world, 300)
  })
})

describe('an event exactly on the cut of every range', () => {
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

describe('a stream that has more events than its key may read', () => {
  it('is read fresh and proven from its oldest end all the same, in an item that stays small', async () => {
    const world = await run({ vendor: { eventsPerHour: 45_000, account: 'totals' }, pageItems: 25 }, 3 * hour)
    const stream = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(stream.covered).toHaveLength(1)
    expect(stream.covered[0]!.to - stream.covered[0]!.from).toBeGreaterThan(12 * minute)
    expect(world.clock.now() - stream.readThrough).toBeLessThan(11 * minute)
    expect(JSON.stringify(stream).length).toBeLessThan(2_000)
  })
})

describe('a millisecond that cannot be read to its end', () => {
  const at = start + 20 * minute + 123

  it('is left alone, and neither the rest of its stream nor the others wait for it', async () => {
    const vendor = { eventsPerHour: 60, bursts: [{ at, count: 3_000, stream: 'sharepoint/dlp' as const }], pageIdLifeMs: 1 }
    const world = await run({ vendor }, 80 * minute, { lateArrivalMinutes: 600, eventTypes: ['dlp', 'securityrisk'] })
    const now = world.clock.now()
    for (const name of ['sharepoint/dlp', 'sharepoint/securityrisk'] as const)
      expect(now - (await world.stream('acme-cas', name)).readThrough).toBeLessThan(10 * minute)
    const { setAside, counts } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(setAside).toHaveLength(1)
    expect(counts.requests).toBeLessThan(200)
  })

  it('is what the status speaks of before it is lost', async () => {
    const world = await run({ vendor: { eventsPerHour: 6, bursts: [{ at, count: 3_000 }], pageIdLifeMs: 1 } }, 20 * hour)
    expect((await world.status('acme-cas')).state).toBe('catching-up')
    await world.run(35 * hour)
    expect((await world.status('acme-cas')).state).toBe('losing-data')
    await world.run(20 * hour)
    const { lostRanges } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(lostRanges.map(({ reason }) => reason)).toEqual(['unreadable'])
    expect(lostRanges[0]!.to - lostRanges[0]!.from).toBeLessThan(10)
  })

  it('does not hold up the daily re-read', async () => {
    const world = await run({ vendor: { eventsPerHour: 60, bursts: [{ at, count: 3_000 }] } }, 23 * hour)
    world.model.change({ pageIdLifeMs: 1 })
    const before = await world.stream('acme-cas', 'sharepoint/dlp')
    await world.run(4 * hour)
    const { counts, reread } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(reread).toBeUndefined()
    expect(counts.requests - before.counts.requests).toBeLessThan(400)
  })
})

describe('a range that the vendor cannot cope with', () => {
  it('because it is too wide is read piece by piece', async () => {
    const world = await run({ vendor: { eventsPerHour: 20 } }, 26 * hour)
    await world.put(connectorItem({ enabled: false }))
    await world.run(20 * hour)
    world.vendorResponds((asked) =>
      Date.parse(asked.get('end') ?? '') - Date.parse(asked.get('start') ?? '') > 6 * hour ? { status: 504 } : undefined,
    )
    await world.put(connectorItem())
    await world.run(2 * hour)
    expect(coveredTo(await world.stream('acme-cas', 'sharepoint/dlp'), world.clock.now())).toBeGreaterThan(world.clock.now() - 20 * minute)
    await expectComplete(world, 800)
  })

  it('because of one event in it costs that event only', async () => {
    const bad = start + 33 * minute + 123
    const world = new World({ vendor: { eventsPerHour: 20 } })
    world.vendorResponds((asked) =>
      Date.parse(asked.get('start') ?? '') <= bad && bad <= Date.parse(asked.get('end') ?? '') ? { status: 500 } : undefined,
    )
    await world.put(connectorItem())
    await world.run(6 * hour)
    const now = world.clock.now()
    const unread = missing(await world.stream('acme-cas', 'sharepoint/dlp'), now).slice(0, -1)
    expect(unread).toHaveLength(1)
    expect(unread[0]!.from).toBeLessThanOrEqual(bad)
    expect(unread[0]!.to - unread[0]!.from).toBeLessThan(10)
    await expectComplete(world, 100)
  })
})

describe('a vendor whose clock is minutes off', () => {
  it.each([5 * minute, -5 * minute])(
    'by %i ms: what it drops before it is read is a hole, none of it is called covered',
    async (clockSkewMs) => {
      const world = await run({ vendor: { eventsPerHour: 4_000, clockSkewMs, requestsPerMinute: 1 } }, 3 * hour, {
        requestsPerMinute: 1,
        eventTypes: ['dlp', 'securityrisk'],
        initialBackfillMinutes: 4_310,
      })
      const lake = world.lake.byConnector.get('acme-cas')!
      for (const name of ['sharepoint/dlp', 'sharepoint/securityrisk'] as const) {
        const stream = await world.stream('acme-cas', name)
        const unread = [...stream.lostRanges, ...missing(stream, world.clock.now())]
        const lost = [...world.model.eventsVisible(name, start - 4_310 * minute, start - hour, undefined, { lateMaxMs: 10 * minute })]
          .filter(({ id }) => !lake.has(recordId(digest, 'acme-cas', name, id)))
          .filter(({ selected }) => !unread.some(({ from, to }) => from <= selected && selected < to))
        expect(lost).toHaveLength(0)
      }
    },
  )
})

describe('a lateArrivalMinutes', () => {
  it('that is raised holds for what was proven with less, as far as it can still be late', async () => {
    const world = await run({ vendor: { eventsPerHour: 300, lateShare: 0.5, lateMaxMs: hour } }, 2 * hour)
    await world.put(connectorItem({ lateArrivalMinutes: 60 }))
    await world.run(2 * hour)
    const { missing } = await audit(world)
    const raisedFor = (line: string) => (/ of (\S+),/.exec(line)?.[1] ?? '') >= new Date(start + hour).toISOString()
    expect(missing.filter(raisedFor)).toHaveLength(0)
  })

  it.each([60, 1_440])('of %i still lets a quiet stream do with one request a run', async (lateArrivalMinutes) => {
    const world = await run({ vendor: { eventsPerHour: 5 } }, 10 * hour, { lateArrivalMinutes })
    expect((await world.stream('acme-cas', 'sharepoint/dlp')).counts.requests).toBeLessThanOrEqual(10 * 12 + 4)
  })
})

describe('a backfill from the horizon', () => {
  it('while tokens are scarce: what could not be read is a hole, everything else is there', async () => {
    const world = await run({ vendor: { eventsPerHour: 4_000, requestsPerMinute: 1 } }, 5 * hour, {
      requestsPerMinute: 1,
      initialBackfillMinutes: 4_310,
      eventTypes: ['dlp', 'securityrisk'],
    })
    // What was proven and has passed the horizon since is no longer in the ledger; the lake has it.
    await expectComplete(world, 1_000)
    expect(world.lake.records).toBeGreaterThan(50_000)
    const now = world.clock.now()
    const lost = []
    for (const name of ['sharepoint/dlp', 'sharepoint/securityrisk'] as const) {
      const stream = await world.stream('acme-cas', name)
      lost.push(...stream.lostRanges)
      expect(stream.covered.length).toBeGreaterThan(0)
      for (const hole of stream.lostRanges) expect(hole.to).toBeLessThanOrEqual(now - 72 * hour + 2 * minute)
      // Nothing falls between what is proven, what is given up and what is still to be read.
      const recent = [...stream.covered, ...stream.lostRanges, ...missing(stream, now)].filter(({ to }) => to > stream.since)
      const known = recent.sort((a, b) => a.from - b.from)
      for (let i = 1; i < known.length; i++) expect(known[i]!.from).toBeLessThanOrEqual(known[i - 1]!.to)
    }
    expect(lost.length).toBeGreaterThan(0)
    expect(lost.every(({ reason }) => reason === 'retention-limit')).toBe(true)
    expect((await world.status('acme-cas')).state).toBe('losing-data')
    expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(1)
  })

  it('of a quiet stream is complete within minutes', async () => {
    const world = await run({ vendor: { eventsPerHour: 60 } }, 10 * minute, { initialBackfillMinutes: 4_300 })
    const stream = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(stream.lostRanges).toEqual([])
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
    const { lostRanges } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(lostRanges.map(({ reason }) => reason)).toEqual(['paused'])
    await expectComplete(world, 2_000)
  })

  it('delivers none twice when its item was deleted, and came back, while a page was under way', async () => {
    const world = new World({ vendor: { eventsPerHour: 600, delayMs: { min: 5 * second, max: 5 * second } } })
    await world.put(connectorItem({ initialBackfillMinutes: 60 }))
    await world.run(2 * second)
    await world.remove('acme-cas')
    await world.run(minute)
    await world.put(connectorItem({ initialBackfillMinutes: 60 }))
    await world.run(20 * minute)
    await expectComplete(world, 500)
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
