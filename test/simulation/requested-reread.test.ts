import { describe, expect, it } from 'vitest'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import { operate } from '../../functions/flows/operate/operate.ts'
import { randomFrom, unit } from '../../local/simulator/random.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, policy, start, World } from '../../simulation/world.ts'
import { operatePorts, provider } from '../unit/operate-ports.ts'

const caller = provider
const dlp = 'sharepoint/dlp'
const pageItems = 25

/** Asks for a re-read, as a person does. */
async function reread(world: World, values: object) {
  const { vendors, ...ports } = world.ports(0)
  const { ports: others } = await operatePorts()
  const operator = { ...others, ...ports, state: world.state, queue: ports.queue, policy: { ...policy, vendors } }
  const change = { action: 'reread', connectorId: 'acme.cas', requestId: crypto.randomUUID(), redeliver: false, ...values }
  const answer = await operate(operator, change, caller)
  return answer.ok ? answer.value : answer.failure
}

const streamOf = async (world: World): Promise<StreamState> => (await world.state.readRun('acme.cas')).streams.get(dlp)!
const pages = async (world: World) => (await streamOf(world)).counts

async function running(options: ConstructorParameters<typeof World>[0] = {}): Promise<World> {
  const world = new World({ vendor: { eventsPerHour: 60 }, ...options })
  await world.put(connectorItem({ initialBackfillMinutes: 60 }))
  await world.run(30 * minute)
  return world
}

describe('a re-read that somebody asked for', () => {
  it('reads the time again within minutes, and leaves out what the lake has', async () => {
    const world = await running()
    const [before, records] = [await pages(world), world.lake.records]
    expect(await reread(world, { from: start - 50 * minute, to: start })).toMatchObject({
      message: expect.stringContaining('Events that the lake has are left out.'),
    })
    await world.run(4 * minute)
    const after = await pages(world)
    expect(after.alreadySeen - before.alreadySeen).toBeGreaterThan(30)
    expect(after.late).toBe(0)
    expect((await streamOf(world)).requestedRereads).toBeUndefined()
    expect(world.lake.records - records).toBeLessThan(15)
  })

  it('sends the events again if that is asked for, and they are not late', async () => {
    const world = await running()
    const records = world.lake.records
    await reread(world, { from: start - 50 * minute, to: start, redeliver: true })
    await world.run(4 * minute)
    expect(world.lake.records - records).toBeGreaterThan(30)
    expect((await pages(world)).late).toBe(0)
    // Once: the next runs do not repeat it.
    const again = world.lake.records
    await world.run(20 * minute)
    expect(world.lake.records - again).toBeLessThan(40)
  })

  it('finds an event that was changed at the vendor meanwhile', async () => {
    const world = await running({ vendor: { eventsPerHour: 60, updateShare: 0.5, updateAfterMs: 25 * minute } })
    await world.run(hour)
    const before = await pages(world)
    await reread(world, { from: start - 50 * minute, to: start + 30 * minute })
    await world.run(4 * minute)
    expect((await pages(world)).changed - before.changed).toBeGreaterThan(10)
  })

  it.each([
    ['after it ends', { from: start, to: start - minute }, 'to'],
    ['in the future', { from: start, to: start + 10 * hour }, 'to'],
    ['that the vendor no longer keeps', { from: start - 80 * hour, to: start }, 'from'],
    ['of a stream that the connector has not', { from: start - hour, to: start, streams: ['box/dlp'] }, 'streams'],
  ])('is refused for a time %s', async (_, values, path) => {
    const world = await running()
    expect(await reread(world, values)).toMatchObject({ code: 'wrong', problems: [{ path }] })
    expect((await streamOf(world)).requestedRereads).toBeUndefined()
  })

  it('loses nothing and sends nothing twice, at random times, beside faults of processes and services', async () => {
    for (const seed of [1, 2, 3]) {
      const random = randomFrom(seed, 0, 0)
      const world = await running({ seed, pageItems, faults: { crash: 0.002, freeze: 0.001, service: 0.002 }, clocksOffMs: [0, 300] })
      for (let request = 0; request < 12; request++) {
        const from = start - 50 * minute + Math.floor(unit(random) * 40) * minute
        await reread(world, { from, to: from + 10 * minute })
        await world.run(Math.floor(unit(random) * 10 * minute))
      }
      world.calmDown()
      await world.run(hour)
      const { missing, twice } = await audit(world)
      expect(missing, `seed ${seed}`).toEqual([])
      const faults = [...world.record.faults.values()].reduce((sum, count) => sum + count, 0)
      expect(twice.length, `seed ${seed}`).toBeLessThanOrEqual(faults * pageItems)
      expect((await streamOf(world)).requestedRereads, `seed ${seed}`).toBeUndefined()
      expect((await streamOf(world)).reread, `seed ${seed}`).toBeUndefined()
    }
  })
})
