import { describe, expect, it } from 'vitest'
import { day, minute } from '../../functions/domain/time.ts'
import { connectorItem } from '../../simulation/world.ts'
import { Deployment, type Process } from './deployment.ts'
import { startDynamo } from './dynamo.ts'
import { expectNoError } from './expectations.ts'
import { frozenVersions, loadRelease, presentRelease } from './release.ts'

const dynamo = startDynamo()

/** Releases before 0.4.0 accept an id that names no tenant, and any secret under the prefix. */
describe.each(frozenVersions)('a connector that release %s accepted without a tenant', (version) => {
  async function afterUpgrade() {
    const deployment = await Deployment.open(dynamo)
    const former = deployment.process(await loadRelease(version))
    const secrets = { 'tributary/old': 'key-of-old', 'tributary/old-too': 'key-of-old-too', 'tributary/new': 'key-of-new' }
    for (const [name, apiKey] of Object.entries(secrets)) deployment.world.secrets.values.set(name, apiKey)
    await deployment.finish(former.accept(legacy))
    await deployment.finish(former.accept(named))
    const present = deployment.process(presentRelease)
    void deployment.tick()
    await deployment.run(10 * minute)
    const accepted = async (connectorId: string) => (await deployment.state.readAccepted(connectorId))!.connector
    const put = (process: Process, item: object) => deployment.finish(process.accept({ ...item }))
    const problemsOf = async (connectorId: string) => (await deployment.state.readStatus(connectorId))?.problems.map(({ path }) => path)
    return { deployment, accepted, problemsOf, put: (item: object) => put(present, item), remove: (id: string) => present.retire(id) }
  }
  const legacy = connectorItem({ connectorId: 'legacy', name: 'legacy', apiKeySecrets: ['tributary/old'] })
  const named = connectorItem({ connectorId: 'globex.cas', name: 'globex', tenantName: 'Globex', apiKeySecrets: ['tributary/old-too'] })

  it('goes on, can be edited, and comes back after it was deleted', async () => {
    const { deployment, accepted, problemsOf, put, remove } = await afterUpgrade()
    expectNoError(deployment)
    const statusOf = (id: string) => deployment.state.readStatus(id)
    expect(await statusOf('legacy')).toMatchObject({ state: 'ok', reason: expect.stringContaining('names no tenant') })
    expect(await statusOf('globex.cas')).toMatchObject({ state: 'ok', reason: '' })

    await put({ ...legacy, intervalMinutes: 2, apiKeySecrets: ['tributary/old', 'tributary/new'] })
    expect(await accepted('legacy')).toMatchObject({ intervalMinutes: 2, apiKeySecrets: [{}, { secretName: 'tributary/new' }] })
    await deployment.finish(remove('legacy'))
    await put(legacy)
    expect(await problemsOf('legacy')).toEqual([])
    expect((await deployment.state.readAccepted('legacy'))?.retiredAt).toBeUndefined()
  })

  it('keeps its secret if its id names a tenant, and a new one must lie under the path of that tenant', async () => {
    const { accepted, problemsOf, put } = await afterUpgrade()
    await put({ ...named, intervalMinutes: 2 })
    expect(await accepted('globex.cas')).toMatchObject({ intervalMinutes: 2 })
    await put({ ...named, apiKeySecrets: ['tributary/new'] })
    expect(await problemsOf('globex.cas')).toEqual(['apiKeySecrets[0]'])
    expect(await accepted('globex.cas')).toMatchObject({ intervalMinutes: 2 })
  })

  it('stays the only one: another without a tenant is refused', async () => {
    const { deployment, problemsOf, put } = await afterUpgrade()
    await put({ ...legacy, connectorId: 'legacy-too', name: 'legacy-too' })
    expect(await problemsOf('legacy-too')).toEqual(['connectorId'])
    expect(await deployment.state.readAccepted('legacy-too')).toBeUndefined()
  })

  it('does not take its key to another address', async () => {
    const { accepted, problemsOf, put, remove, deployment } = await afterUpgrade()
    const moved = { ...legacy, baseUrl: 'https://api-eu.tmcas.trendmicro.com' }
    await put(moved)
    expect(await problemsOf('legacy')).toEqual(['baseUrl'])
    await deployment.finish(remove('legacy'))
    await put(moved)
    expect(await accepted('legacy')).toMatchObject({ baseUrl: legacy['baseUrl'] })
    await put({ ...moved, apiKeySecrets: ['tributary/new'] })
    expect(await accepted('legacy')).toMatchObject({ baseUrl: moved.baseUrl })
  })
})

describe.each(frozenVersions)('a connector that release %s paused', (version) => {
  const secretsOf = { ann: 'tributary/ann/key', bob: 'tributary/bob/key' }
  const itemOf = (tenant: 'ann' | 'bob', more = {}) =>
    connectorItem({ connectorId: `${tenant}.cas`, name: tenant, tenantName: tenant, apiKeySecrets: [secretsOf[tenant]], ...more })

  async function afterUpgrade() {
    const deployment = await Deployment.open(dynamo)
    for (const name of Object.values(secretsOf)) deployment.world.secrets.values.set(name, 'one-key-of-both')
    const release = await loadRelease(version)
    const former = deployment.process(release)
    deployment.deployed = () => release
    await deployment.finish(former.accept(itemOf('ann')))
    await deployment.finish(former.collect('ann.cas'))
    await deployment.finish(former.accept(itemOf('ann', { enabled: false })))
    await deployment.run(3 * day)
    deployment.deployed = () => presentRelease
    const put = (item: object) => deployment.finish(deployment.process(presentRelease).accept({ ...item }))
    const stateOf = async (connectorId: string) => (await deployment.state.readStatus(connectorId))?.state
    const claimants = async () => {
      const [key] = (await deployment.state.readHeldKeys('ann.cas'))?.keys ?? []
      return (await deployment.state.readClaims(key?.fingerprint ?? '')).claims.map(({ connectorId }) => connectorId)
    }
    return { deployment, put, stateOf, claimants }
  }

  it('three days ago keeps its key, although the first thing after the upgrade is an item of another tenant with that key', async () => {
    const { deployment, put, stateOf, claimants } = await afterUpgrade()
    await put(itemOf('bob'))
    expect(await stateOf('bob.cas')).toBeUndefined()
    void deployment.tick()
    await deployment.run(minute)
    expect([await stateOf('ann.cas'), await stateOf('bob.cas')]).toEqual(['paused', 'refused'])
    expect(await claimants()).toEqual(['ann.cas'])
    expectNoError(deployment)

    await deployment.finish(deployment.process(presentRelease).retire('ann.cas'))
    await put(itemOf('bob'))
    expect(await stateOf('bob.cas')).toBe('starting')
  })

  it('can go on at once, and an item with a new key is accepted with the first tick', async () => {
    const { deployment, put, stateOf, claimants } = await afterUpgrade()
    await put(itemOf('ann'))
    expect([await stateOf('ann.cas'), await claimants()]).toEqual(['starting', ['ann.cas']])
    deployment.world.secrets.values.set(secretsOf.bob, 'key-of-bob')
    await put(itemOf('bob'))
    expect(await stateOf('bob.cas')).toBeUndefined()
    void deployment.tick()
    await deployment.run(minute)
    expect(await stateOf('bob.cas')).not.toBe('refused')
    expect(await deployment.state.readAccepted('bob.cas')).toBeDefined()
  })
})

describe.each(frozenVersions)('a secret that release %s sent to an origin', (version) => {
  const here = 'https://api.tmcas.trendmicro.com'
  const there = 'https://api-eu.tmcas.trendmicro.com'
  const secret = 'tributary/acme/key'
  const itemOf = (name: string, baseUrl: string, apiKeySecrets = [secret]) =>
    connectorItem({ connectorId: `acme.${name}`, name, baseUrl, apiKeySecrets })

  async function afterUpgrade(...items: ReturnType<typeof itemOf>[]) {
    const deployment = await Deployment.open(dynamo)
    const release = await loadRelease(version)
    const former = deployment.process(release)
    deployment.deployed = () => release
    deployment.world.secrets.values.set(secret, 'key-of-acme')
    for (const item of items) {
      await deployment.finish(former.accept(item))
      await deployment.finish(former.collect(String(item['connectorId'])))
    }
    await deployment.run(minute)
    deployment.deployed = () => presentRelease
    const present = deployment.process(presentRelease)
    const put = (item: ReturnType<typeof itemOf>) => deployment.finish(present.accept(item))
    const problemsOf = async (name: string) => (await deployment.state.readStatus(`acme.${name}`))?.problems.map(({ path }) => path)
    const origin = () => deployment.state.readSecretOrigin(secret)
    return { deployment, present, put, problemsOf, origin }
  }

  it('is bound with the first run of its connector, and the second reads nothing of it', async () => {
    const { deployment, present, origin } = await afterUpgrade(itemOf('cas', here))
    expect(await origin()).toBeUndefined()
    await deployment.finish(present.collect('acme.cas'))
    expect(await origin()).toBe(here)
    present.state.bindSecret = () => Promise.reject(new Error('A secret was bound'))
    await deployment.run(5 * minute)
    await deployment.finish(present.collect('acme.cas'))
    expect((await deployment.state.readStatus('acme.cas'))?.state).toBe('ok')
  })

  it('is bound by the edit that leaves it, also if that comes first', async () => {
    const { deployment, put, problemsOf, origin } = await afterUpgrade(itemOf('cas', here))
    void deployment.tick()
    await put(itemOf('cas', there, ['tributary/acme/need-not-exist']))
    await deployment.run(minute)
    expect((await deployment.state.readAccepted('acme.cas'))?.connector.baseUrl).toBe(there)
    await put(itemOf('cas', there))
    expect([await origin(), await problemsOf('cas')]).toEqual([here, ['baseUrl']])
  })

  it('of two connectors with two origins is bound to one of them, and both go on and can be edited, but not moved', async () => {
    const { deployment, put, problemsOf, origin } = await afterUpgrade(itemOf('one', here), itemOf('two', there))
    void deployment.tick()
    await deployment.run(10 * minute)
    expectNoError(deployment)
    expect([here, there]).toContain(await origin())
    for (const [name, baseUrl, elsewhere] of [
      ['one', here, there],
      ['two', there, here],
    ] as const) {
      expect((await deployment.state.readStatus(`acme.${name}`))?.state).toBe('ok')
      await put({ ...itemOf(name, baseUrl), intervalMinutes: 2 })
      expect([(await deployment.state.readAccepted(`acme.${name}`))?.connector.intervalMinutes, await problemsOf(name)]).toEqual([2, []])
      await put(itemOf(name, elsewhere))
      expect(await problemsOf(name)).toEqual(['baseUrl'])
    }
  })
})
