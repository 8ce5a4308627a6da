import { beforeEach, describe, expect, it } from 'vitest'
import { day } from '../../functions/domain/time.ts'
import { acceptConnector } from '../../functions/flows/accept-connector.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { retireConnector } from '../../functions/flows/retire-connector.ts'
import { connectorItem, policy, secretName, World } from '../../simulation/world.ts'

const here = 'https://api.tmcas.trendmicro.com'
const there = 'https://api-eu.tmcas.trendmicro.com'
const other = 'tributary/acme/other'
let world: World

beforeEach(() => {
  world = new World({ ticking: false })
  world.secrets.values.set(other, 'another-key')
})

const ports = (isBound = true) => ({
  ...world.ports(0),
  state: world.state,
  queue: { send: async () => {} },
  secretsBoundToOrigin: isBound,
})
const put = (more: ConnectorItem, isBound = true) => {
  const item = connectorItem(more)
  return acceptConnector(ports(isBound), policy, String(item['connectorId']), item)
}
const accepted = async (id = 'acme.cas') => (await world.state.readAccepted(id))?.connector
const problemsOf = async (id = 'acme.cas') => (await world.state.readStatus(id))?.problems.map(({ path }) => path)
const bound = (name: string) => world.state.readSecretOrigin(name)

describe('a secret', () => {
  it('is bound to the origin that it was first accepted with, and stays so after an edit that names another one meanwhile', async () => {
    await put({ baseUrl: here })
    await put({ baseUrl: there, apiKeySecrets: ['tributary/acme/need-not-exist'] })
    expect(await accepted()).toMatchObject({ baseUrl: there })
    await put({ baseUrl: there, apiKeySecrets: [secretName] })
    expect(await problemsOf()).toEqual(['baseUrl'])
    expect(await accepted()).toMatchObject({ apiKeySecrets: [{ secretName: 'tributary/acme/need-not-exist' }] })
    expect((await world.state.readStatus('acme.cas'))?.problems[0]?.message).toBe(
      `It is "${there}" and was "${here}" when ${secretName} was accepted, but a key goes only to the address that it was accepted for. Store the key for the new address in a secret of another name, and give that in apiKeySecrets in place of: ${secretName}.`,
    )
    await put({ baseUrl: here, apiKeySecrets: [secretName] })
    expect(await accepted()).toMatchObject({ baseUrl: here, apiKeySecrets: [{ secretName }] })
  })

  it('goes to no other origin with another connector of the tenant, whichever member of it that names', async () => {
    await put({ baseUrl: here })
    await put({ connectorId: 'acme.two', name: 'two', baseUrl: there, apiKeySecrets: [`${secretName}#member`] })
    expect([await accepted('acme.two'), await problemsOf('acme.two')]).toEqual([undefined, ['baseUrl']])
    await put({ connectorId: 'acme.two', name: 'two', baseUrl: here })
    expect(await accepted('acme.two')).toBeDefined()
  })

  it('goes to no other origin long after its connector was deleted', async () => {
    await put({ baseUrl: here })
    await retireConnector(ports(), 'acme.cas')
    await world.clock.advance(30 * day)
    await put({ baseUrl: there })
    expect([await accepted(), await problemsOf()]).toEqual([undefined, ['baseUrl']])
  })

  it('with the same key under a new name goes to a new origin', async () => {
    await put({ baseUrl: here })
    world.secrets.values.set(other, String(world.secrets.values.get(secretName)))
    await put({ baseUrl: there, apiKeySecrets: [other] })
    expect(await accepted()).toMatchObject({ baseUrl: there, apiKeySecrets: [{ secretName: other }] })
    expect([await bound(secretName), await bound(other)]).toEqual([here, there])
  })

  it('is not bound by an item that is refused, for whatever reason', async () => {
    await put({ apiKeySecrets: [other], eventTypes: ['wrong'] })
    await put({ connectorId: 'globex.cas', name: 'globex', apiKeySecrets: ['tributary/globex/simulated'], baseUrl: there })
    await put({ baseUrl: here })
    expect(await problemsOf()).toEqual(['apiKeySecrets'])
    await put({ baseUrl: there, apiKeySecrets: ['tributary/acme/first', other] })
    await put({ connectorId: 'acme.two', name: 'two', baseUrl: here, apiKeySecrets: [other, 'tributary/acme/third'] })
    expect([await bound(other), await bound(secretName), await bound('tributary/acme/third')]).toEqual([there, undefined, undefined])
  })

  it('is bound once by two items that are accepted at the same time', async () => {
    const item = (name: string, baseUrl: string) => put({ connectorId: `acme.${name}`, name, baseUrl, apiKeySecrets: [other] })
    await Promise.all([item('one', here), item('two', there)])
    const origins = [await accepted('acme.one'), await accepted('acme.two')].flatMap((connector) => connector?.baseUrl ?? [])
    expect(origins).toEqual([await bound(other)])
  })

  it('is not bound where keys are read from files', async () => {
    await put({ baseUrl: here }, false)
    await put({ baseUrl: there }, false)
    expect([(await accepted())?.baseUrl, await bound(secretName)]).toEqual([there, undefined])
  })
})
