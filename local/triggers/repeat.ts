import { setTimeout as wait } from 'node:timers/promises'
import type { Trigger } from './invocation.ts'

/** Does `work` at once, and again `pauseMs()` after each end. `work` must not throw. */
export function repeat(work: () => Promise<void>, pauseMs: () => number): Trigger {
  const stop = new AbortController()
  const { signal } = stop
  async function run(): Promise<void> {
    while (!signal.aborted) {
      await work()
      await wait(pauseMs(), undefined, { signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    stop() {
      stop.abort()
      return running
    },
  }
}
