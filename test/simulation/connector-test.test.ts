import { describe, expect, it } from 'vitest'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { eventTypeNames, serviceNames } from '../../local/simulator/catalogue.ts'
import { connectorItem, key, secretName, start, World } from '../../simulation/world.ts'
import { states, Tester } from './tester.ts'

/** The vendor allows one key this many in any 60 s (requests). */
const requestsPerMinute = 20
const allStreams = { contentTypes: [...serviceNames], eventTypes: [...eventTypeNames] }
const passed = ['passed', 'passed', 'passed', 'passed', 'passed', 'passed', 'passed']

describe('the Test of a connector', () => {
  it('takes seven steps, delivers nothing, and is answered at once', async () => {
    const tester = new Tester(new World({ ticking: false, vendor: { eventsPerHour: 600 } }))
    expect(await tester.begin('acme.cas', connectorItem({ eventTypes: ['dlp', 'ransomware'] }))).toMatchObject({
      ok: true,
      value: { message: expect.stringContaining('7 steps') },
    })
    await tester.world.run(minute)
    const result = await tester.result()
    expect(states(result)).toEqual(passed)
    expect(result).toMatchObject({ state: 'passed', progress: '7 of 7', summary: expect.stringContaining('All 7 steps passed') })
    expect(result.steps[4]?.words).toBe('2 of 2 streams answer.')
    expect(result.steps[6]?.words).toContain('Nobody else uses its keys.')
    expect(tester.world.lake.records).toBe(0)
    expect(tester.world.model.account.requests(key)).toHaveLength(2)
  })

  it('of an item that is not saved leaves nothing but its own state', async () => {
    const tester = new Tester(new World({ ticking: false }))
    const result = await tester.run(connectorItem({ note: 'not needed' }), minute)
    expect(states(result)).toEqual(passed)
    expect(result.isUnsaved).toBe(true)
    const { state } = tester.world
    expect(await state.readAccepted('acme.cas')).toBeUndefined()
    expect(await state.readSecretOrigin(secretName)).toBeUndefined()
    expect(await state.readHeldKeys('acme.cas')).toBeUndefined()
    expect(await state.readRun('acme.cas')).toEqual({ streams: new Map() })
    expect(await tester.stored()).not.toHaveProperty('item')
    expect(tester.written.some((text) => text.includes('not needed'))).toBe(false)
  })

  it('runs once at a time, and a second is told since when', async () => {
    const tester = new Tester(new World({ ticking: false }))
    await tester.save(connectorItem(allStreams))
    await tester.begin()
    await tester.world.run(10 * second)
    expect(await tester.begin()).toMatchObject({
      ok: false,
      failure: { code: 'busy', message: expect.stringContaining('since 12:00:00 UTC (5 of 7)') },
    })
    expect(await tester.call({ action: 'dismiss', connectorId: 'acme.cas' })).toMatchObject({ ok: false, failure: { code: 'busy' } })
    await tester.world.run(4 * minute)
    expect(await tester.result()).toMatchObject({ state: 'passed' })
    expect(await tester.begin()).toMatchObject({ ok: true })
  })

  it('keeps its result until somebody dismisses it', async () => {
    const tester = new Tester(new World({ ticking: false }))
    await tester.save(connectorItem())
    await tester.run()
    await tester.world.run(30 * hour)
    expect(await tester.result()).toMatchObject({ state: 'passed' })
    expect(await tester.call({ action: 'dismiss', connectorId: 'acme.cas' })).toMatchObject({ ok: true })
    expect(await tester.call({ action: 'test-result', connectorId: 'acme.cas' })).toMatchObject({
      ok: false,
      failure: { code: 'not-found' },
    })
  })

  it('of 48 streams keeps the limit while collecting goes on', async () => {
    const world = new World({ vendor: { window: 'sliding', eventsPerHour: 60 } })
    const tester = new Tester(world)
    await tester.save(connectorItem({ ...allStreams, intervalMinutes: 10, initialBackfillMinutes: 60 }))
    await world.run(20 * minute)
    const delivered = world.lake.records
    const before = world.model.account.requests(key).length
    await tester.begin()
    await world.run(minute)
    expect(await tester.result()).toMatchObject({ state: 'running', progress: '5 of 7' })
    await world.run(9 * minute)
    const result = await tester.result()
    expect(result.steps[4]).toMatchObject({ state: 'passed', words: '48 of 48 streams answer.' })
    const { account } = world.model
    expect(account.refused(key)).toBe(0)
    expect(account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(requestsPerMinute)
    expect(account.requests(key).length).toBeGreaterThan(before + 48 + 40)
    expect(world.lake.records).toBeGreaterThan(delivered)
    expect(world.record.crashes).toEqual([])
  })

  it('is handed over to another call when the time of one is up, and no request is made twice', async () => {
    const tester = new Tester(new World({ ticking: false }))
    tester.callMs = 2 * minute
    const result = await tester.run(connectorItem(allStreams))
    expect(states(result)).toEqual(passed)
    expect(tester.calls).toBeGreaterThan(1)
    expect(tester.world.model.account.requests(key)).toHaveLength(48)
  })

  it('that was killed is over after three minutes, and can be begun again', async () => {
    const world = new World({ ticking: false })
    const tester = new Tester(world)
    await tester.save(connectorItem(allStreams))
    let isDead = false
    const portsOf = world.ports.bind(world)
    world.ports = (process) => {
      const ports = portsOf(process)
      const fetch: typeof ports.source.fetch = (...request) => (isDead ? new Promise(() => {}) : ports.source.fetch(...request))
      return { ...ports, source: { fetch } }
    }
    await tester.begin()
    await world.run(5 * second)
    isDead = true
    await world.run(3 * minute - 6 * second)
    expect(await tester.begin()).toMatchObject({ ok: false, failure: { code: 'busy' } })
    await world.run(2 * minute)
    expect(await tester.result()).toMatchObject({ state: 'broken-off', summary: expect.stringContaining('Begin it again') })
    isDead = false
    expect(await tester.run(undefined, 6 * minute)).toMatchObject({
      state: 'passed',
      begunAt: expect.toSatisfy((at) => at > start + 3 * minute),
    })
  })
})
