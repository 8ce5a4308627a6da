import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as intervals from '../../functions/domain/stream/intervals.ts'
import type { Interval } from '../../functions/domain/stream/stream.ts'

const interval = fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 15 })).map(([from, length]) => ({ from, to: from + length }))
const members = (set: readonly Interval[]) => new Set(set.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)))
const setOf = (parts: readonly Interval[]) => parts.reduce<Interval[]>((set, part) => intervals.union(set, part), [])

describe('a set of instants', () => {
  it('has every instant that was put in and no other, as sorted, disjoint intervals that do not touch', () => {
    fc.assert(
      fc.property(fc.array(interval), (parts) => {
        const set = setOf(parts)
        expect(members(set)).toEqual(members(parts))
        set.forEach(({ from, to }, i) => {
          expect(from).toBeLessThan(to)
          if (i > 0) expect(from).toBeGreaterThan(set[i - 1]!.to)
        })
      }),
    )
  })

  it('without some parts keeps the instants that are in none of them', () => {
    fc.assert(
      fc.property(interval, fc.array(interval), (whole, parts) => {
        const taken = members(parts)
        expect(members(intervals.without(whole, parts))).toEqual(new Set([...members([whole])].filter((at) => !taken.has(at))))
      }),
    )
  })

  it('that is cut at an instant falls into the instants before it and the instants from it on', () => {
    fc.assert(
      fc.property(fc.array(interval), fc.nat({ max: 50 }), (parts, at) => {
        const set = setOf(parts)
        const all = [...members(set)]
        expect(members(intervals.until(set, at))).toEqual(new Set(all.filter((x) => x < at)))
        expect(members(intervals.since(set, at))).toEqual(new Set(all.filter((x) => x >= at)))
      }),
    )
  })
})
