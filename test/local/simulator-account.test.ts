import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SimulatedEvent } from '../../local/simulator/history.ts'
import { VendorModel } from '../../local/simulator/model.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { ask, hour, idsOf, minute, noon, pageIdOf, pageOf, range, second, time } from './simulator-client.ts'

const stream = 'sharepoint/securityrisk'
/** The simulator allows one key this many in a minute by default (requests). */
const requestsPerMinute = 20
/** Random cases of each property: they find a mistake in seconds. */
const casesPerProperty = { numRuns: 50 }

/** The times between requests (ms), from bursts to long pauses. */
const pauses = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4_000 }), fc.integer({ min: 10_000, max: 70_000 })), {
  minLength: 1,
  maxLength: 150,
})

function arrivals(pausesMs: readonly number[]): number[] {
  let at = noon
  return pausesMs.map((pauseMs) => (at += pauseMs))
}

function maxInAnyMinute(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + minute).length))
}

test('maxRequestsInAnyMinute is the largest number of arrivals in any minute', () => {
  fc.assert(
    fc.property(pauses, fc.constantFrom('full' as const, 'totals' as const), (pausesMs, account) => {
      const model = new VendorModel({ account })
      const times = arrivals(pausesMs)
      for (const at of times) ask(model, at, { service: 'box', event: 'dlp', limit: 1 })
      expect(model.account.maxRequestsInAnyMinute('key-one')).toBe(maxInAnyMinute(times))
    }),
    casesPerProperty,
  )
})

test('a 21st request never gets through in a window, with or without other consumers', () => {
  fc.assert(
    fc.property(
      pauses,
      fc.constantFrom('fixed' as const, 'sliding' as const),
      fc.boolean(),
      fc.constantFrom(0, 7),
      (pausesMs, window, refusedCount, otherRequestsPerMinute) => {
        const model = new VendorModel({ window, refusedCount, otherRequestsPerMinute })
        for (const at of arrivals(pausesMs)) ask(model, at, { service: 'box', event: 'dlp', limit: 1 })
        const requests = model.account.requests('key-one')
        const admitted = requests.filter(({ status }) => status === 200).map(({ at }) => at)
        if (window === 'sliding') expect(maxInAnyMinute(admitted)).toBeLessThanOrEqual(requestsPerMinute)
        else if (otherRequestsPerMinute === 0) {
          for (let left = admitted; left.length > 0; ) {
            const inWindow = left.filter((at) => at < left[0]! + minute)
            expect(inWindow.length).toBeLessThanOrEqual(requestsPerMinute)
            left = left.slice(inWindow.length)
          }
        }
        expect(model.account.refused('key-one')).toBe(requests.length - admitted.length)
      },
    ),
    casesPerProperty,
  )
})

test('the account has exactly the events that complete responses showed, and these are the visible ones', () => {
  const options = fc.record({
    seed: fc.integer({ min: 0, max: 1_000 }),
    eventsPerHour: fc.constantFrom(0, 30, 2_000),
    lateMaxMs: fc.constantFrom(0, 5 * minute),
    selectBy: fc.constantFrom('generation' as const, 'detection' as const),
    order: fc.constantFrom('ascending' as const, 'descending' as const, 'random' as const, 'shuffled' as const),
    bounds: fc.constantFrom('inclusive' as const, 'half-open' as const, 'start-exclusive' as const, 'exclusive' as const),
    clockSkewMs: fc.constantFrom(0, -3_000, 3_000),
    wholeSeconds: fc.boolean(),
    duplicatesAcrossPages: fc.constantFrom(0, 2),
    truncateRate: fc.constantFrom(0, 0.2),
    malformedPageRate: fc.constantFrom(0, 0.2),
    errorRate5xx: fc.constantFrom(0, 0.2),
  }) satisfies fc.Arbitrary<SimulatorOptions>
  fc.assert(
    fc.property(
      options,
      fc.integer({ min: 0, max: 600 }),
      fc.integer({ min: 0, max: 600 }),
      fc.integer({ min: 1, max: 80 }),
      (given, agoSeconds, widthSeconds, limit) => {
        const model = new VendorModel({ ...given, requestsPerMinute: 0, bursts: [{ at: noon - 60_000, count: 50 }] })
        const from = noon - agoSeconds * second
        const to = from + widthSeconds * second
        const seen = new Set<string>()
        let page_id = ''
        for (let tries = 0; tries < 5_000; tries += 1) {
          const response = ask(model, noon, page_id === '' ? range(from, to, { limit }) : { page_id })
          if (response.status !== 200 || response.truncateAt !== undefined) continue
          const page = isPage(response.body) ? pageOf(response) : undefined
          if (page === undefined) continue
          for (const id of idsOf([page])) seen.add(id)
          if (page.next_link === '') break
          page_id = pageIdOf(page.next_link)
        }
        const isOpen = { inclusive: [false, false], 'half-open': [false, true], 'start-exclusive': [true, false], exclusive: [true, true] }[
          given.bounds
        ]
        const expected = [...model.eventsVisible(stream, from, to + 1, noon)].filter(
          (event) => !(isOpen[0] && event.selected === from) && !(isOpen[1] && event.selected === to),
        )
        expect([...seen].toSorted()).toEqual(expected.map(({ id }) => id).toSorted())
        expect([...model.account.shown.keys()].toSorted()).toEqual([...seen].toSorted())
        expect(expected.every((event) => matches(event, given.selectBy))).toBe(true)
      },
    ),
    { numRuns: 60 },
  )
})

test('an account of totals remembers no request and no event, and has the same counts', () => {
  const models = (['full', 'totals'] as const).map((account) => new VendorModel({ account, eventsPerHour: 600 }))
  for (const model of models) for (let n = 0; n < 25; n += 1) ask(model, noon + n, range(noon - hour, noon))
  const [full, totals] = models.map((model) => model.account.totals())
  expect(models[1]!.account.shown.size + models[1]!.account.requests('key-one').length).toBe(0)
  expect(full).toEqual({ ...totals, eventsShown: 500 })
  expect(totals).toMatchObject({
    requests: 25,
    refused: 5,
    itemsShown: 10_000,
    keys: [{ name: 'key 1', maxRequestsInAnyMinute: 25, byStatus: { 200: 20, 429: 5 } }],
  })
})

test('the totals contain no key', () => {
  const model = new VendorModel({ keys: [{ key: 'a-secret', customer: 'acme' }] })
  ask(model, noon, range(noon - hour, noon), 'a-secret')
  ask(model, noon, range(noon - hour, noon), 'another-secret')
  expect(JSON.stringify(model.account.totals())).not.toContain('secret')
})

test('a request that arrives before an earlier one is refused with an error', () => {
  const model = new VendorModel()
  ask(model, noon, range(noon - hour, noon))
  expect(() => ask(model, noon - 1, range(noon - hour, noon))).toThrow(`${noon - 1}`)
})

test('the history of a time range is the same after it was dropped from the cache', () => {
  const model = new VendorModel({ eventsPerHour: 50_000 })
  const day = (from: number) => [...model.eventsVisible(stream, from, from + hour)]
  const first = day(noon - 10 * hour)
  for (let n = 9; n > 7; n -= 1) day(noon - n * hour)
  expect(day(noon - 10 * hour)).toEqual(first)
  expect(time(first[0]!.selected) < time(noon - 9 * hour)).toBe(true)
})

function isPage(body: string): boolean {
  try {
    const page = JSON.parse(body)
    return Array.isArray(page.security_events) && typeof page.next_link === 'string'
  } catch {
    return false
  }
}

function matches(event: SimulatedEvent, selectBy: 'generation' | 'detection'): boolean {
  return event.selected === event[selectBy] && event.detection <= event.generation && event.generation <= event.visibleAt
}
