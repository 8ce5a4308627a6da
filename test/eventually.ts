import { expect } from 'vitest'

/**
 * Long before a test is ended (60 s, vitest.config.ts), so that the message says what did not come. It says nothing about how fast
 * something is: on a busy machine everything comes late.
 */
const waitMaxMs = 50_000
const lookEveryMs = 20

/** `expect` for what is true sooner or later: `await eventually(() => seen.length).toBe(1)`. */
export function eventually<T>(look: () => T) {
  return expect.poll(look, { timeout: waitMaxMs, interval: lookEveryMs })
}
