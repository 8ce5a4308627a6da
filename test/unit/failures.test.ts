import { describe, expect, it } from 'vitest'
import {
  backoffMs,
  type FailureCode,
  failure,
  failureCodes,
  failures,
  formatFailure,
  isLasting,
  streamBackoffMs,
} from '../../functions/domain/failures.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'

/** A remedy has the cause, and a sentence that begins with what the reader or Tributary does next. */
const nextStep = /^[A-Z].*\. (Check|Use|Grant|Set|Create|Allow|Store|Give|Tributary tries again|Tributary reads) ?.*\.$/

describe('the remedy', () => {
  it.each(failureCodes)('of %s names the cause and the next step, in whole sentences', (code) => {
    expect(failures[code].remedy).toMatch(nextStep)
  })

  it('follows the detail and the trace id of a failure', () => {
    expect(formatFailure(failure('secret-missing', 'There is no secret named tributary/acme/key'))).toBe(
      `There is no secret named tributary/acme/key. ${failures['secret-missing'].remedy}`,
    )
    expect(formatFailure(failure('vendor-error', 'It responds with 500', { traceId: '7f' }))).toBe(
      `It responds with 500 (trace 7f). ${failures['vendor-error'].remedy}`,
    )
  })
})

describe('the table of failures', () => {
  const codesWith = (holds: (code: FailureCode) => boolean) => failureCodes.filter(holds)

  it('has a longest wait that is no shorter than the first wait', () => {
    expect(codesWith((code) => failures[code].retryMs[1] < failures[code].retryMs[0])).toEqual([])
  })

  it('counts only 429 as one request too many', () => {
    expect(codesWith((code) => failures[code].request === 'throttled')).toEqual(['throttled'])
  })

  it('calls nothing the fault of the vendor that the connector or its keys cause', () => {
    const causedHere: readonly string[] = ['key', 'connector', 'sink']
    expect(codesWith((code) => failures[code].isVendors && causedHere.includes(failures[code].scope))).toEqual([])
  })
})

const full = 0.999_999_9

describe('the wait before the next try', () => {
  it('doubles with each failure in a row, up to the longest wait', () => {
    const waits = [1, 2, 3, 4, 9, 1_000].map((attempt) => Math.round(backoffMs({ code: 'vendor-error' }, attempt, full) / second))
    expect(waits).toEqual([5, 10, 20, 40, 300, 300])
  })

  it('is spread over the upper half of its length', () => {
    expect(backoffMs({ code: 'throttled' }, 1, 0)).toBe(minute / 2)
    expect(backoffMs({ code: 'throttled' }, 1, 0.5)).toBe(minute * 0.75)
  })

  it('is never shorter than the vendor asks for', () => {
    expect(backoffMs({ code: 'throttled', retryAfterMs: 3 * hour }, 1, 0)).toBe(3 * hour)
  })
})

describe('a stream whose failure may pass', () => {
  const longestMs = (why: Parameters<typeof streamBackoffMs>[0], attempt: number) => Math.round(streamBackoffMs(why, attempt, full))

  it('is tried again within a minute, and then after as long as its failure says', () => {
    expect([1, 2].map((attempt) => longestMs({ code: 'redirected' }, attempt))).toEqual([minute, 10 * minute])
    expect([1, 2].map((attempt) => longestMs({ code: 'unauthorized' }, attempt))).toEqual([minute, hour])
    expect([1, 2, 3].map((attempt) => longestMs({ code: 'vendor-error' }, attempt))).toEqual([5 * second, 10 * second, 20 * second])
  })

  it.each(failureCodes.filter((code) => failures[code].lastsFrom > 1))('waits at most a minute after the first: %s', (code) => {
    expect(longestMs({ code }, 1)).toBeLessThanOrEqual(minute)
  })

  it('waits for as long as the vendor asks', () => {
    expect(streamBackoffMs({ code: 'vendor-overloaded', retryAfterMs: 3 * hour }, 1, 0)).toBe(3 * hour)
  })
})

describe('a failure deserves attention', () => {
  const lastingFrom = (code: FailureCode) => [1, 2, 3].find((attempts) => isLasting(code, attempts))

  it('at once if only a person can mend it', () => {
    const atOnce = failureCodes.filter((code) => isLasting(code, 1))
    expect(atOnce).toEqual(['host-refused', 'secret-missing', 'secret-unreadable', 'secret-malformed', 'key-shared'])
  })

  it.each(['redirected', 'not-found', 'tls-failed', 'forbidden', 'unauthorized'] as const)('from the second in a row on: %s', (code) => {
    expect(lastingFrom(code)).toBe(2)
  })

  it.each(['vendor-error', 'timed-out', 'unreachable', 'link-dead'] as const)('from the third in a row on: %s', (code) => {
    expect(lastingFrom(code)).toBe(3)
  })
})
