import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { afterEmptyReads, emptyReadsOf, isWorthSaving } from '../../functions/domain/stream/empty-reads.ts'
import { expire } from '../../functions/domain/stream/ledger.ts'
import * as plan from '../../functions/domain/stream/plan.ts'
import { afterPage, countRequest } from '../../functions/domain/stream/reading.ts'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, type Instant, minute, second } from '../../functions/domain/time.ts'
import { now, policy, stream } from './streams.ts'

/** The stream after its whole tail was read at `at`, with one page of so many items, all new. */
function readTail(before: StreamState, at: Instant, items = 0, by = policy): StreamState {
  const tail = plan.planLive(before, at, by)!
  const page = {
    key: 'key',
    requestedAt: at,
    receivedAt: at,
    items,
    newIds: items,
    counts: { pages: 1, fetched: items, delivered: items },
    filters: [],
    filtersOff: [],
    changes: { again: 0, changed: 0, fields: [] },
  }
  return afterPage(countRequest(before), tail, page, { policy: by, linksRead: new Set(), now: at }).stream
}

const saved: StreamState = { ...readTail(stream(now - 20 * minute), now), version: 7 }
const afterReads = (...at: readonly Instant[]) => at.reduce((before, instant) => readTail(before, instant), saved)
const emptyReads = (before: StreamState, after: StreamState) => emptyReadsOf(new Map([['x', after]]), new Map([['x', before]]))?.['x']
const restored = (before: StreamState, after: StreamState) => afterEmptyReads(before, emptyReads(before, after))

describe('an empty read', () => {
  it('is not worth a write of the stream for half an hour', () => {
    for (const after of [5, 10, 29]) expect(isWorthSaving(saved, afterReads(now + after * minute), now + after * minute)).toBe(false)
    expect(isWorthSaving(saved, afterReads(now + 30 * minute), now + 30 * minute)).toBe(true)
  })

  it('is worth one if the stream was never written', () => {
    expect(isWorthSaving(undefined, afterReads(now + minute), now + minute)).toBe(true)
  })

  it.each<[string, Partial<StreamState>]>([
    ['trouble', { trouble: { failure: { code: 'vendor-error', detail: '' }, attempts: 1, until: now, since: now } }],
    ['a re-read that was asked for', { requestedRereads: [{ from: now - 1, to: now }] }],
    ['a lease of a run that died', { lease: { holder: 'run', until: now } }],
    ['a range that was half read', { range: { kind: 'tail', from: now - 1, to: now, page: 1, items: 1 } }],
    ['another proven interval', { covered: [...saved.covered, { from: now, to: now + 1 }] }],
    ['no proven interval', { covered: [] }],
    ['a much narrower range', { widthMs: saved.widthMs / 2 }],
    ['another event', { counts: { ...saved.counts, fetched: 1, delivered: 1 } }],
    ['a refused request', { counts: { ...saved.counts, requests: saved.counts.requests + 1 } }],
  ])('is worth one if the stored stream has %s', (_, stored) => {
    expect(isWorthSaving({ ...saved, ...stored }, afterReads(now + minute), now + minute)).toBe(true)
  })

  it('is worth one if it proves less than the stored stream: a longer wait for late events took proof back', () => {
    const stored = { ...saved, covered: [{ from: now - 2 * hour, to: saved.covered.at(-1)!.to }] }
    const at = now + 5 * minute
    const longer = { ...policy, lateMs: 20 * minute }
    expect(isWorthSaving(stored, readTail(expire(stored, at, longer), at, 0, longer), at)).toBe(true)
  })

  it('is worth one if it ends before the stored stream: the clock was set back', () => {
    const ahead = { ...saved, readThrough: now + 3 * minute }
    expect(isWorthSaving(ahead, readTail(expire(ahead, now + minute, policy), now + minute), now + minute)).toBe(true)
  })
})

describe('empty reads in the status', () => {
  it('bring the stream to where they left it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: second, max: 5 * minute }), { minLength: 1, maxLength: 6 }), (waits) => {
        let at = now
        const instants = waits.map((wait) => {
          at += wait
          return at
        })
        const after = afterReads(...instants)
        const { lastReadAt, readThrough, covered, counts } = after
        expect(restored(saved, after)).toMatchObject({ lastReadAt, readThrough, covered, counts })
      }),
    )
  })

  it('go on from run to run', () => {
    const first = restored(saved, afterReads(now + 5 * minute))
    const second = readTail(first, now + 10 * minute)
    expect(restored(saved, second)).toMatchObject({ readThrough: second.readThrough, counts: second.counts })
  })

  it('say nothing of a stream that was written since, or made anew', () => {
    const empty = emptyReads(saved, afterReads(now + minute))
    const written = { ...saved, version: 8 }
    expect(afterEmptyReads(written, empty)).toBe(written)
    const anew = { ...saved, lastReadAt: now + 2 * minute }
    expect(afterEmptyReads(anew, empty)).toBe(anew)
    expect(afterEmptyReads(saved, undefined)).toBe(saved)
  })

  it('are absent if every stream is as it is stored', () => {
    expect(emptyReadsOf(new Map([['x', saved]]), new Map([['x', saved]]))).toBeUndefined()
    expect(emptyReadsOf(new Map([['x', afterReads(now + minute)]]), new Map())).toBeUndefined()
  })
})
