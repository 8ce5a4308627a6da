import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  claimEnd,
  type DueEntry,
  dueIfRunDies,
  isClaimed,
  planTick,
  runMaxMs,
  tenantGroup,
  unclaimedTime,
} from '../../functions/domain/dispatch.ts'
import { hour, minute } from '../../functions/domain/time.ts'

const now = Date.UTC(2026, 10, 24, 12, 30, 17)

/** Each entry is due at some time, or claimed in one of the last 15 minutes. */
const entries = fc
  .uniqueArray(
    fc.record({
      tenant: fc.constantFrom('a', 'b', 'c', 'd'),
      name: fc.nat(10_000),
      nextDueAt: fc.oneof(
        fc.integer({ min: -2 * hour, max: hour }).map((offset) => unclaimedTime(now + offset)),
        fc.integer({ min: 0, max: 14 }).map((ago) => claimEnd(now - ago * minute)),
      ),
    }),
    { selector: ({ tenant, name }) => `${tenant}.${name}`, maxLength: 80 },
  )
  .map((all) => all.map(({ tenant, name, nextDueAt }): DueEntry => ({ connectorId: `${tenant}.${name}`, nextDueAt })))
const places = fc.integer({ min: 1, max: 40 })
const last = fc.option(
  fc.record(
    { at: fc.constant(now - minute), waiting: fc.nat(200), begun: fc.nat(200), sentUntil: fc.constant(now) },
    { requiredKeys: ['at', 'waiting', 'begun'] },
  ),
  { nil: undefined },
)

/** The connectors that get a message, in their order, and the tick. */
function plan(...[all, options]: Parameters<typeof planTick>) {
  const { sends, claims, tick } = planTick(all, options)
  return { chosen: [...sends, ...claims], sends, claims, tick }
}

describe('the messages of a tick', () => {
  it('go to connectors that are due before the next tick and not claimed, one each', () => {
    fc.assert(
      fc.property(entries, places, last, (all, places, last) => {
        const { chosen } = plan(all, { now, places, last })
        expect(new Set(chosen.map(({ connectorId }) => connectorId)).size).toBe(chosen.length)
        for (const claim of chosen) {
          expect(claim.nextDueAt).toBeLessThan(now + minute)
          expect(isClaimed(claim, now)).toBe(false)
        }
      }),
    )
  })

  it('and those that wait are no more than the places, or than runs began in two minutes at this rate', () => {
    fc.assert(
      fc.property(entries, places, last, (all, places, last) => {
        const waiting = all.filter((entry) => isClaimed(entry, now)).length
        const { chosen, tick } = plan(all, { now, places, last })
        expect(chosen.length + waiting).toBeLessThanOrEqual(Math.max(places, 2 * tick.begun, waiting))
        expect(tick.waiting).toBe(chosen.length + waiting)
      }),
    )
  })

  it('fill the room that there is', () => {
    fc.assert(
      fc.property(entries, places, last, (all, places, last) => {
        const due = all.filter((entry) => entry.nextDueAt < now + minute && !isClaimed(entry, now)).length
        const { chosen, tick } = plan(all, { now, places, last })
        const room = Math.max(places, 2 * tick.begun) - (tick.waiting - chosen.length)
        expect(chosen.length).toBe(Math.max(0, Math.min(due, room)))
      }),
    )
  })

  it('take the connectors of each tenant in the order in which they are due', () => {
    fc.assert(
      fc.property(entries, places, last, (all, places, last) => {
        const { chosen } = plan(all, { now, places, last })
        const claimed = new Set(chosen)
        for (const claim of chosen) {
          const earlier = all.filter(
            (other) =>
              tenantGroup(other.connectorId) === tenantGroup(claim.connectorId) &&
              !isClaimed(other, now) &&
              other.nextDueAt < claim.nextDueAt,
          )
          expect(earlier.filter((entry) => !claimed.has(entry))).toEqual([])
        }
      }),
    )
  })

  it('give each tenant its turn: none gets two more than another that still has connectors due', () => {
    fc.assert(
      fc.property(entries, places, last, (all, places, last) => {
        const { chosen } = plan(all, { now, places, last })
        const countOf = (tenant: string) => chosen.filter(({ connectorId }) => tenantGroup(connectorId) === tenant).length
        const claimed = new Set(chosen)
        const left = all.filter((entry) => entry.nextDueAt < now + minute && !isClaimed(entry, now) && !claimed.has(entry))
        for (const { connectorId } of left) {
          for (const other of ['a', 'b', 'c', 'd']) expect(countOf(other) - countOf(tenantGroup(connectorId))).toBeLessThanOrEqual(1)
        }
      }),
    )
  })
})

describe('a connector that gets a message', () => {
  it('is claimed first if its last message began no run, or if another connector must wait', () => {
    fc.assert(
      fc.property(entries, places, last, (all, places, last) => {
        const { chosen, sends, claims } = plan(all, { now, places, last })
        const due = all.filter((entry) => entry.nextDueAt < now + minute && !isClaimed(entry, now))
        const isAll = chosen.length === due.length
        const sentBefore = (entry: DueEntry) => entry.nextDueAt < (last?.sentUntil ?? 0)
        expect(new Set(claims)).toEqual(new Set(isAll ? due.filter(sentBefore) : chosen))
        expect(sends.length).toBe(chosen.length - claims.length)
      }),
    )
  })

  it('is claimed before it gets a second one, however often the tick comes', () => {
    fc.assert(
      fc.property(entries, places, fc.integer({ min: 1, max: 29_000 }), (all, places, laterMs) => {
        const first = plan(all, { now, places })
        const sent = new Set(first.sends.map(({ connectorId }) => connectorId))
        const second = plan(all, { now: now + laterMs, places, last: first.tick })
        expect(second.sends.filter(({ connectorId }) => sent.has(connectorId))).toEqual([])
      }),
    )
  })

  it('gets one with a tick that comes early or twice, if its run set the time after the last tick', () => {
    const { tick } = plan([], { now, places: 8 })
    const set = [{ connectorId: 'a.set', nextDueAt: now + minute - 1 }]
    for (const laterMs of [1, 1_000, minute - 3_000])
      expect(plan(set, { now: now + laterMs, places: 8, last: tick }).claims, `${laterMs} ms later`).toEqual(set)
  })

  it('gets one although the clock of the last tick was an hour ahead', () => {
    const due = [{ connectorId: 'a.due', nextDueAt: now + 1 }]
    const ahead = { at: now + hour, waiting: 3, begun: 2, sentUntil: now + hour + minute }
    const { chosen, tick } = plan(due, { now, places: 8, last: ahead })
    expect(chosen).toEqual(due)
    expect(tick.at).toBe(now)
  })

  it('is claimed with the next tick if it is still due then', () => {
    const due = [
      { connectorId: 'a.begun', nextDueAt: now + 1 },
      { connectorId: 'a.lost', nextDueAt: now + 2 },
    ]
    const { sends, tick } = plan(due, { now, places: 8 })
    expect(sends).toEqual(due)
    const left = [{ connectorId: 'a.lost', nextDueAt: now + 2 }]
    const next = plan([...left, { connectorId: 'a.new', nextDueAt: now + minute + 1 }], { now: now + minute, places: 8, last: tick })
    expect(next.claims).toEqual(left)
    expect(next.sends.map(({ connectorId }) => connectorId)).toEqual(['a.new'])
    expect(next.tick.begun).toBe(1)
  })
})

describe('a tick', () => {
  const claimedIn = (count: number, ago: number): DueEntry[] =>
    Array.from({ length: count }, (_, i) => ({ connectorId: `a.${ago}-${i}`, nextDueAt: claimEnd(now - ago * minute) }))

  it('counts the runs that began since the last one: the claims that are gone, without those that ended by themselves', () => {
    const expired = claimedIn(3, 16)
    const all = [...claimedIn(7, 1), ...expired]
    expect(planTick(all, { now, places: 1, last: { at: now - minute, waiting: 20, begun: 0 } }).tick.begun).toBe(20 - 7 - 3)
  })

  it('that comes twice sends no more than the first left', () => {
    const due = Array.from({ length: 50 }, (_, i): DueEntry => ({ connectorId: `a.${i}`, nextDueAt: now - 1 - i }))
    const first = plan(due, { now, places: 8 })
    const after = due.map((entry) => (first.claims.includes(entry) ? { ...entry, nextDueAt: claimEnd(now) } : entry))
    const second = plan(after, { now: now + 1, places: 8, last: first.tick })
    expect([first.claims.length, second.chosen.length]).toEqual([8, 0])
    expect(second.tick).toEqual(first.tick)
  })
})

describe('connectors whose short runs end with a due time before the next tick', () => {
  const ids = Array.from({ length: 60 }, (_, i) => `t${i % 5}.c${i}`)
  const ticksOf = (count: number, runsBegin: (tick: number) => boolean) => {
    let all = ids.map((connectorId): DueEntry => ({ connectorId, nextDueAt: now - 1 }))
    let last: Parameters<typeof planTick>[1]['last']
    return Array.from({ length: count }, (_, i) => {
      const at = now + i * minute
      const { sends, claims, tick } = plan(all, { now: at, places: 8, last })
      last = tick
      const dueAfter = (entry: DueEntry) => {
        if (runsBegin(i)) return sends.includes(entry) || claims.includes(entry) ? at + minute - 1 : entry.nextDueAt
        return claims.includes(entry) ? claimEnd(at) : entry.nextDueAt
      }
      all = all.map((entry) => ({ ...entry, nextDueAt: dueAfter(entry) }))
      return sends.length + claims.length
    })
  }

  it('all get a message with each tick, also if they are more than the places', () => {
    expect(ticksOf(12, () => true)).toEqual([8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60, 60])
  })

  it('get no more once their messages begin no run', () => {
    expect(ticksOf(8, (tick) => tick < 5)).toEqual([8, 16, 32, 60, 60, 60, 0, 0])
  })
})

describe('the ticks after the clock was set back', () => {
  it('send a message to each due connector within two ticks, whatever the last one wrote', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 2 * hour }), fc.boolean(), (all, aheadMs, isAll) => {
        const at = now + aheadMs
        const last = { at, waiting: 0, begun: 0, ...(isAll ? { sentUntil: at + minute } : {}) }
        const first = plan(all, { now, places: 100, last })
        const second = plan(all, { now: now + minute, places: 100, last: first.tick })
        const sent = new Set([...first.chosen, ...second.chosen].map(({ connectorId }) => connectorId))
        const due = all.filter((entry) => entry.nextDueAt < now + minute && !isClaimed(entry, now) && !isClaimed(entry, now + minute))
        expect(due.filter(({ connectorId }) => !sent.has(connectorId))).toEqual([])
      }),
    )
  })
})

describe('a run that begins', () => {
  it('is due again at its connector’s usual time, if that comes when the longest run ends, and never later than that', () => {
    const usualEvery = (intervalMs: number) => (after: number) => (Math.floor((after - now) / intervalMs) + 1) * intervalMs + now
    expect(dueIfRunDies(now, usualEvery(5 * minute))).toBe(now + 5 * minute)
    expect(dueIfRunDies(now, usualEvery(hour))).toBe(now + runMaxMs)
  })

  it('is never taken for a claim', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 * hour }), (at) => {
        expect(isClaimed({ nextDueAt: unclaimedTime(now + at) }, now)).toBe(false)
      }),
    )
  })
})
