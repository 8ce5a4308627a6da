import type { Clock, State } from '../../domain/ports.ts'
import { type Instant, second } from '../../domain/time.ts'
import type { Grant, Release, TokenBucket } from '../../domain/token-bucket.ts'
import { newBucket, postponeToken, releaseToken, takeToken, tokenUseWithinMs, withLimit } from '../../domain/token-bucket.ts'

/** One limiter that a request must pass: the key's own, and its rate group's. */
export interface LimiterRef {
  readonly bucket: string
  readonly limit: number
  readonly perDay?: number
}

/** The right to one request, through every ref it needs. */
interface Permit {
  readonly goAt: Instant
  readonly grants: readonly { readonly ref: LimiterRef; readonly grant: Grant }[]
}

type Admission = { readonly kind: 'go'; readonly permit: Permit } | { readonly kind: 'wait'; readonly freeAt: Instant }

export type Outcome =
  | { readonly outcome: 'unsent' }
  | { readonly outcome: 'responded'; readonly receivedAt: Instant }
  | { readonly outcome: 'throttled'; readonly receivedAt: Instant; readonly retryAfterMs?: number; readonly random: number }

/** Conditional writes in a row that others may win before something must be wrong (count): each loss is another's win. */
const writesMax = 200

type Taken = { readonly grant: Grant } | { readonly freeAt: Instant }

export interface LimiterPorts {
  readonly clock: Clock
  readonly state: State
  /** Names this process, and so its clock. */
  readonly process: string
  /** Unlike any other of this process. */
  readonly nextNumber: () => number
  /** Aborted when the process is told to end: waits end at once, and give back what they wait for. */
  readonly stop: AbortSignal
}

export interface Limiter {
  /**
   * Takes one token of every ref and waits until they may be used, at most `waitMaxMs`; otherwise takes none and says when
   * it is worth coming back. `beforeWaiting` is called once when there is a wait of a second or more.
   */
  admit(
    limiters: readonly LimiterRef[],
    options: { readonly waitMaxMs: number; readonly notBefore?: Instant; readonly beforeWaiting?: (until: Instant) => Promise<boolean> },
  ): Promise<Admission>
  /** Puts down what became of a permit; it is written with the next take of the same ref, or by `flush`. */
  release(permit: Permit, outcome: Outcome): void
  flush(): Promise<void>
  /** Returns then, or at once when the process is told to end. */
  wait(until: Instant): Promise<void>
  /** How long it has waited so far, all waits together (ms). */
  readonly waitedMs: number
  /** As last read or written. */
  known(bucket: string): TokenBucket | undefined
}

export function limiter(ports: LimiterPorts): Limiter {
  const { clock, state, stop } = ports
  const pending = new Map<string, Release[]>()
  const limiters = new Map<string, LimiterRef>()
  const known = new Map<string, TokenBucket>()
  let waitedMs = 0

  /** Reads the bucket, applies what is pending and `change`, and writes if nobody wrote meanwhile; else does it again. */
  async function update<T>(
    ref: LimiterRef,
    change: (bucket: TokenBucket) => { readonly bucket?: TokenBucket; readonly result: T },
  ): Promise<T> {
    for (let write = 0; write < writesMax; write++) {
      const stored = (await state.readTokens(ref.bucket)) ?? newBucket(ref.limit)
      const releases = pending.get(ref.bucket) ?? []
      const released = releases.reduce(releaseToken, withLimit(stored, ref.limit))
      const { bucket, result } = change(released)
      if (bucket === undefined) {
        known.set(ref.bucket, released)
        return result
      }
      const next = { ...bucket, version: stored.version + 1 }
      if (await state.writeTokens(ref.bucket, next)) {
        known.set(ref.bucket, next)
        const later = (pending.get(ref.bucket) ?? []).filter((release) => !releases.includes(release))
        pending.set(ref.bucket, later)
        return result
      }
    }
    throw new Error(`The limiter ${ref.bucket} was written by others ${writesMax} times in a row.`)
  }

  function postpone(ref: LimiterRef, grant: Grant, goAt: Instant): Promise<Grant> {
    return update(ref, (bucket) => {
      const postponed = postponeToken(bucket, grant, goAt)
      return { bucket: postponed.bucket, result: postponed.grant }
    })
  }

  function take(ref: LimiterRef, latest: Instant, notBefore: Instant): Promise<Taken> {
    const by = `${ports.process}:${ports.nextNumber()}`
    return update<Taken>(ref, (bucket) => {
      const perDay = ref.perDay === undefined ? {} : { perDay: ref.perDay }
      const taken = takeToken(bucket, { now: clock.now(), by, notBefore, ...perDay })
      if (taken.kind === 'none') return { result: { freeAt: taken.freeAt } }
      if (taken.grant.goAt > latest) return { result: { freeAt: taken.grant.goAt } }
      return { bucket: taken.bucket, result: { grant: taken.grant } }
    })
  }

  async function takeAll(limiters: readonly LimiterRef[], latest: Instant, notBefore: Instant): Promise<Admission> {
    const grants: { ref: LimiterRef; grant: Grant }[] = []
    let goAt = notBefore
    for (const ref of limiters) {
      const taken = await take(ref, latest, goAt)
      if ('freeAt' in taken) {
        release({ goAt, grants }, { outcome: 'unsent' })
        return { kind: 'wait', freeAt: taken.freeAt }
      }
      grants.push({ ref, grant: taken.grant })
      goAt = Math.max(goAt, taken.grant.goAt)
    }
    for (const held of grants) {
      if (held.grant.goAt < goAt) held.grant = await postpone(held.ref, held.grant, goAt)
    }
    return { kind: 'go', permit: { goAt, grants } }
  }

  function release({ grants }: Permit, outcome: Outcome): void {
    for (const { ref, grant } of grants) {
      const releases = pending.get(ref.bucket) ?? []
      pending.set(ref.bucket, [...releases, { grant, ...outcome }])
      limiters.set(ref.bucket, ref)
    }
  }

  async function wait(until: Instant): Promise<void> {
    const from = clock.now()
    if (!stop.aborted) await asleepOrStopped(until)
    waitedMs += Math.max(0, clock.now() - from)
  }

  // The signal outlives the run by far, so nothing of the run may stay with it.
  function asleepOrStopped(until: Instant): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => resolve()
      stop.addEventListener('abort', end, { once: true })
      const asleep = clock.sleepUntil(until).finally(() => stop.removeEventListener('abort', end))
      asleep.then(end, reject)
    })
  }

  return {
    wait,
    async admit(wanted, { waitMaxMs, notBefore = 0, beforeWaiting }) {
      const latest = clock.now() + waitMaxMs
      for (;;) {
        const admission = await takeAll(wanted, latest, notBefore)
        const until = admission.kind === 'go' ? admission.permit.goAt : admission.freeAt
        if (until > latest) return admission
        if (until - clock.now() >= second && beforeWaiting !== undefined && !(await beforeWaiting(until))) {
          if (admission.kind === 'go') release(admission.permit, { outcome: 'unsent' })
          return { kind: 'wait', freeAt: until }
        }
        await wait(until)
        if (stop.aborted) {
          if (admission.kind === 'go') release(admission.permit, { outcome: 'unsent' })
          return { kind: 'wait', freeAt: until }
        }
        if (admission.kind === 'wait') continue
        if (clock.now() <= until + tokenUseWithinMs) return admission
        release(admission.permit, { outcome: 'unsent' })
      }
    },
    release,
    async flush() {
      for (const [bucket, releases] of pending) {
        const ref = limiters.get(bucket)
        if (releases.length > 0 && ref !== undefined) await update(ref, (released) => ({ bucket: released, result: undefined }))
      }
    },
    get waitedMs() {
      return waitedMs
    },
    known: (bucket) => known.get(bucket),
  }
}
