import type { Clock, State } from '../domain/ports.ts'
import { type Instant, second } from '../domain/time.ts'
import type { Grant, Settlement, TokenBucket } from '../domain/tokens.ts'
import { newBucket, postponeToken, settleToken, takeToken, tokenUseWithinMs, withLimit } from '../domain/tokens.ts'

/** One limiter that a request must pass: the key's own, and its rate group's. */
export interface Gate {
  readonly bucket: string
  readonly limit: number
  readonly perDay?: number
}

/** The right to one request, through every gate it needs. */
interface Permit {
  readonly goAt: Instant
  readonly grants: readonly { readonly gate: Gate; readonly grant: Grant }[]
}

type Admission = { readonly kind: 'go'; readonly permit: Permit } | { readonly kind: 'wait'; readonly freeAt: Instant }

export type Outcome =
  | { readonly outcome: 'unsent' }
  | { readonly outcome: 'answered'; readonly receivedAt: Instant }
  | { readonly outcome: 'throttled'; readonly receivedAt: Instant; readonly retryAfterMs?: number; readonly random: number }

/** Conditional writes in a row that others may win before something must be wrong (count): each loss is another's win. */
const writesMost = 200

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
   * Takes one token of every gate and waits until they may be used, at most `waitMostMs`; otherwise takes none and says when
   * it is worth coming back. `beforeWaiting` is called once when there is a wait of a second or more.
   */
  admit(
    gates: readonly Gate[],
    options: { readonly waitMostMs: number; readonly notBefore?: Instant; readonly beforeWaiting?: (until: Instant) => Promise<boolean> },
  ): Promise<Admission>
  /** Puts down what became of a permit; it is written with the next take of the same gate, or by `flush`. */
  settle(permit: Permit, outcome: Outcome): void
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
  const pending = new Map<string, Settlement[]>()
  const gates = new Map<string, Gate>()
  const known = new Map<string, TokenBucket>()
  let waitedMs = 0

  /** Reads the bucket, applies what is pending and `change`, and writes if nobody wrote meanwhile; else does it again. */
  async function update<T>(gate: Gate, change: (bucket: TokenBucket) => { readonly bucket?: TokenBucket; readonly result: T }): Promise<T> {
    for (let write = 0; write < writesMost; write++) {
      const stored = (await state.readTokens(gate.bucket)) ?? newBucket(gate.limit)
      const settlements = pending.get(gate.bucket) ?? []
      const settled = settlements.reduce(settleToken, withLimit(stored, gate.limit))
      const { bucket, result } = change(settled)
      if (bucket === undefined) {
        known.set(gate.bucket, settled)
        return result
      }
      const next = { ...bucket, version: stored.version + 1 }
      if (await state.writeTokens(gate.bucket, next)) {
        known.set(gate.bucket, next)
        const later = (pending.get(gate.bucket) ?? []).filter((settlement) => !settlements.includes(settlement))
        pending.set(gate.bucket, later)
        return result
      }
    }
    throw new Error(`The limiter ${gate.bucket} was written by others ${writesMost} times in a row.`)
  }

  function postpone(gate: Gate, grant: Grant, goAt: Instant): Promise<Grant> {
    return update(gate, (bucket) => {
      const postponed = postponeToken(bucket, grant, goAt)
      return { bucket: postponed.bucket, result: postponed.grant }
    })
  }

  function take(gate: Gate, latest: Instant, notBefore: Instant): Promise<Taken> {
    const by = `${ports.process}:${ports.nextNumber()}`
    return update<Taken>(gate, (bucket) => {
      const perDay = gate.perDay === undefined ? {} : { perDay: gate.perDay }
      const now = clock.now()
      const taken = takeToken(bucket, { now, by, notBefore, ...perDay })
      if (taken.kind === 'none') return { result: { freeAt: taken.freeAt } }
      // Reading the bucket takes time, so `latest` may have passed: a token that is free now keeps nobody waiting.
      if (taken.grant.goAt > Math.max(latest, now)) return { result: { freeAt: taken.grant.goAt } }
      return { bucket: taken.bucket, result: { grant: taken.grant } }
    })
  }

  async function takeAll(gates: readonly Gate[], latest: Instant, notBefore: Instant): Promise<Admission> {
    const grants: { gate: Gate; grant: Grant }[] = []
    let goAt = notBefore
    for (const gate of gates) {
      const taken = await take(gate, latest, goAt)
      if ('freeAt' in taken) {
        settle({ goAt, grants }, { outcome: 'unsent' })
        return { kind: 'wait', freeAt: taken.freeAt }
      }
      grants.push({ gate, grant: taken.grant })
      goAt = Math.max(goAt, taken.grant.goAt)
    }
    for (const held of grants) {
      if (held.grant.goAt < goAt) held.grant = await postpone(held.gate, held.grant, goAt)
    }
    return { kind: 'go', permit: { goAt, grants } }
  }

  function settle({ grants }: Permit, outcome: Outcome): void {
    for (const { gate, grant } of grants) {
      const settlements = pending.get(gate.bucket) ?? []
      pending.set(gate.bucket, [...settlements, { grant, ...outcome }])
      gates.set(gate.bucket, gate)
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
    async admit(wanted, { waitMostMs, notBefore = 0, beforeWaiting }) {
      const latest = clock.now() + waitMostMs
      for (;;) {
        const admission = await takeAll(wanted, latest, notBefore)
        const until = admission.kind === 'go' ? admission.permit.goAt : admission.freeAt
        if (admission.kind === 'wait' && until > latest) return admission
        if (until - clock.now() >= second && beforeWaiting !== undefined && !(await beforeWaiting(until))) {
          if (admission.kind === 'go') settle(admission.permit, { outcome: 'unsent' })
          return { kind: 'wait', freeAt: until }
        }
        await wait(until)
        if (stop.aborted) {
          if (admission.kind === 'go') settle(admission.permit, { outcome: 'unsent' })
          return { kind: 'wait', freeAt: until }
        }
        if (admission.kind === 'wait') continue
        if (clock.now() <= until + tokenUseWithinMs) return admission
        settle(admission.permit, { outcome: 'unsent' })
      }
    },
    settle,
    async flush() {
      for (const [bucket, settlements] of pending) {
        const gate = gates.get(bucket)
        if (settlements.length > 0 && gate !== undefined) await update(gate, (settled) => ({ bucket: settled, result: undefined }))
      }
    },
    get waitedMs() {
      return waitedMs
    },
    known: (bucket) => known.get(bucket),
  }
}
