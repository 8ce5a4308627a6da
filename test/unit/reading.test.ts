import { describe, expect, it } from 'vitest'
import { effects, type FailureCode, failure, failureCodes, failures } from '../../functions/domain/failures.ts'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import * as reading from '../../functions/domain/stream/reading.ts'
import type { Range, StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'

const now = Date.UTC(2026, 10, 24, 12)
const policy: ledger.ReadingPolicy = {
  retentionMs: 72 * hour,
  pageItemsMax: 500,
  lateMs: 10 * minute,
  intervalMs: 5 * minute,
  paceMs: 3 * second,
  clock: { lastMs: 0 },
  wantedTo: 0,
  usualTime: 0,
}
const hourAgo = now - hour
const link = 'https://vendor.example/events?page=2'
const nextLink = 'https://vendor.example/events?page=3'

const stream = (more: Partial<StreamState> = {}): StreamState => ({ ...ledger.newStream(now - 3 * hour, now - 3 * hour), ...more })
/** A range before its first page. */
const range = (more: Partial<Range> = {}): Range => ({ kind: 'final', from: now - 2 * hour, to: hourAgo, page: 0, items: 0, ...more })
/** The same range after its first page. */
const linked = (more: Partial<Range> = {}): Range =>
  range({ page: 1, items: 500, key: 'key-1', readSince: now - minute, nextLink: link, ...more })
const narrowest = { from: hourAgo, to: hourAgo + 1 }
const page = (more: Partial<reading.PageRead> = {}): reading.PageRead => ({
  key: 'key-1',
  requestedAt: now - second,
  receivedAt: now,
  items: 10,
  newIds: 4,
  counts: { pages: 1, fetched: 10, delivered: 4, alreadySeen: 6 },
  filters: [],
  filtersOff: [],
  changes: { again: 6, changed: 0, fields: [] },
  ...more,
})
const troubled = (attempts: number, code: FailureCode = 'vendor-error') =>
  stream({ trouble: { failure: failure(code, 'It failed before'), attempts, until: now, since: hourAgo } })

const afterPage = (before: StreamState, of: Range, read: reading.PageRead, linksRead: readonly string[] = []) =>
  reading.afterPage(before, of, read, { policy, linksRead: new Set(linksRead), now })
const afterFailure = (before: StreamState, of: Range, code: FailureCode, more: { retryAfterMs?: number; traceId?: string } = {}) =>
  reading.afterFailure(before, of, failure(code, `It fails with ${code}`, more), { now, random: () => 0, keyWorks: true })
const events = ({ log }: reading.Reading) => log.map(({ event }) => event)

/** A range that is given up ends the step, and the next range at its place is narrower. */
const givenUp = { outcome: { kind: 'progress' }, stream: { paced: true } }

describe('after a page', () => {
  it('a page without a link completes the range', () => {
    const after = afterPage(stream(), range(), page())
    expect(after.stream.covered).toEqual([{ from: now - 2 * hour, to: hourAgo }])
    expect(after.stream).not.toHaveProperty('range')
    expect(after).not.toHaveProperty('range')
    expect(after.outcome).toEqual({ kind: 'progress' })
  })

  it('a range is proven by the earlier of our clock and the Date of its oldest page, less the time of its request', () => {
    const to = (of: Range, read: Partial<reading.PageRead>) => afterPage(stream(), of, page(read)).stream.covered[0]!.to
    const late = 10 * minute + 2 * second
    const whole = range({ kind: 'tail', to: now })
    expect(to(whole, {})).toBe(now - second - late)
    expect(to(whole, { date: now + hour, clockErrorMs: hour })).toBe(now - second - late)
    expect(to(whole, { date: now - hour, clockErrorMs: -hour })).toBe(now - hour - second - late)
    // The first page was requested a minute ago; the last one comes from a cache.
    expect(to(linked({ kind: 'tail', to: now }), { date: now - hour })).toBe(now - hour - second - late)
    expect(to(linked({ kind: 'tail', to: now }), { date: now })).toBe(now - minute - late)
  })

  it('a page with a link goes on with the next page of the range', () => {
    const after = afterPage(stream(), range(), page({ nextLink }))
    expect(after.range).toEqual({ ...range(), page: 1, items: 10, key: 'key-1', readSince: now - second, nextLink })
    expect(after.stream.range).toEqual(after.range)
    expect(after.stream.covered).toEqual([])
    expect(after.outcome).toEqual({ kind: 'progress' })
  })

  it('a later page keeps the time when the first page of the range was requested', () => {
    expect(afterPage(stream(), linked(), page({ nextLink })).range).toMatchObject({ readSince: now - minute, page: 2, items: 510 })
  })

  it('a page ends the failures in a row', () => {
    expect(afterPage(troubled(2), range(), page({ nextLink })).stream).not.toHaveProperty('trouble')
  })

  it('the filters that were off on it are kept until a page with new events has none, or until they are gone', () => {
    const filters = ['slow', 'quick']
    const off = afterPage(stream(), range(), page({ filters, filtersOff: ['slow'] }))
    expect(off.stream.filtersOff).toEqual(['slow'])
    expect(off.log).toContainEqual({ level: 'warn', event: 'filters-off', message: 'slow' })
    expect(afterPage(off.stream, range(), page({ filters, newIds: 0 })).stream.filtersOff).toEqual(['slow'])
    expect(afterPage(off.stream, range(), page({ filters })).stream).not.toHaveProperty('filtersOff')
    expect(afterPage(off.stream, range(), page({ filters: ['quick'], newIds: 0 })).stream).not.toHaveProperty('filtersOff')
  })

  it('the counts of a page are added to the counts of the stream', () => {
    const once = afterPage(stream(), range(), page({ nextLink })).stream
    const twice = afterPage(once, linked(), page()).stream
    expect(twice.counts).toMatchObject({ pages: 2, fetched: 20, delivered: 8, alreadySeen: 12 })
    expect(twice.lastReadAt).toBe(now)
  })

  it('a page is logged with its range and with its new and all items', () => {
    expect(afterPage(stream(), range(), page()).log).toEqual([
      expect.objectContaining({
        level: 'info',
        event: 'page-read',
        message: '4 new of 10',
        from: '2026-11-24T10:00:00.000Z',
        to: '2026-11-24T11:00:00.000Z',
        page: 1,
        delivered: 4,
      }),
    ])
  })

  it('an empty page is logged for debugging only', () => {
    expect(afterPage(stream(), range(), page({ items: 0, newIds: 0 })).log[0]).toMatchObject({ level: 'debug', event: 'page-read' })
  })
})

describe('links that never end', () => {
  it('a link that equals the link of its own page gives the range up', () => {
    const after = afterPage(stream(), linked(), page({ nextLink: link }))
    expect(after).toMatchObject(givenUp)
    expect(after).not.toHaveProperty('range')
    expect(after.stream).not.toHaveProperty('range')
    expect(after.log.at(-1)).toMatchObject({ level: 'warn', event: 'range-given-up', page: 2 })
  })

  it('a link that the same step has followed before gives the range up', () => {
    const after = afterPage(stream(), linked(), page({ nextLink }), [nextLink])
    expect(after).toMatchObject(givenUp)
    expect(events(after)).toEqual(['page-read', 'range-given-up'])
  })

  it('the hundredth page gives the range up if it has a link, and the one before goes on', () => {
    expect(afterPage(stream(), linked({ page: 99 }), page({ nextLink }))).toMatchObject(givenUp)
    expect(afterPage(stream(), linked({ page: 98 }), page({ nextLink })).range).toMatchObject({ page: 99 })
  })

  it('the hundredth page completes the range if it has no link', () => {
    expect(afterPage(stream(), linked({ page: 99 }), page()).stream.covered).toHaveLength(1)
  })

  it('a range of one millisecond, which cannot be narrower, may have 2,000 pages', () => {
    expect(afterPage(stream(), linked({ ...narrowest, page: 1_998 }), page({ nextLink })).range).toMatchObject({ page: 1_999 })
    expect(afterPage(stream(), linked({ ...narrowest, page: 1_999 }), page({ nextLink }))).toMatchObject(givenUp)
  })
})

describe('a range that is given up', () => {
  it('is read again at most half as wide', () => {
    const { stream: after } = afterPage(stream(), linked(), page({ nextLink: link }))
    expect(after.hard).toEqual([{ from: now - 2 * hour, to: hourAgo, widthMs: 30 * minute }])
    expect(after.covered).toEqual([])
  })

  it('is set aside for an hour if it is one millisecond wide, and logged as an error', () => {
    const after = afterPage(stream(), linked(narrowest), page({ nextLink: link }))
    expect(after.stream.setAside).toEqual([{ ...narrowest, until: now + hour }])
    expect(after.log.at(-1)).toMatchObject({ level: 'error', event: 'range-set-aside', from: '2026-11-24T11:00:00.000Z' })
  })
})

describe('after a failure of a link', () => {
  it.each(failureCodes.filter((code) => failures[code].killsLink))('the code %s gives the range up at the first try', (code) => {
    const after = afterFailure(stream(), linked(), code)
    expect(after).toMatchObject(givenUp)
    expect(after.log.at(-1)).toMatchObject({
      event: 'range-given-up',
      message: `The link to page 2 failed: It fails with ${code}. ${failures['link-dead'].remedy}`,
    })
  })

  it('the fifth failure in a row gives the range up, whatever the code', () => {
    expect(afterFailure(troubled(4), linked(), 'timed-out')).toMatchObject(givenUp)
  })

  it('the fourth failure in a row keeps the range', () => {
    const after = afterFailure(troubled(3), linked(), 'timed-out')
    expect(after.outcome.kind).toBe('failed')
    expect(events(after)).toEqual(['page-failed'])
  })

  it('a range that is given up for its link ends the failures in a row', () => {
    expect(afterFailure(troubled(4), linked(), 'timed-out').stream).not.toHaveProperty('trouble')
  })

  it('a code that kills a link does not give up a range before its first page', () => {
    expect(events(afterFailure(stream(), range(), 'not-found'))).toEqual(['page-failed'])
  })

  it('a range with a link is never narrowed for its failures', () => {
    expect(afterFailure(troubled(2), linked(), 'vendor-error').stream).not.toHaveProperty('hard')
  })
})

describe('the backoff after a failure', () => {
  const waitMs = (after: reading.Reading) => after.stream.trouble!.until - now
  // `random` is 0 here, so a wait is half of its full length.
  it('doubles with each failure in a row', () => {
    expect(waitMs(afterFailure(stream(), range(), 'vendor-overloaded'))).toBe(7.5 * second)
    expect(waitMs(afterFailure(troubled(1), range(), 'vendor-overloaded'))).toBe(15 * second)
    expect(waitMs(afterFailure(troubled(2), range(), 'vendor-overloaded'))).toBe(30 * second)
  })

  it('is as long as the vendor asks for in Retry-After', () => {
    expect(waitMs(afterFailure(stream(), range(), 'vendor-overloaded', { retryAfterMs: 90 * second }))).toBe(90 * second)
  })

  it('begins with the first failure in a row', () => {
    expect(afterFailure(stream(), range(), 'vendor-overloaded').stream.trouble).toMatchObject({ attempts: 1, since: now })
    expect(afterFailure(troubled(1), range(), 'vendor-overloaded').stream.trouble).toMatchObject({ attempts: 2, since: hourAgo })
  })

  it.each(failureCodes.filter((code) => effects[failures[code].scope].stream !== 'goes-on'))('makes the stream wait after %s', (code) => {
    const after = afterFailure(stream(), range(), code)
    expect(after.outcome).toMatchObject({ kind: 'failed', failure: { code } })
    expect(waitMs(after)).toBeGreaterThan(0)
  })

  it.each(failureCodes.filter((code) => effects[failures[code].scope].stream === 'goes-on'))(
    'leaves the stream as it was after %s, which is not the fault of the stream',
    (code) => {
      const before = stream()
      const after = afterFailure(before, range(), code)
      expect(after.outcome).toMatchObject({ kind: 'failed', failure: { code } })
      expect(after.stream).toBe(before)
    },
  )

  it('comes with a line that names the code and the trace id', () => {
    expect(afterFailure(stream(), range(), 'vendor-error', { traceId: 'trace-7' }).log).toEqual([
      {
        level: 'warn',
        event: 'page-failed',
        code: 'vendor-error',
        traceId: 'trace-7',
        message: `It fails with vendor-error (trace trace-7). ${failures['vendor-error'].remedy}`,
      },
    ])
  })
})

describe('failures that may be the fault of the range', () => {
  const half = [{ from: now - 2 * hour, to: hourAgo, widthMs: 30 * minute }]

  it.each(failureCodes.filter((code) => failures[code].blamesRange))('the third %s in a row narrows the range', (code) => {
    const after = afterFailure(troubled(2, code), range(), code)
    expect(after.stream.hard).toEqual(half)
    expect(after.stream.trouble?.attempts).toBe(3)
    expect(after.outcome.kind).toBe('failed')
    expect(events(after)).toEqual(['page-failed', 'range-given-up'])
  })

  it('the second failure in a row does not narrow the range', () => {
    const after = afterFailure(troubled(1), range(), 'vendor-error')
    expect(after.stream).not.toHaveProperty('hard')
    expect(events(after)).toEqual(['page-failed'])
  })

  it('the first failure narrows a range that was hard before', () => {
    const hard = stream({ hard: [{ from: now - 3 * hour, to: hourAgo, widthMs: hour }] })
    expect(afterFailure(hard, range(), 'vendor-error').stream.hard).toEqual(half)
  })

  it('a failure that is never the fault of the range does not narrow it', () => {
    expect(afterFailure(troubled(2), range(), 'vendor-overloaded').stream).not.toHaveProperty('hard')
  })

  it('the third failure sets a range of one millisecond aside for an hour', () => {
    const after = afterFailure(troubled(2), range(narrowest), 'vendor-error')
    expect(after.stream.setAside).toEqual([{ ...narrowest, until: now + hour }])
    expect(after.log.at(-1)).toMatchObject({ level: 'error', event: 'range-set-aside' })
  })
})

describe('a link that must not be followed', () => {
  const refused = failure('link-refused', 'The link leads to https://evil.example')
  const after = reading.afterRefusedLink(stream(), linked(), refused, now)

  it('gives the range up', () => {
    expect(after).toMatchObject(givenUp)
    expect(after.log).toEqual([expect.objectContaining({ event: 'range-given-up', page: 1 })])
  })

  it('counts no request and no failure, because nothing was sent', () => {
    expect(after.stream.counts).toEqual(stream().counts)
    expect(after.stream).not.toHaveProperty('trouble')
  })
})

describe('the beginning of a read step', () => {
  const isOpen = (key: string) => key === 'key-1'
  const lease = { holder: 'run-1', until: now + minute }

  it('takes a new range as it was planned', () => {
    expect(reading.beginReading(stream(), range(), isOpen)).toEqual({ stream: stream(), range: range() })
  })

  it('goes on with a half-read range if the key that began it is there', () => {
    const begun = reading.beginReading(stream({ range: linked() }), linked(), isOpen)
    expect(begun.range).toEqual(linked())
    expect(begun.stream.range).toEqual(linked())
  })

  it('starts a half-read range again if its key is gone, because page ids may be bound to a key', () => {
    const begun = reading.beginReading(stream({ range: linked() }), linked(), () => false)
    expect(begun.range).toEqual(range())
    expect(begun.stream).not.toHaveProperty('range')
  })

  it('drops the lease of an earlier run', () => {
    expect(reading.beginReading(stream({ lease }), range(), isOpen).stream).not.toHaveProperty('lease')
  })
})

describe('the count of requests', () => {
  it('goes up with every request', () => {
    expect(reading.countRequest(stream()).counts).toMatchObject({ requests: 1, throttled: 0 })
    expect(reading.countRequest(stream(), { why: failure('timed-out', 'It took 30 s') }).counts).toMatchObject({
      requests: 1,
      throttled: 0,
    })
  })

  it('counts the part of a page that the lake took although it refused the rest', () => {
    const counted = reading.countRequest(stream(), { why: failure('sink-throttled', 'Full'), counts: { fetched: 3, delivered: 3 } })
    expect(counted.counts).toMatchObject({ requests: 1, pages: 0, fetched: 3, delivered: 3 })
  })

  it('counts a request that the vendor refused with 429 as throttled too', () => {
    expect(reading.countRequest(stream(), { why: failure('throttled', 'It was refused') }).counts).toMatchObject({
      requests: 1,
      throttled: 1,
    })
  })
})
