import type { Instant } from './time.ts'
import { day, hour, minute, second } from './time.ts'

/**
 * The rate limiter of one API key. A request counts from its **response**: its token is free again 60 s after the response came.
 * The request reached the vendor before that, whatever the network did in between. So the vendor never sees more than `limit`
 * requests in any 60 s, whether its window is fixed or slides.
 */

/** A clock may be set by so little without notice (ms): see `clockSteps` of the limiter's ports. */
export const stepUnnoticedMs = 5
/** The vendor's window (ms), plus the millisecond that reading a clock in whole milliseconds may lose, plus a step nobody notices. */
const windowMs = minute + 1 + stepUnnoticedMs
/** Two processes' clocks are at most this far apart (ms), each up to 500 ms off. */
const clocksApartMs = second
/** A token is used within this time after the instant it was given for (ms), or given back. */
export const tokenUseWithinMs = 10 * second
/** A request is given up after this time (ms). */
export const requestTimeoutMs = 30 * second
/** A request reaches the vendor within this time after it was sent (ms), or never: the network may still carry one that was given up. */
const underWayMaxMs = requestTimeoutMs + 10 * second
/** A token whose request never reports an outcome stays blocked this long after the instant it was given for (ms). */
const unreleasedMs = tokenUseWithinMs + underWayMaxMs + windowMs + clocksApartMs
const closureMaxMs = 30 * minute
const retryAfterMaxMs = hour
const probeFirstMs = hour
const probeMaxMs = day

/** One request in flight, or one that still counts at the vendor. Free tokens are not kept. */
export interface Token {
  /** The token is free from this instant on. A token that is not released yet may be free earlier. */
  readonly at: Instant
  /** The clock that `at` was read on, and a number: `clock:number`. The same name means that nobody has set the clock meanwhile. */
  readonly by: string
  readonly released: boolean
}

/** The rate limiter of one API key: one item of the state table. */
export interface TokenBucket {
  /** Goes up by one with each write; 0: never written. */
  readonly version: number
  /** Requests a minute that the connectors of the key allow. Only acceptance changes it (`flows/key-limit.ts`). */
  readonly limit: number
  /** Requests in any 24 h that they allow; absent if there is no such limit, or if a release before 0.4.0 wrote the bucket last. */
  readonly perDay?: number
  /** Requests a minute that the vendor seems to allow, learned from its responses; 1 ≤ learnedLimit ≤ limit. */
  readonly learnedLimit: number
  readonly closedUntil: Instant
  /** When `learnedLimit` was last cut; a grant remembers it, so that one closure cuts once. */
  readonly cutAt: Instant
  /** Length of the last closure at learnedLimit = 1 (ms); 0 if a request has succeeded since. */
  readonly closureMs: number
  /** The level (requests a minute) that the vendor refused; absent if none is known. It is probed at `probeAt`. */
  readonly refusedLevel?: number
  readonly probeAt: Instant
  readonly probeAfterMs: number
  /** When `learnedLimit` may next go up by one. */
  readonly raiseAt: Instant
  readonly tokens: readonly Token[]
  /** Requests by hour since the epoch, the last 26 hours. `requestsPerDay` is checked against them. */
  readonly hours: Readonly<Record<string, number>>
}

/** The right to one request, at `goAt` and no later than `tokenUseWithinMs` after it. */
export interface Grant {
  readonly by: string
  readonly goAt: Instant
  readonly cutAt: Instant
}

/** The outcome of a grant. A request without a response is not released: its token frees itself. */
export type Release =
  | { readonly grant: Grant; readonly outcome: 'unsent' }
  | { readonly grant: Grant; readonly outcome: 'responded'; readonly receivedAt: Instant }
  | {
      readonly grant: Grant
      readonly outcome: 'throttled'
      readonly receivedAt: Instant
      readonly retryAfterMs?: number
      readonly random: number
    }

/** The limits of a key: the lowest that its connectors name. */
export interface KeyLimit {
  readonly limit: number
  readonly perDay?: number
}

export function newBucket({ limit, perDay }: KeyLimit): TokenBucket {
  return {
    version: 0,
    limit,
    ...(perDay === undefined ? {} : { perDay }),
    learnedLimit: limit,
    closedUntil: 0,
    cutAt: 0,
    closureMs: 0,
    probeAt: 0,
    probeAfterMs: probeFirstMs,
    raiseAt: 0,
    tokens: [],
    hours: {},
  }
}

/**
 * Sets the limit. A higher one forgets what was learned under the old one. A lower one keeps only what lies within it: a refused level
 * above it says nothing about it. The same limit mends a bucket in which a release before 0.4.0 left such a level.
 */
export function withLimit(bucket: TokenBucket, { limit, perDay }: KeyLimit): TokenBucket {
  const { refusedLevel, perDay: _, ...rest } = bucket
  const isHigher = limit > bucket.limit
  return {
    ...rest,
    limit,
    learnedLimit: isHigher ? limit : Math.min(bucket.learnedLimit, limit),
    ...(perDay === undefined ? {} : { perDay }),
    ...(refusedLevel === undefined || isHigher || refusedLevel > limit ? {} : { refusedLevel }),
  }
}

/** Whether the bucket holds this limit already. */
export function hasLimit(bucket: TokenBucket, { limit, perDay }: KeyLimit): boolean {
  return bucket.limit === limit && bucket.perDay === perDay
}

/** The result of `takeToken`. */
export type Take =
  | { readonly kind: 'taken'; readonly bucket: TokenBucket; readonly grant: Grant }
  /** No token can be given out before `freeAt` (an estimate while requests are in flight). */
  | { readonly kind: 'none'; readonly freeAt: Instant }

/**
 * Takes one token. At its instant at most learnedLimit − 1 other requests may still count, so the instant is when the next older
 * token frees. If that token's request is in flight, none is given: nobody knows yet when it frees. The token that the new one waits
 * for stays in the bucket until it is free, because it still counts if `learnedLimit` rises meanwhile.
 */
export function takeToken(
  bucket: TokenBucket,
  request: { readonly now: Instant; readonly by: string; readonly notBefore?: Instant; readonly perDay?: number },
): Take {
  const { now, by } = request
  const clock = clockOf(by)
  const freeAt = (token: Token) => (token.released && clockOf(token.by) !== clock ? token.at + clocksApartMs : token.at)
  const counting = bucket.tokens.filter((token) => freeAt(token) > now).sort((a, b) => freeAt(a) - freeAt(b))
  const surplus = counting.length - bucket.learnedLimit
  const former = surplus < 0 ? undefined : counting[surplus]
  if (former !== undefined && !former.released) {
    return { kind: 'none', freeAt: Math.max(now + second, former.at - tokenUseWithinMs - underWayMaxMs) }
  }
  const earliest = Math.max(now, former === undefined ? 0 : freeAt(former), bucket.closedUntil, request.notBefore ?? 0)
  const goAt = request.perDay === undefined ? earliest : dayFreeAt(bucket.hours, request.perDay, earliest)
  const grant: Grant = { by, goAt, cutAt: bucket.cutAt }
  const token: Token = { at: goAt + unreleasedMs, by, released: false }
  return {
    kind: 'taken',
    grant,
    bucket: { ...bucket, tokens: [...counting, token], hours: countHour(bucket.hours, goAt, 1) },
  }
}

/** One write takes at most this share of the tokens of a key, because a crash blocks all of them. */
const togetherShare = 1 / 4
/** One write takes at most so many tokens (count). */
const togetherMax = 4
/** A token beyond the first one is taken only if its instant comes so soon (ms): a process that holds it may never use it. */
const togetherWithinMs = 10 * second

/**
 * Takes one token for each name in `by`, one after the other: the first one if its instant comes by `firstBy`, the others if theirs come soon
 * after. Returns none, and when it is worth trying again, if there is no first one.
 */
export function takeTokens(
  bucket: TokenBucket,
  request: {
    readonly now: Instant
    readonly by: readonly string[]
    readonly notBefore: Instant
    readonly firstBy: Instant
    readonly perDay?: number | undefined
  },
): { readonly bucket: TokenBucket; readonly grants: readonly Grant[]; readonly freeAt: Instant } {
  const { now, notBefore, firstBy, perDay } = request
  const most = Math.max(1, Math.min(togetherMax, Math.floor(bucket.learnedLimit * togetherShare)))
  const grants: Grant[] = []
  let current = bucket
  for (const by of request.by.slice(0, most)) {
    const taken = takeToken(current, { now, by, notBefore, ...(perDay === undefined ? {} : { perDay }) })
    const freeAt = taken.kind === 'none' ? taken.freeAt : taken.grant.goAt
    const latest = grants[0] === undefined ? firstBy : grants[0].goAt + togetherWithinMs
    if (taken.kind === 'none' || freeAt > latest) return { bucket: current, grants, freeAt }
    grants.push(taken.grant)
    current = taken.bucket
  }
  return { bucket: current, grants, freeAt: now }
}

/**
 * Moves a token to a later instant: the request also needs another limiter, which frees only then. Returns nothing if the bucket no longer
 * has the token: the process was frozen, and others may have taken its place.
 */
export function postponeToken(
  bucket: TokenBucket,
  grant: Grant,
  goAt: Instant,
): { readonly bucket: TokenBucket; readonly grant: Grant } | undefined {
  if (!bucket.tokens.some(({ by }) => by === grant.by)) return undefined
  const tokens = bucket.tokens.map((token) => (token.by === grant.by ? { ...token, at: goAt + unreleasedMs } : token))
  return { bucket: { ...bucket, tokens }, grant: { ...grant, goAt } }
}

/** Releases the token of a grant, if the bucket still has it, and learns from the outcome. */
export function releaseToken(bucket: TokenBucket, release: Release): TokenBucket {
  const { grant } = release
  if (release.outcome === 'unsent') {
    const mine = bucket.tokens.some((token) => token.by === grant.by)
    if (!mine) return bucket
    const tokens = bucket.tokens.filter((token) => token.by !== grant.by)
    return { ...bucket, tokens, hours: countHour(bucket.hours, grant.goAt, -1) }
  }
  const { receivedAt } = release
  const released: Token = { at: receivedAt + windowMs, by: grant.by, released: true }
  const kept = { ...bucket, tokens: bucket.tokens.map((token) => (token.by === grant.by ? released : token)) }
  return release.outcome === 'responded' ? learnFromResponse(kept, receivedAt) : learnFromRefusal(kept, release)
}

/**
 * Whether the bucket needs none of these releases if its key is not used before `nextAt`: there is nothing to learn from them, all its
 * tokens are free by then, and until then they are few.
 */
export function freesItself(bucket: TokenBucket, releases: readonly Release[], nextAt: Instant): boolean {
  const { tokens, learnedLimit, limit, refusedLevel, closureMs } = bucket
  const isCalm = learnedLimit === limit && refusedLevel === undefined && closureMs === 0
  const areFew = tokens.length <= learnedLimit * togetherShare
  return (
    isCalm && areFew && releases.every(({ outcome }) => outcome === 'responded') && tokens.every(({ at }) => at + clocksApartMs <= nextAt)
  )
}

/** Raises the learned limit by one a minute, up to one below the refused level, or to that level itself when its probe is due. */
function learnFromResponse(bucket: TokenBucket, at: Instant): TokenBucket {
  const { learnedLimit, limit, refusedLevel } = bucket
  const calm = bucket.closureMs === 0 ? bucket : { ...bucket, closureMs: 0 }
  if (at < calm.raiseAt) return calm
  if (refusedLevel !== undefined && learnedLimit >= refusedLevel) {
    const { refusedLevel: _, ...unrefused } = calm
    return { ...unrefused, probeAfterMs: probeFirstMs }
  }
  const proven = refusedLevel === undefined ? limit : at >= calm.probeAt ? refusedLevel : Math.max(1, refusedLevel - 1)
  const ceiling = Math.min(limit, proven)
  return learnedLimit < ceiling ? { ...calm, learnedLimit: learnedLimit + 1, raiseAt: at + minute } : calm
}

/** Closes the key and, once a closure, lowers the learned limit: somebody else uses the key, or the vendor allows less than `limit`. */
function learnFromRefusal(bucket: TokenBucket, refusal: Extract<Release, { outcome: 'throttled' }>): TokenBucket {
  const { receivedAt, random, grant } = refusal
  const wished = Math.max(windowMs, Math.min(refusal.retryAfterMs ?? 0, retryAfterMaxMs))
  if (grant.cutAt !== bucket.cutAt) return { ...bucket, closedUntil: Math.max(bucket.closedUntil, receivedAt + wished) }
  const { learnedLimit, refusedLevel } = bucket
  const probed = learnedLimit === refusedLevel
  const closureMs = learnedLimit === 1 ? Math.min(closureMaxMs, Math.max(windowMs, bucket.closureMs * 2)) : 0
  const closedUntil = Math.max(bucket.closedUntil, receivedAt + Math.max(wished, Math.round(closureMs * (1 + random / 10))))
  const probeAfterMs = probed ? Math.min(probeMaxMs, bucket.probeAfterMs * 2) : probeFirstMs
  return {
    ...bucket,
    learnedLimit: probed ? Math.max(1, learnedLimit - 1) : Math.max(1, Math.floor(learnedLimit / 2)),
    closedUntil,
    cutAt: receivedAt,
    closureMs,
    refusedLevel: learnedLimit,
    probeAfterMs,
    probeAt: receivedAt + probeAfterMs,
    raiseAt: closedUntil + minute,
  }
}

/** Requests a minute, of the limit, that other consumers of the key seem to take (count): from 0 to one below the limit. */
export function takenByOtherConsumers({ limit, refusedLevel }: TokenBucket): number {
  return refusedLevel === undefined ? 0 : Math.max(0, limit - Math.max(1, refusedLevel - 1))
}

function clockOf(by: string): string {
  return by.slice(0, by.lastIndexOf(':'))
}

/** The limit holds in any 24 h, not in a calendar day: it bounds the sum of the current hour and the 24 before it. */
function dayFreeAt(hours: TokenBucket['hours'], perDay: number, at: Instant): Instant {
  const first = Math.floor(at / hour)
  for (let h = first; h <= first + 25; h++) {
    if (sumOfDay(hours, h) < perDay) return Math.max(at, h * hour)
  }
  return at + day
}

function sumOfDay(hours: TokenBucket['hours'], h: number): number {
  return Object.entries(hours).reduce((sum, [of, count]) => (Number(of) >= h - 24 && Number(of) <= h ? sum + count : sum), 0)
}

function countHour(hours: TokenBucket['hours'], at: Instant, by: number): TokenBucket['hours'] {
  const h = Math.floor(at / hour)
  // Keep one hour more than a day's sum needs: the next caller may still be in the hour before.
  const kept = Object.entries(hours).filter(([of]) => Number(of) >= h - 25)
  return { ...Object.fromEntries(kept), [h]: Math.max(0, (hours[h] ?? 0) + by) }
}
