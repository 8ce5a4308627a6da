import { expect } from 'vitest'

/**
 * Shorter than the time-out of a test (60 s, vitest.config.ts), so that the message names the expectation that failed. It is no
 * claim about speed: on a busy machine everything is slow.
 */
const waitMaxMs = 50_000
const lookEveryMs = 20

/** An `expect` that is tried until it holds: `await eventually(() => seen.length).toBe(1)`. */
export function eventually<T>(look: () => T) {
  return expect.poll(look, { timeout: waitMaxMs, interval: lookEveryMs })
}
