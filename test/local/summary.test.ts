import { describe, expect, it } from 'vitest'
import { iso, minute, second } from '../../functions/domain/time.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { summarise, whatIsMissing } from '../../local/summary.ts'
import { connectorItem, key, start, World } from '../../simulation/world.ts'

const portsOf = ({ state }: World) => ({ state, vendors })
const missingOf = (world: World, since = start) => whatIsMissing(portsOf(world), ['acme-cas'], since)

async function worldAfter(forMs: number, item: object = {}, vendor: object = {}): Promise<World> {
  const world = new World({ vendor: { eventsPerHour: 60, keys: [{ key }], ...vendor } })
  await world.put(connectorItem({ eventTypes: ['dlp'], ...item }))
  await world.run(forMs)
  return world
}

describe('what is missing', () => {
  it('is nothing once every stream is read up to the start, the late-arrival minutes excepted', async () => {
    expect(await missingOf(await worldAfter(minute))).toEqual([])
  })

  it('is a stream that was not read up to the start', async () => {
    const world = await worldAfter(minute)
    expect(await missingOf(world, start + 30 * minute)).toEqual([
      {
        connectorId: 'acme-cas',
        hopeless: false,
        what: expect.stringMatching(/^sharepoint\/dlp is complete to .+, wanted is 2026-11-24T12:30/),
      },
    ])
  })

  it('is a connector that nobody has accepted yet', async () => {
    expect(await whatIsMissing(portsOf(new World()), ['new'], start)).toEqual([
      { connectorId: 'new', hopeless: false, what: 'It has not been accepted yet.' },
    ])
  })

  it('is a refused item, and waiting does not help', async () => {
    const [missing] = await missingOf(await worldAfter(minute, { intervalMinutes: 0 }))
    expect(missing).toEqual({ connectorId: 'acme-cas', hopeless: true, what: expect.stringContaining('intervalMinutes') })
  })

  it('is a refused edit, though the version before it is complete', async () => {
    const world = await worldAfter(minute)
    await world.put(connectorItem({ eventTypes: ['dlp'], intervalMinutes: 0 }))
    const [missing, ...others] = await missingOf(world)
    expect(missing).toMatchObject({ hopeless: true, what: expect.stringContaining('The item was refused: intervalMinutes') })
    expect(others).toEqual([])
  })

  it('is what a rejected key cannot read, and waiting does not help', async () => {
    const [missing] = await missingOf(await worldAfter(minute, {}, { revokedKeys: [key] }))
    expect(missing).toEqual({ connectorId: 'acme-cas', hopeless: true, what: expect.stringContaining('401') })
  })

  it('is what a vendor in trouble does not answer, for a few tries', async () => {
    const trouble = { error503Rate: 1 }
    expect((await missingOf(await worldAfter(10 * second, {}, trouble)))[0]).toMatchObject({ hopeless: false })
    expect((await missingOf(await worldAfter(30 * minute, {}, trouble)))[0]).toMatchObject({ hopeless: true })
  })

  it('is not judged by what failed before this start', async () => {
    const world = await worldAfter(30 * minute, {}, { error503Rate: 1 })
    expect((await missingOf(world, world.clock.now() + second))[0]).toMatchObject({ hopeless: false })
  })

  it('is nothing of a connector that is switched off', async () => {
    expect(await missingOf(await worldAfter(minute, { enabled: false }))).toEqual([])
  })
})

describe('the summary', () => {
  it('has what the ledger has, and no hole where all is read', async () => {
    const world = await worldAfter(minute, { logFilters: [{ name: 'none', conditions: [{ field: 'event_type', operator: 'exists' }] }] })
    const now = world.clock.now()
    const { counts, since } = await world.stream('acme-cas', 'sharepoint/dlp')
    expect(counts.filtered).toBeGreaterThan(0)
    expect(await summarise(portsOf(world), ['acme-cas'], now)).toEqual([
      {
        connectorId: 'acme-cas',
        state: 'ok',
        reason: '',
        streams: [
          {
            service: 'sharepoint',
            event: 'dlp',
            delivered: counts.delivered,
            filtered: counts.filtered,
            alreadySeen: counts.alreadySeen,
            requests: counts.requests,
            throttled: 0,
            // Nothing is older than the late-arrival minutes yet.
            coveredTo: iso(since),
            lostRanges: [],
          },
        ],
      },
    ])
  })

  it('has a hole that is not lost where a stream has not been read for long', async () => {
    const world = await worldAfter(minute)
    const [summary] = await summarise(portsOf(world), ['acme-cas'], start + 120 * minute)
    expect(summary?.streams[0]?.lostRanges).toEqual([
      { from: summary?.streams[0]?.coveredTo, to: expect.any(String), reason: 'not read yet', lost: false },
    ])
  })
})
