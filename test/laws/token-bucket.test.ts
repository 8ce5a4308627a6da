import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hour, minute, second } from '../../functions/domain/time.ts'
import {
  type Grant,
  newBucket,
  postponeToken,
  type Release,
  releaseToken,
  requestTimeoutMs,
  type TokenBucket,
  takenByOtherConsumers,
  takeToken,
  takeTokens,
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
  readonly end: 'responded' | 'throttled' | 'lost' | 'unsent'
}

/** A change of the limit, after so many requests (count) and so much later (ms). */
interface Change {
  readonly after: number
  readonly idleMs: number
  readonly limit: number
}

/** A request that reached the vendor. */
interface Arrival {
  /** True time. */
  readonly at: number
  /** When its token was taken, true time. */
  readonly takenAt: number
  /** The limit of the bucket when its token was taken. */
  readonly limit: number
}

/** `throttledWeight`: of 80 + 20 + so many requests, so many are throttled. */
function fateWith(throttledWeight: number): fc.Arbitrary<Fate> {
  return fc.record({
    process: fc.nat({ max: 3 }),
    idleMs: fc.oneof(fc.constant(0), fc.nat({ max: 30 * second })),
    sendLateMs: fc.oneof(fc.constant(0), fc.nat({ max: tokenUseWithinMs })),
    toVendorMs: fc.nat({ max: requestTimeoutMs / 2 }),
    backMs: fc.nat({ max: requestTimeoutMs / 2 }),
    end: fc.oneof(
      { weight: 80, arbitrary: fc.constant('responded' as const) },
      { weight: throttledWeight, arbitrary: fc.constant('throttled' as const) },
      { weight: 10, arbitrary: fc.constant('lost' as const) },
      { weight: 10, arbitrary: fc.constant('unsent' as const) },
    ),
  })
}

const fatesWith = (throttledWeight: number) => fc.array(fateWith(throttledWeight), { minLength: 30, maxLength: 150 })
const fates = fatesWith(0)
const someThrottled = fc.oneof(fates, fatesWith(2), fatesWith(10))
const limits = fc.integer({ min: 1, max: 20 })
const skews = fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 4, maxLength: 4 })
const changes = fc.array(fc.record({ after: fc.nat({ max: 150 }), idleMs: fc.nat({ max: 90 * second }), limit: limits }), {
  minLength: 1,
  maxLength: 8,
})

/** Plays requests of several processes, each with its own clock, against one bucket. `see` gets the bucket after each change of it. */
class Play {
  readonly arrivals: Arrival[] = []
  private readonly skews: readonly number[]
  private readonly see: (bucket: TokenBucket) => void
  private bucket: TokenBucket
  private now = 1_000 * hour
  private number = 0
  private releases: { readonly at: number; readonly release: Release }[] = []

  constructor(limit: number, skews: readonly number[], see: (bucket: TokenBucket) => void = () => {}) {
    this.bucket = newBucket({ limit })
    this.skews = skews
    this.see = see
  }

  changeLimit({ idleMs, limit }: Pick<Change, 'idleMs' | 'limit'>): void {
    this.passUntil(this.now + idleMs)
    this.become(withLimit(this.bucket, { limit }))
  }

  request(fate: Fate): void {
    const { process, idleMs } = fate
    const skew = this.skews[process] ?? 0
    this.passUntil(this.now + idleMs)
    this.number += 1
    const by = `p${process}:${this.number}`
    let take = takeToken(this.bucket, { now: this.now + skew, by })
    while (take.kind === 'none') {
      this.passUntil(Math.max(this.now + 1, take.freeAt - skew))
      take = takeToken(this.bucket, { now: this.now + skew, by })
    }
    this.become(take.bucket)
    this.send(take.grant, skew, fate)
  }

  private send(grant: Grant, skew: number, { sendLateMs, toVendorMs, backMs, end }: Fate): void {
    const sentAt = grant.goAt - skew + sendLateMs
    if (end === 'unsent') return void this.releases.push({ at: sentAt, release: { grant, outcome: 'unsent' } })
    this.arrivals.push({ at: sentAt + toVendorMs, takenAt: this.now, limit: this.bucket.limit })
    if (end === 'lost') return
    const at = sentAt + toVendorMs + backMs
    const receivedAt = at + skew
    const release = end === 'responded' ? { grant, outcome: end, receivedAt } : { grant, outcome: end, receivedAt, random: 0 }
    this.releases.push({ at, release })
  }

  /** Takes tokens for several requests with one write. A request that is sent later than its time is not sent. */
  requestTogether(fates: readonly Fate[]): void {
    const [{ process, idleMs } = { process: 0, idleMs: 0 }] = fates
    const skew = this.skews[process] ?? 0
    this.passUntil(this.now + idleMs)
    const by = fates.map(() => {
      this.number += 1
      return `p${process}:${this.number}`
    })
    const take = () => takeTokens(this.bucket, { now: this.now + skew, by, notBefore: 0, firstBy: Number.POSITIVE_INFINITY })
    let taken = take()
    while (taken.grants.length === 0) {
      this.passUntil(Math.max(this.now + 1, taken.freeAt - skew))
      taken = take()
    }
    this.become(taken.bucket)
    for (const [i, grant] of taken.grants.entries()) this.send(grant, skew, fates[i]!)
  }

  private passUntil(time: number): void {
    this.now = time
    this.releases.sort((a, b) => a.at - b.at)
    while (this.releases[0] !== undefined && this.releases[0].at <= time) {
      const first = this.releases.shift()
      if (first !== undefined) this.become(releaseToken(this.bucket, first.release))
    }
  }

  private become(bucket: TokenBucket): void {
    this.bucket = bucket
    this.see(bucket)
  }
}

/** Returns the requests that reached the vendor, in the order in which their tokens were taken. `limit`: one, or one for each request. */
function play(fates: readonly Fate[], limit: number | readonly number[], skews: readonly number[]): readonly Arrival[] {
  const limitAt = (i: number) => (typeof limit === 'number' ? limit : (limit[i % limit.length] ?? 1))
  const played = new Play(limitAt(0), skews)
  fates.forEach((fate, i) => {
    played.changeLimit({ idleMs: 0, limit: limitAt(i + 1) })
    played.request(fate)
  })
  return played.arrivals
}

/** Plays requests while the limit changes at any time. */
function playChanges(
  fates: readonly Fate[],
  { limit, changes, skews }: { readonly limit: number; readonly changes: readonly Change[]; readonly skews: readonly number[] },
  see?: (bucket: TokenBucket) => void,
): readonly Arrival[] {
  const played = new Play(limit, skews, see)
  fates.forEach((fate, i) => {
    for (const change of changes) if (change.after === i) played.changeLimit(change)
    played.request(fate)
  })
  return played.arrivals
}

/** The requests of each minute that begins with a request. */
function minutesOf(arrivals: readonly Arrival[]): readonly (readonly Arrival[])[] {
  return arrivals.map((first) => arrivals.filter(({ at }) => at >= first.at && at < first.at + minute))
}

function maxInAnyMinute(arrivals: readonly Arrival[]): number {
  return Math.max(0, ...minutesOf(arrivals).map((all) => all.length))
}

describe('the limiter', () => {
  it('lets at most its limit of requests reach the vendor in any 60 s, whatever the network, the processes and their clocks do', () => {
    fc.assert(
      fc.property(fates, limits, skews, (fates, limit, skews) => {
        expect(maxInAnyMinute(play(fates, limit, skews))).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 300 },
    )
  })

  it('lets at most its limit of requests reach the vendor in any 60 s also if processes take several tokens with one write', () => {
    const groups = fc.array(fc.array(fateWith(2), { minLength: 1, maxLength: 6 }), { minLength: 20, maxLength: 60 })
    fc.assert(
      fc.property(groups, limits, skews, (groups, limit, skews) => {
        const played = new Play(limit, skews)
        for (const fates of groups) played.requestTogether(fates)
        expect(maxInAnyMinute(played.arrivals)).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 300 },
    )
  })

  it('gives one process at most four tokens and a quarter of the limit with one write, so a crash blocks no more', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 30 }), (limit, wanted) => {
        const by = Array.from({ length: wanted }, (_, i) => `p:${i}`)
        const { grants, bucket } = takeTokens(newBucket({ limit }), { now: hour, by, notBefore: 0, firstBy: hour })
        expect(grants.length).toBe(Math.min(wanted, Math.max(1, Math.min(4, Math.floor(limit / 4)))))
        expect(bucket.tokens.map(({ by }) => by)).toEqual(grants.map(({ by }) => by))
      }),
    )
  })

  it('lets at most the highest of its limits reach the vendor in any 60 s while the limits change', () => {
    fc.assert(
      fc.property(fates, fc.array(limits, { minLength: 1, maxLength: 8 }), skews, (fates, limits, skews) => {
        expect(maxInAnyMinute(play(fates, limits, skews))).toBeLessThanOrEqual(Math.max(...limits))
      }),
      { numRuns: 300 },
    )
  })

  it('heeds a new limit with the next token: with it, at most so many requests reach the vendor in any 60 s', () => {
    fc.assert(
      fc.property(someThrottled, limits, changes, skews, (fates, limit, changes, skews) => {
        for (const all of minutesOf(playChanges(fates, { limit, changes, skews }))) {
          const last = all.reduce((latest, arrival) => (arrival.takenAt >= latest.takenAt ? arrival : latest))
          expect(all.length).toBeLessThanOrEqual(last.limit)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('learns no limit above the one that is set, and other consumers take a part of it', () => {
    fc.assert(
      fc.property(someThrottled, limits, changes, (fates, limit, changes) => {
        playChanges(fates, { limit, changes, skews: [] }, (bucket) => {
          expect(bucket.learnedLimit).toBeGreaterThanOrEqual(1)
          expect(bucket.learnedLimit).toBeLessThanOrEqual(bucket.limit)
          const taken = takenByOtherConsumers(bucket)
          expect(taken).toBeGreaterThanOrEqual(0)
          expect(taken).toBeLessThan(bucket.limit)
        })
      }),
      { numRuns: 500 },
    )
  })

  it('counts a request that was sent late and was under way for as long as one can be', () => {
    const slow: Fate = { process: 0, idleMs: 0, sendLateMs: tokenUseWithinMs, toVendorMs: 40 * second, backMs: 0, end: 'lost' }
    const prompt: Fate = { ...slow, sendLateMs: 0, toVendorMs: 0, end: 'responded' }
    expect(maxInAnyMinute(play([slow, slow, prompt, prompt], 2, [500]))).toBe(2)
  })

  it('uses at least 98 % of its limit if responses come at once', () => {
    // 200 requests at 20 a minute take 9 minutes. A window of the limiter is 1 ms longer, which costs far less than 2 %.
    const usedMin = 0.98
    const prompt: Fate = { process: 0, idleMs: 0, sendLateMs: 0, toVendorMs: 0, backMs: 0, end: 'responded' }
    const arrivals = play(Array<Fate>(200).fill(prompt), 20, [0])
    expect((arrivals.at(-1)?.at ?? 0) - (arrivals[0]?.at ?? 0)).toBeLessThan((9 * minute) / usedMin)
  })

  it('keeps requestsPerDay in any 24 h, not only in a calendar day', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 5 * hour }), { minLength: 20, maxLength: 80 }),
        fc.integer({ min: 1, max: 10 }),
        (gaps, perDay) => {
          let bucket = newBucket({ limit: 20 })
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
    const bucket = { ...newBucket({ limit: 20 }), hours: { [end / hour - 25]: 10 } }
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
    let bucket = newBucket({ limit: 20 })
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
    let bucket = newBucket({ limit: 20 })
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
    const take = takeToken(newBucket({ limit: 20 }), { now: start, by: 'p:1' })
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
    expect(withLimit(bucket, { limit: 40 })).toMatchObject({ limit: 40, learnedLimit: 40 })
    expect(withLimit(bucket, { limit: 40 }).refusedLevel).toBeUndefined()
    expect(withLimit(bucket, { limit: 5 }).learnedLimit).toBe(5)
  })

  it('is not above a limit that was lowered after a refusal at more', () => {
    const throttled = withLimit(refusedAt20(), { limit: 5 })
    expect(takenByOtherConsumers(throttled)).toBe(0)
    let bucket: TokenBucket = throttled
    let now = bucket.closedUntil
    const sent: number[] = []
    for (let number = 0; number < 200; number++) {
      const take = takeToken(bucket, { now, by: `p:${number}` })
      if (take.kind === 'none') throw new Error('nothing is in flight here')
      now = take.grant.goAt
      sent.push(now)
      bucket = releaseToken(take.bucket, { grant: take.grant, outcome: 'responded', receivedAt: now })
    }
    for (const from of sent) expect(sent.filter((at) => at >= from && at < from + minute).length).toBeLessThanOrEqual(5)
  })

  it('is within the limit even if a former release stored it above', () => {
    const stored: TokenBucket = { ...newBucket({ limit: 5 }), learnedLimit: 13, refusedLevel: 20 }
    expect(withLimit(stored, stored)).toMatchObject({ limit: 5, learnedLimit: 5 })
    expect(takenByOtherConsumers(withLimit(stored, stored))).toBe(0)
  })

  function refusedAt20(): TokenBucket {
    const take = takeToken(newBucket({ limit: 20 }), { now: start, by: 'p:1' })
    if (take.kind === 'none') throw new Error('there are 20')
    return releaseToken(take.bucket, { grant: take.grant, outcome: 'throttled', receivedAt: start, random: 0 })
  }
})

describe('a token', () => {
  it('is not moved to a later instant after others may have taken its place', () => {
    const take = takeToken(newBucket({ limit: 1 }), { now: 0, by: 'a:1' })
    if (take.kind === 'none') throw new Error('there is one')
    expect(postponeToken(take.bucket, take.grant, second)?.grant.goAt).toBe(second)
    const other = takeToken(take.bucket, { now: hour, by: 'b:1' })
    if (other.kind === 'none') throw new Error('the first has ended')
    expect(postponeToken(other.bucket, take.grant, hour)).toBeUndefined()
  })
})
