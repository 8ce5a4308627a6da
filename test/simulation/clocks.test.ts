import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { missing } from '../../functions/domain/stream/ledger.ts'
import { hour, iso, minute, second } from '../../functions/domain/time.ts'
import { collectConnector } from '../../functions/flows/collect/collect-connector.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { audit } from '../../simulation/audit.ts'
import { expectedKey } from '../../simulation/expected-record.ts'
import { connectorItem, start, World } from '../../simulation/world.ts'

/** Requests of a quiet stream in an hour: one in each interval of five minutes (count). */
const quietRequestsMax = 12

async function worldOf(vendor: SimulatorOptions, item: ConnectorItem = {}) {
  const world = new World({ vendor: { eventsPerHour: 120, ...vendor } })
  await world.put(connectorItem(item))
  return world
}

/** Events of the vendor's time `[from, to)` that are not in the lake. */
function uncollected(world: World, from: number, to: number): string[] {
  const lake = world.lake.byConnector.get('acme.cas') ?? new Map()
  const visible = [...world.model.eventsVisible('sharepoint/dlp', from, to, world.clock.now())]
  return visible.filter((event) => !lake.has(expectedKey(event))).map(({ selected }) => iso(selected))
}

describe("a vendor's clock that is off", () => {
  it.each([
    [-60, 10],
    [-20, 10],
    [-10, 0],
    [30, 10],
    [-600, 20],
    [600, 20],
  ])(
    'by %i min, with lateArrivalMinutes %i, costs no event, and the status says how far it is off',
    async (minutes, lateArrivalMinutes) => {
      const skewMs = minutes * minute
      const world = await worldOf({ clockSkewMs: skewMs }, { lateArrivalMinutes, intervalMinutes: 1 })
      await world.run(2 * hour)
      expect(world.record.crashes).toEqual([])
      // By then three answers agreed. What the vendor stamps with now is asked for within the interval.
      expect(uncollected(world, start + skewMs + 10 * minute, start + 2 * hour + skewMs - 2 * minute)).toEqual([])
      expect((await audit(world)).missing).toEqual([])
      const { reason, vendorClockMs = 0 } = await world.status('acme.cas')
      expect(Math.abs(vendorClockMs - skewMs)).toBeLessThan(5 * second)
      expect(reason).toMatch(new RegExp(`The vendor's clock is (\\d+ min|\\d+ h) ${minutes < 0 ? 'behind' : 'ahead of'} ours`))
    },
  )

  it.each([-60, -20, -15])('by %i min costs a new connector none of its first events, whatever its lateArrivalMinutes', async (minutes) => {
    const skewMs = minutes * minute
    for (const lateArrivalMinutes of [0, 10, 20, 60]) {
      const world = await worldOf({ eventsPerHour: 720, clockSkewMs: skewMs }, { lateArrivalMinutes, intervalMinutes: 1 })
      await world.run(4 * minute)
      expect(uncollected(world, start + skewMs, start + skewMs + 2 * minute)).toEqual([])
      expect((await world.status('acme.cas')).reason).toContain(`The vendor's clock is ${-minutes} min behind ours`)
    }
  })

  it('by less than a minute needs no word in the status', async () => {
    const world = await worldOf({ clockSkewMs: -30 * second })
    await world.run(hour)
    expect((await world.status('acme.cas')).reason).toBe('')
  })

  it('by more than a day proves nothing, and the status says so', async () => {
    for (const clockSkewMs of [-25 * hour, 25 * hour]) {
      const world = await worldOf({ clockSkewMs })
      await world.run(hour)
      expect((await world.stream('acme.cas', 'sharepoint/dlp')).covered).toEqual([])
      expect(await world.status('acme.cas')).toMatchObject({
        state: 'failing',
        reason: expect.stringMatching(/nothing can be proven complete.+The vendor's clock is 25 h (behind|ahead of) ours/),
      })
    }
  })

  it.each([-25, 25])('by %i h costs a quiet stream no more requests than a right one', async (hours) => {
    const world = await worldOf({ clockSkewMs: hours * hour }, { initialBackfillMinutes: 60, lateArrivalMinutes: 5 })
    await world.run(hour)
    const requests = () => world.model.account.totals().requests
    const before = requests()
    await world.run(hour)
    expect(requests() - before).toBeLessThanOrEqual(quietRequestsMax)
  })

  it.each([5, 25 * 60])(
    'by %i min in one answer, and no date in the answers after it, makes a quiet stream ask no more',
    async (minutes) => {
      const world = await worldOf({ eventsPerHour: 0 })
      let requests = 0
      world.vendorResponds((_, now) => ({
        status: 200,
        headers: requests++ === 0 ? { date: new Date(now + minutes * minute).toUTCString() } : {},
        body: { security_events: [] },
      }))
      await world.run(hour)
      // One in each interval, and those of the first run, which asks again to be sure of the clock.
      expect(requests).toBeLessThanOrEqual(quietRequestsMax + 3)
    },
  )

  it('and that jumps is followed', async () => {
    const clockSteps = [
      { at: start + 30 * minute, skewMs: -40 * minute },
      { at: start + 100 * minute, skewMs: 5 * minute },
    ]
    const world = await worldOf({ clockSteps })
    await world.run(6 * hour)
    expect((await audit(world)).missing).toEqual([])
    expect(uncollected(world, start, start + 5 * hour)).toEqual([])
  })
})

test('cached answers make no lost range of what a connector that is older than the retention limit has read', async () => {
  const world = await worldOf({ eventsPerHour: 10 }, { intervalMinutes: 30 })
  await world.run(76 * hour)
  world.model.change({ cachedAgeMaxMs: 20 * minute })
  await world.run(2 * hour)
  world.model.change({ cachedAgeMaxMs: 0 })
  await world.run(hour)
  expect((await world.stream('acme.cas', 'sharepoint/dlp')).lostRanges).toEqual([])
  expect(world.record.log.filter(({ event }) => event === 'range-lost')).toEqual([])
})

test('nothing that is covered is missing, and in the end all is collected, whatever the clock of the vendor does and however old its answers are', async () => {
  const skew = fc
    .oneof(fc.integer({ min: -24 * 60 + 1, max: 24 * 60 - 1 }), fc.integer({ min: -30, max: 30 }))
    .map((minutes) => minutes * minute)
  const scenario = fc.record({
    clockSkewMs: skew,
    jumps: fc.array(fc.record({ after: fc.integer({ min: 1, max: 180 }), skewMs: skew }), { maxLength: 3 }),
    driftMsAnHour: fc.constantFrom(0, 0, 30 * second, -2 * minute),
    cachedAgeMaxMs: fc.constantFrom(0, 0, minute, 20 * minute),
    seed: fc.nat(1_000),
  })
  await fc.assert(
    fc.asyncProperty(scenario, async ({ clockSkewMs, jumps, driftMsAnHour, cachedAgeMaxMs, seed }) => {
      const drift = Array.from({ length: 12 }, (_, n) => ({ at: start + n * 15 * minute, skewMs: clockSkewMs + (n * driftMsAnHour) / 4 }))
      const jumped = jumps.map(({ after, skewMs }) => ({ at: start + after * minute, skewMs }))
      const clockSteps = (jumps.length === 0 ? drift : jumped).sort((a, b) => a.at - b.at)
      const world = await worldOf({ seed, clockSkewMs, clockSteps, cachedAgeMaxMs })
      await world.run(3 * hour)
      expect((await audit(world)).missing).toEqual([])
      world.model.change({ cachedAgeMaxMs: 0 })
      await world.run(90 * minute)
      expect(world.record.crashes).toEqual([])
      expect((await audit(world)).missing).toEqual([])
      const stream = await world.stream('acme.cas', 'sharepoint/dlp')
      const there = world.clock.now() + world.model.skewMs(world.clock.now())
      const open = missing(stream, there).filter(({ from, to }) => from < there - hour && to - from > second)
      expect(open.filter(({ to }) => to < there - hour)).toEqual([])
    }),
    { numRuns: 25 },
  )
}, 60_000)

test('a process whose clock is more than two seconds off asks the vendor nothing, says so, and leaves the connector to the others', async () => {
  const world = new World({ clocksOffMs: [0, -20 * second], vendor: { eventsPerHour: 60 } })
  await world.put(connectorItem())
  await world.run(10 * minute)
  const requests = () => world.model.account.totals().requests
  const before = requests()
  await world.clock.finish(collectConnector(world.ports(1), 'acme.cas', world.clock.now() + 5 * minute))
  expect(requests()).toBe(before)
  expect(await world.status('acme.cas')).toMatchObject({
    state: 'failing',
    reason: expect.stringMatching(
      /^The clock of the process that collects is 20 s behind that of DynamoDB, so it asks the vendor nothing\./,
    ),
  })
  await world.run(hour)
  expect(world.record.crashes).toEqual([])
  expect((await audit(world)).missing).toEqual([])
})
