import { minute, second } from './time.ts'

/** The vendor's clock against ours, as its answers show it. */
export interface VendorClock {
  /** The vendor's clock minus ours (ms), once its last three answers agree; absent until then. */
  readonly agreedMs?: number
  /** The same by the last answer alone; 0 without one. */
  readonly lastMs: number
  /** The last answer shows a clock that is off, and too few have come to agree or not: a run asks until they have. */
  readonly isUnsure?: true
}

/** Answers that must agree (count). One may be cached or wrong, and a clock may jump. */
const answersMin = 3
/** Answers that differ by less agree (ms): `Date` has whole seconds, and an answer may be under way for some seconds. */
const agreementMs = 5 * second
/** A clock that is off by less needs no attention (ms). */
export const clockNotedMs = minute
/** Origins that are remembered (count). */
const originsMax = 1_000

/** The clocks of the vendors' origins, as this process has seen them. They are never stored: another process may have another clock. */
export class VendorClocks {
  /** By origin: the last errors (ms), the newest last. */
  private readonly errors = new Map<string, readonly number[]>()

  observe(origin: string, errorMs: number): void {
    const before = this.errors.get(origin) ?? []
    this.errors.delete(origin)
    this.errors.set(origin, [...before, errorMs].slice(-answersMin))
    for (const oldest of this.errors.keys()) {
      if (this.errors.size <= originsMax) break
      this.errors.delete(oldest)
    }
  }

  of(origin: string): VendorClock {
    const errors = this.errors.get(origin) ?? []
    const lastMs = errors.at(-1) ?? 0
    const agree = errors.length === answersMin && Math.max(...errors) - Math.min(...errors) <= agreementMs
    if (errors.length < answersMin && Math.abs(lastMs) > clockNotedMs) return { lastMs, isUnsure: true }
    return agree ? { agreedMs: errors.toSorted((a, b) => a - b)[1] ?? lastMs, lastMs } : { lastMs }
  }
}
