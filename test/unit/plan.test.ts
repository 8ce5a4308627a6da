import { describe, expect, it } from 'vitest'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import * as plan from '../../functions/domain/stream/plan.ts'
import { day, hour, minute, second } from '../../functions/domain/time.ts'
import { complete, coveredFrom, now, policy, range, stream } from './streams.ts'

describe('a request for everything up to an instant', () => {
  const wanting = { ...policy, wantedTo: now }
  // Read up to now, and proven up to a minute before the watermark.
  const unproven = (widthMs: number) => coveredFrom(now - 3 * hour, now - 11 * minute - 2 * second, { readThrough: now, widthMs })

  it('makes the live edge due, if one range holds the tail', () => {
    expect(plan.liveIsDue(unproven(hour), now, wanting)).toBe(true)
    expect(plan.liveIsDue(unproven(hour), now, policy)).toBe(false)
  })

  it('makes a gap of a busy stream readable, however short the gap is', () => {
    expect(plan.liveIsDue(unproven(5 * minute), now, wanting)).toBe(false)
    expect(plan.readableGaps(unproven(5 * minute), now, wanting)).toEqual([
      { from: now - 11 * minute - 2 * second, to: now - 10 * minute - 2 * second },
    ])
    expect(plan.readableGaps(unproven(5 * minute), now, policy)).toEqual([])
  })

  it('asks for nothing that is proven', () => {
    const proven = coveredFrom(now - 3 * hour, now - 10 * minute - 2 * second, { readThrough: now })
    expect(plan.liveIsDue(proven, now, wanting)).toBe(false)
    expect(plan.readableGaps(proven, now, wanting)).toEqual([])
  })
})

describe('a live edge that jumped over time that nobody has read', () => {
  const every30 = { ...policy, intervalMs: 30 * minute }
  const watermark = now - 10 * minute - 2 * second
  // Proven and read up to the last run. The live range of this run begins at the watermark.
  const busy = coveredFrom(now - 3 * hour, now - 30 * minute, { readThrough: now - 30 * minute, widthMs: 15 * minute })
  const jumped = complete(busy, range('provisional', watermark, now), now, every30)
  const read = (before: typeof busy, from: number, to: number, at = now) => complete(before, range('final', from, to), at, every30)

  it('leaves gaps that are read without delay, however short the last one is', () => {
    const most = { ...read(jumped, now - 30 * minute, now - 11 * minute), widthMs: 8 * minute }
    expect(plan.readableGaps(most, now, every30)).toEqual([{ from: now - 11 * minute, to: watermark }])
  })

  it('is due again if one range holds the rest', () => {
    const most = { ...read(jumped, now - 30 * minute, now - 11 * minute), widthMs: 15 * minute }
    expect(plan.liveIsDue(most, now, every30)).toBe(true)
    expect(plan.planLive(most, now, every30)).toMatchObject({ kind: 'tail', from: now - 11 * minute, to: now })
  })

  it('is as any other once the last gap was read, although the watermark goes on, and although nothing was proven', () => {
    const all = { ...read(jumped, now - 30 * minute, watermark), widthMs: 8 * minute }
    expect(plan.readableGaps(all, now + minute, every30)).toEqual([])
    const unproven = { ...jumped, ...complete(jumped, range('tail', now - 30 * minute, now), now - 5 * minute, every30), widthMs: hour }
    expect(plan.liveIsDue(unproven, now, every30)).toBe(false)
  })

  it('waits while the watermark is before the jump, because the vendor set its clock back', () => {
    const most = { ...read(jumped, now - 30 * minute, now - 16 * minute), widthMs: 8 * minute }
    const back = { ...every30, clock: { agreedMs: -5 * minute, lastMs: -5 * minute } }
    expect(plan.readableGaps(most, now, back)).toEqual([])
    expect(plan.readableGaps(most, now + 5 * minute, back)).toEqual([{ from: now - 16 * minute, to: watermark }])
  })

  it('is one that a failed live range went past as well', () => {
    expect(ledger.narrowRange(busy, range('provisional', watermark, now), now)).toMatchObject({ jumpedTo: watermark })
  })
})

describe('the next range', () => {
  it('is the whole unproven tail if one range holds it, cut on whole seconds at both ends', () => {
    const proven = now - 10 * minute - 2 * second
    const quiet = coveredFrom(now - hour, proven, { readThrough: now })
    expect(plan.planLive(quiet, now + 5 * minute + 345, policy)).toMatchObject({ kind: 'tail', from: proven, to: now + 5 * minute })
    expect(plan.planGap(quiet, now + 5 * minute + 345, policy)).toBeUndefined()
  })

  it('asks the vendor for one millisecond more at both ends', () => {
    expect(plan.askedRange({ from: 1_000, to: 2_000 })).toEqual({ from: 999, to: 2_001 })
  })

  it('of a busy stream begins where reading stopped, or is a gap before the watermark', () => {
    const busy = coveredFrom(now - 2 * hour, now - 30 * minute, { widthMs: 10 * minute, readThrough: now - 4 * minute })
    expect(plan.planLive(busy, now, policy)).toMatchObject({ kind: 'provisional', from: now - 4 * minute, to: now })
    expect(plan.planGap(busy, now, policy)).toMatchObject({ kind: 'final', from: now - 30 * minute, to: now - 20 * minute })
    const last = coveredFrom(now - 2 * hour, now - 15 * minute, { widthMs: 10 * minute, readThrough: now })
    expect(plan.planGap(last, now, policy)).toMatchObject({ from: now - 15 * minute, to: now - 10 * minute - 2 * second })
  })

  it('of a stream that is hours behind is provisional only after the watermark, so that nothing is read twice', () => {
    const behind = coveredFrom(now - 9 * hour, now - 8 * hour, { widthMs: hour })
    expect(plan.planLive(behind, now, policy)).toMatchObject({ kind: 'provisional', from: now - 10 * minute - 2 * second })
    expect(plan.planGap(behind, now, policy)).toMatchObject({ kind: 'final', from: now - 8 * hour, to: now - 7 * hour })
  })

  it('is as wide as the density of the last range allows', () => {
    const busy = stream(now - 10 * hour)
    const dense = complete(busy, range('final', now - 10 * hour, now - 9 * hour, { items: 17_500 }), now, policy)
    expect(dense.widthMs).toBe(6 * minute)
    const empty = complete(busy, range('final', now - 10 * hour, now - 9 * hour), now, policy)
    expect(empty.widthMs).toBe(8 * hour)
  })

  it('is cut on a millisecond if a second holds too many events', () => {
    const crowded = stream(now - hour, { widthMs: 40 })
    expect(plan.planGap(crowded, now, policy)).toMatchObject({ from: now - hour, to: now - hour + 40 })
  })
})

describe('a live range of a busy stream', () => {
  const busy = coveredFrom(now - 2 * hour, now - 30 * minute, { widthMs: 10 * minute, readThrough: now - 5 * minute })
  const after5 = now + 5 * minute

  it('begins where the last answer could show events, although that was asked for more', () => {
    const cached = complete(busy, range('provisional', now - 5 * minute, now, { readSince: now - minute }), now)
    expect(plan.planLive({ ...cached, widthMs: 10 * minute }, after5, policy)).toMatchObject({
      from: now - minute - 2 * second,
      to: after5,
    })
    expect(plan.liveIsDue(cached, now, policy)).toBe(false)
  })

  it('begins there by the clock of a vendor that is ahead', () => {
    const ahead = { ...policy, clock: { agreedMs: hour, lastMs: hour } }
    const before = { ...busy, readThrough: now + 55 * minute }
    const after = complete(before, range('provisional', now + 55 * minute, now + hour), now, ahead)
    expect(plan.planLive({ ...after, widthMs: 10 * minute }, after5, ahead)).toMatchObject({ from: now + hour - 2 * second })
  })

  it('goes on, however narrow it must be', () => {
    const narrow = { ...complete(busy, range('provisional', now - 5 * minute, now), now), widthMs: 500 }
    const piece = plan.planLive(narrow, after5, policy)!
    expect(piece).toMatchObject({ from: now - 2 * second, to: now - 1_500 })
    const after = complete(narrow, { ...piece, readSince: after5 }, after5)
    expect(plan.planLive({ ...after, widthMs: 500 }, after5, policy)).toMatchObject({ from: piece.to })
  })

  it('does not go back into a part that the live edge went past', () => {
    const read = complete(busy, range('provisional', now - 5 * minute, now), now)
    const past = ledger.narrowRange(read, range('provisional', now - 2 * second, after5), after5)
    expect(plan.planLive(past, now + 8 * minute, policy)).toMatchObject({ from: after5 })
  })
})

describe('a range whose link died', () => {
  it('is read again half as wide, and the stream is paced until a range succeeds', () => {
    const before = stream(now - 10 * hour, { widthMs: hour })
    const after = ledger.giveUpRange(before, range('final', now - 10 * hour, now - 9 * hour, { page: 2 }), now)
    expect(after).toMatchObject({ widthMs: 30 * minute, paced: true })
    expect(after.pagesTarget).toBeCloseTo(1.4)
    expect(complete(after, range('final', now - 10 * hour, now - 9.5 * hour), now, policy).paced).toBe(false)
  })

  it('is left alone for an hour if it is one millisecond wide, while its surroundings are read', () => {
    const at = now - hour
    const before = coveredFrom(now - 2 * hour, at, { widthMs: 1 })
    const after = ledger.giveUpRange(before, range('final', at, at + 1), now)
    expect(plan.planGap(after, now, policy)).toMatchObject({ from: at + 1 })
    expect(plan.planGap(ledger.expire(after, now + hour, policy), now + hour, policy)).toMatchObject({ from: at })
  })
})

describe('a hard place', () => {
  const from = now - 2 * hour
  const hard = ledger.narrowRange(stream(from, { widthMs: hour }), range('final', from + minute, from + 2 * minute), now)

  it('ends the range before it, and is read in narrower ranges, even if other ranges are easy', () => {
    expect(plan.planGap(hard, now, policy)).toMatchObject({ from, to: from + minute })
    const before = complete(hard, range('final', from, from + minute), now, policy)
    expect(plan.planGap(before, now, policy)).toMatchObject({ from: from + minute, to: from + 90 * second })
    const half = complete(before, range('final', from + minute, from + 90 * second), now, policy)
    expect(plan.planGap(half, now, policy)).toMatchObject({ from: from + 90 * second, to: from + 2 * minute })
    const whole = complete(half, range('final', from + 90 * second, from + 2 * minute), now, policy)
    expect(whole.hard).toBeUndefined()
  })

  it('is halved until one millisecond is left alone, and its neighbour is joined to it', () => {
    let narrower = hard
    let piece = plan.planGap(complete(hard, range('final', from, from + minute), now, policy), now, policy)!
    // A minute is less than 2^16 ms.
    const halvingsMax = 20
    for (let tries = 0; narrower.setAside.length === 0; tries++) {
      expect(tries).toBeLessThan(halvingsMax)
      narrower = ledger.narrowRange({ ...narrower, covered: [{ from, to: piece.from }] }, piece, now)
      piece = plan.planGap(narrower, now, policy)!
    }
    expect(piece).toMatchObject({ from: from + minute + 1, to: from + minute + 2 })
    expect(ledger.narrowRange(narrower, piece, now).setAside).toEqual([{ from: from + minute, to: from + minute + 2, until: now + hour }])
  })

  it('is forgotten when it passes the retention limit', () => {
    expect(ledger.expire(hard, now + 3 * day, policy).hard).toBeUndefined()
  })

  it('is one of a bounded number, so that no vendor makes the stored item grow', () => {
    // Far below the 400 KB that DynamoDB allows an item (bytes).
    const itemMax = 12_000
    let crowded = stream(from)
    for (let i = 0; i < 1_000; i++) {
      crowded = ledger.narrowRange(crowded, range('final', from + 10 * i, from + 10 * i + 2), now)
      crowded = ledger.narrowRange(crowded, range('final', from + 10 * i + 5, from + 10 * i + 6), now)
    }
    expect(JSON.stringify(crowded).length).toBeLessThan(itemMax)
  })
})
