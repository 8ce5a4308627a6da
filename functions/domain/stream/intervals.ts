import type { Interval } from './stream.ts'

/** Sets of instants, as sorted, disjoint intervals that do not touch. */

/** Adds an interval to a set. An empty interval adds nothing. */
export function union(set: readonly Interval[], more: Interval): Interval[] {
  if (more.from >= more.to) return [...set]
  const before = set.filter(({ to }) => to < more.from)
  const after = set.filter(({ from }) => from > more.to)
  const met = set.filter(({ from, to }) => to >= more.from && from <= more.to)
  const from = Math.min(more.from, ...met.map((interval) => interval.from))
  const to = Math.max(more.to, ...met.map((interval) => interval.to))
  return [...before, { from, to }, ...after]
}

/** The `max` widest intervals of a set. */
export function widest(set: readonly Interval[], max: number): readonly Interval[] {
  if (set.length <= max) return set
  const kept = new Set(set.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, max))
  return set.filter((interval) => kept.has(interval))
}

/** The rest of `whole` after all `parts` are taken out. The parts may be in any order and overlap. */
export function without(whole: Interval, parts: readonly Interval[]): Interval[] {
  const left: Interval[] = []
  let from = whole.from
  for (const part of [...parts].sort((a, b) => a.from - b.from)) {
    if (part.from >= whole.to) break
    if (part.from > from) left.push({ from, to: part.from })
    from = Math.max(from, part.to)
  }
  if (from < whole.to) left.push({ from, to: whole.to })
  return left
}

/** The part of `set` before `end`. */
export function until(set: readonly Interval[], end: number): Interval[] {
  return set.filter(({ from }) => from < end).map(({ from, to }) => ({ from, to: Math.min(to, end) }))
}

/** The part of `set` from `start` on. */
export function since(set: readonly Interval[], start: number): Interval[] {
  return set.filter(({ to }) => to > start).map(({ from, to }) => ({ from: Math.max(from, start), to }))
}
