import type { Clock } from '../../functions/domain/ports.ts'
import type { Instant } from '../../functions/domain/time.ts'

interface Sleeper {
  readonly at: Instant
  wake(): void
}

/**
 * Time as a discrete-event simulation has it: it stands still while anything can run, then jumps to the earliest sleeper.
 * Sleepers of one instant wake in the order in which they lay down, so a run is the same each time. What waits for
 * anything but this clock and its own promises (a socket, a file) is not waited for.
 */
export class VirtualClock implements Clock {
  #now: Instant
  /** The latest first, so that the earliest is popped off the end. */
  readonly #sleepers: Sleeper[] = []

  constructor(start: Instant = Date.UTC(2026, 10, 24, 12)) {
    this.#now = start
  }

  now(): Instant {
    return this.#now
  }

  sleepUntil(at: Instant): Promise<void> {
    if (at <= this.#now) return Promise.resolve()
    return new Promise((wake) => {
      this.#sleepers.splice(this.#placeOf(at), 0, { at, wake })
    })
  }

  /** Lets everything happen up to and including `until`; then it is `until`. */
  async run(until: Instant): Promise<void> {
    await settled()
    while (this.#jump(until)) await settled()
    this.#now = Math.max(this.#now, until)
  }

  advance(ms: number): Promise<void> {
    return this.run(this.#now + ms)
  }

  /** Lets time pass until `work` is done; fails when nobody sleeps any more and it still is not, or at `until`. */
  async finish<T>(work: Promise<T>, until: Instant = Number.POSITIVE_INFINITY): Promise<T> {
    let done = false
    const end = () => {
      done = true
    }
    work.then(end, end)
    await settled()
    while (!done && this.#jump(until)) await settled()
    if (!done) throw new Error(`Not done at ${new Date(this.#now).toISOString()}, with ${this.#sleepers.length} asleep`)
    return work
  }

  /** The same time on a clock that is off by `byMs`. */
  skewed(byMs: number): Clock {
    return { now: () => this.#now + byMs, sleepUntil: (at) => this.sleepUntil(at - byMs) }
  }

  #jump(until: Instant): boolean {
    const next = this.#sleepers.at(-1)
    if (next === undefined || next.at > until) return false
    this.#now = next.at
    while (this.#sleepers.at(-1)?.at === this.#now) this.#sleepers.pop()?.wake()
    return true
  }

  /** Before all that sleep as long: they lay down earlier and are popped first. */
  #placeOf(at: Instant): number {
    let low = 0
    let high = this.#sleepers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sleepers[middle] as Sleeper).at > at) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Every promise that can go on has gone on: the microtasks are drained before an immediate runs. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
