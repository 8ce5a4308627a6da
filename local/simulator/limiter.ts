import type { Settings } from './options.ts'

export type Admission = { readonly ok: true } | { readonly ok: false; readonly retryAt: number }

type Limits = Pick<Settings, 'window' | 'requestsPerMinute' | 'refusedCount' | 'requestsPerDay' | 'otherRequestsPerMinute'>

const windowMs = 60_000
const dayMs = 86_400_000

/** Counts the requests of one key and refuses them as the vendor does. */
export class RequestLimiter {
  #windowFrom = Number.NEGATIVE_INFINITY
  #windowCount = 0
  /** The times of the requests in the last 60 s that count. */
  #recent: number[] = []
  #day = -1
  #dayCount = 0
  #otherConsumersUntil: number | undefined

  /** Admits or refuses a request that arrives at `now`. Calls must come in the order of time. */
  admit(now: number, limits: Limits): Admission {
    this.#admitOtherConsumers(now, limits)
    return this.#admit(now, limits)
  }

  #admitOtherConsumers(now: number, limits: Limits): void {
    if (limits.otherRequestsPerMinute === 0) {
      this.#otherConsumersUntil = undefined
      return
    }
    const everyMs = windowMs / limits.otherRequestsPerMinute
    // Requests from before the last two windows no longer count.
    const since = Math.max(this.#otherConsumersUntil ?? now - windowMs, now - 2 * windowMs)
    for (let n = Math.floor(since / everyMs) + 1; n * everyMs <= now; n += 1) this.#admit(n * everyMs, limits)
    this.#otherConsumersUntil = now
  }

  #admit(now: number, { window, requestsPerMinute, refusedCount, requestsPerDay }: Limits): Admission {
    const day = Math.floor(now / dayMs)
    if (day !== this.#day) {
      this.#day = day
      this.#dayCount = 0
    }
    if (requestsPerDay > 0 && this.#dayCount >= requestsPerDay) return { ok: false, retryAt: (day + 1) * dayMs }
    const admission =
      requestsPerMinute === 0
        ? { ok: true as const }
        : window === 'fixed'
          ? this.#fixed(now, requestsPerMinute)
          : this.#sliding(now, requestsPerMinute, refusedCount)
    if (admission.ok || refusedCount) this.#dayCount += 1
    return admission
  }

  #fixed(now: number, requestsMax: number): Admission {
    if (now >= this.#windowFrom + windowMs) {
      this.#windowFrom = now
      this.#windowCount = 0
    }
    if (this.#windowCount >= requestsMax) return { ok: false, retryAt: this.#windowFrom + windowMs }
    this.#windowCount += 1
    return { ok: true }
  }

  #sliding(now: number, requestsMax: number, refusedCount: boolean): Admission {
    const firstKept = this.#recent.findIndex((at) => at > now - windowMs)
    this.#recent = firstKept === -1 ? [] : this.#recent.slice(firstKept)
    const isAdmitted = this.#recent.length < requestsMax
    if (isAdmitted || refusedCount) this.#recent.push(now)
    if (isAdmitted) return { ok: true }
    return { ok: false, retryAt: (this.#recent.at(-requestsMax) ?? now) + windowMs }
  }
}
