import { describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import type { Source } from '../../functions/domain/ports.ts'
import { failed } from '../../functions/domain/result.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { collectConnector } from '../../functions/flows/collect/collect-connector.ts'
import { eventTypeNames } from '../../local/simulator/catalogue.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, key, World } from '../../simulation/world.ts'
import type { WorldOptions } from '../../simulation/world-options.ts'

const streams = eventTypeNames.length
/** The vendor takes this long to respond (ms). */
const delayMs = 2 * second

async function worldOf(options: WorldOptions): Promise<World> {
  const world = new World({ ...options, vendor: { delayMs: { min: delayMs, max: delayMs }, eventsPerHour: 0, ...options.vendor } })
  await world.put(connectorItem({ eventTypes: eventTypeNames }))
  return world
}

describe('the first requests of quiet streams', () => {
  it('are sent together, with tokens of one write', async () => {
    const effects: string[] = []
    const world = await worldOf({ onEffect: ({ text }) => effects.push(text) })
    await world.run(30 * minute)
    const from = world.clock.now()
    effects.length = 0
    await world.run(5 * minute)
    const requests = world.model.account.requests(key).filter(({ at }) => at >= from)
    expect(requests).toHaveLength(streams)
    expect(requests.at(-1)!.at - requests[0]!.at).toBeLessThan(delayMs)
    expect(effects.filter((text) => text.startsWith('state.writeTokens'))).toHaveLength(1)
  })

  it('close the key once when the vendor refuses several of them', async () => {
    const world = await worldOf({ vendor: { requestsPerMinute: 2 } })
    await world.run(4 * minute)
    expect(world.model.account.refused(key)).toBeGreaterThan(0)
    await world.run(6 * hour)
    const { missing, twice } = await audit(world)
    expect([missing, twice]).toEqual([[], []])
  })

  it('are asked for again, alone, if their responses take more than their part of the memory', async () => {
    const world = await worldOf({ vendor: { eventsPerHour: 60 } })
    const shares: number[] = []
    const portsOf = world.ports.bind(world)
    world.ports = (process) => {
      const ports = portsOf(process)
      const fetch: Source['fetch'] = async (request, apiKey, connector, sendBy, memoryShare = 1) => {
        shares.push(memoryShare)
        const response = await ports.source.fetch(request, apiKey, connector, sendBy, memoryShare)
        return memoryShare < 1 ? failed(failure('too-large', 'more than its part')) : response
      }
      return { ...ports, source: { fetch } }
    }
    await world.run(hour)
    expect(Math.min(...shares)).toBe(1 / streams)
    const { missing, expected } = await audit(world)
    expect(missing).toEqual([])
    expect(expected).toBeGreaterThan(100)
    expect(world.record.log.filter(({ event }) => event === 'page-failed')).toEqual([])
    expect((await world.status('acme.cas')).state).toBe('ok')
  })

  it('settle their tokens also where another run reads the stream of one', async () => {
    const world = await worldOf({})
    await world.run(30 * minute)
    for (const [id, stream] of (await world.state.readRun('acme.cas')).streams) {
      const lease = { holder: 'another', until: world.clock.now() + 10 * minute }
      await world.state.writeStream('acme.cas', id, { ...stream, version: stream.version + 1, lease })
    }
    const portsOf = world.ports.bind(world)
    let sent = 0
    world.ports = (process) => {
      const ports = portsOf(process)
      const fetch: Source['fetch'] = async (...args) => {
        const isFirst = sent++ === 0
        const response = await ports.source.fetch(...args)
        // Its response comes after the others.
        if (isFirst) await world.clock.sleepUntil(world.clock.now() + second)
        return response
      }
      return { ...ports, source: { fetch } }
    }
    await world.run(5 * minute)
    expect(sent).toBe(streams)
    const [fingerprint] = (await world.status('acme.cas')).keys ?? []
    const { tokens } = (await world.state.readTokens(fingerprint!))!
    expect(tokens.map(({ released }) => released)).toEqual(Array.from({ length: streams }, () => true))
  })

  it('are not asked for again once the time of the run is over', async () => {
    const world = await worldOf({})
    await world.run(32 * minute)
    const shares: number[] = []
    const ports = world.ports(0)
    const fetch: Source['fetch'] = async (_, __, ___, ____, memoryShare = 1) => {
      shares.push(memoryShare)
      await world.clock.sleepUntil(world.clock.now() + delayMs)
      return failed(failure('too-large', 'more than its part'))
    }
    // No page begins in the last 110 s.
    const deadline = world.clock.now() + second + 110 * second
    await world.clock.finish(collectConnector({ ...ports, source: { fetch } }, 'acme.cas', deadline))
    expect(shares).toEqual(Array.from({ length: streams }, () => 1 / streams))
  })
})
