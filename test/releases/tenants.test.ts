import { describe, expect, it } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
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
