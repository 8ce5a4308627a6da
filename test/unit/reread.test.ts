import { describe, expect, it } from 'vitest'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import * as plan from '../../functions/domain/stream/plan.ts'
import { readBy } from '../../functions/domain/stream/reader.ts'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { day, hour, minute } from '../../functions/domain/time.ts'
import { complete, coveredFrom, now, policy, stream } from './streams.ts'

describe('the re-read for a new key', () => {
  const origin = 'https://vendor.example'
  const since = now - 10 * hour
  const [first, second] = [
    { from: since, to: now - 8 * hour },
    { from: now - 7 * hour, to: now - 11 * minute },
  ] as const
  const before = coveredFrom(since, now, { covered: [first, second], widthMs: 72 * hour, origin, keys: ['old'] })
  const after = readBy(before, { origin, keys: ['new'], since, acceptedAt: since }, now)

  it('goes to the end of what is covered, over every gap', () => {
    expect(after).toMatchObject({ reread: { from: since, to: second.to }, rereadForKey: true })
  })

  it('proves the gaps that it reads', () => {
    const whole = plan.planReread(after)!
    expect(complete(after, { ...whole, page: 1, readSince: now }, now).covered).toEqual([{ from: since, to: second.to }])
  })

  it('reads nothing if nothing is covered', () => {
    expect(readBy({ ...before, covered: [] }, { origin, keys: ['new'], since, acceptedAt: since }, now)).not.toHaveProperty('reread')
  })
})

describe('the daily re-read', () => {
  it('covers the last 24 h of proven time, piece by piece, and comes again a day later', () => {
    const end = now - 11 * minute
    const proven = coveredFrom(now - 2 * day, end, { nextRereadAt: now, widthMs: 20 * hour, readThrough: now })
    const begun = ledger.beginReread(proven, now, policy)
    const first = plan.planReread(begun)!
    expect(first).toMatchObject({ kind: 'reread', from: end - day, to: end - day + 20 * hour })
    const half = complete(begun, { ...first, readSince: now }, now, policy)
    expect(half.reread).toEqual({ from: first.to, to: end })
    const done = complete(half, { ...plan.planReread(half)!, readSince: now }, now, policy)
    expect(done.reread).toBeUndefined()
    expect(done.nextRereadAt).toBe(now + day)
  })

  it('does not begin while nothing is proven', () => {
    const unproven = stream(now - day, { nextRereadAt: now })
    expect(ledger.beginReread(unproven, now, { ...policy, lateMs: day }).reread).toBeUndefined()
  })

  it('passes over milliseconds that are set aside', () => {
    const end = now - 11 * minute
    const aside = { from: end - day, to: end - day + 1, until: now + hour }
    const proven = coveredFrom(now - 2 * day, end, { nextRereadAt: now, setAside: [aside] })
    expect(plan.planReread(ledger.beginReread(proven, now, policy))).toMatchObject({ from: end - day + 1 })
  })

  describe('of a stream with a millisecond that cannot be read', () => {
    const end = now - 11 * minute
    const around = (at: number, more: Partial<StreamState> = {}) =>
      coveredFrom(now - 70 * hour, end, {
        covered: [
          { from: now - 70 * hour, to: at },
          { from: at + 1, to: end },
        ],
        setAside: [{ from: at, to: at + 1, until: now + hour }],
        nextRereadAt: now,
        ...more,
      })

    it.each([1, 30, 60])('%i h ago goes up to the first gap that can be read', (hours) => {
      expect(ledger.beginReread(around(now - hours * hour), now, policy).reread).toEqual({ from: end - day, to: end })
    })

    it('is over when nothing else of it is left, and the next one begins', () => {
      const at = now - hour
      const stuck = around(at, { reread: { from: at, to: at + 1 }, rereadForKey: true })
      const next = ledger.beginReread(stuck, now, policy)
      expect(next.reread).toEqual({ from: end - day, to: end })
      expect(next).not.toHaveProperty('rereadForKey')
      expect(ledger.beginReread({ ...stuck, nextRereadAt: now + hour }, now, policy)).not.toHaveProperty('reread')
    })
  })

  it('does not wait for a gap that no read can prove any more', () => {
    const ahead = { ...policy, clock: { agreedMs: hour, lastMs: hour } }
    const since = now - 71.9 * hour
    const passed = coveredFrom(since, now - 11 * minute, {
      covered: [{ from: since + 30 * minute, to: now - 11 * minute }],
      nextRereadAt: now,
    })
    expect(ledger.beginReread(passed, now, ahead).reread).toMatchObject({ to: now - 11 * minute })
  })

  it('waits while there is a backlog, because events of a backlog are not late', () => {
    const behind = coveredFrom(now - 2 * day, now - 5 * hour, { nextRereadAt: now })
    expect(ledger.beginReread(behind, now, policy).reread).toBeUndefined()
  })
})
