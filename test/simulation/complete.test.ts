import { describe, expect, it, test } from 'vitest'
import { coveredTo, missing } from '../../functions/domain/stream/ledger.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { audit } from '../../simulation/audit.ts'
import { expectedKey } from '../../simulation/expected-record.ts'
import { connectorItem, key, start, World } from '../../simulation/world.ts'
import type { WorldOptions } from '../../simulation/world-options.ts'

/** A quiet stream needs one request a run, and a run is due every 5 minutes (intervalMinutes by default). */
const runsPerHour = 12
/** Two hours: the first run, when the connector is accepted, and one that comes early (requests). */
const quietRequestsMax = 2 * runsPerHour + 2
/** Ten hours: the first run, and three that come early (requests). */
const longRequestsMax = 10 * runsPerHour + 4
/** Two hours of 60 events, less the last 16 minutes, with room for chance. */
const quietEventsMin = 90
/** The last run was up to 5 minutes ago, and read up to lateArrivalMinutes (10) before it. One minute to spare. */
const quietLagMaxMs = 16 * minute
/** The last run was up to 10 minutes ago, and covered its stream up to lateArrivalMinutes (10) before it. */
const coveredLagMaxMs = 20 * minute
/** The first run covers a stream up to lateArrivalMinutes (10) before the start. Five minutes to spare. */
const backfillLagMaxMs = 15 * minute
/** A busy stream is read while it is new, and again when no late event can come any more. 15 % more for ranges that are read in part. */
const readingsMax = 2.3
/** With every request in use, the newest events are read at every second interval of 5 minutes. One minute to spare. */
const fullLoadLagMaxMs = 11 * minute
/** A quiet stream is read at every interval of 5 minutes. A second one may pass while others are read. */
const readLagMaxMs = 10 * minute
/** Every page writes the item of its stream, and each KB of it costs a write unit (characters). */
const streamItemLengthMax = 2_000
/** An unreadable event is narrowed down to a few milliseconds around it (ms). */
const unreadableWidthMaxMs = 10
/** A run that does not give an unreadable range up would use 20 requests a minute: 1,600 in 80 minutes. */
const unreadableRequestsMax = 200
/** A run that does not give up would use 20 requests a minute: 4,800 in 4 hours. */
const rereadRequestsMax = 400

async function run(options: WorldOptions, forMs: number, item = {}): Promise<World> {
  const world = new World(options)
  await world.put(connectorItem(item))
  await world.run(forMs)
  expect(world.record.crashes).toEqual([])
  return world
}

/** `eventsMin` is well below the number of events in the covered time: it shows that the audit saw most of them. */
async function expectComplete(world: World, eventsMin: number): Promise<void> {
  const { expected, missing, twice } = await audit(world)
  expect(missing).toEqual([])
  expect(twice).toEqual([])
  expect(expected).toBeGreaterThanOrEqual(eventsMin)
}

test('a quiet stream is complete up to the late-arrival minutes, with one request a run', async () => {
  const world = await run({}, 2 * hour)
  await expectComplete(world, quietEventsMin)
  const { counts, covered } = await world.stream('acme.cas', 'sharepoint/dlp')
  expect(counts.requests).toBeLessThanOrEqual(quietRequestsMax)
  expect(covered).toHaveLength(1)
  expect(covered[0]!.to).toBeGreaterThan(start + 2 * hour - quietLagMaxMs)
  expect(await world.status('acme.cas')).toMatchObject({ state: 'ok', reason: '' })
})

test('every item that a stream fetches is counted as delivered, filtered or already seen', async () => {
  const world = await run({ vendor: { eventsPerHour: 600 } }, hour, {
    logFilters: [{ name: 'quarantined', conditions: [{ field: 'action', operator: 'equals', values: ['Quarantine'] }] }],
  })
  const { counts } = await world.stream('acme.cas', 'sharepoint/dlp')
  expect(counts.filtered).toBeGreaterThan(0)
  expect(counts.byFilter).toEqual({ quarantined: counts.filtered })
  expect(counts.delivered + counts.filtered + counts.alreadySeen).toBe(counts.fetched)
  expect(world.lake.records).toBe(counts.delivered)
})

describe('a late event', () => {
  it('is delivered once when it is late by up to lateArrivalMinutes', async () => {
    const world = await run({ vendor: { eventsPerHour: 600, lateShare: 0.5, lateMaxMs: 10 * minute } }, 3 * hour)
    await expectComplete(world, 1_500)
  })

  it('is delivered by the daily re-read when it is later than that, and the status says so', async () => {
    const world = await run({ vendor: { eventsPerHour: 30, lateShare: 0.3, lateMaxMs: 3 * hour } }, 25 * hour)
    const { counts } = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(counts.late).toBeGreaterThan(50)
    expect((await world.status('acme.cas')).reason).toContain('later than lateArrivalMinutes')
    await expectComplete(world, 300)
  })
})

test.each(['inclusive', 'half-open', 'start-exclusive', 'exclusive'] as const)(
  'an event on the boundary of two ranges is delivered once when the bounds are %s',
  async (bounds) => {
    const world = await run({ vendor: { eventsPerHour: 1_200, wholeSeconds: true, bounds } }, 2 * hour)
    await expectComplete(world, 2_000)
  },
)

test('3,000 events in one millisecond are all delivered although page ids live only 45 s', async () => {
  const at = start + 20 * minute + 123
  const world = await run({ vendor: { eventsPerHour: 60, bursts: [{ at, count: 3_000 }], pageIdLifeMs: 45 * second } }, 90 * minute, {
    eventTypes: ['dlp', 'securityrisk'],
  })
  await expectComplete(world, 6_000)
  expect(coveredTo(await world.stream('acme.cas', 'sharepoint/dlp'), start + 90 * minute)).toBeGreaterThan(at + minute)
})

test('a busy stream is complete, and is read about twice', async () => {
  const world = await run({ vendor: { eventsPerHour: 30_000 } }, hour)
  await expectComplete(world, 24_000)
  const { counts } = await world.stream('acme.cas', 'sharepoint/dlp')
  expect(counts.fetched / counts.delivered).toBeLessThan(readingsMax)
})

test('a stream that has more events than its key may read is read up to the newest ones, and proven from its oldest end, in an item that stays small', async () => {
  const world = await run({ vendor: { eventsPerHour: 45_000, account: 'totals' }, pageItems: 25 }, 3 * hour)
  const stream = await world.stream('acme.cas', 'sharepoint/dlp')
  expect(stream.covered).toHaveLength(1)
  expect(stream.covered[0]!.to - stream.covered[0]!.from).toBeGreaterThan(12 * minute)
  expect(world.clock.now() - stream.readThrough).toBeLessThan(fullLoadLagMaxMs)
  expect(JSON.stringify(stream).length).toBeLessThan(streamItemLengthMax)
})

describe('a millisecond that cannot be read to its end', () => {
  const at = start + 20 * minute + 123

  it('is set aside, and neither the rest of its stream nor another stream waits for it', async () => {
    const vendor = { eventsPerHour: 60, bursts: [{ at, count: 3_000, stream: 'sharepoint/dlp' as const }], pageIdLifeMs: 1 }
    const world = await run({ vendor }, 80 * minute, { lateArrivalMinutes: 600, eventTypes: ['dlp', 'securityrisk'] })
    const now = world.clock.now()
    for (const name of ['sharepoint/dlp', 'sharepoint/securityrisk'] as const)
      expect(now - (await world.stream('acme.cas', name)).readThrough).toBeLessThan(readLagMaxMs)
    const { setAside, counts } = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(setAside).toHaveLength(1)
    expect(counts.requests).toBeLessThan(unreadableRequestsMax)
  })

  it('is in the status before it is lost', async () => {
    const world = await run({ vendor: { eventsPerHour: 6, bursts: [{ at, count: 3_000 }], pageIdLifeMs: 1 } }, 20 * hour)
    expect((await world.status('acme.cas')).state).toBe('catching-up')
    await world.run(35 * hour)
    expect((await world.status('acme.cas')).state).toBe('losing-data')
    await world.run(20 * hour)
    const { lostRanges } = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(lostRanges.map(({ reason }) => reason)).toEqual(['unreadable'])
    expect(lostRanges[0]!.to - lostRanges[0]!.from).toBeLessThan(unreadableWidthMaxMs)
  })

  it('does not hold up the daily re-read', async () => {
    const world = await run({ vendor: { eventsPerHour: 60, bursts: [{ at, count: 3_000 }] } }, 23 * hour)
    world.model.change({ pageIdLifeMs: 1 })
    const before = await world.stream('acme.cas', 'sharepoint/dlp')
    await world.run(4 * hour)
    const { counts, reread } = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(reread).toBeUndefined()
    expect(counts.requests - before.counts.requests).toBeLessThan(rereadRequestsMax)
  })
})

test('a range that is too wide for the vendor is read piece by piece', async () => {
  const world = await run({ vendor: { eventsPerHour: 20 } }, 26 * hour)
  await world.put(connectorItem({ enabled: false }))
  await world.run(20 * hour)
  world.vendorResponds((asked) =>
    Date.parse(asked.get('end') ?? '') - Date.parse(asked.get('start') ?? '') > 6 * hour ? { status: 504 } : undefined,
  )
  await world.put(connectorItem())
  await world.run(2 * hour)
  expect(world.clock.now() - coveredTo(await world.stream('acme.cas', 'sharepoint/dlp'), world.clock.now())).toBeLessThan(coveredLagMaxMs)
  await expectComplete(world, 800)
})

test('a range with one event that the vendor cannot serve costs only that event', async () => {
  const bad = start + 33 * minute + 123
  const world = new World({ vendor: { eventsPerHour: 20 } })
  world.vendorResponds((asked) =>
    Date.parse(asked.get('start') ?? '') <= bad && bad <= Date.parse(asked.get('end') ?? '') ? { status: 500 } : undefined,
  )
  await world.put(connectorItem())
  await world.run(6 * hour)
  const now = world.clock.now()
  const unread = missing(await world.stream('acme.cas', 'sharepoint/dlp'), now).slice(0, -1)
  expect(unread).toHaveLength(1)
  expect(unread[0]!.from).toBeLessThanOrEqual(bad)
  expect(unread[0]!.to - unread[0]!.from).toBeLessThan(unreadableWidthMaxMs)
  await expectComplete(world, 100)
})

test.each([5 * minute, -5 * minute])(
  'an event that a vendor whose clock is off by %i ms drops before it is read is in a lost range or a gap, and never in a covered range',
  async (clockSkewMs) => {
    const world = await run({ vendor: { eventsPerHour: 4_000, clockSkewMs, requestsPerMinute: 1 } }, 3 * hour, {
      requestsPerMinute: 1,
      eventTypes: ['dlp', 'securityrisk'],
      initialBackfillMinutes: 4_310,
    })
    const lake = world.lake.byConnector.get('acme.cas')!
    for (const name of ['sharepoint/dlp', 'sharepoint/securityrisk'] as const) {
      const stream = await world.stream('acme.cas', name)
      const unread = [...stream.lostRanges, ...missing(stream, world.clock.now())]
      const lost = [...world.model.eventsVisible(name, start - 4_310 * minute, start - hour, undefined, { lateMaxMs: 10 * minute })]
        .filter((event) => !lake.has(expectedKey(event)))
        .filter(({ selected }) => !unread.some(({ from, to }) => from <= selected && selected < to))
      expect(lost).toHaveLength(0)
    }
  },
)

test('a lateArrivalMinutes that is raised also holds for ranges that were proven with the lower value, as far as their events can still be late', async () => {
  const world = await run({ vendor: { eventsPerHour: 300, lateShare: 0.5, lateMaxMs: hour } }, 2 * hour)
  await world.put(connectorItem({ lateArrivalMinutes: 60 }))
  await world.run(2 * hour)
  const { missing } = await audit(world)
  const raisedFor = (line: string) => (/ of (\S+),/.exec(line)?.[1] ?? '') >= new Date(start + hour).toISOString()
  expect(missing.filter(raisedFor)).toHaveLength(0)
})

test.each([60, 1_440])('a lateArrivalMinutes of %i leaves a quiet stream at one request a run', async (lateArrivalMinutes) => {
  const world = await run({ vendor: { eventsPerHour: 5 } }, 10 * hour, { lateArrivalMinutes })
  expect((await world.stream('acme.cas', 'sharepoint/dlp')).counts.requests).toBeLessThanOrEqual(longRequestsMax)
})

describe('a backfill from the retention limit', () => {
  it('records the events that it cannot read in time as lost when tokens are scarce, and delivers all others', async () => {
    const world = await run({ vendor: { eventsPerHour: 4_000, requestsPerMinute: 1 } }, 5 * hour, {
      requestsPerMinute: 1,
      initialBackfillMinutes: 4_310,
      eventTypes: ['dlp', 'securityrisk'],
    })
    // The ledger forgets ranges that have passed the retention limit since they were proven. The lake keeps their events.
    await expectComplete(world, 1_000)
    expect(world.lake.records).toBeGreaterThan(50_000)
    const now = world.clock.now()
    const lost = []
    for (const name of ['sharepoint/dlp', 'sharepoint/securityrisk'] as const) {
      const stream = await world.stream('acme.cas', name)
      lost.push(...stream.lostRanges)
      expect(stream.covered.length).toBeGreaterThan(0)
      for (const { to } of stream.lostRanges) expect(to).toBeLessThanOrEqual(now - 72 * hour + 2 * minute)
      // Covered, lost and missing ranges leave no time between them.
      const recent = [...stream.covered, ...stream.lostRanges, ...missing(stream, now)].filter(({ to }) => to > stream.since)
      const known = recent.sort((a, b) => a.from - b.from)
      for (let i = 1; i < known.length; i++) expect(known[i]!.from).toBeLessThanOrEqual(known[i - 1]!.to)
    }
    expect(lost.length).toBeGreaterThan(0)
    expect(lost.every(({ reason }) => reason === 'retention-limit')).toBe(true)
    expect((await world.status('acme.cas')).state).toBe('losing-data')
    expect(world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(1)
  })

  it('is complete within minutes for a quiet stream', async () => {
    const world = await run({ vendor: { eventsPerHour: 60 } }, 10 * minute, { initialBackfillMinutes: 4_300 })
    const stream = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(stream.lostRanges).toEqual([])
    expect(coveredTo(stream, world.clock.now())).toBeGreaterThan(start - backfillLagMaxMs)
    await expectComplete(world, 4_000)
  })
})

describe('a connector that was switched off', () => {
  it('reads what it missed when it is switched on again, and records what passed the retention limit as lost while paused', async () => {
    const world = await run({ vendor: { eventsPerHour: 30 } }, hour)
    await world.put(connectorItem({ enabled: false }))
    await world.run(80 * hour)
    expect(await world.status('acme.cas')).toMatchObject({ state: 'paused' })
    await world.put(connectorItem())
    await world.run(30 * minute)
    const { lostRanges } = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(lostRanges.map(({ reason }) => reason)).toEqual(['paused'])
    await expectComplete(world, 2_000)
  })
})

describe('a connector whose item was deleted', () => {
  it('delivers no event twice when its item comes back while a page is being read', async () => {
    const world = new World({ vendor: { eventsPerHour: 600, delayMs: { min: 5 * second, max: 5 * second } } })
    await world.put(connectorItem({ initialBackfillMinutes: 60 }))
    await world.run(2 * second)
    await world.remove('acme.cas')
    await world.run(minute)
    await world.put(connectorItem({ initialBackfillMinutes: 60 }))
    await world.run(20 * minute)
    await expectComplete(world, 500)
  })

  it('resumes its ledger when its item comes back within 4 days', async () => {
    const world = await run({}, hour)
    await world.remove('acme.cas')
    await world.run(3 * hour)
    expect(await world.status('acme.cas')).toMatchObject({ state: 'retired' })
    await world.put(connectorItem())
    await world.run(20 * minute)
    await expectComplete(world, 200)
    expect((await world.stream('acme.cas', 'sharepoint/dlp')).covered).toHaveLength(1)
  })
})
