import { describe, expect, it } from 'vitest'
import { statusRow } from '../../functions/domain/status/status-row.ts'
import { minute, second } from '../../functions/domain/time.ts'
import { eventTypeNames, serviceNames } from '../../local/simulator/catalogue.ts'
import { connectorItem, key, secretName, secrets, World } from '../../simulation/world.ts'
import { Tester } from './tester.ts'

const item = connectorItem({ eventTypes: [...eventTypeNames] })

/** A saved connector that collects, and whose vendor answers with `status` from now on, for as long as `isBad`. */
async function failing(status: number) {
  const world = new World({ vendor: { eventsPerHour: 60 } })
  const tester = new Tester(world)
  const fault = { isBad: false }
  world.vendorResponds(() => (fault.isBad ? { status } : undefined))
  await tester.save(item)
  await world.run(10 * minute)
  fault.isBad = true
  await world.run(25 * minute)
  expect(await world.status('acme.cas')).toMatchObject({ state: 'failing' })
  return { world, tester, fault }
}

describe('a Test that passes', () => {
  it.each([401, 403, 404])('clears the status of a connector that failed with %i at once, and makes it run', async (status) => {
    const { world, tester, fault } = await failing(status)
    fault.isBad = false
    await tester.begin()
    await world.run(30 * second)
    expect(await tester.result()).toMatchObject({ state: 'passed' })
    expect((await world.status('acme.cas')).state).not.toBe('failing')
    await world.run(2 * minute)
    const after = await world.status('acme.cas')
    expect(after).toMatchObject({ state: 'ok', reason: '', rejectedKeys: {} })
    expect(after.trouble).toBeUndefined()
    expect(after.lastSuccessAt).toBeGreaterThan(world.clock.now() - 3 * minute)
  })

  it.each([401, 403, 404])('is undone within a minute if the fault with %i is still there', async (status) => {
    const { world, tester, fault } = await failing(status)
    fault.isBad = false
    await tester.begin()
    // The Test takes a second. Then the fault is back.
    await world.run(second)
    expect(await tester.result()).toMatchObject({ state: 'passed' })
    fault.isBad = true
    await world.run(minute)
    expect(await world.status('acme.cas')).toMatchObject({ state: 'failing' })
  })

  it('ends neither a refusal nor a pause', async () => {
    const tester = new Tester(new World({ vendor: { eventsPerHour: 60 } }))
    await tester.save({ ...item, enabled: false })
    await tester.save(connectorItem({ connectorId: 'acme.wrong', intervalMinutes: 0 }))
    await tester.run(undefined, minute)
    await tester.run(connectorItem({ connectorId: 'acme.wrong' }), minute, 'acme.wrong')
    expect(await tester.result()).toMatchObject({ state: 'passed' })
    expect(await tester.world.status('acme.cas')).toMatchObject({ state: 'paused' })
    expect(await tester.world.status('acme.wrong')).toMatchObject({ state: 'refused' })
    expect(await tester.world.state.readDue('acme.cas')).toBeUndefined()
  })

  it('asks whether a policy is enabled, if the connector is answered and has never had an event', async () => {
    const tester = new Tester(new World({ vendor: { eventsPerHour: 0 } }))
    await tester.save(item)
    await tester.world.run(10 * minute)
    const { steps } = await tester.run(undefined, minute)
    expect(steps[4]).toMatchObject({
      state: 'passed',
      words: expect.stringContaining('It has never delivered an event. Are the services in an enabled policy'),
    })
  })
})

describe('a Test that runs', () => {
  it('is in the row of its connector, and not after it has ended or was killed', async () => {
    const world = new World({ vendor: { eventsPerHour: 60 } })
    const tester = new Tester(world)
    await tester.save(connectorItem({ contentTypes: [...serviceNames], eventTypes: [...eventTypeNames] }))
    await world.run(10 * minute)
    const row = async () => statusRow('acme.cas', await world.status('acme.cas'), world.clock.now())
    await tester.begin()
    await world.run(minute)
    expect(await row()).toMatchObject({ test: '5 of 7' })
    await world.run(10 * minute)
    expect(await row()).not.toHaveProperty('test')
    const killed = { progress: '5 of 7', until: world.clock.now() + 3 * minute }
    expect(statusRow('acme.cas', { ...(await world.status('acme.cas')), test: killed }, killed.until)).not.toHaveProperty('test')
  })
})

describe('a Test that fails', () => {
  it('leaves the status and the waits as they are', async () => {
    const { world, tester } = await failing(401)
    const before = await world.status('acme.cas')
    await tester.begin()
    await world.run(10 * second)
    expect(await tester.result()).toMatchObject({ state: 'failed' })
    expect(await world.status('acme.cas')).toMatchObject({ state: 'failing', trouble: before.trouble, rejectedKeys: before.rejectedKeys })
  })

  it('for one key of two leaves the rejected key rejected', async () => {
    const second = 'tributary/acme/simulated-second'
    const tester = new Tester(new World({ vendor: { eventsPerHour: 60, revokedKeys: [secrets[second]] } }))
    await tester.save({ ...item, apiKeySecrets: [secretName, second] })
    await tester.world.run(20 * minute)
    const { rejectedKeys } = await tester.world.status('acme.cas')
    expect(Object.keys(rejectedKeys)).toHaveLength(1)
    expect(await tester.run(undefined, 30_000)).toMatchObject({ state: 'failed' })
    expect((await tester.world.status('acme.cas')).rejectedKeys).toEqual(rejectedKeys)
    expect(tester.world.model.account.maxRequestsInAnyMinute(key)).toBeLessThanOrEqual(20)
  })
})
