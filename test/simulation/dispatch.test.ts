import { getEventListeners } from 'node:events'
import { describe, expect, it, test } from 'vitest'
import type { FleetMetric } from '../../functions/domain/metrics.ts'
import type { Sink } from '../../functions/domain/ports.ts'
import { coveredTo } from '../../functions/domain/stream/ledger.ts'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { acceptConnector } from '../../functions/flows/accept-connector.ts'
import { collectConnector } from '../../functions/flows/collect/collect-connector.ts'
import { dispatchDue } from '../../functions/flows/dispatch-due.ts'
import { measureFleet } from '../../functions/flows/measure-fleet.ts'
import { reconcileConnectors } from '../../functions/flows/reconcile-connectors.ts'
import type { SimulatedResponse } from '../../local/simulator/model.ts'
import { audit } from '../../simulation/audit.ts'
import { MemoryConnectors } from '../../simulation/fakes/connectors.ts'
import { MemoryQueue } from '../../simulation/fakes/queue.ts'
import { connectorItem, key, policy, start, World } from '../../simulation/world.ts'

/** Runs at the same time (count). */
const places = 50

describe('dispatch', () => {
  it('sends one message for a connector that is due before the next tick, delayed to when it is due', async () => {
    const world = new World({ ticking: false })
    const queue = new MemoryQueue(world.clock)
    const ports = { ...world.ports(0), queue }
    await ports.state.makeDue('a', start + 20_500, 0)
    await ports.state.makeDue('b', start + 5 * minute, 0)
    expect(await dispatchDue(ports, places)).toBe(1)
    expect(queue.messages).toEqual([{ connectorId: 'a', visibleAt: start + 21_000, claim: start + 20_500 }])
  })

  it('sends one message for a connector, however many ticks there are at the same time', async () => {
    const world = new World({ ticking: false })
    const queue = new MemoryQueue(world.clock)
    const ports = { ...world.ports(0), queue }
    for (let i = 0; i < 30; i++) await ports.state.makeDue(`c${i}`, start, 0)
    const claimed = await Promise.all([dispatchDue(ports, places), dispatchDue(ports, places), dispatchDue(ports, places)])
    expect(claimed.reduce((a, b) => a + b)).toBe(30)
    expect(new Set(queue.messages.map(({ connectorId }) => connectorId)).size).toBe(30)
  })

  it('sends a message again with the next tick if it was lost, and 15 minutes after that if it was lost twice', async () => {
    const world = new World({ ticking: false })
    const queue = new MemoryQueue(world.clock)
    const ports = { ...world.ports(0), queue }
    await ports.state.makeDue('a', start, 0)
    await dispatchDue(ports, places)
    queue.messages = []
    await world.run(minute)
    expect(await dispatchDue(ports, places)).toBe(1)
    queue.messages = []
    await world.run(14 * minute)
    expect(await dispatchDue(ports, places)).toBe(0)
    await world.run(minute)
    expect(await dispatchDue(ports, places)).toBe(1)
  })
})

test('a doubled message and one whose claim is gone start no run', async () => {
  const world = new World({ ticking: false })
  const queue = new MemoryQueue(world.clock)
  const ports = { ...world.ports(0), queue }
  await world.put(connectorItem())
  await world.run(6 * minute)
  await ports.state.makeDue('acme.cas', world.clock.now(), 0)
  await dispatchDue(ports, places)
  const claim = queue.messages[0]?.claim
  const requests = () => world.model.account.requests(key).length
  const run = () => world.clock.finish(collectConnector(world.ports(0), 'acme.cas', world.clock.now() + 5 * minute, claim))
  const before = requests()
  await run()
  const after = requests()
  expect(after).toBeGreaterThan(before)
  const due = await ports.state.readDue('acme.cas')
  await run()
  await world.run(10 * minute)
  await run()
  expect(requests()).toBe(after)
  expect(await ports.state.readDue('acme.cas')).toEqual(due)
})

test('a run that dies is repeated after the time-out of its function, and not before', async () => {
  const world = new World({ ticking: false })
  const ports = world.ports(0)
  await world.put(connectorItem({ intervalMinutes: 60 }))
  await world.run(61 * minute)
  await ports.state.makeDue('acme.cas', world.clock.now(), 0)
  const source = { fetch: () => new Promise<never>(() => undefined) }
  void collectConnector({ ...ports, source }, 'acme.cas', world.clock.now() + 5 * minute)
  await world.run(second)
  expect((await ports.state.readDue('acme.cas'))?.nextDueAt).toBeGreaterThanOrEqual(world.clock.now() + 5 * minute)
  expect((await ports.state.readDue('acme.cas'))?.nextDueAt).toBeLessThanOrEqual(world.clock.now() + 6 * minute)
})

test('messages that come twice, late or for a connector that does not exist change nothing', async () => {
  const world = new World({ vendor: { eventsPerHour: 300 }, clocksOffMs: [0, 200] })
  await world.put(connectorItem())
  for (let at = 0; at < 20; at++) {
    for (let i = 0; i < 4; i++) void collectConnector(world.ports(i), 'acme.cas', world.clock.now() + 5 * minute)
    await collectConnector(world.ports(0), 'nobody', world.clock.now() + minute)
    await world.run(3 * minute)
  }
  const { missing, twice, expected } = await audit(world)
  expect(missing).toEqual([])
  expect(twice).toEqual([])
  expect(expected).toBeGreaterThan(200)
})

describe('a run', () => {
  it('ends in its time, however slowly the vendor answers', async () => {
    const world = new World({
      ticking: false,
      pageItems: 100,
      vendor: { eventsPerHour: 60, pageIdLifeMs: 1, bursts: [{ at: start - 5 * minute, count: 3_000 }] },
    })
    await world.put(connectorItem())
    await world.run(30 * second)
    world.model.change({ pageIdLifeMs: 0, delayMs: { min: 25 * second, max: 25 * second } })
    await world.run(minute)
    for (let i = 0; i < 6; i++) {
      const deadline = world.clock.now() + 290 * second
      await world.clock.finish(collectConnector(world.ports(0), 'acme.cas', deadline))
      expect(world.clock.now()).toBeLessThanOrEqual(deadline)
      await world.run(10 * minute)
    }
  })

  it('leaves no listener behind in its process', async () => {
    const world = new World({ ticking: false })
    await world.put(connectorItem())
    await world.run(minute)
    const stop = new AbortController()
    for (let i = 0; i < 5; i++) {
      await world.clock.finish(collectConnector({ ...world.ports(0), stop: stop.signal }, 'acme.cas', world.clock.now() + 5 * minute))
      await world.run(5 * minute)
    }
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
  })

  it('gives back its token and its lease when it is asked to end while it waits', async () => {
    const world = new World({ ticking: false, pageItems: 25, vendor: { eventsPerHour: 1_500 } })
    await world.put(connectorItem({ initialBackfillMinutes: 4_000 }))
    // The run of the acceptance reads until its deadline.
    await world.run(7 * minute)
    const stop = new AbortController()
    const run = collectConnector({ ...world.ports(0), stop: stop.signal }, 'acme.cas', world.clock.now() + 5 * minute)
    await world.run(20 * second)
    stop.abort()
    await world.run(second)
    await run
    expect((await world.stream('acme.cas', 'sharepoint/dlp')).lease).toBeUndefined()
    const fingerprint = (await world.status('acme.cas')).keys?.[0] ?? ''
    const bucket = await world.state.readTokens(fingerprint)
    expect(bucket?.tokens.every(({ released }) => released)).toBe(true)
  })
})

describe('the lease of a stream', () => {
  /** The writes of a run for its stream, in order: `lease`, `deliver`, `checkpoint`. */
  async function effectsOf(world: World): Promise<string[]> {
    const effects: string[] = []
    const ports = world.ports(0)
    const state = new Proxy(ports.state, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return (...args: unknown[]) => {
          if (name === 'writeStream') effects.push((args[2] as StreamState).lease === undefined ? 'checkpoint' : 'lease')
          return Reflect.apply(method, target, args)
        }
      },
    })
    const sink: Sink = {
      deliver(records) {
        effects.push('deliver')
        return ports.sink.deliver(records)
      },
    }
    await world.clock.finish(collectConnector({ ...ports, state, sink }, 'acme.cas', world.clock.now() + 5 * minute))
    return effects
  }

  it('is taken before anything is delivered', async () => {
    const world = new World({ ticking: false, vendor: { eventsPerHour: 600 } })
    await world.put(connectorItem())
    await world.run(10 * minute)
    expect(await effectsOf(world)).toEqual(['lease', 'deliver', 'checkpoint'])
  })

  it('is not taken for an empty page, whose checkpoint is the only write if it is worth one', async () => {
    const world = new World({ ticking: false, vendor: { eventsPerHour: 0 } })
    await world.put(connectorItem())
    await world.run(10 * minute)
    expect(await effectsOf(world)).toEqual(['checkpoint'])
    await world.run(10 * minute)
    expect(await effectsOf(world)).toEqual([])
    await world.run(20 * minute)
    expect(await effectsOf(world)).toEqual(['checkpoint'])
  })
})

test('no event is delivered twice when an empty first page links to a second: the seen ids of the second page are found again', async () => {
  const world = new World({ vendor: { eventsPerHour: 60 } })
  const usual = world.model.respond.bind(world.model)
  const held = new Map<string, SimulatedResponse>()
  world.model.respond = (request, now) => {
    const asked = new URLSearchParams(request.query)
    const pageId = asked.get('page_id')
    const response = held.get(pageId ?? '') ?? usual(request, now)
    if (pageId !== null || response.status !== 200) return response
    const id = `held-${held.size}`
    held.set(id, response)
    asked.set('page_id', id)
    const next = `${request.origin}${request.path}?${asked}`
    return { ...response, body: JSON.stringify({ ...JSON.parse(response.body), security_events: [], next_link: next }) }
  }
  await world.put(connectorItem())
  await world.run(2 * hour)
  const counts = [...(world.lake.byConnector.get('acme.cas')?.values() ?? [])]
  expect(counts.length).toBeGreaterThan(100)
  expect(counts.filter((count) => count > 1)).toEqual([])
})

test('a connector that was accepted but not made due is made due when the stream or the comparison reads its item again', async () => {
  for (const again of ['stream', 'comparison']) {
    const world = new World({ ticking: false })
    const queue = new MemoryQueue(world.clock)
    const ports = { ...world.ports(0), queue }
    const accept = () => acceptConnector(ports, policy, 'acme.cas', connectorItem())
    await accept()
    await world.state.removeDue('acme.cas')
    queue.messages = []
    if (again === 'stream') await accept()
    else await reconcileConnectors(ports, policy, new MemoryConnectors([connectorItem()]).items())
    expect((await world.state.readRun('acme.cas')).due, again).toBeDefined()
    expect(queue.messages).toHaveLength(1)
  }
})

test('a run that was frozen cannot overwrite the checkpoints of others when it wakes up, and repeats one page at most', async () => {
  const world = new World({ vendor: { eventsPerHour: 600 }, pageItems: 25 })
  await world.put(connectorItem({ initialBackfillMinutes: 120 }))
  let freezes = 0
  const freezing: Sink = {
    deliver: async (records) => {
      const delivered = await world.sink.deliver(records)
      freezes += 1
      await world.clock.sleepUntil(world.clock.now() + 7 * minute)
      return delivered
    },
  }
  for (let i = 0; i < 5; i++) {
    void collectConnector({ ...world.ports(1), sink: freezing }, 'acme.cas', world.clock.now() + hour)
    await world.run(10 * minute)
  }
  await world.run(hour)
  const { missing, twice } = await audit(world)
  expect(missing).toEqual([])
  expect(twice.length).toBeLessThanOrEqual(freezes * 25)
  expect(coveredTo(await world.stream('acme.cas', 'sharepoint/dlp'), world.clock.now())).toBeGreaterThan(world.clock.now() - 20 * minute)
  expect(world.model.account.refused(key)).toBe(0)
})

describe('the hourly comparison', () => {
  it('accepts an item that the stream lost, retires a connector whose item was deleted, and leaves the others alone', async () => {
    const world = new World()
    await world.put(connectorItem({ connectorId: 'acme.deleted', name: 'acme.deleted' }))
    await world.put(connectorItem({ connectorId: 'acme.right', name: 'acme.right' }))
    const before = await world.state.readAccepted('acme.right')
    await world.run(minute)
    const table = new MemoryConnectors([
      connectorItem({ connectorId: 'acme.lost', name: 'acme.lost' }),
      connectorItem({ connectorId: 'acme.right', name: 'acme.right' }),
    ])
    await reconcileConnectors(world.ports(0), policy, table.items())
    expect((await world.state.readAccepted('acme.lost'))?.retiredAt).toBeUndefined()
    expect((await world.state.readAccepted('acme.deleted'))?.retiredAt).toBe(world.clock.now())
    expect(await world.state.readAccepted('acme.right')).toEqual(before)
  })
})

/** A stream is complete up to lateArrivalMinutes (10) before its last run, which was up to two intervals of 5 minutes ago. */
const lagMinMs = 10 * minute
const lagMaxMs = 20 * minute
/** The vendor keeps events for 72 hours, and the oldest unread event is minutes old. */
const retentionLeftMinMs = 71 * hour

describe('the fleet', () => {
  it('is measured without connectors that are switched off: the connectors by state, and the largest lag', async () => {
    const world = new World()
    await world.put(connectorItem())
    await world.put(connectorItem({ connectorId: 'acme.off', enabled: false }))
    await world.put(connectorItem({ connectorId: 'acme.bad', baseUrl: 'nowhere' }))
    await world.put(connectorItem({ connectorId: 'acme.strange', type: 'no-such-vendor' }))
    await world.run(hour)
    world.record.metrics.length = 0
    await measureFleet(world.ports(0))
    const [own, unknown] = world.record.metrics
    expect(own).toMatchObject({
      vendor: 'trendmicro-cas',
      values: { Connectors: 1, ConnectorsOk: 1, ConnectorsFailing: 0, ConnectorsRefused: 1, StreamsBehind: 0 },
    })
    expect(unknown).toMatchObject({ vendor: 'unknown', values: { Connectors: 0, ConnectorsRefused: 1 } })
    const { LagMax, RetentionLeftMin } = own!.values as Record<FleetMetric, number>
    expect(LagMax).toBeGreaterThan(lagMinMs)
    expect(LagMax).toBeLessThan(lagMaxMs)
    expect(RetentionLeftMin).toBeGreaterThan(retentionLeftMinMs)
  })
})
