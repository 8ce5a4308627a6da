import { marshall } from '@aws-sdk/util-dynamodb'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { sizeOf } from '../../bench/capacity.ts'
import { statusSchema, streamSchema } from '../../functions/adapters/state-table/schemas.ts'
import { failure } from '../../functions/domain/failures.ts'
import { newStatus, withRefusedEdit, withState } from '../../functions/domain/status/status.ts'
import { addCounts } from '../../functions/domain/stream/counts.ts'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'

/** DynamoDB takes an item of 400 KB. A stream is written with each page, so its item stays far below that (bytes). */
const streamBytesMax = 100 * 1024
const statusBytesMax = 300 * 1024

const start = Date.UTC(2026, 10, 24)
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
const storedSize = (item: unknown) => sizeOf(marshall(item, { removeUndefinedValues: true }))

const step = fc.record({
  kind: fc.constantFrom('completed', 'given-up', 'narrowed', 'expired'),
  at: fc.integer({ min: 0, max: 60 * 3_600 }).map((seconds) => start - 60 * hour + seconds * second),
  widthMs: fc.constantFrom(1, 1, 2, 50, 1_000, 60_000),
})

function after(stream: StreamState, { kind, at, widthMs }: typeof step extends fc.Arbitrary<infer S> ? S : never): StreamState {
  const range = { kind: 'final', from: at, to: at + widthMs, page: 1, items: 1, readSince: start, nextLink: 'x'.repeat(8_000) } as const
  if (kind === 'completed') return ledger.completeRange(stream, range, { readSince: start, receivedAt: start }, policy)
  if (kind === 'given-up') return ledger.giveUpRange(stream, range, start)
  if (kind === 'narrowed') return ledger.narrowRange(stream, range, start)
  return ledger.expire(stream, at + 72 * hour, policy)
}

describe('the item of a stream', () => {
  it('stays small whatever happens to the stream, covers nothing that was not proven, and drops no loss', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1_000, maxLength: 3_000, size: 'max' }), (steps) => {
        let stream: StreamState = {
          ...ledger.newStream(start - 70 * hour, start),
          range: { kind: 'tail', from: 1, to: 2, page: 1, items: 1, nextLink: 'x'.repeat(8_000) },
        }
        let lost = 0
        for (const each of steps) {
          const next = after(stream, each)
          const sum = (of: StreamState) => of.lostRanges.reduce((ms, { from, to }) => ms + to - from, of.lostBefore?.ms ?? 0)
          expect(sum(next)).toBeGreaterThanOrEqual(lost)
          lost = sum(next)
          stream = next
        }
        const trouble = {
          failure: failure('vendor-error', 'x'.repeat(10_000), { traceId: 'y\n'.repeat(10_000) }),
          attempts: 9,
          until: start,
          since: start,
        }
        expect(storedSize(z.encode(streamSchema, { ...stream, trouble }))).toBeLessThan(streamBytesMax)
      }),
      { numRuns: 10 },
    )
  })

  it('forgets the narrowest covered intervals beyond the bound, and invents none', () => {
    const before = ledger.newStream(start - 70 * hour, start)
    let stream = before
    const proven: { from: number; to: number }[] = []
    for (let n = 0; n < 1_200; n++) {
      const range = {
        kind: 'final',
        from: start - 60 * hour + n * minute,
        to: start - 60 * hour + n * minute + 1_000 + n,
        page: 1,
        items: 0,
        readSince: start,
      } as const
      proven.push({ from: range.from, to: range.to })
      stream = ledger.completeRange(stream, range, { readSince: start, receivedAt: start }, policy)
    }
    expect(stream.covered.length).toBe(500)
    for (const covered of stream.covered) expect(proven).toContainEqual(covered)
    expect(stream.covered.at(-1)).toEqual(proven.at(-1))
  })

  it('counts by the names of the filters that the connector has, and forgets the others', () => {
    let { counts } = ledger.newStream(start, start)
    for (let n = 0; n < 100; n++) counts = addCounts(counts, { byFilter: { [`filter ${n}`]: 1, kept: 1 } }, [`filter ${n}`, 'kept'])
    expect(counts.byFilter).toEqual({ 'filter 99': 1, kept: 100 })
  })
})

describe('the item of a status', () => {
  it('stays small whatever its reasons and problems are', () => {
    let status = newStatus(start, 'x'.repeat(128))
    for (let n = 0; n < 100; n++) {
      status = withState(status, { state: n % 2 === 0 ? 'failing' : 'ok', reason: `${n} ${'😀'.repeat(50_000)}` }, start + n)
      const problems = Array.from({ length: 50 }, (_, index) => ({ path: `logFilters[${index}]`, message: `${n} ${'y'.repeat(990)}` }))
      status = withRefusedEdit(status, problems, start + n)
    }
    expect(storedSize({ status: z.encode(statusSchema, status) })).toBeLessThan(statusBytesMax)
    expect(status.reason.isWellFormed()).toBe(true)
  })
})
