import { describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import { minute, second } from '../../functions/domain/time.ts'
import { eventTypeNames } from '../../local/simulator/catalogue.ts'
import { connectorItem, key, secretName, secretNameOfGlobex, secrets, start, World } from '../../simulation/world.ts'
import { states, Tester } from './tester.ts'

const second2 = 'tributary/acme/simulated-second'
const us = 'https://api.tmcas.trendmicro.com'
const quiet = () => new World({ ticking: false })
const oneStream = connectorItem()
const fourStreams = connectorItem({ eventTypes: [...eventTypeNames] })

/** A world whose vendor answers every request with this status. */
function answering(status: number, body?: object, headers?: Readonly<Record<string, string>>) {
  const world = quiet()
  world.vendorResponds(() => ({ status, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) }))
  return new Tester(world)
}

describe('a failed step of a Test', () => {
  it.each([
    [400, 'Bad Request', 5, 'contentTypes[0]', 'Is the connector configured correctly?'],
    [401, 'Unauthorized', 4, 'apiKeySecrets[0]', 'Has it expired or been revoked?'],
    [403, 'Forbidden', 5, 'contentTypes[0]', 'It needs an authentication token of the API type Log Retrieval.'],
    [404, 'Not Found', 3, 'baseUrl', 'Is the base URL correct'],
    [302, 'Found', 3, 'baseUrl', 'Set baseUrl to the real address'],
    [405, 'Method Not Allowed', 4, 'baseUrl', 'a proxy or a firewall'],
    [429, 'Too Many Requests', 4, 'requestsPerMinute', 'It is tried again at 12:'],
    [500, 'Internal Server Error', 4, undefined, 'trace id'],
    [502, 'Bad Gateway', 4, undefined, 'trace id'],
    [503, 'Service Unavailable', 4, undefined, 'maintenance'],
  ])('by status %i says %s, in step %i, at %s', async (status, name, step, field, words) => {
    const result = await answering(status, { code: -1, msg: 'No', traceId: 'trace-7' }).run(oneStream)
    const [fault] = result.steps.find(({ state }) => state === 'failed')?.faults ?? []
    expect(result.steps.findIndex(({ state }) => state === 'failed')).toBe(step - 1)
    expect(fault).toMatchObject({ status, name, traceId: 'trace-7', recommendation: expect.stringContaining(words) })
    expect(fault?.field).toBe(field)
    expect(result.statusList).toContain('https://developer.mozilla.org/')
  })

  it('leaves out what needs it, says why, and goes on with the rest', async () => {
    const result = await answering(401).run(fourStreams)
    expect(states(result)).toEqual(['passed', 'passed', 'passed', 'failed', 'left-out', 'passed', 'passed'])
    expect(result).toMatchObject({ state: 'failed', summary: expect.stringContaining('1 of 7 steps failed, 1 could not be tried') })
    expect(result.steps[4]?.words).toBe('Left out: The vendor accepts no key.')
  })

  it('by a wrong body says so', async () => {
    const result = await answering(200, { hello: 'world' }).run(oneStream)
    expect(result.steps[3]).toMatchObject({ state: 'failed', faults: [{ name: 'Wrong body', field: 'baseUrl' }] })
  })

  it('by an origin that says nothing ends after one request, and says that it timed out', async () => {
    const world = new World({
      ticking: false,
      originTroubles: [{ origin: us, kind: 'request to a dead origin', from: 0, to: Number.POSITIVE_INFINITY }],
    })
    const result = await new Tester(world).run(fourStreams)
    expect(states(result)).toEqual(['passed', 'passed', 'failed', 'left-out', 'left-out', 'passed', 'passed'])
    expect(result.steps[2]).toMatchObject({ faults: [{ name: 'Time-out', field: 'baseUrl' }] })
  })

  it('of one stream does not stop the others', async () => {
    const world = quiet()
    world.vendorResponds((asked) => (asked.get('event') === 'ransomware' ? { status: 403 } : undefined))
    const { steps } = await new Tester(world).run(fourStreams)
    expect(steps[3]?.state).toBe('passed')
    expect(steps[4]).toMatchObject({
      state: 'failed',
      words: '3 of 4 streams answer.',
      faults: [{ tried: expect.stringContaining('sharepoint/ransomware') }],
    })
  })

  it('of one key of two names its secret, and the streams go on with the other', async () => {
    const world = new World({ ticking: false, vendor: { revokedKeys: [secrets[second2]] } })
    const { steps } = await new Tester(world).run(connectorItem({ ...fourStreams, apiKeySecrets: [secretName, second2] }))
    expect(steps[3]).toMatchObject({
      state: 'failed',
      words: 'The vendor accepts 1 of 2 keys.',
      faults: [{ field: 'apiKeySecrets[1]', status: 401 }],
    })
    expect(steps[4]).toMatchObject({ state: 'passed', words: '4 of 4 streams answer.' })
  })

  it.each([
    ['secret-missing', 'No such secret'],
    ['secret-unreadable', 'Secret not readable'],
    ['secret-malformed', 'No API key in the secret'],
  ] as const)('by a %s names its place, and goes on with the other key', async (code, name) => {
    const world = quiet()
    world.secrets.values.set(secretName, failure(code, 'Reading the secret failed'))
    const { steps } = await new Tester(world).run(connectorItem({ apiKeySecrets: [secretName, second2] }))
    expect(steps[1]).toMatchObject({ state: 'failed', faults: [{ name, field: 'apiKeySecrets[0]' }] })
    expect(steps[4]?.state).toBe('passed')
  })

  it('by an item with problems has each at its place, and no request is made', async () => {
    const tester = new Tester(quiet())
    const result = await tester.run(connectorItem({ intervalMinutes: 0, contentTypes: ['sharepont'] }))
    expect(states(result)).toEqual(['failed', 'left-out', 'left-out', 'left-out', 'left-out', 'passed', 'left-out'])
    expect(result.steps[0]?.faults.map(({ field }) => field)).toEqual(['intervalMinutes', 'contentTypes[0]'])
    expect(tester.world.model.account.requests(key)).toEqual([])
  })

  it('by a lake that takes nothing is the only one', async () => {
    const lakeCheck = { takeLine: async () => ({ ok: false, failure: failure('sink-failed', 'Firehose failed') }) as const }
    const result = await new Tester(quiet(), { lakeCheck }).run(oneStream)
    expect(states(result)).toEqual(['passed', 'passed', 'passed', 'passed', 'passed', 'failed', 'passed'])
    expect(result.steps[5]).toMatchObject({ faults: [{ name: 'Lake not writable' }] })
  })

  it('by a key without room says who else uses it', async () => {
    const tester = new Tester(quiet())
    const all = { contentTypes: ['sharepoint', 'onedrive', 'teams', 'box', 'gmail', 'dropbox', 'exchange'] }
    await tester.save(connectorItem({ ...all, connectorId: 'acme.first', eventTypes: [...eventTypeNames] }))
    const { steps } = await tester.run(connectorItem({ ...all, eventTypes: [...eventTypeNames] }))
    expect(steps[6]).toMatchObject({
      state: 'failed',
      words: expect.stringContaining('acme.first ask for 11 a minute more'),
      faults: [{ field: 'apiKeySecrets' }],
    })
  })

  it('by a refusal is tried again once when the vendor allows it, and passes then', async () => {
    const world = quiet()
    world.vendorResponds((_, now) => (now < start + 10 * second ? { status: 429, headers: { 'retry-after': '90' } } : undefined))
    const tester = new Tester(world)
    await tester.begin('acme.cas', oneStream)
    await world.run(30 * second)
    expect((await tester.result()).steps[3]?.words).toMatch(/the next request is due at 12:01:3\d UTC/)
    await world.run(3 * minute)
    expect((await tester.result()).steps[3]).toMatchObject({ state: 'passed' })
  })
})

describe('the Test of an item that is not saved', () => {
  async function requestsOf(tester: Tester, item: object) {
    // The first run of a saved connector.
    await tester.world.run(minute)
    const before = tester.world.model.account.requests(key).length
    const result = await tester.run({ ...oneStream, ...item }, 10 * minute, 'connectorId' in item ? String(item.connectorId) : 'acme.cas')
    return { result, requests: tester.world.model.account.requests(key).length - before }
  }

  it('sends no key to another address than the one that its secret is bound to', async () => {
    const tester = new Tester(quiet())
    await tester.save(oneStream)
    for (const connectorId of ['acme.cas', 'acme.other']) {
      const { result, requests } = await requestsOf(tester, { connectorId, baseUrl: 'https://api-eu.tmcas.trendmicro.com' })
      expect(result.steps[0]).toMatchObject({
        state: 'failed',
        faults: [{ field: 'baseUrl', seen: expect.stringContaining('a key goes only to') }],
      })
      expect(requests).toBe(0)
    }
  })

  it('reads no secret of another tenant', async () => {
    const { result, requests } = await requestsOf(new Tester(quiet()), { apiKeySecrets: [secretNameOfGlobex] })
    expect(result.steps[0]).toMatchObject({ state: 'failed', faults: [{ field: 'apiKeySecrets[0]' }] })
    expect(requests).toBe(0)
  })

  it('uses no key that belongs to another tenant', async () => {
    const tester = new Tester(quiet())
    await tester.save(oneStream)
    const { result, requests } = await requestsOf(tester, { connectorId: 'globex.cas', apiKeySecrets: [secretNameOfGlobex] })
    expect(result.steps[1]).toMatchObject({ state: 'failed', faults: [{ name: 'Key of another connector' }] })
    expect(requests).toBe(0)
  })

  it('is refused under another id, and to the operator of another tenant', async () => {
    const tester = new Tester(quiet())
    expect(await tester.begin('acme.cas', connectorItem({ connectorId: 'acme.other' }))).toMatchObject({
      ok: false,
      failure: { code: 'wrong' },
    })
    expect(await tester.begin('acme.cas', oneStream, { tenant: 'globex', awsRequestId: 'x' })).toMatchObject({
      failure: { code: 'not-allowed' },
    })
  })

  it('keeps nothing of an item with problems, in which somebody may have pasted a key', async () => {
    const tester = new Tester(quiet())
    await tester.run(connectorItem({ apiKeySecrets: [key], name: key, rateGroup: key }))
    expect(tester.written.length).toBeGreaterThan(0)
    expect(tester.written.filter((text) => text.includes(key))).toEqual([])
  })
})

describe('no state of a Test holds a key', () => {
  const encoded = [key, Buffer.from(key).toString('base64').replace(/=+$/, ''), encodeURIComponent(key), key.toUpperCase()]
  const echoes = { code: -1, msg: `The key ${key} is wrong`, traceId: key }

  it.each([200, 302, 400, 401, 403, 404, 405, 429, 500, 503])('when the vendor answers %i and repeats it', async (status) => {
    const tester = answering(status, echoes, { location: `https://${key}.example/${key}`, 'retry-after': '1' })
    await tester.run(connectorItem({ ...fourStreams, apiKeySecrets: [secretName, second2] }))
    expect(tester.written.length).toBeGreaterThan(5)
    for (const text of tester.written) for (const form of encoded) expect(text).not.toContain(form)
    expect(JSON.stringify(await tester.result())).not.toContain(key)
  })
})
