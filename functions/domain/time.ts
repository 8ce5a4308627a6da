/** Instants are epoch milliseconds, durations milliseconds, everywhere in this code; a qualifier says so where it is not. */
export type Instant = number

export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

/** `2026-11-24T20:35:26.120Z`. */
export function iso(at: Instant): string {
  return new Date(at).toISOString()
}

export function floorToSecond(at: Instant): Instant {
  return Math.floor(at / second) * second
}
