import { describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import { nextStep, stepsTogether } from '../../functions/domain/stream/schedule.ts'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { coveredFrom, now, policy, range } from './streams.ts'

/** Read five minutes ago, proven up to the watermark of that time, and so quiet that one page holds its tail. */
const quiet = (more: Partial<StreamState> = {}) =>
  coveredFrom(now - 3 * hour, now - 15 * minute, {
    readThrough: now - 5 * minute,
    widthMs: 4 * hour,
    lastReadAt: now - 5 * minute,
    ...more,
  })

const together = (streams: Readonly<Record<string, StreamState>>, readSteps = 0, by = policy) =>
  stepsTogether(new Map(Object.entries(streams)), readSteps, now, by).map(({ stream }) => stream)

describe('the steps whose first requests are sent together', () => {
  it('are whole tails in the order of their turns, four at most', () => {
    const later = quiet({ lastReadAt: now - 4 * minute })
    expect(together({ a: later, b: quiet(), c: quiet(), d: quiet(), e: quiet() })).toEqual(['b', 'c', 'd', 'e'])
    expect(together({ a: later, b: quiet() })).toEqual(['b', 'a'])
  })

  it('end where a range has more than one page, or is half read', () => {
    const busy = quiet({ widthMs: 16 * minute, lastReadAt: now - 6 * minute })
    const halfRead = quiet({ range: range('tail', now - 15 * minute, now, { nextLink: 'x' }), lastReadAt: now - 6 * minute })
    expect(together({ a: quiet(), b: busy })).toEqual([])
    expect(together({ a: quiet(), b: halfRead })).toEqual([])
  })

  it('end where a stream has failed', () => {
    const trouble = { failure: failure('vendor-error', 'x'), attempts: 1, until: now - second, since: now - minute }
    expect(together({ a: quiet(), b: quiet({ trouble }), c: quiet() })).toEqual(['a', 'c'])
  })

  it('end before the step that goes to a gap', () => {
    const gap = quiet({ covered: [{ from: now - 2 * hour, to: now - 15 * minute }], widthMs: 4 * hour })
    expect(together({ a: quiet(), b: quiet(), c: gap }, 4)).toEqual([])
    expect(together({ a: quiet(), b: quiet(), c: gap }, 2)).toEqual(['a', 'b'])
  })

  it('are none while the vendor may have another clock', () => {
    expect(together({ a: quiet(), b: quiet() }, 0, { ...policy, clock: { lastMs: minute, isUnsure: true } })).toEqual([])
  })
})

describe('beside a backlog, a live edge', () => {
  const everyMinute = { ...policy, intervalMs: minute }
  const backlog = coveredFrom(now - 3 * hour, now - 2 * hour, { readThrough: now - 20 * second, widthMs: 10 * minute, lastReadAt: now })
  const next = (ageMs: number, by = policy) => {
    const edge = quiet({ readThrough: now - ageMs, lastReadAt: now - ageMs })
    return nextStep(new Map(Object.entries({ backlog, edge })), 0, now, by)?.stream
  }

  it('is due when it is half an interval old', () => {
    expect(next(149 * second)).toBe('backlog')
    expect(next(151 * second)).toBe('edge')
  })

  it('is not due before it is 45 s old, so that many of them leave some of the limit', () => {
    expect(next(44 * second, everyMinute)).toBe('backlog')
    expect(next(46 * second, everyMinute)).toBe('edge')
  })

  it('waits for its age also at the usual time of the connector, and comes before the end of the run', () => {
    const usual = { ...policy, usualTime: now - second }
    expect(next(minute, usual)).toBe('backlog')
    expect(nextStep(new Map([['edge', quiet({ readThrough: now - minute })]]), 0, now, usual)?.stream).toBe('edge')
  })

  it('ends the step of the backlog after a page, if it is due sooner than a token comes back', () => {
    const step = (by: typeof policy, more: Partial<StreamState> = {}) =>
      nextStep(new Map(Object.entries({ backlog: { ...backlog, ...more }, edge: quiet({ readThrough: now - 20 * second }) })), 0, now, by)
    expect(step(everyMinute)).toMatchObject({ stream: 'backlog', yieldAt: now + 25 * second, pagesMin: 1 })
    expect(step(policy)).toMatchObject({ stream: 'backlog', yieldAt: now + 130 * second, pagesMin: 5 })
    expect(step(everyMinute, { paced: true })).toMatchObject({ stream: 'backlog', pagesMin: 5 })
  })
})
