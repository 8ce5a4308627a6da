import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hour, minute, second } from '../../functions/domain/time.ts'
import {
  newBucket,
  requestTimeoutMs,
  settleToken,
  type TokenBucket,
  takeToken,
  tokenUseWithinMs,
  withLimit,
} from '../../functions/domain/tokens.ts'

/** How one request fares: all in ms. */
interface Fate {
  readonly process: number
  readonly idleMs: number
  readonly sendLateMs: number
  readonly toVendorMs: number
  readonly backMs: number
  readonly end: 'answered' | 'lost' | 'unsent'
}

const fate: fc.Arbitrary<Fate> = fc.record({
  process: fc.nat({ max: 3 }),
  idleMs: fc.oneof(fc.constant(0), fc.nat({ max: 30 * second })),
  sendLateMs: fc.oneof(fc.constant(0), fc.nat({ max: tokenUseWithinMs })),
  toVendorMs: fc.nat({ max: requestTimeoutMs / 2 }),
  backMs: fc.nat({ max: requestTimeoutMs / 2 }),
  end: fc.oneof(
    { weight: 8, arbitrary: fc.constant('answered' as const) },
    { weight: 1, arbitrary: fc.constant('lost' as const) },
    { weight: 1, arbitrary: fc.constant('unsent' as const) },
  ),
})

/** Plays requests of several processes, each with a clock of its own, against one bucket; answers when each reached the vendor (true time). */
function play(fates: readonly Fate[], limit: number | readonly number[], skews: readonly number[]): number[] {
  const limitAt = (i: number) => (typeof limit === 'number' ? limit : (limit[i % limit.length] ?? 1))
  let bucket: TokenBucket = newBucket(limitAt(0))
  let now = 1_000 * hour
  const arrivals: number[] = []
  const settlements: { at: number; apply: () => void }[] = []
  const settleUntil = (time: number) => {
    settlements.sort((a, b) => a.at - b.at)
    while (settlements[0] !== undefined && settlements[0].at <= time) settlements.shift()?.apply()
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
      settlements.push({
        at: sentAt,
        apply: () => {
          bucket = settleToken(bucket, { grant, outcome: 'unsent' })
        },
      })
      continue
    }
    arrivals.push(sentAt + toVendorMs)
    const receivedAt = sentAt + toVendorMs + backMs
    if (end === 'answered')
      settlements.push({
        at: receivedAt,
        apply: () => {
          bucket = settleToken(bucket, { grant, outcome: 'answered', receivedAt: receivedAt + skew })
        },
      })
  }
  return arrivals.sort((a, b) => a - b)
}

function mostInAnyMinute(arrivals: readonly number[]): number {
  return Math.max(0, ...arrivals.map((start) => arrivals.filter((at) => at >= start && at < start + minute).length))
}

describe('the limiter', () => {
  it('never lets more than the limit reach the vendor in any 60 s, whatever the network, the processes and their clocks do', () => {
    fc.assert(
      fc.property(
        fc.array(fate, { minLength: 30, maxLength: 150 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 4, maxLength: 4 }),
        (fates, limit, skews) => {
          expect(mostInAnyMinute(play(fates, limit, skews))).toBeLessThanOrEqual(limit)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('never lets more than the highest of its limits reach the vendor while they change', () => {
    fc.assert(
      fc.property(
        fc.array(fate, { minLength: 30, maxLength: 150 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 4, maxLength: 4 }),
        (fates, limits, skews) => {
          expect(mostInAnyMinute(play(fates, limits, skews))).toBeLessThanOrEqual(Math.max(...limits))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('uses 98 % of the limit and more when answers come at once', () => {
    const prompt: Fate = { process: 0, idleMs: 0, sendLateMs: 0, toVendorMs: 0, backMs: 0, end: 'answered' }
    const arrivals = play(Array<Fate>(200).fill(prompt), 20, [0])
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeLessThan((9 * minute) / 0.98)
  })

  it('holds requestsPerDay against any 24 h, not the calendar day', () => {
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
            bucket = settleToken(take.bucket, { grant: take.grant, outcome: 'answered', receivedAt: now })
          })
          for (const start of sent) expect(sent.filter((at) => at >= start && at < start + 24 * hour).length).toBeLessThanOrEqual(perDay)
        },
      ),
    )
  })
})

describe('a day of requests', () => {
  it('is counted in full by who asks for the last minute of an hour after somebody for the next hour', () => {
    const end = 1_024 * hour
    const bucket = { ...newBucket(20), hours: { [end / hour - 25]: 10 } }
    const next = takeToken(bucket, { now: end - 30 * second, notBefore: end + second, by: 'a:1' })
    if (next.kind === 'none') throw new Error('there are 20')
    const last = takeToken(next.bucket, { now: end - 10 * second, by: 'b:1', perDay: 10 })
    expect(last.kind === 'taken' && last.grant.goAt).toBe(end)
  })
})

describe('what the limiter learns', () => {
  const start = 1_000 * hour

  /** Asks as fast as it may of a vendor that allows `allowed` a minute, for a while. */
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
      const outcome = full ? { outcome: 'throttled' as const, random: 0 } : { outcome: 'answered' as const }
      bucket = settleToken(take.bucket, { grant: take.grant, receivedAt: now, ...outcome })
    }
    return { bucket, refused, answered: counted.length }
  }

  it('settles one below what was refused when somebody else uses the key, and probes rarely', () => {
    const { bucket, refused, answered } = converse(12, 12 * hour)
    expect(bucket.refusedLevel).toBe(13)
    expect(bucket.n).toBeGreaterThanOrEqual(11)
    expect(refused).toBeLessThan(20)
    expect(answered / (12 * 60 * 12)).toBeGreaterThan(0.95)
  })

  it('cuts once for all refusals of one closure', () => {
    let bucket = newBucket(20)
    const grants = Array.from({ length: 5 }, (_, i) => {
      const take = takeToken(bucket, { now: start, by: `p:${i}` })
      if (take.kind === 'none') throw new Error('there are 20')
      bucket = take.bucket
      return take.grant
    })
    for (const grant of grants) bucket = settleToken(bucket, { grant, outcome: 'throttled', receivedAt: start + second, random: 0 })
    expect(bucket.n).toBe(10)
  })

  it('waits for as long as the vendor wishes, an hour at the most', () => {
    const take = takeToken(newBucket(20), { now: start, by: 'p:1' })
    if (take.kind === 'none') throw new Error('there are 20')
    const closed = (retryAfterMs: number) =>
      settleToken(take.bucket, { grant: take.grant, outcome: 'throttled', receivedAt: start, retryAfterMs, random: 0 }).closedUntil - start
    expect(closed(90 * second)).toBe(90 * second)
    expect(closed(48 * hour)).toBe(hour)
  })

  it('doubles the closure up to half an hour when even one request a minute is refused', () => {
    const { bucket, refused } = converse(0, 12 * hour)
    expect(bucket.n).toBe(1)
    expect(bucket.closureMs).toBe(30 * minute)
    expect(refused).toBeLessThan(40)
  })

  it('forgets what it learnt under another limit', () => {
    const { bucket } = converse(12, hour)
    expect(withLimit(bucket, 40)).toMatchObject({ limit: 40, n: 40 })
    expect(withLimit(bucket, 40).refusedLevel).toBeUndefined()
    expect(withLimit(bucket, 5).n).toBe(5)
  })
})
