import type { Clock } from '../domain/ports.ts'
import { minute } from '../domain/time.ts'

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
