import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coverageOf, coverageSegments } from '../../functions/domain/status/coverage.ts'
import { completeRange } from '../../functions/domain/stream/ledger.ts'
import type { Interval, StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import { coveredFrom, now, policy, range, stream } from '../unit/streams.ts'

/** Minutes before now. */
const ago = (minutes: number) => now - minutes * minute
const kinds = (of: StreamState) =>
  coverageSegments(of, ago(72 * 60), now).map(({ kind, from, to }) => [kind, (now - from) / minute, (now - to) / minute])

describe('the coverage of a stream', () => {
  it('is proven to the watermark, then read, then not read yet', () => {
    expect(kinds(coveredFrom(ago(120), ago(12), { readThrough: ago(2), lastReadAt: ago(2) }))).toEqual([
      ['proven', 120, 12],
      ['read', 12, 2],
      ['unread', 2, 0],
    ])
  })

  it('has a lost range where the vendor no longer keeps the events', () => {
    const lostRanges = [{ from: ago(60), to: ago(50), reason: 'retention-limit' as const }]
    const of = stream(ago(60), { covered: [{ from: ago(50), to: now }], lostRanges, readThrough: now, lastReadAt: now })
    expect(kinds(of)).toEqual([
      ['lost', 60, 50],
      ['proven', 50, 0],
    ])
    expect(coverageOf(of, now)).toMatchObject({ provenTo: now, lostRanges })
  })

  it('is not read where the live edge jumped over time, or went past it', () => {
    const jumped = stream(ago(300), { readThrough: ago(1), lastReadAt: ago(1), jumpedTo: ago(100) })
    expect(kinds(jumped)).toEqual([
      ['unread', 300, 100],
      ['read', 100, 1],
      ['unread', 1, 0],
    ])
    const past = stream(ago(20), { readThrough: now, lastReadAt: now, skipped: { from: ago(10), to: ago(5) } })
    expect(kinds(past)).toEqual([
      ['read', 20, 10],
      ['unread', 10, 5],
      ['read', 5, 0],
    ])
  })

  it('is not read at all before the first page', () => {
    expect(kinds(stream(ago(10)))).toEqual([['unread', 10, 0]])
  })

  it('agrees with a read of its range', () => {
    const after = completeRange(stream(ago(60)), range('tail', ago(60), now), { readSince: now, receivedAt: now }, policy)
    expect(kinds({ ...after, lastReadAt: now }).map(([kind]) => kind)).toEqual(['proven', 'read'])
  })

  const interval = fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 1, max: 800 })).map(([from, length]): Interval => {
    return { from: ago(from), to: ago(from) + length * minute }
  })

  it('is whole: its segments follow each other from the beginning to now, whatever the state holds', () => {
    fc.assert(
      fc.property(
        fc.array(interval, { maxLength: 5 }),
        fc.array(interval, { maxLength: 5 }),
        fc.option(interval),
        fc.integer({ min: 0, max: 5_000 }),
        fc.integer({ min: 0, max: 5_000 }),
        (covered, lost, skipped, since, readThrough) => {
          const lostRanges = lost.map((each) => ({ ...each, reason: 'paused' as const }))
          const more = { covered, lostRanges, readThrough: ago(readThrough), lastReadAt: now, ...(skipped === null ? {} : { skipped }) }
          const segments = coverageSegments(stream(ago(since), more), now - 72 * hour, now)
          const from = Math.max(now - 72 * hour, ago(since))
          expect(segments.reduce((at, segment) => (segment.from === at && segment.to > at ? segment.to : Number.NaN), from)).toBe(now)
        },
      ),
    )
  })
})
