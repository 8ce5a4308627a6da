import { beforeEach, describe, expect, it } from 'vitest'
import { digest, keyedDigest } from '../../functions/adapters/digest.ts'
import { claimKey, type KeyClaim } from '../../functions/domain/connector/key-register.ts'
import { day, minute } from '../../functions/domain/time.ts'
import { acceptConnector } from '../../functions/flows/accept-connector.ts'
import { openKeys } from '../../functions/flows/open-keys.ts'
import { retireConnector } from '../../functions/flows/retire-connector.ts'
import { connectorItem, policy, World } from '../../simulation/world.ts'

const secretsOf = { ann: 'tributary/ann/key', bob: 'tributary/bob/key', second: 'tributary/ann/second' }
let world: World

beforeEach(() => {
  world = new World({ ticking: false })
  for (const name of Object.values(secretsOf)) world.secrets.values.set(name, 'one-key-of-both')
})

const ports = () => ({ ...world.ports(0), state: world.state, queue: { send: async () => {} } })
const itemOf = (tenant: 'ann' | 'bob', more = {}) =>
  connectorItem({ connectorId: `${tenant}.cas`, name: `${tenant}-cas`, tenantName: tenant, apiKeySecrets: [secretsOf[tenant]], ...more })
const put = (item: ReturnType<typeof itemOf>) => acceptConnector(ports(), policy, String(item['connectorId']), item)
const stateOf = async (id: string) => (await world.state.readStatus(id))?.state
const fingerprint = (key: string) => keyedDigest('00'.repeat(32), key).slice(0, 32)
const claimants = async (key = 'one-key-of-both') =>
  (await world.state.readClaims(fingerprint(key))).claims.map(({ connectorId }) => connectorId)
const users = async (bucket = fingerprint('one-key-of-both')) => world.state.keyUsers(bucket, world.clock.now())

describe('a key', () => {
  it('belongs to its tenant while its connector is paused, however long, and to nobody once it is deleted', async () => {
    await put(itemOf('bob'))
    await put(itemOf('bob', { enabled: false }))
    expect(await users()).toEqual([])
    await world.clock.advance(3 * day)
    await put(itemOf('ann'))
    expect(await stateOf('ann.cas')).toBe('refused')
    expect(await claimants()).toEqual(['bob.cas'])
    await retireConnector(ports(), 'bob.cas')
    await put(itemOf('ann'))
    expect(await stateOf('ann.cas')).toBe('starting')
    expect(await claimants()).toEqual(['ann.cas'])
  })

  it('is neither claimed, limited nor counted by an item that is refused or disabled', async () => {
    await put(itemOf('bob', { requestsPerMinute: 10 }))
    await put(itemOf('ann', { requestsPerMinute: 1, requestsPerDay: 1 }))
    await put(itemOf('bob', { connectorId: 'bob.off', name: 'bob-off', requestsPerMinute: 1, enabled: false }))
    expect((await users()).map(({ connectorId, requestsPerMinute }) => [connectorId, requestsPerMinute])).toEqual([['bob.cas', 10]])
    expect(await claimants()).toEqual(['bob.cas', 'bob.off'])
  })

  it('is given to one of two tenants whose checks ran at the same time; the other one is told, and gets it once it is free', async () => {
    await Promise.all([put(itemOf('ann')), put(itemOf('bob'))])
    const [owner] = await claimants()
    expect(await claimants()).toHaveLength(1)
    const loser = owner === 'ann.cas' ? 'bob.cas' : 'ann.cas'
    const open = async () => openKeys(ports(), (await world.state.readAccepted(loser))!, world.clock.now())
    expect((await open()).failures.map(({ code }) => code)).toEqual(['key-shared'])
    expect((await users()).map(({ connectorId }) => connectorId)).toEqual([owner])
    await retireConnector(ports(), owner!)
    expect((await open()).keys).toHaveLength(1)
    expect(await claimants()).toEqual([loser])
  })

  it('of another tenant fails the runs of an acceptance that broke off before its claim, and its item is not refused', async () => {
    await put(itemOf('ann'))
    const { itemDigest, ...accepted } = (await world.state.readAccepted('ann.cas'))!
    await retireConnector(ports(), 'ann.cas')
    await put(itemOf('bob'))
    const tombstone = await world.state.readAccepted('ann.cas')
    const acceptedAt = world.clock.now() + 10
    await world.state.writeAccepted({ ...accepted, itemDigest, acceptedAt }, tombstone)
    await put(itemOf('ann'))
    const { status, due } = await world.state.readRun('ann.cas')
    expect([status?.state, status?.problems, due?.acceptedAt]).toEqual(['starting', [], acceptedAt])
    expect(await claimants()).toEqual(['bob.cas'])
  })

  it('of an accepted connector is claimed although an edit is refused that comes before the acceptance was carried out', async () => {
    await put(itemOf('ann'))
    const before = (await world.state.readAccepted('ann.cas'))!
    await world.state.writeAccepted({ ...before, itemDigest: 'next', acceptedAt: before.acceptedAt + 1 }, before)
    await put(itemOf('ann', { eventTypes: ['wrong'] }))
    const status = await world.state.readStatus('ann.cas')
    expect([status?.acceptedAt, status?.problems.length]).toEqual([before.acceptedAt + 1, 1])
  })

  it('is released when its secret holds another one, and by a deletion although the secret is gone by then', async () => {
    await put(itemOf('bob'))
    world.secrets.values.set(secretsOf.bob, 'another-key')
    await openKeys(ports(), (await world.state.readAccepted('bob.cas'))!, world.clock.now())
    expect([await claimants(), await claimants('another-key')]).toEqual([[], ['bob.cas']])
    world.secrets.values.delete(secretsOf.bob)
    await retireConnector(ports(), 'bob.cas')
    expect(await claimants('another-key')).toEqual([])
  })

  it('is kept while its secret cannot be read, and claimed once it can', async () => {
    await put(itemOf('bob'))
    world.secrets.values.delete(secretsOf.bob)
    await put(itemOf('bob', { requestsPerMinute: 5 }))
    expect(await claimants()).toEqual(['bob.cas'])
    world.secrets.values.delete(secretsOf.ann)
    await put(itemOf('ann', { apiKeySecrets: [secretsOf.ann] }))
    expect(await stateOf('ann.cas')).toBe('starting')
    world.secrets.values.set(secretsOf.ann, 'key-of-ann')
    await openKeys(ports(), (await world.state.readAccepted('ann.cas'))!, world.clock.now())
    expect(await claimants('key-of-ann')).toEqual(['ann.cas'])
  })

  it('is held once by a connector that has it in two secrets, until neither holds it', async () => {
    const both = itemOf('ann', { apiKeySecrets: [secretsOf.ann, secretsOf.second] })
    await put(both)
    expect(await claimants()).toEqual(['ann.cas'])
    await put(itemOf('ann', { apiKeySecrets: [secretsOf.second] }))
    expect(await claimants()).toEqual(['ann.cas'])
    world.secrets.values.set(secretsOf.second, 'another-key')
    await openKeys(ports(), (await world.state.readAccepted('ann.cas'))!, world.clock.now())
    expect(await claimants()).toEqual([])
  })

  it.each([
    ['each names the other', { sharedWith: ['bob'] }, { sharedWith: ['ann'] }, 'starting'],
    ['one names the other, and one allows all', { sharedWith: ['bob'] }, { sharedKey: true }, 'starting'],
    ['one alone names the other', { sharedWith: ['bob'] }, {}, 'refused'],
    ['one names a third', { sharedWith: ['carl'] }, { sharedWith: ['ann'] }, 'refused'],
    ['one alone allows all', {}, { sharedKey: true }, 'refused'],
  ])('is shared by two tenants only if both allow it: %s', async (_, first, second, state) => {
    await put(itemOf('ann', first))
    await put(itemOf('bob', second))
    expect(await stateOf('bob.cas')).toBe(state)
  })

  it('of a connector of an earlier release, which has no claim, is not given to another tenant', async () => {
    const former = { connectorId: 'old', tenantName: 'Old', sharedKey: false, requestsPerMinute: 20, until: world.clock.now() + day }
    await world.state.writeKeyUser(fingerprint('one-key-of-both'), former)
    await put(itemOf('ann'))
    expect(await stateOf('ann.cas')).toBe('refused')
    await world.clock.advance(day + minute)
    await put(itemOf('ann'))
    expect(await stateOf('ann.cas')).toBe('starting')
  })

  it('has a register that stays small: a claim too many is refused with the number that there are', () => {
    const claim = (n: number): KeyClaim => ({
      connectorId: `ann.${n}`,
      tenant: 'ann',
      sharedWith: Array.from({ length: 100 }, (_, i) => `tenant-${i}-${'x'.repeat(25)}`),
      sharedKey: false,
      acceptedAt: 1,
    })
    let register = { revision: 0, claims: [] as readonly KeyClaim[] }
    for (let n = 0; ; n++) {
      const claiming = claimKey(register, claim(n), [])
      if (claiming.kind !== 'claimed') {
        expect(claiming).toEqual({ kind: 'full', count: n })
        break
      }
      register = claiming.next
    }
    expect(JSON.stringify(register).length).toBeLessThan(200 * 1024)
    expect(register.claims.length).toBeGreaterThan(20)
  })
})

describe('a rate group', () => {
  const group = (text: string) => `GROUP:${digest(text).slice(0, 32)}`
  const grouped = (tenant: 'ann' | 'bob') => itemOf(tenant, { rateGroup: 'all', apiKeySecrets: [secretsOf[tenant]] })
  beforeEach(() => void world.secrets.values.set(secretsOf.bob, 'key-of-bob'))

  it('is one of its tenant: another tenant with the same name does not limit it', async () => {
    await put(grouped('ann'))
    await put(grouped('bob'))
    expect((await users(group('trendmicro-cas\nann\nall'))).map(({ connectorId }) => connectorId)).toEqual(['ann.cas'])
    expect((await users(group('trendmicro-cas\nbob\nall'))).map(({ connectorId }) => connectorId)).toEqual(['bob.cas'])
  })

  it('is one of all tenants if the provider shares it', async () => {
    world = new World({ ticking: false, sharedRateGroups: ['all'] })
    for (const [tenant, name] of Object.entries(secretsOf)) world.secrets.values.set(name, `key-of-${tenant}`)
    await put(grouped('ann'))
    await put(grouped('bob'))
    expect((await users(group('trendmicro-cas\nall'))).map(({ connectorId }) => connectorId)).toEqual(['ann.cas', 'bob.cas'])
  })
})

describe('an item that no connector can be', () => {
  it('with an id of 2,038 bytes is refused in the log alone, and stops nothing', async () => {
    await acceptConnector(ports(), policy, 'x'.repeat(2_038), { connectorId: 'x'.repeat(2_038) })
    await retireConnector(ports(), 'x'.repeat(2_038))
    expect(world.record.log.map(({ event, connectorId }) => [event, connectorId])).toEqual([['connector-refused', undefined]])
  })

  it('with nearly 400 KB is refused in its status, which tells it under no name of its own', async () => {
    await put(itemOf('ann', { tenantName: 'Bob', logFilters: 'x'.repeat(399_000) }))
    const status = await world.state.readStatus('ann.cas')
    expect(status).toMatchObject({ state: 'refused', tenantName: 'ann' })
    expect(status?.reason).toContain('bytes. Give at most')
    expect(JSON.stringify(world.bus.notifications)).not.toContain('Bob')
  })
})
