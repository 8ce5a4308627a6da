import { describe, expect, it, test } from 'vitest'
import { ok } from '../../functions/domain/result.ts'
import { remark, statusRow } from '../../functions/domain/status/status-row.ts'
import { coveredTo } from '../../functions/domain/stream/ledger.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, key, secretName, secretNameOfGlobex, start, World } from '../../simulation/world.ts'

const goodKey = { key, customer: 'customer' }
/** The vendor allows one key this many in any 60 s (requests). */
const requestsPerMinute = 20
/** Both keys of a pool are nearly always in use. If the connector used one key at a time, each would be at half (share). */
const poolUsedShareMin = 0.9
/** The limiter allows 60 of 61 requests, because clocks may be a second apart. The rest is for the start of the runs (share). */
const groupUsedShareMin = 0.95
/** A rejected key is tried again after a backoff, not at every interval: half an hour has 6 intervals (requests). */
const rejectedRequestsMax = 5
/** A stream beside an endless one is read at least at every third interval of 5 minutes. */
const readLagMaxMs = 15 * minute

/** A connector of another tenant that has the same key. */
const globex = { connectorId: 'globex.cas', name: 'globex-cas', tenantName: 'Globex', apiKeySecrets: [secretNameOfGlobex] }

/** A connector `acme.cas` beside the one in trouble collects everything. */
async function expectOthersGoOn(world: World): Promise<void> {
  expect(world.record.crashes).toEqual([])
  expect(await world.status('acme.cas')).toMatchObject({ state: 'ok', reason: '' })
  const { missing } = await audit(world)
  expect(missing).toEqual([])
}

describe('a bad edit of a running connector', () => {
  it('leaves the accepted version in use, and the status says which attributes were refused', async () => {
    const world = new World()
    await world.put(connectorItem())
    await world.run(hour)
    await world.put(connectorItem({ eventTypes: ['dlp', 'malware'], intervalMinutes: 0 }))
    await world.run(hour)
    const status = await world.status('acme.cas')
    expect(status.state).toBe('ok')
    expect(status.reason).toContain('The last edit was refused, so the version before it stays in use')
    expect(status.problems.map(({ path }) => path)).toEqual(expect.arrayContaining(['eventTypes[1]', 'intervalMinutes']))
    expect(coveredTo(await world.stream('acme.cas', 'sharepoint/dlp'), world.clock.now())).toBeGreaterThan(start + 100 * minute)
    await world.put(connectorItem())
    await world.run(10 * minute)
    expect(await world.status('acme.cas')).toMatchObject({ state: 'ok', reason: '', problems: [] })
  })

  it('cannot move the connector to another tenant', async () => {
    const world = new World()
    await world.put(connectorItem())
    await world.run(10 * minute)
    await world.put(connectorItem({ tenantName: 'Globex' }))
    await world.run(10 * minute)
    expect((await world.status('acme.cas')).problems.map(({ path }) => path)).toEqual(['tenantName'])
    expect((await world.state.readAccepted('acme.cas'))?.connector.tenantName).toBe('Acme')
  })
})

test('an item that was never right is not run, has every mistake in its status, and stops no other connector', async () => {
  const world = new World()
  await world.put(connectorItem({ connectorId: 'acme.bad', baseUrl: 'http://10.0.0.1', apiKeySecrets: [], colour: 'red' }))
  await world.put(connectorItem())
  await world.run(30 * minute)
  const status = await world.status('acme.bad')
  expect(status.state).toBe('refused')
  expect(status.problems.map(({ path }) => path)).toEqual(expect.arrayContaining(['baseUrl', 'apiKeySecrets', 'colour']))
  await expectOthersGoOn(world)
})

describe('the secret of a connector', () => {
  it('is named in the status while it does not exist, and collecting begins when it does', async () => {
    const world = new World()
    await world.put(connectorItem({ connectorId: 'acme.early', apiKeySecrets: ['tributary/acme/early'] }))
    await world.put(connectorItem())
    await world.run(20 * minute)
    const status = await world.status('acme.early')
    expect(status.state).toBe('failing')
    expect(status.reason).toContain('There is no secret named tributary/acme/early')
    await expectOthersGoOn(world)
    world.secrets.values.set('tributary/acme/early', 'another-key-0123456789abcdef0123')
    await world.run(20 * minute)
    expect(await world.status('acme.early')).toMatchObject({ state: 'ok' })
  })

  it('has a remedy in the status when the vendor rejects its key, and the next key that is stored in it is used', async () => {
    const world = new World({ vendor: { keys: [goodKey] } })
    world.secrets.values.set('tributary/acme/expired', 'expired-key-0123456789abcdef')
    await world.put(connectorItem({ connectorId: 'acme.expired', apiKeySecrets: ['tributary/acme/expired'] }))
    await world.put(connectorItem())
    await world.run(30 * minute)
    const status = await world.status('acme.expired')
    expect(status.state).toBe('failing')
    expect(status.reason).toMatch(/The vendor responded with status 401.*store a new one in the secret/)
    expect(world.model.account.requests('expired-key-0123456789abcdef').length).toBeLessThan(rejectedRequestsMax)
    await expectOthersGoOn(world)
    world.secrets.values.set('tributary/acme/expired', key)
    await world.run(2 * hour)
    expect(await world.status('acme.expired')).toMatchObject({ state: 'ok', reason: '' })
  })

  it('stops no other of a pool when its key is rejected, and its row says how many keys are rejected', async () => {
    const world = new World({ vendor: { keys: [goodKey] } })
    world.secrets.values.set('tributary/acme/old', 'old-key-0123456789abcdef')
    await world.put(connectorItem({ apiKeySecrets: ['tributary/acme/old', secretName] }))
    await world.run(hour)
    const status = await world.status('acme.cas')
    expect(status.state).toBe('ok')
    expect(remark(statusRow('acme.cas', status, world.clock.now()))).toContain('1 of 2 keys rejected')
    const { missing, expected } = await audit(world)
    expect(missing).toEqual([])
    expect(expected).toBeGreaterThan(30)
  })

  it('is no longer in the status when it holds a good key again', async () => {
    const second = 'second-key-0123456789abcdef'
    const world = new World({ vendor: { keys: [goodKey, { key: second, customer: 'customer' }] } })
    world.secrets.values.set('tributary/acme/old', 'old-key-0123456789abcdef')
    await world.put(connectorItem({ apiKeySecrets: ['tributary/acme/old', secretName] }))
    await world.run(hour)
    world.secrets.values.set('tributary/acme/old', second)
    await world.run(hour)
    expect(await world.status('acme.cas')).toMatchObject({ state: 'ok', reason: '' })
    expect(world.model.account.requests(second).length).toBeGreaterThan(0)
  })

  it('is read again, without the cache, for each key of a pool that the vendor rejects', async () => {
    const keys = ['first-key', 'second-key', 'next-first-key', 'next-second-key'].map((name) => ({ key: name, customer: 'customer' }))
    const world = new World({ vendor: { keys } })
    const cached = new Map([
      ['tributary/acme/first', 'first-key'],
      ['tributary/acme/second', 'second-key'],
    ])
    const read = world.secrets.read.bind(world.secrets)
    world.secrets.read = async (reference, { bypassCache }: { readonly bypassCache?: boolean } = {}) => {
      const known = cached.get(reference.secretName)
      if (bypassCache !== true && known !== undefined) return ok({ apiKey: known })
      const secret = await read(reference)
      if (secret.ok) cached.set(reference.secretName, secret.value.apiKey)
      return secret
    }
    for (const name of ['first', 'second']) world.secrets.values.set(`tributary/acme/${name}`, `${name}-key`)
    await world.put(
      connectorItem({
        apiKeySecrets: ['tributary/acme/first', 'tributary/acme/second'],
        eventTypes: ['dlp', 'securityrisk', 'ransomware'],
      }),
    )
    await world.run(20 * minute)
    for (const name of ['first', 'second']) world.secrets.values.set(`tributary/acme/${name}`, `next-${name}-key`)
    world.model.change({ revokedKeys: ['first-key', 'second-key'] })
    await world.run(10 * minute)
    expect(await world.status('acme.cas')).toMatchObject({ state: 'ok', reason: '' })
    for (const name of ['first', 'second']) expect(world.model.account.requests(`next-${name}-key`).length).toBeGreaterThan(0)
  })

  it('never serves two tenants unless both allow it', async () => {
    const world = new World()
    await world.put(connectorItem())
    await world.put(connectorItem({ ...globex }))
    await world.run(20 * minute)
    const status = await world.status('globex.cas')
    expect(status.state).toBe('refused')
    expect(status.reason).toContain('Connector acme.cas of another tenant uses the API key')
    expect(world.lake.byConnector.has('globex.cas')).toBe(false)
    await expectOthersGoOn(world)
    await world.put(connectorItem({ sharedKey: true }))
    await world.put(connectorItem({ ...globex, sharedKey: true }))
    await world.run(20 * minute)
    expect(await world.status('globex.cas')).toMatchObject({ state: 'ok' })
  })
})

describe('a key that a connector no longer has', () => {
  it('may be used by a connector of another tenant at once', async () => {
    const world = new World()
    world.secrets.values.set('tributary/acme/second', 'second-key-0123456789abcdef')
    await world.put(connectorItem())
    await world.put(connectorItem({ apiKeySecrets: ['tributary/acme/second'] }))
    await world.put(connectorItem({ ...globex }))
    await world.run(10 * minute)
    expect(await world.status('globex.cas')).toMatchObject({ state: 'ok', problems: [] })
  })

  it('still belongs to the connector when the connector has it under another name', async () => {
    const world = new World()
    world.secrets.values.set('tributary/acme/renamed', key)
    await world.put(connectorItem())
    await world.put(connectorItem({ apiKeySecrets: ['tributary/acme/renamed'] }))
    await world.put(connectorItem({ ...globex }))
    expect(await world.status('globex.cas')).toMatchObject({ state: 'refused' })
  })
})

describe('several keys for one connector', () => {
  it('collect a backlog with all requests that they allow together', async () => {
    const second = 'second-key-0123456789abcdef'
    const world = new World({
      pageItems: 25,
      vendor: { keys: [goodKey, { key: second, customer: 'customer' }], eventsPerHour: 600, pageIdBoundToKey: true },
    })
    world.secrets.values.set('tributary/acme/second', second)
    await world.put(
      connectorItem({
        apiKeySecrets: [secretName, 'tributary/acme/second'],
        eventTypes: ['dlp', 'securityrisk', 'ransomware'],
        initialBackfillMinutes: 4_000,
      }),
    )
    await world.run(30 * minute)
    const { account } = world.model
    for (const each of [key, second]) {
      expect(account.maxRequestsInAnyMinute(each)).toBeLessThanOrEqual(requestsPerMinute)
      expect(account.requests(each).length).toBeGreaterThan(poolUsedShareMin * 30 * requestsPerMinute)
    }
  })

  it('keep one limit together when they are one rate group', async () => {
    const second = 'second-key-0123456789abcdef'
    const world = new World({ pageItems: 25, vendor: { keys: [goodKey, { key: second, customer: 'customer' }], eventsPerHour: 1_500 } })
    world.secrets.values.set('tributary/acme/second', second)
    await world.put(connectorItem({ rateGroup: 'acme', initialBackfillMinutes: 4_000 }))
    await world.put(
      connectorItem({ connectorId: 'acme.2', rateGroup: 'acme', apiKeySecrets: ['tributary/acme/second'], initialBackfillMinutes: 4_000 }),
    )
    await world.run(30 * minute)
    const all = [key, second].flatMap((each) => world.model.account.requests(each).map(({ at }) => at)).sort((a, b) => a - b)
    for (const from of all) expect(all.filter((at) => at >= from && at < from + minute).length).toBeLessThanOrEqual(requestsPerMinute)
    expect(all.length).toBeGreaterThan(groupUsedShareMin * 30 * requestsPerMinute)
  })
})

test('a stream that the key has no permission for waits, and the other streams go on', async () => {
  const world = new World({ vendor: { forbiddenStreams: ['sharepoint/dlp'] } })
  await world.put(connectorItem({ eventTypes: ['dlp', 'securityrisk'] }))
  await world.run(hour)
  const status = await world.status('acme.cas')
  expect(status.state).toBe('failing')
  expect(status.reason).toMatch(/sharepoint\/dlp: The vendor responded with status 403.*Grant it/)
  expect(coveredTo(await world.stream('acme.cas', 'sharepoint/securityrisk'), world.clock.now())).toBeGreaterThan(start + 40 * minute)
})

test.each([404, 302])('a stream that does not exist, with the response %i, stops no other stream', async (status) => {
  const world = new World()
  world.vendorResponds((asked) => (asked.get('event') === 'dlp' ? { status } : undefined))
  await world.put(connectorItem({ eventTypes: ['dlp', 'securityrisk'] }))
  await world.run(2 * hour)
  expect((await world.status('acme.cas')).reason).toContain(`The vendor responded with status ${status}`)
  expect(coveredTo(await world.stream('acme.cas', 'sharepoint/securityrisk'), world.clock.now())).toBeGreaterThan(start + 90 * minute)
})

test('a stream whose links never end does not keep the other streams waiting', async () => {
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
    const { streams } = await world.state.readRun('acme.cas')
    for (const [id, { readThrough }] of streams)
      if (!id.endsWith('/dlp')) expect(world.clock.now() - readThrough).toBeLessThan(readLagMaxMs)
  }
  expect(world.record.crashes).toEqual([])
})

test('a connector that is switched off while it runs ends its run and stays paused', async () => {
  const vendor = { eventsPerHour: 1_500, requestsPerMinute: 0, delayMs: { min: 500, max: 1_000 } }
  const world = new World({ pageItems: 25, vendor })
  const item = connectorItem({ requestsPerMinute: 600, initialBackfillMinutes: 4_000 })
  await world.put(item)
  await world.run(2 * minute)
  await world.put({ ...item, enabled: false })
  const at = world.clock.now()
  await world.run(20 * minute)
  expect(await world.status('acme.cas')).toMatchObject({ state: 'paused' })
  expect(world.model.account.requests(key).filter((request) => request.at > at + minute)).toEqual([])
})

test('no key is in the status or the log when the vendor rejects it', async () => {
  const world = new World({ vendor: { keys: [goodKey], revokedKeys: [key] } })
  await world.put(connectorItem())
  await world.run(10 * minute)
  expect(JSON.stringify([await world.status('acme.cas'), world.record.log])).not.toContain(key)
})
