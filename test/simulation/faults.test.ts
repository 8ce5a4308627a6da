import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coveredTo } from '../../functions/domain/ledger.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, key, start, World } from '../../simulation/world.ts'

const rate = (most: number) => fc.oneof(fc.constant(0), fc.double({ min: 0, max: most, noNaN: true }))
const orElse = <T>(ordinary: T, ...others: T[]) => fc.constantFrom(ordinary, ...others)

/** Every quirk and every unknown of the vendor, each on or off. */
const vendor: fc.Arbitrary<SimulatorOptions> = fc.record({
  seed: fc.nat({ max: 1_000_000 }),
  eventsPerHour: fc.constantFrom(20, 100, 400),
  wholeSeconds: fc.boolean(),
  lateMaxMs: orElse(0, 10 * minute),
  malformedItemRate: orElse(0, 0.05),
  clockSkewMs: orElse(0, 700, -700),
  selectBy: orElse('generation', 'detection'),
  bounds: orElse('inclusive', 'half-open', 'start-exclusive', 'exclusive'),
  order: orElse('ascending', 'descending', 'random', 'shuffled'),
  window: orElse('fixed', 'sliding'),
  refusedCount: fc.boolean(),
  retryAfter: orElse('none', 'seconds', 'date'),
  otherRequestsPerMinute: orElse(0, 3),
  links: orElse(['absolute'], ['no-scheme'], ['path-only'], ['other-path'], ['no-scheme', 'other-path'], ['path-only', 'other-path']),
  pageIdLifeMs: orElse(0, 45 * second, 90 * second),
  deadPageIdStatus: orElse(400, 404),
  pageIdBoundToKey: fc.boolean(),
  pageIdSingleUse: fc.boolean(),
  duplicatesAcrossPages: orElse(0, 2),
  redirectRate: rate(0.01),
  errorRate5xx: rate(0.1),
  error503Rate: rate(0.1),
  malformedPageRate: rate(0.05),
  truncateRate: rate(0.05),
  delayMs: orElse({ min: 0, max: 0 }, { min: 0, max: 3_000 }),
})
const bursts = fc.array(
  fc.record({ at: fc.integer({ min: start - 20 * minute, max: start + 2 * hour }), count: fc.integer({ min: 2, max: 80 }) }),
  { maxLength: 3 },
)

describe('whatever the vendor does', () => {
  it('every event is delivered, none twice, and the limit holds: every option of the simulator on and off', async () => {
    await fc.assert(
      fc.asyncProperty(vendor, bursts, async (options, bursts) => {
        const world = new World({ vendor: { ...options, bursts }, clocksOffMs: [0, 400], pageItems: 25 })
        await world.put(connectorItem({ eventTypes: ['dlp', 'securityrisk'], initialBackfillMinutes: 60 }))
        await world.run(3 * hour)
        world.model.change({ redirectRate: 0, errorRate5xx: 0, error503Rate: 0, malformedPageRate: 0, truncateRate: 0 })
        await world.run(90 * minute)
        const { expected, missing, twice } = await audit(world)
        expect(world.crashes).toEqual([])
        expect(missing).toEqual([])
        expect(twice).toEqual([])
        expect(expected).toBeGreaterThan(20)
        for (const name of ['sharepoint/dlp', 'sharepoint/securityrisk'] as const) {
          const { counts, holes, ...stream } = await world.stream('acme-cas', name)
          expect(counts.delivered + counts.filtered + counts.alreadySeen).toBe(counts.fetched)
          expect(holes).toEqual([])
          expect(coveredTo({ counts, holes, ...stream }, world.clock.now())).toBeGreaterThan(start + 3 * hour)
        }
        if (options.otherRequestsPerMinute === 0) expect(world.model.account.refused(key)).toBe(0)
        expect(world.model.account.mostRequestsInAnyMinute(key)).toBeLessThanOrEqual(20)
      }),
      { numRuns: 60 },
    )
  })
})

describe('a process that is killed at any moment', () => {
  it('loses nothing, and repeats at most one page for each kill', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 1_000_000 }), rate(0.03), async (seed, killRate) => {
        const world = new World({
          vendor: { seed, eventsPerHour: 600 },
          clocksOffMs: [0, -400, 300],
          pageItems: 25,
          killRate: killRate + 0.001,
        })
        await world.put(connectorItem({ eventTypes: ['dlp', 'securityrisk'], initialBackfillMinutes: 300 }))
        await world.run(3 * hour)
        world.calm = true
        await world.run(hour)
        const { expected, missing, twice } = await audit(world)
        expect(missing).toEqual([])
        expect(expected).toBeGreaterThan(3_000)
        expect(twice.length).toBeLessThanOrEqual(world.kills * 25)
        expect(world.model.account.refused(key)).toBe(0)
        expect(coveredTo(await world.stream('acme-cas', 'sharepoint/dlp'), world.clock.now())).toBeGreaterThan(start + 3 * hour)
      }),
      { numRuns: 8 },
    )
  })
})

describe('a lake that refuses', () => {
  it('gets every record in the end', async () => {
    const world = new World({ vendor: { eventsPerHour: 600 }, pageItems: 25, sinkFaultRate: 0.2 })
    await world.put(connectorItem({ initialBackfillMinutes: 300 }))
    await world.run(3 * hour)
    world.calm = true
    await world.run(hour)
    const { expected, missing } = await audit(world)
    expect(missing).toEqual([])
    expect(expected).toBeGreaterThan(3_000)
  })
})

describe('an outage of the vendor', () => {
  it('of a day is made good afterwards, and the status says what is wrong meanwhile', async () => {
    const world = new World({ vendor: { eventsPerHour: 60 } })
    await world.put(connectorItem())
    await world.run(hour)
    world.model.change({ errorRate5xx: 1 })
    await world.run(24 * hour)
    const status = await world.status('acme-cas')
    expect(status.state).toBe('failing')
    expect(status.reason).toMatch(/The vendor answered 50\d/)
    world.model.change({ errorRate5xx: 0 })
    await world.run(hour)
    const { expected, missing, twice } = await audit(world)
    expect(missing).toEqual([])
    expect(twice).toEqual([])
    expect(expected).toBeGreaterThan(1_400)
    expect(await world.status('acme-cas')).toMatchObject({ state: 'ok', reason: '' })
  })
})
