import { describe, expect, test } from 'vitest'
import { VendorModel } from '../../local/simulator/model.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import {
  ask,
  free,
  hour,
  idsOf,
  lively,
  minute,
  noon,
  pageIdOf,
  pageOf,
  range,
  readAll,
  second,
  time,
  visible,
} from './simulator-client.ts'

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
