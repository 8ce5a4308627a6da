import type { Clock } from '../domain/ports.ts'
import { minute } from '../domain/time.ts'
import { stepUnnoticedMs } from '../domain/token-bucket.ts'

/** The longest single timer (ms): short enough to notice a clock that is set forward, and far below 2^31 ms, where a timer fires at once. */
const timerMaxMs = minute

/** The machine's clock. `sleepUntil` reads the time again after each timer, because a timer may fire a millisecond early and the clock may be set. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleepUntil(at) {
    for (let leftMs = at - Date.now(); leftMs > 0; leftMs = at - Date.now()) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(leftMs, timerMaxMs)))
    }
  },
}

/**
 * Counts how often the machine's clock was set, each time it is asked: it then no longer runs with the monotonic clock. Being frozen counts
 * as well where the monotonic clock stands still meanwhile. Setting it back before the next question goes unnoticed.
 * https://nodejs.org/api/perf_hooks.html#performancenow
 */
export function countClockSteps({
  wallMs,
  monotonicMs,
}: {
  readonly wallMs: () => number
  readonly monotonicMs: () => number
}): () => number {
  /** The process may be interrupted between two readings, and the wall clock has whole milliseconds: the difference has two bounds. */
  const difference = () => {
    const before = monotonicMs()
    const wall = wallMs()
    return { least: wall - monotonicMs(), most: wall + 1 - before }
  }
  let steps = 0
  let known = difference()
  return () => {
    const now = difference()
    const both = { least: Math.max(known.least, now.least), most: Math.min(known.most, now.most) }
    if (both.least <= both.most) known = both
    else if (both.least - both.most > stepUnnoticedMs / 2) {
      steps += 1
      known = now
    }
    return steps
  }
}
