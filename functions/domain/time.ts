/** In all of this code an instant is in epoch milliseconds and a duration in milliseconds, unless its name or comment says otherwise. */
export type Instant = number

export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

/** `2026-11-24T20:35:26.120Z`. */
export function iso(at: Instant): string {
  return new Date(at).toISOString()
}

/** `2026-11-24 20:35`, UTC. It never throws: an instant before 1970 or after 9999 is shown as the first or the last one. */
export function minuteText(at: Instant): string {
  const last = Date.UTC(10_000, 0) - 1
  return iso(Math.max(0, Math.min(last, at)))
    .slice(0, 16)
    .replace('T', ' ')
}

export function floorToSecond(at: Instant): Instant {
  return Math.floor(at / second) * second
}

export function ceilToSecond(at: Instant): Instant {
  return Math.ceil(at / second) * second
}

/** `99 s`, `3 min`, `70 h`: up to 99 of a unit. A negative duration is `0 s`: two clocks may differ a little. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / second))
  if (seconds < 100) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
