import { describe, expect, test } from 'vitest'
import { eventTypeNames, type StreamName, serviceNames } from '../../local/simulator/catalogue.ts'
import { VendorModel } from '../../local/simulator/model.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { ask, free, hour, idsOf, lively, minute, noon, pageOf, range, readAll, second, stream, visible } from './simulator-client.ts'

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
