import type { Clock } from '../domain/ports.ts'
import { minute } from '../domain/time.ts'

/** The longest single timer (ms): short enough that a clock set forward is noticed, and far below the 2^31 ms at which a timer fires at once. */
const timerMaxMs = minute

/** The machine's clock. `sleepUntil` looks at the time again after each timer: one may fire a millisecond early, and the clock may be set meanwhile. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleepUntil(at) {
    for (let leftMs = at - Date.now(); leftMs > 0; leftMs = at - Date.now()) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(leftMs, timerMaxMs)))
    }
  },
}
