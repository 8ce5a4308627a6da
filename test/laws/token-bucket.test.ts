import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hour, minute, second } from '../../functions/domain/time.ts'
import {
  newBucket,
  releaseToken,
  requestTimeoutMs,
  type TokenBucket,
  takeToken,
  tokenUseWithinMs,
  withLimit,
} from '../../functions/domain/token-bucket.ts'

/** The fate of one request; times in ms. */
interface Fate {
  readonly process: number
  readonly idleMs: number
  readonly sendLateMs: number
  readonly toVendorMs: number
  readonly backMs: number
  readonly end: 'responded' | 'lost' | 'unsent'
}

const fate: fc.Arbitrary<Fate> = fc.record({
  process: fc.nat({ max: 3 }),
  idleMs: fc.oneof(fc.constant(0), fc.nat({ max: 30 * second })),
  sendLateMs: fc.oneof(fc.constant(0), fc.nat({ max: tokenUseWithinMs })),
  toVendorMs: fc.nat({ max: requestTimeoutMs / 2 }),
  backMs: fc.nat({ max: requestTimeoutMs / 2 }),
  end: fc.oneof(
    { weight: 8, arbitrary: fc.constant('responded' as const) },
    { weight: 1, arbitrary: fc.constant('lost' as const) },
    { weight: 1, arbitrary: fc.constant('unsent' as const) },
  ),
})

/** Plays requests of several processes, each with its own clock, against one bucket. Returns when each reached the vendor (true time). */
function play(fates: readonly Fate[], limit: number | readonly number[], skews: readonly number[]): number[] {
  const limitAt = (i: number) => (typeof limit === 'number' ? limit : (limit[i % limit.length] ?? 1))
  let bucket: TokenBucket = newBucket(limitAt(0))
  let now = 1_000 * hour
  const arrivals: number[] = []
  const releases: { at: number; apply: () => void }[] = []
  const settleUntil = (time: number) => {
    releases.sort((a, b) => a.at - b.at)
    while (releases[0] !== undefined && releases[0].at <= time) releases.shift()?.apply()
  }
  let number = 0
  for (const { process, idleMs, sendLateMs, toVendorMs, backMs, end } of fates) {
    const skew = skews[process] ?? 0
    now += idleMs
    settleUntil(now)
    number += 1
    const by = `p${process}:${number}`
    bucket = withLimit(bucket, limitAt(number))
    let take = takeToken(bucket, { now: now + skew, by })
    while (take.kind === 'none') {
      now = Math.max(now + 1, take.freeAt - skew)
      settleUntil(now)
      take = takeToken(bucket, { now: now + skew, by })
    }
    bucket = take.bucket
    const { grant } = take
    const sentAt = grant.goAt - skew + sendLateMs
    if (end === 'unsent') {
      releases.push({
        at: sentAt,
        apply: () => {
          bucket = releaseToken(bucket, { grant, outcome: 'unsent' })
        },
      })
      continue
    }
    arrivals.push(sentAt + toVendorMs)
    const receivedAt = sentAt + toVendorMs + backMs
    if (end === 'responded')
      releases.push({
        at: receivedAt,
        apply: () => {
          bucket = releaseToken(bucket, { grant, outcome: 'responded', receivedAt: receivedAt + skew })
        },
      })
  }
  return arrivals.sort((a, b) => a - b)
}

function maxInAnyMinute(arrivals: readonly number[]): number {
  return Math.max(0, ...arrivals.map((start) => arrivals.filter((at) => at >= start && at < start + minute).length))
}

describe('the limiter', () => {
  it('lets at most its limit of requests reach the vendor in any 60 s, whatever the network, the processes and their clocks do', () => {
    fc.assert(
      fc.property(
        fc.array(fate, { minLength: 30, maxLength: 150 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 4, maxLength: 4 }),
        (fates, limit, skews) => {
          expect(maxInAnyMinute(play(fates, limit, skews))).toBeLessThanOrEqual(limit)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('lets at most the highest of its limits reach the vendor in any 60 s while the limits change', () => {
    fc.assert(
      fc.property(
        fc.array(fate, { minLength: 30, maxLength: 150 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 4, maxLength: 4 }),
        (fates, limits, skews) => {
          expect(maxInAnyMinute(play(fates, limits, skews))).toBeLessThanOrEqual(Math.max(...limits))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('uses at least 98 % of its limit if responses come at once', () => {
    // 200 requests at 20 a minute take 9 minutes. A window of the limiter is 1 ms longer, which costs far less than 2 %.
    const usedMin = 0.98
    const prompt: Fate = { process: 0, idleMs: 0, sendLateMs: 0, toVendorMs: 0, backMs: 0, end: 'responded' }
    const arrivals = play(Array<Fate>(200).fill(prompt), 20, [0])
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeLessThan((9 * minute) / usedMin)
  })

  it('keeps requestsPerDay in any 24 h, not only in a calendar day', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 5 * hour }), { minLength: 20, maxLength: 80 }),
        fc.integer({ min: 1, max: 10 }),
        (gaps, perDay) => {
          let bucket = newBucket(20)
          let now = 1_000 * hour + 17
          const sent: number[] = []
          gaps.forEach((gap, i) => {
            now += gap
            const take = takeToken(bucket, { now, by: `p:${i}`, perDay })
            if (take.kind === 'none') return
            now = take.grant.goAt
            sent.push(now)
            bucket = releaseToken(take.bucket, { grant: take.grant, outcome: 'responded', receivedAt: now })
          })
          for (const start of sent) expect(sent.filter((at) => at >= start && at < start + 24 * hour).length).toBeLessThanOrEqual(perDay)
        },
      ),
    )
  })
})

describe('a day of requests', () => {
  it('is counted in full for a request in the last minute of an hour that comes after a request in the next hour', () => {
    const end = 1_024 * hour
    const bucket = { ...newBucket(20), hours: { [end / hour - 25]: 10 } }
    const next = takeToken(bucket, { now: end - 30 * second, notBefore: end + second, by: 'a:1' })
    if (next.kind === 'none') throw new Error('there are 20')
    const last = takeToken(next.bucket, { now: end - 10 * second, by: 'b:1', perDay: 10 })
    expect(last.kind === 'taken' && last.grant.goAt).toBe(end)
  })
})

describe('the learned limit', () => {
  const start = 1_000 * hour

  /** Sends requests as fast as the limiter allows, for `forMs`, to a vendor that allows `allowed` a minute. */
  function converse(allowed: number, forMs: number) {
    let bucket = newBucket(20)
    let now = start
    let number = 0
    let refused = 0
    const counted: number[] = []
    while (now < start + forMs) {
      number += 1
      const take = takeToken(bucket, { now, by: `p:${number}` })
      if (take.kind === 'none') throw new Error('nothing is in flight here')
      now = take.grant.goAt
      const full = counted.filter((at) => at > now - minute).length >= allowed
      if (full) refused += 1
      else counted.push(now)
      const outcome = full ? { outcome: 'throttled' as const, random: 0 } : { outcome: 'responded' as const }
      bucket = releaseToken(take.bucket, { grant: take.grant, receivedAt: now, ...outcome })
    }
    return { bucket, refused, accepted: counted.length }
  }

  it('stays one below the refused level when somebody else uses the key, and probes rarely', () => {
    // Some refusals find the level, and then probes come after 1, 2, 4 … hours (count).
    const refusedMax = 20
    // The closures after the refusals cost the rest.
    const usedMin = 0.95
    const { bucket, refused, accepted } = converse(12, 12 * hour)
    expect(bucket.refusedLevel).toBe(13)
    expect(bucket.learnedLimit).toBeGreaterThanOrEqual(11)
    expect(refused).toBeLessThan(refusedMax)
    expect(accepted / (12 * 60 * 12)).toBeGreaterThan(usedMin)
  })

  it('is cut once for all refusals of one closure', () => {
    let bucket = newBucket(20)
    const grants = Array.from({ length: 5 }, (_, i) => {
      const take = takeToken(bucket, { now: start, by: `p:${i}` })
      if (take.kind === 'none') throw new Error('there are 20')
      bucket = take.bucket
      return take.grant
    })
    for (const grant of grants) bucket = releaseToken(bucket, { grant, outcome: 'throttled', receivedAt: start + second, random: 0 })
    expect(bucket.learnedLimit).toBe(10)
  })

  /** How long the key is closed after a refusal (ms). */
  function closedMs(asked: { readonly retryAfterMs?: number }): number {
    const take = takeToken(newBucket(20), { now: start, by: 'p:1' })
    if (take.kind === 'none') throw new Error('there are 20')
    return (
      releaseToken(take.bucket, { grant: take.grant, outcome: 'throttled', receivedAt: start, ...asked, random: 0 }).closedUntil - start
    )
  }

  it('comes with a closure as long as the vendor asks for, up to an hour, and of a window if it asks for none', () => {
    expect(closedMs({ retryAfterMs: 90 * second })).toBe(90 * second)
    expect(closedMs({ retryAfterMs: 48 * hour })).toBe(hour)
    expect(closedMs({})).toBeGreaterThanOrEqual(minute)
  })

  it('comes with a closure of at least a window, however soon the vendor allows the next request', () => {
    for (const retryAfterMs of [0, 493]) expect(closedMs({ retryAfterMs })).toBeGreaterThanOrEqual(closedMs({}))
  })

  it('comes with closures that double up to half an hour when even one request a minute is refused', () => {
    // 24 half hours, and the first closures, which are shorter (count).
    const refusedMax = 40
    const { bucket, refused } = converse(0, 12 * hour)
    expect(bucket.learnedLimit).toBe(1)
    expect(bucket.closureMs).toBe(30 * minute)
    expect(refused).toBeLessThan(refusedMax)
  })

  it('is forgotten when the limit changes', () => {
    const { bucket } = converse(12, hour)
    expect(withLimit(bucket, 40)).toMatchObject({ limit: 40, learnedLimit: 40 })
    expect(withLimit(bucket, 40).refusedLevel).toBeUndefined()
    expect(withLimit(bucket, 5).learnedLimit).toBe(5)
  })
})
