import { describe, expect, it } from 'vitest'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import * as plan from '../../functions/domain/stream/plan.ts'
import { nextStep } from '../../functions/domain/stream/schedule.ts'
import type { LostRange } from '../../functions/domain/stream/stream.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { complete, coveredFrom, now, policy, range, stream } from './streams.ts'

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

describe('the pages that a range still has', () => {
  const given = stream(now - 2 * hour, { widthMs: hour, pagesTarget: 3.5 })

  it('follow from the density of its stream', () => {
    const at = (page: number, widthMs = hour) => plan.pagesLeft(given, range('final', now - widthMs, now, { page }))
    expect([at(0), at(1), at(3), at(0, minute)]).toEqual([4, 3, 1, 1])
  })

  it('are as many as it had once there are more than expected', () => {
    expect(plan.pagesLeft(given, range('final', now - hour, now, { page: 9 }))).toBe(9)
  })
})
