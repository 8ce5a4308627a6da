import { describe, expect, it } from 'vitest'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import * as plan from '../../functions/domain/stream/plan.ts'
import { readBy } from '../../functions/domain/stream/reader.ts'
import { nextStep } from '../../functions/domain/stream/schedule.ts'
import type { LostRange, Range, StreamState } from '../../functions/domain/stream/stream.ts'
import { day, hour, minute, second } from '../../functions/domain/time.ts'

const now = Date.UTC(2026, 10, 24, 12)
const policy: ledger.ReadingPolicy = {
  retentionMs: 72 * hour,
  pageItemsMax: 500,
  lateMs: 10 * minute,
  intervalMs: 5 * minute,
  paceMs: 3 * second,
  clock: { lastMs: 0 },
  wantedTo: 0,
}
const stream = (since: number, more: Partial<StreamState> = {}): StreamState => ({ ...ledger.newStream(since, since), ...more })
/** Completes a range whose last page was received at `receivedAt`. */
const complete = (of: StreamState, read: Range, receivedAt: number, by = policy, more: { readonly clockErrorMs?: number } = {}) =>
  ledger.completeRange(of, read, { readSince: read.readSince ?? receivedAt, receivedAt, ...more }, by)
const range = (kind: Range['kind'], from: number, to: number, more: Partial<Range> = {}): Range => ({
  kind,
  from,
  to,
  page: 1,
  items: 0,
  readSince: now,
  ...more,
})
/** A stream that is proven complete from `since` to `to`. */
const coveredFrom = (since: number, to: number, more: Partial<StreamState> = {}) =>
  stream(since, { covered: [{ from: since, to }], readThrough: to, ...more })

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

describe('the missing intervals', () => {
  it('begin with everything since the connector became responsible', () => {
    expect(ledger.missing(stream(now - hour), now)).toEqual([{ from: now - hour, to: now }])
    expect(ledger.coveredTo(stream(now - hour), now)).toBe(now - hour)
  })

  it('do not include lost ranges', () => {
    const given = stream(now - hour, { lostRanges: [{ from: now - hour, to: now - 30 * minute, reason: 'retention-limit' }] })
    expect(ledger.coveredTo(given, now)).toBe(now - 30 * minute)
  })
})

describe('a range read to its end', () => {
  const whole = plan.planLive(stream(now - 20 * minute), now, policy)!

  it('is proven up to the watermark of the request of its first page', () => {
    const after = complete(stream(now - 20 * minute), { ...whole, page: 3, readSince: now }, now + minute, policy)
    expect(after.covered).toEqual([{ from: now - 20 * minute, to: now - 10 * minute - 2 * second }])
    expect(after.readThrough).toBe(now)
  })

  it('was read only as far as the vendor’s clock goes, once its answers agree', () => {
    const behind = { ...policy, clock: { agreedMs: -hour, lastMs: -hour } }
    const since = now - 2 * hour
    const after = complete(stream(since), { ...whole, from: since, to: now, readSince: now - hour }, now, behind)
    expect(after.covered).toEqual([{ from: since, to: now - hour - 10 * minute - 2 * second }])
    expect(after.readThrough).toBe(now - hour)
  })

  it('proves nothing with a clock that is more than a day off', () => {
    for (const clockErrorMs of [-25 * hour, 25 * hour]) {
      expect(complete(stream(now - 20 * minute), whole, now, policy, { clockErrorMs }).covered).toEqual([])
    }
  })

  it('proves nothing if the retention limit reached its start before its last page: the pages after it may have shifted', () => {
    const from = now - 72 * hour + 3 * minute
    const pages = range('final', from, from + hour, { page: 2 })
    expect(complete(stream(from), pages, now + 5 * minute, policy).covered).toEqual([])
    expect(complete(stream(from), pages, now + 2 * minute, policy).covered).toEqual([{ from, to: from + hour }])
  })

  it('is not proven where the retention limit passed while it was read', () => {
    const from = now - 72 * hour + 3 * minute
    const after = complete(stream(from), range('final', from, from + hour), now + 5 * minute, policy)
    expect(after.covered).toEqual([{ from: now + 5 * minute - 72 * hour + 2 * second, to: from + hour }])
  })

  it('is no proof if it was provisional', () => {
    const busy = stream(now - hour, { widthMs: minute })
    const provisional = plan.planLive(busy, now, policy)!
    expect(provisional.kind).toBe('provisional')
    expect(complete(busy, { ...provisional, readSince: now }, now, policy).covered).toEqual([])
    // The part that became final while the step waited for its token is not proven either.
    expect(complete(busy, { ...provisional, readSince: now + minute }, now + minute, policy).covered).toEqual([])
  })

  it('is not proven where a vendor whose clock is ahead of ours has deleted events early', () => {
    const from = now - 72 * hour + 3 * minute
    const after = complete(stream(from), range('final', from, from + hour), now, policy, { clockErrorMs: 4 * minute })
    expect(after.covered[0]!.from).toBe(now - 72 * hour + 4 * minute + 2 * second)
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

describe('the retention limit', () => {
  it('makes a lost range of a gap that is too near to be read', () => {
    const late = stream(now - 80 * hour)
    const after = ledger.expire(late, now, policy)
    expect(after.lostRanges).toEqual([{ from: now - 80 * hour, to: now - 72 * hour + 2 * minute, reason: 'retention-limit' }])
    expect(ledger.coveredTo(after, now)).toBe(now - 72 * hour + 2 * minute)
  })

  it('names the pause as the reason if the connector was switched off', () => {
    const late = stream(now - 80 * hour)
    const after = ledger.expire(late, now, policy, { from: now - 79 * hour, to: now - minute })
    expect(after.lostRanges.map(({ reason }) => reason)).toEqual(['paused'])
  })

  it('makes one lost range of pieces that are lost one after the other', () => {
    const first = ledger.expire(stream(now - 80 * hour), now, policy)
    const second = ledger.expire(first, now + hour, policy)
    expect(second.lostRanges).toHaveLength(1)
    expect(second.lostRanges[0]!.to).toBe(now - 71 * hour + 2 * minute)
  })

  describe('that passes a gap before a later lost range', () => {
    const lostAt = (hours: number, more: Partial<LostRange> = {}): LostRange => ({
      from: now - hours * hour,
      to: now - (hours - 1) * hour,
      reason: 'retention-limit',
      ...more,
    })
    const losing = (lostRanges: readonly LostRange[]) =>
      coveredFrom(now - 80 * hour, now, { covered: [{ from: now - 79 * hour, to: now }], lostRanges })

    it('makes a lost range of it in its place', () => {
      const later = [lostAt(77), lostAt(75, { reason: 'paused' })]
      const after = ledger.expire(losing(later), now, policy)
      expect(after.lostRanges).toEqual([lostAt(80), ...later])
      expect(after).not.toHaveProperty('lostBefore')
      expect(ledger.newlyLost(losing(later), after)).toEqual(lostAt(80))
    })

    it('joins it to one of its reason only', () => {
      const joined = lostAt(80, { to: now - 78 * hour })
      expect(ledger.expire(losing([lostAt(79), lostAt(75)]), now, policy).lostRanges).toEqual([joined, lostAt(75)])
      const paused = [lostAt(79, { reason: 'paused' })]
      expect(ledger.expire(losing(paused), now, policy).lostRanges).toEqual([lostAt(80), ...paused])
    })

    it('adds it to the sum if there are a hundred later ones', () => {
      const later = Array.from({ length: 100 }, (_, n) => ({
        ...lostAt(70),
        from: now - 70 * hour + 2 * n,
        to: now - 70 * hour + 2 * n + 1,
      }))
      const after = ledger.expire({ ...losing(later), lostBefore: { count: 2, ms: minute } }, now, policy)
      expect(after.lostRanges).toEqual(later)
      expect(after.lostBefore).toEqual({ count: 3, ms: minute + hour })
    })
  })

  it('makes no lost range of proven time', () => {
    const proven = coveredFrom(now - 80 * hour, now - minute)
    expect(ledger.expire(proven, now, policy).lostRanges).toEqual([])
  })

  it('is never taken back over time that was covered and forgotten, whatever is known of the clock', () => {
    const behind = { ...policy, clock: { agreedMs: -hour, lastMs: -hour } }
    const unsure = { ...policy, clock: { lastMs: -hour } }
    const forgot = ledger.expire(coveredFrom(now - 100 * hour, now - 11 * minute), now, policy)
    for (const by of [behind, unsure]) {
      const again = ledger.expire(ledger.extendBack(forgot, now - 100 * hour, now + second, by), now + second, by)
      expect(again.since).toBe(forgot.since)
      expect(ledger.expire(again, now + hour, policy).lostRanges).toEqual([])
    }
  })

  describe('by a clock that is ahead of ours', () => {
    const ahead = { ...policy, clock: { agreedMs: 10 * minute, lastMs: 10 * minute } }
    const gapTo = now - 71 * hour
    const behind = coveredFrom(now - 71.9 * hour, now, { covered: [{ from: gapTo, to: now }] })
    const limit = now - 72 * hour + 10 * minute + 2 * second

    it('bounds what is planned, because no read can prove what lies before it', () => {
      expect(plan.readableGaps(behind, now, ahead)).toEqual([{ from: limit, to: gapTo }])
      const passed = { ...behind, covered: [{ from: limit, to: now }] }
      expect(plan.readableGaps(passed, now, ahead)).toEqual([])
      expect(plan.planGap(passed, now, ahead)).toBeUndefined()
    })

    it('makes no lost range yet, because that clock may be wrong', () => {
      const after = ledger.expire(behind, now, ahead)
      expect(after.lostRanges).toEqual([])
      expect(ledger.missing(after, now)[0]).toEqual({ from: now - 71.9 * hour, to: gapTo })
    })

    it('keeps no other stream waiting for what lies before it', () => {
      const passed = coveredFrom(now - 71.9 * hour, now + 10 * minute, { covered: [{ from: limit, to: now }] })
      const other = coveredFrom(now - 71 * hour, now + 10 * minute, { covered: [{ from: now - 60 * hour, to: now }] })
      const streams = new Map([
        ['passed', passed],
        ['other', other],
      ])
      expect([0, 1, 2, 3, 4].map((readSteps) => nextStep(streams, readSteps, now, ahead)?.stream)).toEqual(Array(5).fill('other'))
    })
  })

  it('calls a range unreadable if it was set aside until then', () => {
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

describe('a clock that is more than a day off', () => {
  const off = { ...policy, clock: { agreedMs: 25 * hour, lastMs: 25 * hour }, wantedTo: now - hour }

  it('leaves no gap to plan, because no read can prove one', () => {
    expect(plan.readableGaps(stream(now - 10 * hour), now, off)).toEqual([])
  })

  it('leaves the live edge due each half interval, and not for its proof', () => {
    const there = now + 25 * hour
    const unproven = (readThrough: number) => stream(now - 10 * hour, { readThrough, widthMs: 72 * hour })
    expect(plan.liveIsDue(unproven(there), now, off)).toBe(false)
    expect(plan.liveIsDue(unproven(there - 3 * minute), now, off)).toBe(true)
  })
})

describe('the re-read for a new key', () => {
  const origin = 'https://vendor.example'
  const since = now - 10 * hour
  const [first, second] = [
    { from: since, to: now - 8 * hour },
    { from: now - 7 * hour, to: now - 11 * minute },
  ] as const
  const before = coveredFrom(since, now, { covered: [first, second], widthMs: 72 * hour, origin, keys: ['old'] })
  const after = readBy(before, { origin, keys: ['new'], since }, now)

  it('goes to the end of what is covered, over every gap', () => {
    expect(after).toMatchObject({ reread: { from: since, to: second.to }, rereadForKey: true })
  })

  it('proves the gaps that it reads', () => {
    const whole = plan.planReread(after)!
    expect(complete(after, { ...whole, page: 1, readSince: now }, now).covered).toEqual([{ from: since, to: second.to }])
  })

  it('reads nothing if nothing is covered', () => {
    expect(readBy({ ...before, covered: [] }, { origin, keys: ['new'], since }, now)).not.toHaveProperty('reread')
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
