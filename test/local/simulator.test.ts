import { describe, expect, test } from 'vitest'
import { eventTypeNames, type StreamName, serviceNames } from '../../local/simulator/catalogue.ts'
import { VendorModel } from '../../local/simulator/model.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { ask, hour, idsOf, minute, noon, pageIdOf, pageOf, range, readAll, second, time } from './simulator-client.ts'

const free: SimulatorOptions = { requestsPerMinute: 0 }
const stream = 'sharepoint/securityrisk'
const lively = new VendorModel({ ...free, eventsPerHour: 3_600 })

function visible(model: VendorModel, from: number, to: number): string[] {
  return [...model.eventsVisible(stream, from, to)].map(({ id }) => id)
}

describe('the events of the vendor', () => {
  test('the same options and the same requests give the same responses, byte for byte', () => {
    const options: SimulatorOptions = {
      eventsPerHour: 5_000,
      lateMaxMs: minute,
      order: 'random',
      errorRate5xx: 0.2,
      truncateRate: 0.2,
      malformedPageRate: 0.1,
      malformedItemRate: 0.1,
      delayMs: { min: 0, max: 5_000 },
      otherRequestsPerMinute: 5,
    }
    const [one, other] = [new VendorModel(options), new VendorModel(options)].map((model) =>
      Array.from({ length: 60 }, (_, n) => ask(model, noon + n * 2_000, range(noon - hour, noon, { limit: 20 }))),
    )
    expect(one).toEqual(other)
  })

  test('another seed gives other events', () => {
    expect(visible(new VendorModel({ ...free, seed: 2 }), noon - hour, noon)).not.toEqual(visible(new VendorModel(free), noon - hour, noon))
  })

  test('a response has exactly the events of its range, in whatever order ranges are requested', () => {
    for (const from of [noon - hour, noon - 3 * hour, noon - 2 * hour]) {
      const ids = idsOf(readAll(lively, noon, range(from, from + hour - 1)))
      expect(ids).toEqual(visible(lively, from, from + hour))
      expect(new Set(ids).size).toBe(ids.length)
    }
  })

  test('each stream has about as many events as its own rate says', () => {
    const model = new VendorModel({ eventsPerHour: 7, streamEventsPerHour: { 'sharepoint/dlp': 20_000 } })
    expect([...model.eventsVisible(stream, noon - 100 * hour, noon)].length).toBeCloseTo(700, -1)
    expect(Math.abs([...model.eventsVisible('sharepoint/dlp', noon - hour, noon)].length - 20_000)).toBeLessThan(100)
  })

  test('two customers see different events, and two keys of one customer see the same', () => {
    const model = new VendorModel({
      keys: [
        { key: 'one', customer: 'acme' },
        { key: 'two', customer: 'acme' },
        { key: 'three', customer: 'globex' },
      ],
    })
    const [one, two, three] = ['one', 'two', 'three'].map((key) => idsOf([pageOf(ask(model, noon, range(noon - hour, noon), key))]))
    expect(two).toEqual(one)
    expect(three).not.toEqual(one)
    expect(one).toEqual([...model.eventsVisible(stream, noon - hour, noon, undefined, { customer: 'acme' })].map(({ id }) => id))
  })

  test('detection is seconds before generation, and minutes before it for a Virtual Analyzer verdict', () => {
    const lag = (name: StreamName) =>
      Math.max(...[...lively.eventsVisible(name, noon - hour, noon)].map(({ generation, detection }) => generation - detection))
    expect(lag(stream)).toBeGreaterThan(20 * second)
    expect(lag(stream)).toBeLessThanOrEqual(30 * second)
    expect(lag('sharepoint/virtualanalyzer')).toBeGreaterThan(9 * minute)
    expect(lag('sharepoint/virtualanalyzer')).toBeLessThanOrEqual(10 * minute)
  })

  test('a burst puts all its events into one millisecond', () => {
    const at = noon - minute
    const model = new VendorModel({ ...free, eventsPerHour: 0, bursts: [{ at, count: 3_000, stream }] })
    const pages = readAll(model, noon, range(at, at))
    expect(pages.map(({ security_events }) => security_events.length)).toEqual([500, 500, 500, 500, 500, 500])
    expect(new Set(idsOf(pages)).size).toBe(3_000)
    expect(new Set([...model.eventsVisible(stream, noon - hour, noon)].map(({ generation }) => generation))).toEqual(new Set([at]))
    expect([...model.eventsVisible('box/dlp', noon - hour, noon)]).toEqual([])
  })

  test('there are no events before the backlog, nor from stopAt on', () => {
    const model = new VendorModel({ ...free, eventsPerHour: 3_600, startAt: noon, backlogMs: 10 * minute, stopAt: noon + minute })
    const times = [...model.eventsVisible(stream, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)].map(({ generation }) => generation)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(noon - 10 * minute)
    expect(Math.max(...times)).toBeLessThan(noon + minute)
    expect(times.length).toBeGreaterThan(600)
  })

  test('wholeSeconds puts every event on a whole second', () => {
    const model = new VendorModel({ ...free, eventsPerHour: 500, wholeSeconds: true })
    expect([...model.eventsVisible(stream, noon - hour, noon)].every(({ selected }) => selected % second === 0)).toBe(true)
  })

  test('a late event becomes visible at its time and not before', () => {
    const model = new VendorModel({ ...free, eventsPerHour: 3_600, lateMaxMs: 10 * minute })
    const all = [...model.eventsVisible(stream, noon - minute, noon)]
    const late = all.filter(({ visibleAt }) => visibleAt > noon)
    expect(late.length).toBeGreaterThan(2)
    const inTime = idsOf(readAll(model, noon, range(noon - minute, noon - 1)))
    expect(inTime).toEqual(all.filter(({ visibleAt }) => visibleAt <= noon).map(({ id }) => id))
    expect(idsOf(readAll(model, noon + 10 * minute, range(noon - minute, noon - 1)))).toEqual(all.map(({ id }) => id))
    expect([...model.eventsVisible(stream, noon - minute, noon, noon)].map(({ id }) => id)).toEqual(inTime)
    expect(
      [...model.eventsVisible(stream, noon - minute, noon, undefined, { lateMaxMs: 0 })].every(
        (event) => event.visibleAt === event.generation,
      ),
    ).toBe(true)
  })

  test('an event of the future is not shown', () => {
    expect(idsOf(readAll(lively, noon, range(noon - second, noon + hour)))).toEqual(visible(lively, noon - second, noon + 1))
  })

  test('malformed items are of every kind, and the same ones in each response', () => {
    const model = new VendorModel({ ...free, eventsPerHour: 400, malformedItemRate: 0.5 })
    const [first, second] = [0, 1].map(
      (later) => pageOf(ask(model, noon + later, range(noon - hour, noon))).security_events as readonly unknown[],
    )
    expect(second).toEqual(first)
    const kinds = new Set(
      (first ?? []).map((item) => (item === null ? 'null' : typeof item === 'string' ? 'string' : Object.keys(item as object).join())),
    )
    expect(kinds).toEqual(
      new Set(['null', 'string', 'event,log_item_id,service,message', 'event,log_item_id,service', 'event,service,message']),
    )
    expect((first ?? []).some((item) => (item as { service?: unknown } | null)?.service === 7)).toBe(true)
  })

  test('a skewed clock shows in the Date header and in the events generated so far', () => {
    const model = new VendorModel({ ...free, eventsPerHour: 3_600, clockSkewMs: minute })
    const response = ask(model, noon, range(noon, noon + hour))
    expect(response.headers['date']).toBe(new Date(noon + minute).toUTCString())
    expect(idsOf([pageOf(response)])).toEqual(visible(model, noon, noon + minute + 1))
  })
})

describe('messages', () => {
  const model = new VendorModel({ ...free, eventsPerHour: 400 })

  test.each(serviceNames.flatMap((service) => eventTypeNames.map((event) => [service, event] as const)))(
    '%s %s has the fields that the vendor documents',
    (service, event) => {
      const items = pageOf(ask(model, noon, range(noon - hour, noon, { service, event }))).security_events
      expect(items.length).toBeGreaterThan(300)
      const names = Object.keys(items[0]!.message)
      expect(names).toEqual(
        expect.arrayContaining([
          'scan_type',
          'affected_user',
          'location',
          'detection_time',
          'triggered_policy_name',
          'action',
          'log_item_id',
        ]),
      )
      expect(names).toContain(['exchange', 'gmail', 'exchangeserver'].includes(service) ? 'mail_message_recipient' : 'file_name')
      expect(names).toContain(
        { securityrisk: 'security_risk_name', virtualanalyzer: 'virus_name', ransomware: 'ransomware_name', dlp: 'triggered_dlp_template' }[
          event
        ],
      )
      expect(items.every(({ log_item_id, message }) => message['log_item_id'] === log_item_id)).toBe(true)
    },
  )

  test('contain text that breaks parsers: quotes, commas, = and |, other scripts, line breaks, empty strings, lists', () => {
    const text = JSON.stringify(pageOf(ask(model, noon + 1, range(noon - hour, noon, { service: 'exchange' }))).security_events)
    for (const part of ['\\"', ', ', '=', '|', '請求書', '\\r\\n', '🎁', '""', '":["']) expect(text).toContain(part)
  })

  test('contain times with and without milliseconds, and some without Z', () => {
    const times = pageOf(ask(model, noon + 2, range(noon - hour, noon))).security_events.map(({ message }) =>
      String(message['detection_time']),
    )
    expect(times.some((at) => /\.\d{3}Z$/.test(at))).toBe(true)
    expect(times.some((at) => /:\d\dZ$/.test(at))).toBe(true)
    expect(times.some((at) => !at.endsWith('Z'))).toBe(true)
  })

  test('contain a DLP template as a list or as a string', () => {
    const templates = pageOf(ask(model, noon + 3, range(noon - hour, noon, { event: 'dlp' }))).security_events.map(
      ({ message }) => message['triggered_dlp_template'],
    )
    expect(templates.some(Array.isArray)).toBe(true)
    expect(templates.some((template) => typeof template === 'string')).toBe(true)
  })

  test('are CEF lines when the request asks for CEF', () => {
    const page = pageOf(ask(model, noon + 4, range(noon - hour, noon, { format: 'cef', limit: 5 })))
    for (const line of page.security_events as unknown[])
      expect(line).toMatch(/^CEF:0\|Trend Micro\|CAS\|5\.0\|100,101\|securityrisk\|(High|Medium|Low|Unknown)\|DevicePayloadId=/)
    expect(page.next_link).toContain('&format=cef')
  })
})

describe('a request', () => {
  const model = new VendorModel({
    requestsPerMinute: 0,
    keys: [{ key: 'key-one' }, { key: 'old' }],
    revokedKeys: ['old'],
    forbiddenStreams: ['box', 'gmail/dlp'],
  })
  const status = (parameters: Record<string, string | number>, key?: string) => ask(model, noon, parameters, key).status

  test.each([
    ['service missing', { event: 'dlp' }],
    ['event missing', { service: 'box' }],
    ['unknown service', { service: 'SharePoint', event: 'dlp' }],
    ['unknown event', { service: 'sharepoint', event: 'security_risk_scan' }],
    ['limit 0', { limit: 0 }],
    ['limit 501', { limit: 501 }],
    ['limit 1.5', { limit: '1.5' }],
    ['start without Z', { start: '2026-11-24T11:00:00' }],
    ['start that is no day', { start: '2026-13-24T11:00:00Z' }],
    ['start in microseconds', { start: '2026-11-24T11:00:00.000000Z' }],
    ['end before start', { start: time(noon), end: time(noon - 1) }],
    ['another format', { format: 'xml' }],
    ['an unknown page id', { page_id: 'made-up' }],
  ])('is refused with %s', (_, parameters) => {
    const { service, event, ...rest } = { service: 'sharepoint', event: 'dlp', ...parameters }
    const isMissing = !('limit' in parameters || 'start' in parameters || 'format' in parameters || 'page_id' in parameters)
    const response = ask(model, noon, isMissing ? (parameters as Record<string, string>) : { service, event, ...rest })
    expect(response.status).toBe(400)
    expect(JSON.parse(response.body)).toEqual({
      code: -4000001,
      traceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      msg: expect.any(String),
    })
  })

  test('is accepted with the documented parameters, in seconds or milliseconds', () => {
    expect(status({ service: 'sharepoint', event: 'dlp', start: '2026-11-24T11:00:00Z', end: '2026-11-24T11:00:00.000Z', limit: 1 })).toBe(
      200,
    )
  })

  test('is refused with 401 without a key, and with an unknown or revoked key', () => {
    expect(model.respond({ path: '/v1/siem/security_events', query: '' }, noon).status).toBe(401)
    expect(status({ service: 'sharepoint', event: 'dlp' }, 'unknown')).toBe(401)
    expect(status({ service: 'sharepoint', event: 'dlp' }, 'old')).toBe(401)
  })

  test('is refused with 403 for a forbidden stream or service', () => {
    expect(status({ service: 'gmail', event: 'dlp' })).toBe(403)
    expect(status({ service: 'gmail', event: 'ransomware' })).toBe(200)
    expect(status({ service: 'box', event: 'ransomware' })).toBe(403)
  })

  test('is refused with 404 for another path, and with 405 for another method', () => {
    expect(model.respond({ path: '/v2/siem/security_events', query: '', authorization: 'Bearer key-one' }, noon).status).toBe(404)
    expect(
      model.respond({ method: 'POST', path: '/v1/siem/security_events', query: '', authorization: 'Bearer key-one' }, noon).status,
    ).toBe(405)
  })

  test.each([
    ['neither bound', {}, noon - 5 * minute, noon],
    ['only start', { start: time(noon - hour) }, noon - hour, noon - hour + 5 * minute],
    ['only end', { end: time(noon - hour) }, noon - hour - 5 * minute, noon - hour],
  ])('covers 5 minutes with %s', (_, bounds, from, to) => {
    const ids = idsOf(readAll(lively, noon, { service: 'sharepoint', event: 'securityrisk', ...bounds }))
    expect(ids).toEqual(visible(lively, from, to + 1))
  })
})

describe('bounds', () => {
  const at = noon - minute
  const counts = (bounds: SimulatorOptions['bounds']) => {
    const model = new VendorModel({ ...free, eventsPerHour: 0, bounds: bounds ?? 'inclusive', bursts: [{ at, count: 1, stream }] })
    return [
      [at, at + second],
      [at - second, at],
      [at - 1, at + 1],
      [at, at],
    ].map(([from, to]) => idsOf(readAll(model, noon, range(from!, to!))).length)
  }

  test('inclusive bounds include an event on start and on end', () => expect(counts('inclusive')).toEqual([1, 1, 1, 1]))
  test('half-open bounds include an event on start, but not on end', () => expect(counts('half-open')).toEqual([1, 0, 1, 0]))
  test('start-exclusive bounds include an event on end, but not on start', () => expect(counts('start-exclusive')).toEqual([0, 1, 1, 0]))
  test('exclusive bounds include neither, but a range that is 1 ms wider does', () => expect(counts('exclusive')).toEqual([0, 0, 1, 0]))
})

describe('a query', () => {
  test.each(['generation', 'detection'] as const)('selects events by %s', (selectBy) => {
    const model = new VendorModel({ ...free, eventsPerHour: 3_600, selectBy })
    const shown = idsOf(readAll(model, noon, range(noon - hour, noon - hour + minute - 1))).map((id) => model.account.shown.get(id)!)
    expect(shown.length).toBeGreaterThan(50)
    expect(shown.every((event) => event[selectBy] >= noon - hour && event[selectBy] < noon - hour + minute)).toBe(true)
    const other = selectBy === 'generation' ? 'detection' : 'generation'
    expect(shown.some((event) => event[other] < noon - hour || event[other] >= noon - hour + minute)).toBe(true)
  })

  test('does not show an event before its generation, even when it selects by detection', () => {
    const model = new VendorModel({ ...free, eventsPerHour: 3_600, selectBy: 'detection' })
    readAll(model, noon, range(noon - minute, noon))
    expect([...model.account.shown.values()].every(({ generation }) => generation <= noon)).toBe(true)
  })

  test('has the reverse order across pages when it is descending', () => {
    const ids = (order: SimulatorOptions['order']) =>
      idsOf(
        readAll(
          new VendorModel({ ...free, eventsPerHour: 600, order: order ?? 'ascending' }),
          noon,
          range(noon - hour, noon, { limit: 70 }),
        ),
      )
    expect(ids('descending')).toEqual(ids('ascending').toReversed())
  })

  test('mixes each page when random, mixes all pages when shuffled, and loses no event', () => {
    const pages = (order: 'ascending' | 'random' | 'shuffled') =>
      readAll(new VendorModel({ ...free, eventsPerHour: 600, order }), noon, range(noon - hour, noon, { limit: 70 })).map((page) =>
        idsOf([page]),
      )
    const [plain, random, shuffled] = [pages('ascending'), pages('random'), pages('shuffled')]
    expect(random).not.toEqual(plain)
    expect(random.map((ids) => ids.toSorted())).toEqual(plain.map((ids) => ids.toSorted()))
    expect(shuffled[0]!.toSorted()).not.toEqual(plain[0]!.toSorted())
    expect(shuffled.flat().toSorted()).toEqual(plain.flat().toSorted())
  })

  test('shows no event beyond the retention limit, which moves while pages are read', () => {
    const model = new VendorModel({ ...free, eventsPerHour: 3_600, retentionMs: hour })
    const ids = idsOf(readAll(model, noon, range(noon - 2 * hour, noon - hour + 5 * minute, { limit: 100 }), 2 * minute))
    expect(ids.slice(0, 100)).toEqual(visible(model, noon - hour, noon).slice(0, 100))
    expect(ids.length).toBeLessThan(visible(model, noon - hour, noon - hour + 5 * minute).length)
  })

  test('does not show an event that becomes visible between two of its pages', () => {
    const model = new VendorModel({ ...free, eventsPerHour: 3_600, lateMaxMs: 2 * minute })
    const ids = idsOf(readAll(model, noon, range(noon - 5 * minute, noon, { limit: 50 }), minute))
    expect(ids).toEqual([...model.eventsVisible(stream, noon - 5 * minute, noon + 1, noon)].map(({ id }) => id))
  })
})

describe('the limit', () => {
  const statusesAt = (options: SimulatorOptions, times: readonly number[]) => {
    const model = new VendorModel(options)
    return times.map((at) => ask(model, noon + at, { service: 'sharepoint', event: 'dlp', limit: 1 }).status)
  }
  const times = (count: number, everyMs: number, from = 0) => Array.from({ length: count }, (_, n) => from + n * everyMs)

  test('lets 20 requests through in a fixed window that opens with a request and lasts 60 s', () => {
    const statuses = statusesAt({ window: 'fixed' }, [0, ...times(20, 1, 59_000), 59_999, 60_000])
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(200))
    expect(statuses.slice(20)).toEqual([429, 429, 200])
  })

  test('lets 20 requests through in any 60 s with a sliding window', () => {
    const statuses = statusesAt({ window: 'sliding' }, [0, ...times(20, 1, 59_000), 60_000, 60_001])
    expect(statuses).toEqual([...Array(20).fill(200), 429, 200, 429])
  })

  test('counts refused requests only with refusedCount', () => {
    const flood = [...times(20, 0), ...times(20, 1_000, 30_000), 61_000]
    expect(statusesAt({ window: 'sliding' }, flood).at(-1)).toBe(200)
    expect(statusesAt({ window: 'sliding', refusedCount: true }, flood).at(-1)).toBe(429)
  })

  test('holds for each key', () => {
    const model = new VendorModel({ requestsPerMinute: 1 })
    expect(['a', 'a', 'b'].map((key) => ask(model, noon, { service: 'box', event: 'dlp' }, key).status)).toEqual([200, 429, 200])
  })

  test('holds until the end of the day with requestsPerDay', () => {
    expect(statusesAt({ requestsPerMinute: 0, requestsPerDay: 3 }, [0, 1, 2, 3, 12 * hour])).toEqual([200, 200, 200, 429, 200])
  })

  test('is partly used by other consumers with otherRequestsPerMinute', () => {
    expect(statusesAt({ window: 'sliding', otherRequestsPerMinute: 15 }, times(6, 0))).toEqual([200, 200, 200, 200, 200, 429])
  })

  test('refuses with the documented body and, with retryAfter, with a correct Retry-After', () => {
    const refusal = (retryAfter: 'none' | 'seconds' | 'date') => {
      const model = new VendorModel({ requestsPerMinute: 1, retryAfter })
      ask(model, noon, { service: 'box', event: 'dlp' })
      return ask(model, noon + 1_500, { service: 'box', event: 'dlp' })
    }
    expect(JSON.parse(refusal('none').body)).toMatchObject({ code: -4290001, msg: 'Maximum allowed requests exceeded' })
    expect(refusal('none').headers).not.toHaveProperty('retry-after')
    expect(refusal('seconds').headers['retry-after']).toBe('59')
    expect(refusal('date').headers['retry-after']).toBe(new Date(noon + 60_000).toUTCString())
  })
})

describe('links', () => {
  const link = (links: SimulatorOptions['links']) => {
    const model = new VendorModel({ ...free, eventsPerHour: 600, ...(links === undefined ? {} : { links }) })
    const response = model.respond(
      {
        path: '/v1/siem/security_events',
        query: 'service=box&event=dlp&limit=1',
        authorization: 'Bearer k',
        origin: 'https://vendor.example',
      },
      noon,
    )
    return pageOf(response).next_link
  }

  test('are absolute, or have no scheme, only a path, or the other path', () => {
    expect(link(undefined)).toMatch(/^https:\/\/vendor\.example\/v1\/siem\/security_events\?service=box&event=dlp&.*&page_id=/)
    expect(link(['no-scheme', 'other-path'])).toMatch(/^vendor\.example\/siem\/v1\/security_events\?/)
    expect(link(['path-only'])).toMatch(/^\/v1\/siem\/security_events\?/)
    expect(link(['other-path'])).toMatch(/^https:\/\/vendor\.example\/siem\/v1\/security_events\?/)
  })

  test('with the other path get a response too', () => {
    expect(
      lively.respond({ path: '/siem/v1/security_events', query: '?service=box&event=dlp', authorization: 'Bearer k' }, noon).status,
    ).toBe(200)
  })

  test('are empty on the last page, which has the generation time of the last item', () => {
    const page = readAll(lively, noon, range(noon - minute, noon)).at(-1)!
    expect(page.next_link).toBe('')
    expect(page.last_log_item_generation_time).toBe(time(lively.account.shown.get(page.security_events.at(-1)!.log_item_id)!.generation))
  })

  test('lead to a hostile host with hostileLinkRate', () => {
    const model = new VendorModel({ ...free, eventsPerHour: 600, hostileLinkRate: 1, hostileOrigin: 'http://evil.example:81' })
    expect(pageOf(ask(model, noon, range(noon - hour, noon, { limit: 1 }))).next_link).toMatch(/^http:\/\/evil\.example:81\//)
  })
})

describe('page ids', () => {
  const first = (options: SimulatorOptions) => {
    const model = new VendorModel({ ...free, eventsPerHour: 600, ...options })
    return { model, page_id: pageIdOf(pageOf(ask(model, noon, range(noon - hour, noon, { limit: 10 }))).next_link) }
  }

  test('work for ever, with any key of the customer and any number of times, by default', () => {
    const { model, page_id } = first({})
    const [one, two] = [ask(model, noon + hour, { page_id }), ask(model, noon + hour, { page_id }, 'key-two')]
    expect(idsOf([pageOf(one)])).toEqual(idsOf([pageOf(two)]))
  })

  test.each([400, 404] as const)('are refused with %i after their life', (deadPageIdStatus) => {
    const { model, page_id } = first({ pageIdLifeMs: 45 * second, deadPageIdStatus })
    expect(ask(model, noon + 45 * second, { page_id }).status).toBe(200)
    expect(ask(model, noon + 45 * second + 1, { page_id }).status).toBe(deadPageIdStatus)
  })

  test('work only with their key with pageIdBoundToKey', () => {
    const { model, page_id } = first({ pageIdBoundToKey: true })
    expect(ask(model, noon, { page_id }, 'key-two').status).toBe(400)
    expect(ask(model, noon, { page_id }).status).toBe(200)
  })

  test('do not work for another customer', () => {
    const keys = [
      { key: 'key-one', customer: 'acme' },
      { key: 'key-two', customer: 'globex' },
    ]
    const { model, page_id } = first({ keys })
    expect(ask(model, noon, { page_id }, 'key-two').status).toBe(400)
  })

  test('work only once with pageIdSingleUse', () => {
    const { model, page_id } = first({ pageIdSingleUse: true })
    expect([ask(model, noon, { page_id }).status, ask(model, noon, { page_id }).status]).toEqual([200, 400])
  })

  test('are not repeated by a simulator that is started again', () => {
    const [former, later] = [noon, noon + minute].map((at) =>
      pageIdOf(pageOf(ask(new VendorModel({ ...free, eventsPerHour: 600 }), at, range(noon - hour, noon, { limit: 10 }))).next_link),
    )
    expect(later).not.toBe(former)
  })

  test('repeat the end of the page before with duplicatesAcrossPages, and come to an end', () => {
    const model = new VendorModel({ ...free, eventsPerHour: 600, duplicatesAcrossPages: 3 })
    const pages = readAll(model, noon, range(noon - hour, noon - 1, { limit: 10 }))
    expect(idsOf([pages[1]!]).slice(0, 3)).toEqual(idsOf([pages[0]!]).slice(-3))
    expect([...new Set(idsOf(pages))]).toEqual(visible(model, noon - hour, noon))
    expect(pages.every(({ security_events }) => security_events.length <= 10)).toBe(true)
    expect(new Set(idsOf(readAll(model, noon, range(noon - minute, noon - 1, { limit: 1 }))))).toEqual(
      new Set(visible(model, noon - minute, noon)),
    )
  })
})

describe('trouble', () => {
  const many = (options: SimulatorOptions) => {
    const model = new VendorModel({ ...free, ...options })
    return Array.from({ length: 60 }, (_, n) => ask(model, noon + n, range(noon - hour, noon)))
  }
  const statuses = (options: SimulatorOptions) => new Set(many(options).map(({ status }) => status))

  test('server errors come at their rate, and some of them look like those of a proxy', () => {
    expect(statuses({ errorRate5xx: 1 })).toEqual(new Set([500, 502, 504]))
    expect(statuses({ errorRate5xx: 0.5 })).toEqual(new Set([200, 500, 502, 504]))
    expect(statuses({ error503Rate: 1 })).toEqual(new Set([503]))
  })

  test('redirects lead to the hostile host', () => {
    const [response] = many({ redirectRate: 1 })
    expect(response).toMatchObject({ status: 302, headers: { location: expect.stringMatching(/^https:\/\/hostile\.example\/v1\/siem/) } })
  })

  test('malformed pages have status 200 and no list of items', () => {
    for (const { status, body } of many({ malformedPageRate: 1 })) {
      expect(status).toBe(200)
      const page = attempt(() => JSON.parse(body))
      expect(!Array.isArray(page?.security_events) || typeof page.next_link !== 'string').toBe(true)
    }
  })

  test('a truncated response breaks off inside its body', () => {
    for (const { body, truncateAt } of many({ truncateRate: 1 })) expect(truncateAt! >= 0 && truncateAt! < body.length).toBe(true)
  })

  test('responses are delayed within their bounds', () => {
    const delays = many({ delayMs: { min: 100, max: 200 } }).map(({ delayMs }) => delayMs)
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(100)
    expect(Math.max(...delays)).toBeLessThanOrEqual(200)
    expect(new Set(delays).size).toBeGreaterThan(20)
  })

  test('trouble can begin and end while the simulator runs, but the events cannot change', () => {
    const model = new VendorModel(free)
    model.change({ error503Rate: 1 })
    expect(ask(model, noon, range(noon - hour, noon)).status).toBe(503)
    model.change({ error503Rate: 0 })
    expect(ask(model, noon, range(noon - hour, noon)).status).toBe(200)
    expect(() => model.change({ seed: 3 })).toThrow('seed cannot change')
  })

  test('a mistake in the options is refused in one sentence', () => {
    expect(() => new VendorModel({ windows: 'fixed' } as SimulatorOptions)).toThrow('windows')
    expect(() => new VendorModel({ forbiddenStreams: ['share'] })).toThrow('"share" is neither a service')
    expect(() => new VendorModel({ links: ['no-scheme', 'path-only'] })).toThrow('exclude each other')
    expect(() => new VendorModel({ backlogMs: 5 })).toThrow('startAt')
  })
})

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
