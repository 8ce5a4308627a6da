import { describe, expect, it, test } from 'vitest'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { eventTypeNames, type StreamName } from '../../local/simulator/catalogue.ts'
import { worstAges } from '../../simulation/ages.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, key, start, World } from '../../simulation/world.ts'

/** The vendor allows one key this many in any 60 s (requests). */
const requestsPerMinute = 20
/** A token is free again 61 s after its response (share). */
const usedShareMin = 0.98
/** 120 streams at 20 requests a minute, of which a fifth of the steps goes to gaps: each is read every 7.5 min, beside its backfill (ms). */
const loadedLagMaxMs = 10 * minute
const contentTypes = ['sharepoint', 'exchange', 'gmail'] as const
const streams = contentTypes.flatMap((service) => eventTypeNames.map((event): StreamName => `${service}/${event}`))
const busy: StreamName = 'exchange/dlp'
const quiet = streams.filter((stream) => stream !== busy)

/** 30,000 events within a minute. */
function spike(at: number, count = 30_000) {
  return Array.from({ length: 60 }, (_, n) => ({ at: at + n * second + 7, count: count / 60, stream: busy }))
}

describe('eleven quiet streams beside a spike of 30,000 events on the twelfth', () => {
  it.each([
    { when: 'before the first run', intervalMinutes: 1, at: start - 30 * minute },
    { when: 'before the first run', intervalMinutes: 5, at: start - 30 * minute },
    { when: 'during a run', intervalMinutes: 1, at: start + 10 * minute },
    { when: 'during a run', intervalMinutes: 5, at: start + 10 * minute },
  ])('are in the lake within $intervalMinutes min + 60 s where the spike comes $when', async ({ intervalMinutes, at }) => {
    const world = new World({ vendor: { eventsPerHour: 60, bursts: spike(at) } })
    await world.put(connectorItem({ contentTypes, eventTypes: eventTypeNames, intervalMinutes, initialBackfillMinutes: 60 }))
    await world.run(minute)
    const ages = await worstAges(world, 'acme-cas', quiet, 25 * minute)
    expect(Math.max(...ages.values())).toBeLessThanOrEqual((intervalMinutes + 1) * minute)
    const { missing, expected } = await audit(world)
    expect(missing).toEqual([])
    expect(expected).toBeGreaterThan(30_000)
  })

  it('leave a backlog all that is left of the limit', async () => {
    const bursts = Array.from({ length: 20 }, (_, n) => spike(start - (n + 1) * 30 * minute, 1_800)).flat()
    const world = new World({ pageItems: 25, vendor: { eventsPerHour: 30, bursts } })
    await world.put(connectorItem({ contentTypes, eventTypes: eventTypeNames, initialBackfillMinutes: 11 * 60 }))
    await world.run(4 * minute)
    const from = world.clock.now()
    const ages = await worstAges(world, 'acme-cas', quiet, 30 * minute)
    const made = world.model.account.requests(key).filter(({ at }) => at >= from).length
    expect(Math.max(...ages.values())).toBeLessThanOrEqual(6 * minute)
    expect(made / (30 * requestsPerMinute)).toBeGreaterThan(usedShareMin)
  })
})

test('120 streams that need more than their key allows lose nothing of their backfill, and each is read', async () => {
  const world = new World({ vendor: { eventsPerHour: 1 } })
  const ids = Array.from({ length: 10 }, (_, n) => `acme-${n}`)
  for (const connectorId of ids)
    await world.put(
      connectorItem({ connectorId, name: connectorId, contentTypes, eventTypes: eventTypeNames, initialBackfillMinutes: 12 * 60 }),
    )
  await world.run(2 * hour)
  for (const connectorId of ids) {
    for (const { covered, readThrough } of (await world.state.readRun(connectorId)).streams.values()) {
      expect(covered[0]?.from).toBeLessThanOrEqual(start - 11 * hour)
      expect(world.clock.now() - readThrough).toBeLessThan(loadedLagMaxMs)
    }
  }
  const { missing, expected } = await audit(world)
  expect(missing).toEqual([])
  expect(expected).toBeGreaterThan(1_500)
})
