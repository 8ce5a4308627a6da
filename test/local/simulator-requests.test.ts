import { describe, expect, test } from 'vitest'
import { VendorModel } from '../../local/simulator/model.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { ask, free, hour, idsOf, lively, minute, noon, range, readAll, second, stream, time, visible } from './simulator-client.ts'

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
