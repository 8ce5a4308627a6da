import { describe, expect, it } from 'vitest'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import * as plan from '../../functions/domain/stream/plan.ts'
import type { Range, StreamState } from '../../functions/domain/stream/stream.ts'
import { day, hour, minute, second } from '../../functions/domain/time.ts'

const now = Date.UTC(2026, 10, 24, 12)
const policy: ledger.ReadingPolicy = {
  retentionMs: 72 * hour,
  pageItemsMax: 500,
  lateMs: 10 * minute,
  intervalMs: 5 * minute,
  clockErrorMs: 0,
  wantedTo: 0,
}
const stream = (since: number, more: Partial<StreamState> = {}): StreamState => ({ ...ledger.newStream(since, since), ...more })
const range = (kind: Range['kind'], from: number, to: number, more: Partial<Range> = {}): Range => ({
  kind,
  from,
  to,
  page: 1,
  items: 0,
  readSince: now,
  ...more,
})
/** As the coverage is after everything to `to` was settled. */
const coveredFrom = (since: number, to: number, more: Partial<StreamState> = {}) =>
  stream(since, { covered: [{ from: since, to }], readThrough: to, ...more })

describe('what somebody wants up to an instant', () => {
  const wanting = { ...policy, wantedTo: now }
  // Read up to now, proven up to a minute before what can be.
  const unproven = (widthMs: number) => coveredFrom(now - 3 * hour, now - 11 * minute - 2 * second, { readThrough: now, widthMs })

  it('is proven with the live edge, where one range holds the tail', () => {
    expect(plan.liveIsDue(unproven(hour), now, wanting)).toBe(true)
    expect(plan.liveIsDue(unproven(hour), now, policy)).toBe(false)
  })

  it('is proven as a gap of a busy stream, however little it is', () => {
    expect(plan.liveIsDue(unproven(5 * minute), now, wanting)).toBe(false)
    expect(plan.readableGaps(unproven(5 * minute), now, wanting)).toEqual([
      { from: now - 11 * minute - 2 * second, to: now - 10 * minute - 2 * second },
    ])
    expect(plan.readableGaps(unproven(5 * minute), now, policy)).toEqual([])
  })

  it('is not read again once it is proven', () => {
    const proven = coveredFrom(now - 3 * hour, now - 10 * minute - 2 * second, { readThrough: now })
    expect(plan.liveIsDue(proven, now, wanting)).toBe(false)
    expect(plan.readableGaps(proven, now, wanting)).toEqual([])
  })
})

describe('what is missing', () => {
  it('is everything since responsibility began, until something is proven', () => {
    expect(ledger.missing(stream(now - hour), now)).toEqual([{ from: now - hour, to: now }])
    expect(ledger.coveredTo(stream(now - hour), now)).toBe(now - hour)
  })

  it('is not what was given up for good', () => {
    const given = stream(now - hour, { lostRanges: [{ from: now - hour, to: now - 30 * minute, reason: 'retention-limit' }] })
    expect(ledger.coveredTo(given, now)).toBe(now - 30 * minute)
  })
})

describe('a range read to its end', () => {
  const whole = plan.planLive(stream(now - 20 * minute), now, policy)!

  it('proves what nothing can come late to any more, counted from the request of its first page', () => {
    const after = ledger.completeRange(stream(now - 20 * minute), { ...whole, page: 3, readSince: now }, now + minute, policy)
    expect(after.covered).toEqual([{ from: now - 20 * minute, to: now - 10 * minute - 2 * second }])
    expect(after.readThrough).toBe(now)
  })

  it('proves less by as much as the vendor’s clock is off', () => {
    const after = ledger.completeRange(stream(now - 20 * minute), { ...whole, readSince: now }, now, {
      ...policy,
      clockErrorMs: -3 * second,
    })
    expect(after.covered[0]!.to).toBe(now - 10 * minute - 5 * second)
  })

  it('proves nothing of what passed the horizon while it was read', () => {
    const from = now - 72 * hour + 3 * minute
    const after = ledger.completeRange(stream(from), range('final', from, from + hour), now + 5 * minute, policy)
    expect(after.covered).toEqual([{ from: now + 5 * minute - 72 * hour + 2 * second, to: from + hour }])
  })

  it('proves nothing when it was provisional', () => {
    const busy = stream(now - hour, { widthMs: minute })
    const provisional = plan.planLive(busy, now, policy)!
    expect(provisional.kind).toBe('provisional')
    expect(ledger.completeRange(busy, { ...provisional, readSince: now }, now, policy).covered).toEqual([])
    // Nor what settled while it waited for its token.
    expect(ledger.completeRange(busy, { ...provisional, readSince: now + minute }, now + minute, policy).covered).toEqual([])
  })

  it('proves nothing of what a vendor whose clock is ahead of ours has dropped already', () => {
    const from = now - 72 * hour + 3 * minute
    const ahead = { ...policy, clockErrorMs: 4 * minute }
    const after = ledger.completeRange(stream(from), range('final', from, from + hour), now, ahead)
    expect(after.covered[0]!.from).toBe(now - 72 * hour + 4 * minute + 2 * second)
  })
})

describe('the next range', () => {
  it('is the whole unsettled tail when that fits one, both cuts on whole seconds', () => {
    const settled = now - 10 * minute - 2 * second
    const quiet = coveredFrom(now - hour, settled, { readThrough: now })
    expect(plan.planLive(quiet, now + 5 * minute + 345, policy)).toMatchObject({ kind: 'tail', from: settled, to: now + 5 * minute })
    expect(plan.planGap(quiet, now + 5 * minute + 345, policy)).toBeUndefined()
  })

  it('asks a millisecond beyond both cuts', () => {
    expect(plan.askedRange({ from: 1_000, to: 2_000 })).toEqual({ from: 999, to: 2_001 })
  })

  it('of a busy stream runs forward from what was read, and settling ranges end where nothing can come late', () => {
    const busy = coveredFrom(now - 2 * hour, now - 30 * minute, { widthMs: 10 * minute, readThrough: now - 4 * minute })
    expect(plan.planLive(busy, now, policy)).toMatchObject({ kind: 'provisional', from: now - 4 * minute, to: now })
    expect(plan.planGap(busy, now, policy)).toMatchObject({ kind: 'final', from: now - 30 * minute, to: now - 20 * minute })
    const last = coveredFrom(now - 2 * hour, now - 15 * minute, { widthMs: 10 * minute, readThrough: now })
    expect(plan.planGap(last, now, policy)).toMatchObject({ from: now - 15 * minute, to: now - 10 * minute - 2 * second })
  })

  it('reads what was missed for hours once: provisionally only where it is not final yet', () => {
    const behind = coveredFrom(now - 9 * hour, now - 8 * hour, { widthMs: hour })
    expect(plan.planLive(behind, now, policy)).toMatchObject({ kind: 'provisional', from: now - 10 * minute - 2 * second })
    expect(plan.planGap(behind, now, policy)).toMatchObject({ kind: 'final', from: now - 8 * hour, to: now - 7 * hour })
  })

  it('is as wide as the density of the last allows', () => {
    const busy = stream(now - 10 * hour)
    const dense = ledger.completeRange(busy, range('final', now - 10 * hour, now - 9 * hour, { items: 17_500 }), now, policy)
    expect(dense.widthMs).toBe(6 * minute)
    const empty = ledger.completeRange(busy, range('final', now - 10 * hour, now - 9 * hour), now, policy)
    expect(empty.widthMs).toBe(8 * hour)
  })

  it('is cut on a millisecond where a second holds too much', () => {
    const crowded = stream(now - hour, { widthMs: 40 })
    expect(plan.planGap(crowded, now, policy)).toMatchObject({ from: now - hour, to: now - hour + 40 })
  })
})

describe('a range whose link died', () => {
  it('is half as wide the next time, and its requests keep apart until one succeeds', () => {
    const before = stream(now - 10 * hour, { widthMs: hour })
    const after = ledger.giveUpRange(before, range('final', now - 10 * hour, now - 9 * hour, { page: 2 }), now)
    expect(after).toMatchObject({ widthMs: 30 * minute, paced: true })
    expect(after.pagesTarget).toBeCloseTo(1.4)
    expect(ledger.completeRange(after, range('final', now - 10 * hour, now - 9.5 * hour), now, policy).paced).toBe(false)
  })

  it('of one millisecond is left alone for an hour, and everything around it is read', () => {
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

  it('is come up to, and read in narrower ranges, whatever is read with ease elsewhere', () => {
    expect(plan.planGap(hard, now, policy)).toMatchObject({ from, to: from + minute })
    const before = ledger.completeRange(hard, range('final', from, from + minute), now, policy)
    expect(plan.planGap(before, now, policy)).toMatchObject({ from: from + minute, to: from + 90 * second })
    const half = ledger.completeRange(before, range('final', from + minute, from + 90 * second), now, policy)
    expect(plan.planGap(half, now, policy)).toMatchObject({ from: from + 90 * second, to: from + 2 * minute })
    const whole = ledger.completeRange(half, range('final', from + 90 * second, from + 2 * minute), now, policy)
    expect(whole.hard).toBeUndefined()
  })

  it('is halved until one millisecond is left, which is left alone; its neighbours are joined to it', () => {
    let narrower = hard
    let piece = plan.planGap(ledger.completeRange(hard, range('final', from, from + minute), now, policy), now, policy)!
    for (let tries = 0; narrower.setAside.length === 0; tries++) {
      expect(tries).toBeLessThan(20)
      narrower = ledger.narrowRange({ ...narrower, covered: [{ from, to: piece.from }] }, piece, now)
      piece = plan.planGap(narrower, now, policy)!
    }
    expect(piece).toMatchObject({ from: from + minute + 1, to: from + minute + 2 })
    expect(ledger.narrowRange(narrower, piece, now).setAside).toEqual([{ from: from + minute, to: from + minute + 2, until: now + hour }])
  })

  it('is forgotten with the horizon', () => {
    expect(ledger.expire(hard, now + 3 * day, policy).hard).toBeUndefined()
  })

  it('is one of few: no vendor makes the item grow', () => {
    let crowded = stream(from)
    for (let i = 0; i < 1_000; i++) {
      crowded = ledger.narrowRange(crowded, range('final', from + 10 * i, from + 10 * i + 2), now)
      crowded = ledger.narrowRange(crowded, range('final', from + 10 * i + 5, from + 10 * i + 6), now)
    }
    expect(JSON.stringify(crowded).length).toBeLessThan(12_000)
  })
})

describe('the horizon', () => {
  it('takes what is too near to be read, and says so', () => {
    const late = stream(now - 80 * hour)
    const after = ledger.expire(late, now, policy)
    expect(after.lostRanges).toEqual([{ from: now - 80 * hour, to: now - 72 * hour + 2 * minute, reason: 'retention-limit' }])
    expect(ledger.coveredTo(after, now)).toBe(now - 72 * hour + 2 * minute)
  })

  it('calls it paused what happened while the connector was switched off', () => {
    const late = stream(now - 80 * hour)
    const after = ledger.expire(late, now, policy, { from: now - 79 * hour, to: now - minute })
    expect(after.lostRanges.map(({ reason }) => reason)).toEqual(['paused'])
  })

  it('makes one hole of what is lost piece by piece', () => {
    const first = ledger.expire(stream(now - 80 * hour), now, policy)
    const second = ledger.expire(first, now + hour, policy)
    expect(second.lostRanges).toHaveLength(1)
    expect(second.lostRanges[0]!.to).toBe(now - 71 * hour + 2 * minute)
  })

  it('takes nothing that is proven', () => {
    const proven = coveredFrom(now - 80 * hour, now - minute)
    expect(ledger.expire(proven, now, policy).lostRanges).toEqual([])
  })

  it('names what could never be read', () => {
    const at = now - 71 * hour
    const stuck = coveredFrom(at - hour, at, { setAside: [{ from: at, to: at + 1, until: now + 2 * hour }] })
    const rest = {
      ...stuck,
      covered: [
        { from: at - hour, to: at },
        { from: at + 1, to: now },
      ],
    }
    expect(ledger.expire(rest, now + 2 * hour, policy).lostRanges).toEqual([{ from: at, to: at + 1, reason: 'unreadable' }])
  })
})

describe('the daily second look', () => {
  it('covers the last 24 h that are proven, piece by piece, and comes again a day later', () => {
    const end = now - 11 * minute
    const proven = coveredFrom(now - 2 * day, end, { nextRereadAt: now, widthMs: 20 * hour, readThrough: now })
    const begun = ledger.beginReread(proven, now, policy)
    const first = plan.planReread(begun)!
    expect(first).toMatchObject({ kind: 'reread', from: end - day, to: end - day + 20 * hour })
    const half = ledger.completeRange(begun, { ...first, readSince: now }, now, policy)
    expect(half.reread).toEqual({ from: first.to, to: end })
    const done = ledger.completeRange(half, { ...plan.planReread(half)!, readSince: now }, now, policy)
    expect(done.reread).toBeUndefined()
    expect(done.nextRereadAt).toBe(now + day)
  })

  it('does not begin while nothing is proven', () => {
    const unproven = stream(now - day, { nextRereadAt: now })
    expect(ledger.beginReread(unproven, now, { ...policy, lateMs: day }).reread).toBeUndefined()
  })

  it('passes over what cannot be read', () => {
    const end = now - 11 * minute
    const aside = { from: end - day, to: end - day + 1, until: now + hour }
    const proven = coveredFrom(now - 2 * day, end, { nextRereadAt: now, setAside: [aside] })
    expect(plan.planReread(ledger.beginReread(proven, now, policy))).toMatchObject({ from: end - day + 1 })
  })

  it('waits for a backlog, which is no lateness', () => {
    const behind = coveredFrom(now - 2 * day, now - 5 * hour, { nextRereadAt: now })
    expect(ledger.beginReread(behind, now, policy).reread).toBeUndefined()
  })
})
