import { minute, second } from './time.ts'

/** The vendor's clock against ours, as its answers show it. */
export interface VendorClock {
  /** The vendor's clock minus ours (ms), once its last three answers agree; absent until then. */
  readonly agreedMs?: number
  /** The same by the last answer alone; 0 if it has no `Date`. */
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

interface Observed {
  /** By the last answers that have a `Date` (ms), the newest last. */
  readonly errors: readonly number[]
  readonly lastMs: number
}

const nothing: Observed = { errors: [], lastMs: 0 }

/** The clocks of the vendors' origins, as this process has seen them. They are never stored: another process may have another clock. */
export class VendorClocks {
  private readonly origins = new Map<string, Observed>()

  /** Each answer counts, also one without a `Date`: it says nothing of the clock, so nobody asks on to be sure of an earlier one. */
  observe(origin: string, errorMs: number | undefined): void {
    const { errors } = this.origins.get(origin) ?? nothing
    this.origins.delete(origin)
    this.origins.set(
      origin,
      errorMs === undefined ? { errors, lastMs: 0 } : { errors: [...errors, errorMs].slice(-answersMin), lastMs: errorMs },
    )
    for (const oldest of this.origins.keys()) {
      if (this.origins.size <= originsMax) break
      this.origins.delete(oldest)
    }
  }

  of(origin: string): VendorClock {
    const { errors, lastMs } = this.origins.get(origin) ?? nothing
    const agree = errors.length === answersMin && Math.max(...errors) - Math.min(...errors) <= agreementMs
    if (errors.length < answersMin && Math.abs(lastMs) > clockNotedMs) return { lastMs, isUnsure: true }
    return agree ? { agreedMs: errors.toSorted((a, b) => a - b)[1] ?? lastMs, lastMs } : { lastMs }
  }
}
