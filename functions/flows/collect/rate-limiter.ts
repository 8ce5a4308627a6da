import { type Instant, second } from '../../domain/time.ts'
import type { Grant, KeyLimit, Release, TokenBucket } from '../../domain/token-bucket.ts'
import {
  freesItself,
  hasLimit,
  newBucket,
  postponeToken,
  releaseToken,
  takeTokens,
  tokenUseWithinMs,
  withLimit,
} from '../../domain/token-bucket.ts'
import { type KeyLimitPorts, storeLimit } from '../key-limit.ts'

/**
 * One limiter that a request must pass: the one of its key, or the one of its rate group. Its limit is as the run read it when it opened
 * the key. It makes a bucket that does not exist yet; otherwise the limit in the bucket counts.
 */
export interface LimiterRef extends KeyLimit {
  readonly bucket: string
  /** The bucket as it was when the run opened the key; absent if it was not read. */
  readonly opened?: TokenBucket
  /** The connector of the run is the only user. */
  readonly isAlone?: boolean
}

/** The right to one request, with a token of every limiter that it must pass. */
export interface Permit {
  readonly goAt: Instant
  /** The request must not be sent after this instant, by the clock of this process. */
  readonly sendBy: Instant
  readonly grants: readonly { readonly ref: LimiterRef; readonly grant: Grant }[]
}

export type Admission =
  | { readonly kind: 'go'; readonly permit: Permit }
  | { readonly kind: 'wait'; readonly freeAt: Instant }
  /** `beforeWaiting` returned false. */
  | { readonly kind: 'called-off' }

export type RequestOutcome =
  | { readonly outcome: 'unsent' }
  | { readonly outcome: 'responded'; readonly receivedAt: Instant }
  | { readonly outcome: 'throttled'; readonly receivedAt: Instant; readonly retryAfterMs?: number; readonly random: number }

/** A held token is used within this time after its instant (ms), so that enough of its time is left for the connection. */
const heldUseWithinMs = 5 * second
/** Tries in a row that lose to other runs (count). Each lost try is the write of another run, so more is a bug. */
const writesMax = 200

type Taken = { readonly grant: Grant } | { readonly freeAt: Instant }

/** A token that was taken together with another one, for one of the next requests. */
interface HeldToken {
  readonly grant: Grant
  /** `clockSteps` when it was taken: after a step of the clock its instant may be wrong. */
  readonly steps: number
}

export interface LimiterPorts extends KeyLimitPorts {
  /** Names this process. */
  readonly process: string
  /** How often the clock of this process was set while the process ran (count). A change of 5 ms between two readings may go unnoticed. */
  readonly clockSteps: () => number
  /** Returns a number that is unique in this process. */
  readonly nextNumber: () => number
  /** Aborted when the process must end: a wait then ends at once, and its tokens are given back. */
  readonly stop: AbortSignal
}

/** The part of the limiter that a read step uses. */
export type Limiter = Pick<RateLimiter, 'admit' | 'release'>

/**
 * The tokens of one run: taken when a request needs them, and a few more with the same write if requests follow at once. A token that is
 * held is used within its time or given back, and no token is used after a refusal of its key.
 */
export class RateLimiter {
  private readonly ports: LimiterPorts
  /** Releases that no write has carried yet, by bucket. */
  private readonly unwritten = new Map<string, { readonly ref: LimiterRef; readonly releases: readonly Release[] }>()
  private readonly held = new Map<string, readonly HeldToken[]>()
  private readonly buckets = new Map<string, TokenBucket>()
  /** The buckets as this run wrote them last. */
  private readonly written = new Map<string, TokenBucket>()
  /** The buckets that another run wrote meanwhile. */
  private readonly contested = new Set<string>()
  private waited = 0

  constructor(ports: LimiterPorts) {
    this.ports = ports
  }

  /** The sum of all waits so far (ms). */
  get waitedMs(): number {
    return this.waited
  }

  /** The bucket as this run last read or wrote it; nothing if it did neither. */
  lastSeen(bucket: string): TokenBucket | undefined {
    return this.buckets.get(bucket)
  }

  /**
   * Takes one token of every limiter and waits until they may be used, at most `waitMaxMs`. Otherwise it takes none, and returns
   * when it is worth trying again. `beforeWaiting` is called before each wait of a second or more, and may call it off. `together`: this
   * request and those that follow at once (count); up to so many tokens are taken with one write.
   */
  async admit(
    refs: readonly LimiterRef[],
    options: {
      readonly waitMaxMs: number
      readonly notBefore?: Instant
      readonly together?: number
      readonly beforeWaiting?: (until: Instant) => Promise<boolean>
    },
  ): Promise<Admission> {
    const { clock, clockSteps, stop } = this.ports
    const { waitMaxMs, notBefore = 0, together = 1, beforeWaiting } = options
    const latest = clock.now() + waitMaxMs
    for (;;) {
      const stepsBefore = clockSteps()
      const taken = this.takeHeld(refs, latest, notBefore) ?? (await this.takeAll(refs, { latest, notBefore, together }))
      const until = taken.kind === 'go' ? taken.permit.goAt : taken.freeAt
      if (taken.kind === 'wait' && until > latest) return taken
      const isLong = until - clock.now() >= second
      if (isLong && beforeWaiting !== undefined && !(await beforeWaiting(until))) {
        this.giveBack(taken)
        return { kind: 'called-off' }
      }
      await this.wait(until)
      if (stop.aborted) {
        this.giveBack(taken)
        return { kind: 'wait', freeAt: until }
      }
      // If somebody has set the clock, the instant of the token may not have come yet. Another request may have been refused meanwhile.
      const isGood = clockSteps() === stepsBefore && !refs.some((ref) => this.isRefused(ref))
      if (taken.kind === 'go' && clock.now() <= taken.permit.sendBy && isGood) return taken
      this.giveBack(taken)
    }
  }

  /** Records the outcome of a request. It is written with the next take of the same limiter, or by `flush`. */
  release({ grants }: Pick<Permit, 'grants'>, outcome: RequestOutcome): void {
    for (const { ref, grant } of grants) {
      if (outcome.outcome === 'throttled') this.giveBackHeld(ref)
      const releases = this.unwritten.get(ref.bucket)?.releases ?? []
      this.unwritten.set(ref.bucket, { ref, releases: [...releases, { grant, ...outcome }] })
    }
  }

  /**
   * Gives every held token back, and writes every release that no take has carried. If nobody else uses the key, and this connector not
   * before `nextAt`, tokens that are free by themselves then need no write.
   */
  async flush(nextAt: Instant = 0): Promise<void> {
    for (const { ref } of this.unwritten.values()) this.giveBackHeld(ref)
    for (const { ref, releases } of this.unwritten.values()) {
      const bucket = this.written.get(ref.bucket)
      if (ref.isAlone === true && bucket !== undefined && freesItself(bucket, releases, nextAt)) continue
      if (releases.length > 0) await this.update(ref, (bucket) => ({ bucket, result: undefined }))
    }
  }

  /** Returns at `until`, or at once when the process must end. */
  async wait(until: Instant): Promise<void> {
    const { clock, stop } = this.ports
    const from = clock.now()
    if (!stop.aborted) await sleepOrStop(this.ports, until)
    this.waited += Math.max(0, clock.now() - from)
  }

  private giveBack(taken: Admission): void {
    if (taken.kind === 'go') this.unused(taken.permit.grants)
  }

  /** Whether the vendor has refused the key, and no write has told that yet. */
  private isRefused({ bucket }: LimiterRef): boolean {
    return this.unwritten.get(bucket)?.releases.some(({ outcome }) => outcome === 'throttled') ?? false
  }

  private unused(grants: Permit['grants']): void {
    this.release({ grants }, { outcome: 'unsent' })
  }

  private giveBackHeld(ref: LimiterRef): void {
    const held = this.held.get(ref.bucket) ?? []
    this.held.delete(ref.bucket)
    this.unused(held.map(({ grant }) => ({ ref, grant })))
  }

  /** The next token that is held. Those that are too old for it, or from before a step of the clock or a refusal, are given back. */
  private takeHeld(
    refs: readonly LimiterRef[],
    latest: Instant,
    notBefore: Instant,
  ): Extract<Admission, { kind: 'go' | 'wait' }> | undefined {
    const { clock, clockSteps } = this.ports
    const [ref, ...others] = refs
    if (ref === undefined || others.length > 0) return undefined
    const earliest = Math.max(clock.now(), notBefore)
    const isOld = ({ grant, steps }: HeldToken) => steps !== clockSteps() || earliest > grant.goAt + heldUseWithinMs || this.isRefused(ref)
    const held = this.held.get(ref.bucket) ?? []
    const [next, ...later] = held.filter((token) => !isOld(token))
    this.unused(held.filter(isOld).map(({ grant }) => ({ ref, grant })))
    this.held.set(ref.bucket, next === undefined ? [] : [next, ...later])
    if (next === undefined) return undefined
    const goAt = Math.max(next.grant.goAt, notBefore)
    if (goAt > Math.max(latest, clock.now())) return { kind: 'wait', freeAt: goAt }
    this.held.set(ref.bucket, later)
    return { kind: 'go', permit: { goAt, sendBy: next.grant.goAt + tokenUseWithinMs, grants: [{ ref, grant: next.grant }] } }
  }

  private async takeAll(
    refs: readonly LimiterRef[],
    { latest, notBefore, together }: { readonly latest: Instant; readonly notBefore: Instant; readonly together: number },
  ): Promise<Exclude<Admission, { kind: 'called-off' }>> {
    const grants: { ref: LimiterRef; grant: Grant }[] = []
    let goAt = notBefore
    for (const ref of refs) {
      const taken = await this.take(ref, { latest, notBefore: goAt, together: refs.length === 1 ? together : 1 })
      if ('freeAt' in taken) {
        this.unused(grants)
        return { kind: 'wait', freeAt: taken.freeAt }
      }
      grants.push({ ref, grant: taken.grant })
      goAt = Math.max(goAt, taken.grant.goAt)
    }
    for (const held of grants) {
      if (held.grant.goAt >= goAt) continue
      const postponed = await this.postpone(held.ref, held.grant, goAt)
      if (postponed === undefined) {
        this.unused(grants)
        return { kind: 'wait', freeAt: this.ports.clock.now() }
      }
      held.grant = postponed
    }
    return { kind: 'go', permit: { goAt, sendBy: goAt + tokenUseWithinMs, grants } }
  }

  private async take(
    ref: LimiterRef,
    { latest, notBefore, together }: { readonly latest: Instant; readonly notBefore: Instant; readonly together: number },
  ): Promise<Taken> {
    const { clock, clockSteps, process, nextNumber } = this.ports
    const numbers = Array.from({ length: together }, nextNumber)
    const taken = await this.update(ref, (bucket) => {
      // Runs that compete for a key take its tokens in turns.
      const wanted = this.contested.has(ref.bucket) ? 1 : together
      const steps = clockSteps()
      const now = clock.now()
      // Reading the bucket takes time, so `latest` may have passed: a token that is free now keeps nobody waiting.
      const tokens = takeTokens(bucket, {
        now,
        notBefore,
        by: numbers.slice(0, wanted).map((number) => `${process}${steps === 0 ? '' : `~${steps}`}:${number}`),
        firstBy: Math.max(latest, now),
        // A release before 0.4.0 drops the daily limit of the bucket.
        perDay: bucket.perDay ?? ref.perDay,
      })
      const held = tokens.grants.map((grant) => ({ grant, steps }))
      return { result: { held, freeAt: tokens.freeAt }, ...(held.length === 0 ? {} : { bucket: tokens.bucket }) }
    })
    const [first, ...later] = taken.held
    if (first === undefined) return { freeAt: taken.freeAt }
    if (later.length > 0) this.held.set(ref.bucket, later)
    return { grant: first.grant }
  }

  private postpone(ref: LimiterRef, grant: Grant, goAt: Instant): Promise<Grant | undefined> {
    return this.update(ref, (bucket) => {
      const postponed = postponeToken(bucket, grant, goAt)
      return postponed === undefined ? { result: undefined } : { bucket: postponed.bucket, result: postponed.grant }
    })
  }

  /**
   * Applies the pending releases and `change` to the bucket, and writes it. If another run wrote it meanwhile, it starts over. It builds on
   * the bucket as this run last saw it, which saves a read, until another run has once been faster.
   */
  private async update<T>(
    ref: LimiterRef,
    change: (bucket: TokenBucket) => { readonly bucket?: TokenBucket; readonly result: T },
  ): Promise<T> {
    const { state } = this.ports
    for (let write = 0; write < writesMax; write++) {
      const known = write === 0 ? this.known(ref) : undefined
      const stored = known ?? (await this.read(ref))
      const releases = this.unwritten.get(ref.bucket)?.releases ?? []
      const released = releases.reduce(releaseToken, withLimit(stored, stored))
      const { bucket, result } = change(released)
      if (bucket === undefined) {
        // Another run may have released tokens meanwhile.
        if (known !== undefined) continue
        this.buckets.set(ref.bucket, released)
        return result
      }
      const next = { ...bucket, version: stored.version + 1 }
      if (!(await state.writeTokens(ref.bucket, next))) {
        this.contested.add(ref.bucket)
        continue
      }
      this.written.set(ref.bucket, next)
      this.buckets.set(ref.bucket, next)
      const later = (this.unwritten.get(ref.bucket)?.releases ?? []).filter((release) => !releases.includes(release))
      this.unwritten.set(ref.bucket, { ref, releases: later })
      return result
    }
    throw new Error(`Other runs changed the limiter ${ref.bucket} ${writesMax} times in a row.`)
  }

  private known({ bucket, opened }: LimiterRef): TokenBucket | undefined {
    return this.contested.has(bucket) ? undefined : (this.written.get(bucket) ?? opened)
  }

  /** The first time, a limit that differs from that of the key's users is mended: an acceptance broke off, or a former release wrote it. */
  private async read(ref: LimiterRef): Promise<TokenBucket> {
    const stored = await this.ports.state.readTokens(ref.bucket)
    if (stored === undefined) return newBucket(ref)
    if (this.buckets.has(ref.bucket) || hasLimit(stored, ref)) return stored
    return (await storeLimit(this.ports, ref.bucket)) ?? stored
  }
}

/** Removes its listener at the end, because the signal lives as long as the process. */
function sleepOrStop({ clock, stop }: LimiterPorts, until: Instant): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => resolve()
    stop.addEventListener('abort', end, { once: true })
    const asleep = clock.sleepUntil(until).finally(() => stop.removeEventListener('abort', end))
    asleep.then(end, reject)
  })
}
