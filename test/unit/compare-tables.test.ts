import { beforeEach, describe, expect, it } from 'vitest'
import { isComparisonDue } from '../../functions/domain/dispatch.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import { acceptConnector } from '../../functions/flows/accept-connector.ts'
import { compareTables } from '../../functions/flows/compare-tables.ts'
import { MemoryConnectors } from '../../simulation/fakes/connectors.ts'
import { connectorItem, policy, start, World } from '../../simulation/world.ts'

describe('a tick', () => {
  const claimedAt = start - 10 * hour
  const due = (last: Parameters<typeof isComparisonDue>[0], minutes: number) =>
    isComparisonDue(last, start + minutes * minute, start + minutes * minute)

  it('compares at minute 17, and otherwise only if the last comparison is an hour old', () => {
    const last = { claimedAt, completedAt: start - 10 * minute }
    expect(Array.from({ length: 49 }, (_, minutes) => minutes).filter((minutes) => due(last, minutes))).toEqual([17])
    expect([due(last, 49), due(last, 50), due(last, 59)]).toEqual([false, true, true])
  })

  it('compares at once if none was ever made, or one left connectors without claims', () => {
    expect([due(undefined, 3), due({ claimedAt }, 3), due({ completedAt: start }, 3)]).toEqual([true, true, true])
  })

  it('makes no comparison while another one is under way, for as long as that may take', () => {
    const last = { begunAt: start + 15 * minute, claimedAt }
    expect([15, 16, 17, 20, 21].map((minutes) => due(last, minutes))).toEqual([false, false, false, false, true])
  })
})

describe('the comparison', () => {
  let world: World
  const first = connectorItem()
  const second = connectorItem({ connectorId: 'acme.two', name: 'two', apiKeySecrets: ['tributary/acme/simulated-second'] })
  const ports = () => ({ ...world.ports(0), state: world.state, queue: { send: async () => {} } })
  const compare = (items: Parameters<typeof connectorItem>[0][], with_ = ports()) =>
    compareTables(with_, policy, new MemoryConnectors(items.map((item) => ({ ...item }))).items(), world.clock.now())
  const isAccepted = async (id: string) => (await world.state.readAccepted(id)) !== undefined

  /** An accepted connector of a former release, by what that leaves out: claims, and the acceptance in its status. */
  beforeEach(async () => {
    world = new World({ ticking: false })
    await acceptConnector(ports(), policy, 'acme.cas', first)
    await world.state.updateStatus('acme.cas', (status) => {
      const { acceptedAt: _, ...former } = status!
      return former
    })
    await world.state.writeComparison({})
  })

  const failing = () => {
    throw new Error('Injected')
  }

  it('that throws is made again with the next tick', async () => {
    const broken = { ...ports(), state: { ...world.state, allAccepted: failing } }
    await expect(compare([first, second], broken)).rejects.toThrow('Injected')
    expect(await world.state.readComparison()).toEqual({})
    await world.clock.advance(minute)
    await compare([first, second])
    expect(await world.state.readComparison()).toEqual({ claimedAt: start + minute, completedAt: start + minute })
    expect(await isAccepted('acme.two')).toBe(true)
  })

  it('lets no new key be claimed while a connector has not claimed its own, and is made again; one that always fails stops nothing', async () => {
    const readHeldKeys = (id: string) => (id === 'acme.cas' ? Promise.reject(new Error('Injected')) : world.state.readHeldKeys(id))
    const broken = { ...ports(), state: { ...world.state, readHeldKeys } }
    await compare([first, second], broken)
    expect([await world.state.readComparison(), await isAccepted('acme.two')]).toEqual([{ completedAt: start }, false])
    expect(world.record.log.map(({ event }) => event)).toContain('acceptance-deferred')
    await world.clock.advance(minute)
    await compare([first, second], broken)
    expect([(await world.state.readComparison())?.claimedAt, await isAccepted('acme.two')]).toEqual([start + minute, true])
  })
})
