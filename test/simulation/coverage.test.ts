import { describe, expect, it } from 'vitest'
import { hour, minute, second } from '../../functions/domain/time.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { Auditor, audit } from '../../simulation/audit.ts'
import { expectedKey } from '../../simulation/expected-record.ts'
import { connectorItem, key, secretName, secrets, start, World } from '../../simulation/world.ts'

/** The most that a backlog may reach back: 10 min less than the vendor keeps events. */
const initialBackfillMinutes = 4_310

/** Runs a backlog that begins at the retention limit, and looks every minute at what is covered, before the ledger forgets it. */
async function lookingAtIt(vendor: SimulatorOptions, item: ConnectorItem, forMs: number, respond?: Parameters<World['vendorResponds']>[0]) {
  const world = new World({ vendor: { paging: 'offset', eventsPerHour: 800, ...vendor } })
  if (respond !== undefined) world.vendorResponds(respond)
  await world.put(connectorItem({ initialBackfillMinutes, ...item }))
  const auditor = new Auditor(world)
  for (let passed = 0; passed < forMs; passed += minute) {
    await world.run(minute)
    await auditor.look()
  }
  expect(world.record.crashes).toEqual([])
  return { world, ...auditor.result() }
}

describe('a vendor that numbers the items of its pages', () => {
  it.each([
    ['20 requests a minute', 20, 'ascending'],
    ['7 requests a minute', 7, 'ascending'],
    ['7 requests a minute, the newest first', 7, 'descending'],
    ['2 requests a minute', 2, 'ascending'],
    ['1 request a minute', 1, 'ascending'],
  ] as const)('costs nothing that counts as covered, with %s', async (_, requestsPerMinute, order) => {
    const { world, missing } = await lookingAtIt({ requestsPerMinute, order }, { requestsPerMinute }, hour)
    expect(missing).toEqual([])
    expect(world.lake.records).toBeGreaterThan(Math.min(50_000, 100 * requestsPerMinute * 60))
    const { lostRanges } = await world.stream('acme.cas', 'sharepoint/dlp')
    // With enough requests nothing is lost beyond the two minutes in which no range may begin.
    if (requestsPerMinute === 20) expect(lostRanges.reduce((ms, { from, to }) => ms + to - from, 0)).toBeLessThan(minute)
  })

  it('costs nothing that counts as covered while it refuses requests for a quarter of an hour at a time', async () => {
    const isClosed = (now: number) => (now - start) % (40 * minute) > 24 * minute
    const { world, missing } = await lookingAtIt({}, {}, 2 * hour, (_, now) =>
      isClosed(now) ? { status: 429, headers: { 'retry-after': String(14 * 60) }, body: { code: -4290001, msg: 'No' } } : undefined,
    )
    expect(missing).toEqual([])
    expect(world.lake.records).toBeGreaterThan(20_000)
  })
})

describe('more backfill', () => {
  it('is read when it is asked for later, and less changes nothing', async () => {
    const world = new World({ vendor: { eventsPerHour: 60 } })
    await world.put(connectorItem({ initialBackfillMinutes: 10 }))
    await world.run(hour)
    await world.put(connectorItem({ initialBackfillMinutes: 600 }))
    await world.run(30 * minute)
    const { since, covered } = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(since).toBe(start - 600 * minute)
    expect(covered[0]!.from).toBe(start - 600 * minute)
    expect((await audit(world)).missing).toEqual([])
    await world.put(connectorItem({ initialBackfillMinutes: 10 }))
    await world.run(30 * minute)
    expect((await world.stream('acme.cas', 'sharepoint/dlp')).since).toBe(start - 600 * minute)
  })

  it('is read as far as the vendor still keeps it', async () => {
    const world = new World({ vendor: { eventsPerHour: 6 } })
    await world.put(connectorItem({ initialBackfillMinutes: 10 }))
    await world.run(20 * hour)
    await world.put(connectorItem({ initialBackfillMinutes }))
    await world.run(30 * minute)
    const { since, lostRanges } = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(Math.abs(since - (world.clock.now() - 72 * hour + 2 * minute))).toBeLessThan(5 * minute + 5 * second)
    // The limit goes on while the rest is read.
    expect(lostRanges.reduce((ms, { from, to }) => ms + to - from, 0)).toBeLessThan(10 * minute)
  })
})

describe('another origin', () => {
  it('begins anew: what the former one proved proves nothing there, and what was unread there is counted as lost', async () => {
    const world = new World({ vendor: { eventsPerHour: 60 } })
    await world.put(connectorItem({ initialBackfillMinutes: 60 }))
    await world.run(2 * hour)
    const requests: string[] = []
    const usual = world.model.respond.bind(world.model)
    world.model.respond = (request, now) => {
      requests.push(request.origin ?? '')
      return usual(request, now)
    }
    const [, second] = Object.keys(secrets)
    await world.put(connectorItem({ initialBackfillMinutes: 60, baseUrl: 'https://api-eu.tmcas.trendmicro.com', apiKeySecrets: [second] }))
    await world.run(hour)
    expect(new Set(requests)).toEqual(new Set(['https://api-eu.tmcas.trendmicro.com']))
    const stream = await world.stream('acme.cas', 'sharepoint/dlp')
    expect(stream.since).toBe(start - hour)
    expect(stream.covered[0]!.from).toBe(start - hour)
    expect(stream.lostBefore?.count).toBe(1)
    expect((await world.status('acme.cas')).lostRanges).toBe(1)
  })
})

describe('a new key of the connector', () => {
  const second = 'tributary/acme/simulated-second'

  it('reads what is still there again, after everything else, and what it finds is not late', async () => {
    const keys = Object.entries(secrets).map(([name, key]) => ({ key, customer: name === secretName ? 'one' : 'two' }))
    const world = new World({ vendor: { eventsPerHour: 60, keys } })
    await world.put(connectorItem())
    await world.run(2 * hour)
    await world.put(connectorItem({ apiKeySecrets: [second] }))
    await world.run(hour)
    const lake = world.lake.byConnector.get('acme.cas')!
    const ofOther = [...world.model.eventsVisible('sharepoint/dlp', start, start + 90 * minute, undefined, { customer: 'two' })]
    expect(ofOther.length).toBeGreaterThan(50)
    expect(ofOther.filter((event) => !lake.has(expectedKey(event)))).toEqual([])
    expect((await world.stream('acme.cas', 'sharepoint/dlp')).counts.late).toBe(0)
  })

  it('reads again what lies behind an event that the vendor cannot serve, too', async () => {
    const keys = Object.entries(secrets).map(([name, key]) => ({ key, customer: name === secretName ? 'one' : 'two' }))
    const world = new World({ vendor: { eventsPerHour: 60, keys } })
    const bad = start + 33 * minute + 123
    world.vendorResponds((asked) =>
      Date.parse(asked.get('start') ?? '') <= bad && bad <= Date.parse(asked.get('end') ?? '') ? { status: 500 } : undefined,
    )
    await world.put(connectorItem())
    await world.run(2 * hour)
    await world.put(connectorItem({ apiKeySecrets: [second] }))
    await world.run(2 * hour)
    const lake = world.lake.byConnector.get('acme.cas')!
    const behind = [...world.model.eventsVisible('sharepoint/dlp', bad + minute, start + 90 * minute, undefined, { customer: 'two' })]
    expect(behind.length).toBeGreaterThan(30)
    expect(behind.filter((event) => !lake.has(expectedKey(event)))).toEqual([])
    expect((await world.stream('acme.cas', 'sharepoint/dlp')).counts.late).toBe(0)
  })

  it('that was known before reads nothing again, so two keys may alternate', async () => {
    const world = new World({ vendor: { eventsPerHour: 60 } })
    await world.put(connectorItem({ apiKeySecrets: Object.keys(secrets) }))
    await world.run(hour)
    const reread: string[] = []
    world.vendorResponds((asked, now) => {
      const from = asked.get('start') ?? ''
      if (Date.parse(from) < now - 40 * minute) reread.push(from)
      return undefined
    })
    for (const name of [second, secretName, second, secretName]) {
      await world.put(connectorItem({ apiKeySecrets: [name] }))
      await world.run(20 * minute)
    }
    expect(reread).toEqual([])
  })
})

describe('a key that the vendor rejects for long', () => {
  it('does not hide that events will be lost', async () => {
    const world = new World({ vendor: { eventsPerHour: 6 } })
    await world.put(connectorItem())
    await world.run(hour)
    world.model.change({ revokedKeys: [key] })
    await world.run(60 * hour)
    const status = await world.status('acme.cas')
    expect(status).toMatchObject({ state: 'failing', cause: 'unauthorized' })
    expect(status.reason).toMatch(/\(401\).+ The oldest unread events are lost in \d+ h: the vendor keeps events for 72 h\./)
  })
})
