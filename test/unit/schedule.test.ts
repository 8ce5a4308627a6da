import { describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import { stepsTogether } from '../../functions/domain/stream/schedule.ts'
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
