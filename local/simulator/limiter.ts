import type { Settings } from './options.ts'

export type Admission = { readonly ok: true } | { readonly ok: false; readonly retryAt: number }

type Limits = Pick<Settings, 'window' | 'requestsPerMinute' | 'refusedCount' | 'requestsPerDay' | 'otherRequestsPerMinute'>

const windowMs = 60_000
const dayMs = 86_400_000

/** How often one key may ask, as the vendor counts it. */
export class RequestLimiter {
  #windowFrom = Number.NEGATIVE_INFINITY
  #windowCount = 0
  /** Requests that count, of the last 60 s. */
  #recent: number[] = []
  #day = -1
  #dayCount = 0
  #othersUntil: number | undefined

  /** A request arrives at `now`; calls come in the order of time. */
  admit(now: number, limits: Limits): Admission {
    this.#letOthersAsk(now, limits)
    return this.#admit(now, limits)
  }

  #letOthersAsk(now: number, limits: Limits): void {
    if (limits.otherRequestsPerMinute === 0) {
      this.#othersUntil = undefined
      return
    }
    const everyMs = windowMs / limits.otherRequestsPerMinute
    // What is older than two windows is forgotten in any case.
    const since = Math.max(this.#othersUntil ?? now - windowMs, now - 2 * windowMs)
    for (let n = Math.floor(since / everyMs) + 1; n * everyMs <= now; n += 1) this.#admit(n * everyMs, limits)
    this.#othersUntil = now
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

  #fixed(now: number, most: number): Admission {
    if (now >= this.#windowFrom + windowMs) {
      this.#windowFrom = now
      this.#windowCount = 0
    }
    if (this.#windowCount >= most) return { ok: false, retryAt: this.#windowFrom + windowMs }
    this.#windowCount += 1
    return { ok: true }
  }

  #sliding(now: number, most: number, refusedCount: boolean): Admission {
    const firstKept = this.#recent.findIndex((at) => at > now - windowMs)
    this.#recent = firstKept === -1 ? [] : this.#recent.slice(firstKept)
    const isAdmitted = this.#recent.length < most
    if (isAdmitted || refusedCount) this.#recent.push(now)
    if (isAdmitted) return { ok: true }
    return { ok: false, retryAt: (this.#recent.at(-most) ?? now) + windowMs }
  }
}
