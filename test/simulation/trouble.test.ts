import { describe, expect, it } from 'vitest'
import { ok } from '../../functions/domain/result.ts'
import { coveredTo } from '../../functions/domain/stream/ledger.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, key, secretName, start, World } from '../../simulation/world.ts'

const goodKey = { key, customer: 'customer' }

async function expectOthersGoOn(world: World): Promise<void> {
  expect(world.crashes).toEqual([])
  expect(await world.status('acme-cas')).toMatchObject({ state: 'ok', reason: '' })
  const { missing } = await audit(world)
  expect(missing).toEqual([])
}

describe('a bad edit of a running connector', () => {
  it('leaves the accepted version collecting, and the status says what was refused', async () => {
    const world = new World()
    await world.put(connectorItem())
    await world.run(hour)
    await world.put(connectorItem({ eventTypes: ['dlp', 'malware'], intervalMinutes: 0 }))
    await world.run(hour)
    const status = await world.status('acme-cas')
    expect(status.state).toBe('ok')
    expect(status.reason).toContain('The last edit was refused, so the version before it stays in use')
    expect(status.problems.map(({ path }) => path)).toEqual(expect.arrayContaining(['eventTypes[1]', 'intervalMinutes']))
    expect(coveredTo(await world.stream('acme-cas', 'sharepoint/dlp'), world.clock.now())).toBeGreaterThan(start + 100 * minute)
    await world.put(connectorItem())
    await world.run(10 * minute)
    expect(await world.status('acme-cas')).toMatchObject({ state: 'ok', reason: '', problems: [] })
  })

  it('cannot move it to another tenant', async () => {
    const world = new World()
    await world.put(connectorItem())
    await world.run(10 * minute)
    await world.put(connectorItem({ tenantName: 'Globex' }))
    await world.run(10 * minute)
    expect((await world.status('acme-cas')).problems.map(({ path }) => path)).toEqual(['tenantName'])
    expect((await world.state.readAccepted('acme-cas'))?.connector.tenantName).toBe('Acme')
  })
})

describe('an item that was never right', () => {
  it('runs not at all, says all that is wrong, and stops nobody else', async () => {
    const world = new World()
    await world.put(connectorItem({ connectorId: 'bad', baseUrl: 'http://10.0.0.1', apiKeySecrets: [], colour: 'red' }))
    await world.put(connectorItem())
    await world.run(30 * minute)
    const status = await world.status('bad')
    expect(status.state).toBe('refused')
    expect(status.problems.map(({ path }) => path)).toEqual(expect.arrayContaining(['baseUrl', 'apiKeySecrets', 'colour']))
    await expectOthersGoOn(world)
  })
})

describe('a secret', () => {
  it('that does not exist yet is named, and collecting begins when it does', async () => {
    const world = new World()
    await world.put(connectorItem({ connectorId: 'early', apiKeySecrets: ['tributary/early'] }))
    await world.put(connectorItem())
    await world.run(20 * minute)
    const status = await world.status('early')
    expect(status.state).toBe('failing')
    expect(status.reason).toContain('There is no secret named tributary/early')
    await expectOthersGoOn(world)
    world.secrets.values.set('tributary/early', 'another-key-0123456789abcdef0123')
    await world.run(20 * minute)
    expect(await world.status('early')).toMatchObject({ state: 'ok' })
  })

  it('whose key the vendor rejects is named with what to do; the next key stored in it is used', async () => {
    const world = new World({ vendor: { keys: [goodKey] } })
    world.secrets.values.set('tributary/expired', 'expired-key-0123456789abcdef')
    await world.put(connectorItem({ connectorId: 'expired', apiKeySecrets: ['tributary/expired'] }))
    await world.put(connectorItem())
    await world.run(30 * minute)
    const status = await world.status('expired')
    expect(status.state).toBe('failing')
    expect(status.reason).toMatch(/The vendor answered 401.*store a new one in the secret/)
    expect(world.model.account.requests('expired-key-0123456789abcdef').length).toBeLessThan(5)
    await expectOthersGoOn(world)
    world.secrets.values.set('tributary/expired', key)
    await world.run(2 * hour)
    expect(await world.status('expired')).toMatchObject({ state: 'ok', reason: '' })
  })

  it('that is one of a pool and rejected leaves the others collecting, and the status says how many', async () => {
    const world = new World({ vendor: { keys: [goodKey] } })
    world.secrets.values.set('tributary/old', 'old-key-0123456789abcdef')
    await world.put(connectorItem({ apiKeySecrets: ['tributary/old', secretName] }))
    await world.run(hour)
    const status = await world.status('acme-cas')
    expect(status.state).toBe('ok')
    expect(status.reason).toContain('1 of 2 keys rejected')
    const { missing, expected } = await audit(world)
    expect(missing).toEqual([])
    expect(expected).toBeGreaterThan(30)
  })

  it('that is mended is spoken of no more', async () => {
    const second = 'second-key-0123456789abcdef'
    const world = new World({ vendor: { keys: [goodKey, { key: second, customer: 'customer' }] } })
    world.secrets.values.set('tributary/old', 'old-key-0123456789abcdef')
    await world.put(connectorItem({ apiKeySecrets: ['tributary/old', secretName] }))
    await world.run(hour)
    world.secrets.values.set('tributary/old', second)
    await world.run(hour)
    expect(await world.status('acme-cas')).toMatchObject({ state: 'ok', reason: '' })
    expect(world.model.account.requests(second).length).toBeGreaterThan(0)
  })

  it('of each key of a pool is read afresh when the vendor rejects it', async () => {
    const keys = ['first-key', 'second-key', 'next-first-key', 'next-second-key'].map((name) => ({ key: name, customer: 'customer' }))
    const world = new World({ vendor: { keys } })
    const cached = new Map([
      ['tributary/first', 'first-key'],
      ['tributary/second', 'second-key'],
    ])
    const read = world.secrets.read.bind(world.secrets)
    world.secrets.read = async (reference, { bypassCache }: { readonly bypassCache?: boolean } = {}) => {
      const known = cached.get(reference.secretName)
      if (bypassCache !== true && known !== undefined) return ok({ apiKey: known })
      const secret = await read(reference)
      if (secret.ok) cached.set(reference.secretName, secret.value.apiKey)
      return secret
    }
    for (const name of ['first', 'second']) world.secrets.values.set(`tributary/${name}`, `${name}-key`)
    await world.put(
      connectorItem({ apiKeySecrets: ['tributary/first', 'tributary/second'], eventTypes: ['dlp', 'securityrisk', 'ransomware'] }),
    )
    await world.run(20 * minute)
    for (const name of ['first', 'second']) world.secrets.values.set(`tributary/${name}`, `next-${name}-key`)
    world.model.change({ revokedKeys: ['first-key', 'second-key'] })
    await world.run(10 * minute)
    expect(await world.status('acme-cas')).toMatchObject({ state: 'ok', reason: '' })
    for (const name of ['first', 'second']) expect(world.model.account.requests(`next-${name}-key`).length).toBeGreaterThan(0)
  })

  it('is never used for two tenants unless both say so', async () => {
    const world = new World()
    await world.put(connectorItem())
    await world.put(connectorItem({ connectorId: 'globex-cas', name: 'globex-cas', tenantName: 'Globex' }))
    await world.run(20 * minute)
    const status = await world.status('globex-cas')
    expect(status.state).toBe('refused')
    expect(status.reason).toContain('Connector acme-cas of another tenant uses the API key')
    expect(world.lake.byConnector.has('globex-cas')).toBe(false)
    await expectOthersGoOn(world)
    await world.put(connectorItem({ sharedKey: true }))
    await world.put(connectorItem({ connectorId: 'globex-cas', name: 'globex-cas', tenantName: 'Globex', sharedKey: true }))
    await world.run(20 * minute)
    expect(await world.status('globex-cas')).toMatchObject({ state: 'ok' })
  })
})

describe('a key that a connector no longer has', () => {
  it('may be used by a connector of another tenant at once', async () => {
    const world = new World()
    world.secrets.values.set('tributary/second', 'second-key-0123456789abcdef')
    await world.put(connectorItem())
    await world.put(connectorItem({ apiKeySecrets: ['tributary/second'] }))
    await world.put(connectorItem({ connectorId: 'globex-cas', name: 'globex-cas', tenantName: 'Globex' }))
    await world.run(10 * minute)
    expect(await world.status('globex-cas')).toMatchObject({ state: 'ok', problems: [] })
  })

  it('is still its own where it has it under another name', async () => {
    const world = new World()
    world.secrets.values.set('tributary/renamed', key)
    await world.put(connectorItem())
    await world.put(connectorItem({ apiKeySecrets: ['tributary/renamed'] }))
    await world.put(connectorItem({ connectorId: 'globex-cas', name: 'globex-cas', tenantName: 'Globex' }))
    expect(await world.status('globex-cas')).toMatchObject({ state: 'refused' })
  })
})

describe('several keys for one connector', () => {
  it('collect a backlog as fast as all of them allow', async () => {
    const second = 'second-key-0123456789abcdef'
    const world = new World({
      pageItems: 25,
      vendor: { keys: [goodKey, { key: second, customer: 'customer' }], eventsPerHour: 600, pageIdBoundToKey: true },
    })
    world.secrets.values.set('tributary/second', second)
    await world.put(
      connectorItem({
        apiKeySecrets: [secretName, 'tributary/second'],
        eventTypes: ['dlp', 'securityrisk', 'ransomware'],
        initialBackfillMinutes: 4_000,
      }),
    )
    await world.run(30 * minute)
    const { account } = world.model
    for (const each of [key, second]) {
      expect(account.maxRequestsInAnyMinute(each)).toBeLessThanOrEqual(20)
      expect(account.requests(each).length).toBeGreaterThan(0.9 * 30 * 20)
    }
  })

  it('of one customer keep one limit together when they are a rate group', async () => {
    const second = 'second-key-0123456789abcdef'
    const world = new World({ pageItems: 25, vendor: { keys: [goodKey, { key: second, customer: 'customer' }], eventsPerHour: 1_500 } })
    world.secrets.values.set('tributary/second', second)
    await world.put(connectorItem({ rateGroup: 'acme', initialBackfillMinutes: 4_000 }))
    await world.put(
      connectorItem({ connectorId: 'acme-2', rateGroup: 'acme', apiKeySecrets: ['tributary/second'], initialBackfillMinutes: 4_000 }),
    )
    await world.run(30 * minute)
    const all = [key, second].flatMap((each) => world.model.account.requests(each).map(({ at }) => at)).sort((a, b) => a - b)
    for (const from of all) expect(all.filter((at) => at >= from && at < from + minute).length).toBeLessThanOrEqual(20)
    expect(all.length).toBeGreaterThan(0.95 * 30 * 20)
  })
})

describe('a stream that the key has no permission for', () => {
  it('waits, and the others go on', async () => {
    const world = new World({ vendor: { forbiddenStreams: ['sharepoint/dlp'] } })
    await world.put(connectorItem({ eventTypes: ['dlp', 'securityrisk'] }))
    await world.run(hour)
    const status = await world.status('acme-cas')
    expect(status.state).toBe('failing')
    expect(status.reason).toMatch(/sharepoint\/dlp: The vendor answered 403.*Grant it/)
    expect(coveredTo(await world.stream('acme-cas', 'sharepoint/securityrisk'), world.clock.now())).toBeGreaterThan(start + 40 * minute)
  })
})

describe('a stream that is not there', () => {
  it.each([404, 302])('and answered with %i stops no other', async (status) => {
    const world = new World()
    world.vendorResponds((asked) => (asked.get('event') === 'dlp' ? { status } : undefined))
    await world.put(connectorItem({ eventTypes: ['dlp', 'securityrisk'] }))
    await world.run(2 * hour)
    expect((await world.status('acme-cas')).reason).toContain(`The vendor answered ${status}`)
    expect(coveredTo(await world.stream('acme-cas', 'sharepoint/securityrisk'), world.clock.now())).toBeGreaterThan(start + 90 * minute)
  })
})

describe('a stream whose links never come to an end', () => {
  it('is not served before all others for ever', async () => {
    const world = new World({ vendor: { eventsPerHour: 20 } })
    let links = 0
    world.vendorResponds((asked) => {
      if (asked.get('endless') === null && asked.get('event') !== 'dlp') return undefined
      links += 1
      return {
        status: 200,
        body: { security_events: [], next_link: `https://api.tmcas.trendmicro.com/v1/siem/security_events?endless=${links}` },
      }
    })
    await world.put(connectorItem({ contentTypes: ['sharepoint', 'exchange', 'gmail'], eventTypes: ['dlp', 'securityrisk', 'ransomware'] }))
    await world.run(30 * minute)
    for (let i = 0; i < 30; i++) {
      await world.run(10 * minute)
      const { streams } = await world.state.readRun('acme-cas')
      for (const [id, { readThrough }] of streams)
        if (!id.endsWith('/dlp')) expect(world.clock.now() - readThrough).toBeLessThan(15 * minute)
    }
    expect(world.crashes).toEqual([])
  })
})

describe('a connector that is switched off while it runs', () => {
  it('ends its run, and its status stays paused', async () => {
    const vendor = { eventsPerHour: 1_500, requestsPerMinute: 0, delayMs: { min: 500, max: 1_000 } }
    const world = new World({ pageItems: 25, vendor })
    const item = connectorItem({ requestsPerMinute: 600, initialBackfillMinutes: 4_000 })
    await world.put(item)
    await world.run(2 * minute)
    await world.put({ ...item, enabled: false })
    const at = world.clock.now()
    await world.run(20 * minute)
    expect(await world.status('acme-cas')).toMatchObject({ state: 'paused' })
    expect(world.model.account.requests(key).filter((request) => request.at > at + minute)).toEqual([])
  })
})

describe('the state table of a connector', () => {
  it('never holds the key', async () => {
    const world = new World({ vendor: { keys: [goodKey], revokedKeys: [key] } })
    await world.put(connectorItem())
    await world.run(10 * minute)
    expect(JSON.stringify([await world.status('acme-cas'), world.log])).not.toContain(key)
  })
})
