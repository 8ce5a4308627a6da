import type { Clock } from '../../functions/domain/ports.ts'
import type { Instant } from '../../functions/domain/time.ts'

interface Sleeper {
  readonly at: Instant
  /** Counts up, so that of two sleepers with the same instant the earlier one wakes first. */
  readonly number: number
  wake(): void
}

/**
 * The time of a discrete-event simulation: it stands still while any code can run, and then jumps to the earliest sleeper. Sleepers with
 * the same instant wake in the order in which they began to sleep, so a run is the same each time. The clock waits for promises only,
 * not for sockets or files.
 */
export class VirtualClock implements Clock {
  #now: Instant
  readonly #sleepers = new Sleepers()
  #number = 0

  constructor(start: Instant = Date.UTC(2026, 10, 24, 12)) {
    this.#now = start
  }

  now(): Instant {
    return this.#now
  }

  sleepUntil(at: Instant): Promise<void> {
    if (at <= this.#now) return Promise.resolve()
    return new Promise((wake) => {
      this.#number += 1
      this.#sleepers.add({ at, number: this.#number, wake })
    })
  }

  /** Lets everything happen up to and including `until`. The time is `until` afterwards. */
  async run(until: Instant): Promise<void> {
    await allIdle()
    while (this.#jump(until)) await allIdle()
    this.#now = Math.max(this.#now, until)
  }

  advance(ms: number): Promise<void> {
    return this.run(this.#now + ms)
  }

  /** Lets time pass until `work` is done. Fails if `work` is still not done at `until`, or when no sleeper is left. */
  async finish<T>(work: Promise<T>, until: Instant = Number.POSITIVE_INFINITY): Promise<T> {
    let done = false
    const end = () => {
      done = true
    }
    work.then(end, end)
    await allIdle()
    while (!done && this.#jump(until)) await allIdle()
    if (!done) throw new Error(`Not done at ${new Date(this.#now).toISOString()}, with ${this.#sleepers.count} asleep`)
    return work
  }

  /** A clock that shows this time plus `byMs`. */
  skewed(byMs: number): Clock {
    return { now: () => this.#now + byMs, sleepUntil: (at) => this.sleepUntil(at - byMs) }
  }

  #jump(until: Instant): boolean {
    const next = this.#sleepers.first
    if (next === undefined || next.at > until) return false
    this.#now = next.at
    while (this.#sleepers.first?.at === this.#now) this.#sleepers.take()?.wake()
    return true
  }
}

/** Resolves when every promise that can go on has gone on: an immediate runs after all microtasks. */
function allIdle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A binary heap: each sleeper wakes no later than its two children. */
class Sleepers {
  readonly #heap: Sleeper[] = []

  get first(): Sleeper | undefined {
    return this.#heap[0]
  }

  get count(): number {
    return this.#heap.length
  }

  add(sleeper: Sleeper): void {
    let place = this.#heap.push(sleeper) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = this.#heap[above]
      if (parent === undefined || !isBefore(sleeper, parent)) break
      this.#heap[place] = parent
      place = above
    }
    this.#heap[place] = sleeper
  }

  take(): Sleeper | undefined {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return first
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      const below = isBefore(this.#heap[left + 1], this.#heap[left]) ? left + 1 : left
      const child = this.#heap[below]
      if (child === undefined || !isBefore(child, last)) break
      this.#heap[place] = child
      place = below
    }
    this.#heap[place] = last
    return first
  }
}

function isBefore(a: Sleeper | undefined, b: Sleeper | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined
  return a.at === b.at ? a.number < b.number : a.at < b.at
}
