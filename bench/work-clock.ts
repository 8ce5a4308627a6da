import { setImmediate as nextLoop } from 'node:timers/promises'
import type { Clock } from '../functions/domain/ports.ts'
import type { Instant } from '../functions/domain/time.ts'

/** Virtual time that stands still while real work outside it, such as a call over a socket, is under way. */
export class WorkClock implements Clock {
  #now: Instant
  #outside = 0
  #sleepers: { readonly at: Instant; readonly wake: () => void }[] = []

  constructor(now: Instant) {
    this.#now = now
  }

  now(): Instant {
    return this.#now
  }

  sleepUntil(at: Instant): Promise<void> {
    if (at <= this.#now) return Promise.resolve()
    return new Promise((wake) => {
      const after = this.#sleepers.findIndex((sleeper) => sleeper.at > at)
      this.#sleepers.splice(after === -1 ? this.#sleepers.length : after, 0, { at, wake })
    })
  }

  /** Does work that takes real time, and counts it as `ms` of virtual time. */
  async outside<T>(work: () => Promise<T>, ms: number): Promise<T> {
    this.#outside += 1
    try {
      return await work()
    } finally {
      this.#outside -= 1
      await this.sleepUntil(this.#now + ms)
    }
  }

  async run(until: Instant): Promise<void> {
    for (;;) {
      do await nextLoop()
      while (this.#outside > 0)
      const next = this.#sleepers[0]
      if (next === undefined || next.at > until) break
      this.#sleepers.shift()
      this.#now = next.at
      next.wake()
    }
    this.#now = until
  }
}
