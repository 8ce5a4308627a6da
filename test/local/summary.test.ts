import { describe, expect, it } from 'vitest'
import { iso, minute, second } from '../../functions/domain/time.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { findMissing, summarise } from '../../local/summary.ts'
import { connectorItem, key, start, World } from '../../simulation/world.ts'

const portsOf = ({ state }: World) => ({ state, vendors })
const missingOf = (world: World, since = start) => findMissing(portsOf(world), ['acme.cas'], since)

async function worldAfter(forMs: number, item: object = {}, vendor: object = {}): Promise<World> {
  const world = new World({ vendor: { eventsPerHour: 60, keys: [{ key }], ...vendor } })
  await world.put(connectorItem({ eventTypes: ['dlp'], ...item }))
  await world.run(forMs)
  return world
}

describe('findMissing', () => {
  it('finds nothing once every stream is read up to the start, the late-arrival minutes excepted', async () => {
    expect(await missingOf(await worldAfter(minute))).toEqual([])
  })

  it('finds a stream that was not read up to the start', async () => {
    const world = await worldAfter(minute)
    expect(await missingOf(world, start + 30 * minute)).toEqual([
      {
        connectorId: 'acme.cas',
        isPermanent: false,
        reason: expect.stringMatching(/^sharepoint\/dlp is complete to .+ must be complete up to 2026-11-24T12:30/),
      },
    ])
  })

  it('finds a connector that has not been accepted yet', async () => {
    expect(await findMissing(portsOf(new World()), ['new'], start)).toEqual([
      { connectorId: 'new', isPermanent: false, reason: 'It has not been accepted yet.' },
    ])
  })

  it('finds a refused item as permanent', async () => {
    const [missing] = await missingOf(await worldAfter(minute, { intervalMinutes: 0 }))
    expect(missing).toEqual({ connectorId: 'acme.cas', isPermanent: true, reason: expect.stringContaining('intervalMinutes') })
  })

  it('finds a refused edit, although the version before it is complete', async () => {
    const world = await worldAfter(minute)
    await world.put(connectorItem({ eventTypes: ['dlp'], intervalMinutes: 0 }))
    const [missing, ...others] = await missingOf(world)
    expect(missing).toMatchObject({ isPermanent: true, reason: expect.stringContaining('The item was refused: intervalMinutes') })
    expect(others).toEqual([])
  })

  it('finds a rejected key as permanent', async () => {
    const [missing] = await missingOf(await worldAfter(minute, {}, { revokedKeys: [key] }))
    expect(missing).toEqual({ connectorId: 'acme.cas', isPermanent: true, reason: expect.stringContaining('401') })
  })

  it('finds a vendor in trouble as temporary for a few tries, and as permanent after them', async () => {
    const trouble = { error503Rate: 1 }
    expect((await missingOf(await worldAfter(10 * second, {}, trouble)))[0]).toMatchObject({ isPermanent: false })
    expect((await missingOf(await worldAfter(30 * minute, {}, trouble)))[0]).toMatchObject({ isPermanent: true })
  })

  it.each([404, 302])(
    'finds a stream that failed once with %i as temporary, and as permanent when the next try fails as well',
    async (status) => {
      const world = new World()
      world.vendorResponds((asked) => (asked.get('event') === 'dlp' ? { status } : undefined))
      await world.put(connectorItem({ eventTypes: ['dlp', 'ransomware'] }))
      await world.run(10 * second)
      const reason = expect.stringMatching(new RegExp(`^sharepoint/dlp .*status ${status}`))
      expect(await missingOf(world)).toEqual([{ connectorId: 'acme.cas', isPermanent: false, reason }])
      await world.run(2 * minute)
      expect(await missingOf(world)).toEqual([{ connectorId: 'acme.cas', isPermanent: true, reason }])
    },
  )

  it('does not take a failure before this start as permanent', async () => {
    const world = await worldAfter(30 * minute, {}, { error503Rate: 1 })
    expect((await missingOf(world, world.clock.now() + second))[0]).toMatchObject({ isPermanent: false })
  })

  it('finds nothing for a connector that is switched off', async () => {
    expect(await missingOf(await worldAfter(minute, { enabled: false }))).toEqual([])
  })
})

describe('the summary', () => {
  it('has the counts of the ledger, and neither lost ranges nor gaps once everything is read', async () => {
    const world = await worldAfter(minute, { logFilters: [{ name: 'none', conditions: [{ field: 'event_type', operator: 'exists' }] }] })
    const now = world.clock.now()
    const { counts, since } = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(counts.filtered).toBeGreaterThan(0)
    expect(await summarise(portsOf(world), ['acme.cas'], now)).toEqual([
      {
        connectorId: 'acme.cas',
        state: 'ok',
        reason: '',
        streams: [
          {
            service: 'sharepoint',
            event: 'dlp',
            delivered: counts.delivered,
            filtered: counts.filtered,
            alreadySeen: counts.alreadySeen,
            changed: counts.changed,
            requests: counts.requests,
            throttled: 0,
            // The run is shorter than the late-arrival minutes, so no time is covered yet.
            coveredTo: iso(since),
            lostRanges: [],
            gaps: [],
          },
        ],
      },
    ])
  })

  it('counts the events that changed', async () => {
    const world = await worldAfter(10 * minute, {}, { updateShare: 1, updateAfterMs: minute })
    const { counts } = await world.stream('acme.cas', 'sharepoint/dlp')
    const [summary] = await summarise(portsOf(world), ['acme.cas'], world.clock.now())
    expect(counts.changed).toBeGreaterThan(0)
    expect(summary?.streams[0]?.changed).toBe(counts.changed)
  })

  it('has a gap but no lost range when a stream has not been read for long', async () => {
    const world = await worldAfter(minute)
    const [summary] = await summarise(portsOf(world), ['acme.cas'], start + 120 * minute)
    expect(summary?.streams[0]?.lostRanges).toEqual([])
    expect(summary?.streams[0]?.gaps).toEqual([{ from: summary?.streams[0]?.coveredTo, to: expect.any(String) }])
  })
})
