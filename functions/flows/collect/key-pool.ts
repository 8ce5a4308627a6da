import type { Clock } from '../../domain/ports.ts'
import { type Instant, minute, second } from '../../domain/time.ts'
import type { OpenKey } from '../open-keys.ts'
import type { Limiter, Permit } from './rate-limiter.ts'

export interface KeyNeed {
  /** The fingerprint of the only key that may be used. Without it, any key may. */
  readonly key?: string | undefined
  /** How long the request may wait for a token (ms). */
  readonly waitMaxMs: number
  /** The last request of a paced stream: the next one keeps the pace of its key, and waits for it even if another key is free. */
  readonly pacedAfter?: Instant | undefined
  /** This request and those that follow at once (count): their tokens may be taken with one write. */
  readonly together?: number
  /** Fewer may follow. A token that is given back may help nobody for a minute, so only a connector that is alone on its key takes more than one. */
  readonly isEstimate?: boolean
  /** Called before each wait of a second or more. It may call the wait off. */
  readonly beforeWaiting?: (until: Instant) => Promise<boolean>
}

export type KeyAnswer =
  | { readonly kind: 'go'; readonly key: OpenKey; readonly permit: Permit }
  /** No key that may be used is free in time. `freeAt`: when the first one is. */
  | { readonly kind: 'wait'; readonly freeAt: Instant }
  /** `beforeWaiting` returned false. */
  | { readonly kind: 'called-off' }

/** The API keys of one run. It alone decides which key a request uses, and how long the request waits for it. */
export class KeyPool {
  private readonly ports: { readonly clock: Clock; readonly stop: AbortSignal }
  private readonly limiter: Limiter
  private keys: readonly OpenKey[]
  /** When a key without a token has one again, by fingerprint. Other keys are free, as far as this run knows. */
  private readonly busyUntil = new Map<string, Instant>()
  /** Requests that could have used any key (count). `turn`: where to begin, so that short runs do not all use the first key. */
  private turn: number
  private readonly isSpread: boolean
  /** When the last request went. Absent while requests need not keep apart: none had to wait for a token. */
  private lastGoAt: Instant | undefined

  /** `isSpread`: once a request has to wait for a token, all later ones keep apart, so that a token is soon free at any time. */
  constructor(
    ports: { readonly clock: Clock; readonly stop: AbortSignal },
    limiter: Limiter,
    keys: readonly OpenKey[],
    turn: number,
    isSpread = false,
  ) {
    this.ports = ports
    this.limiter = limiter
    this.keys = keys
    this.turn = turn
    this.isSpread = isSpread
  }

  get all(): readonly OpenKey[] {
    return this.keys
  }

  has(fingerprint: string): boolean {
    return this.keys.some((key) => key.fingerprint === fingerprint)
  }

  /** When the key is free, as far as this run knows; without a key of the pool: when the first one is. */
  freeAt(fingerprint?: string): Instant {
    const usable = fingerprint !== undefined && this.has(fingerprint) ? [fingerprint] : this.keys.map((key) => key.fingerprint)
    return Math.max(this.ports.clock.now(), this.notBefore(), Math.min(...usable.map((key) => this.busyUntil.get(key) ?? 0)))
  }

  /**
   * Answers with a permit, or with when there may be one. It goes round the keys that are free, and waits for the first one if none is.
   * No request waits for a key while another one is free, even if it may not use that one: another stream may. Throws if the pool has no such key.
   */
  async admit({ key: only, waitMaxMs, pacedAfter, beforeWaiting, ...need }: KeyNeed): Promise<KeyAnswer> {
    const { clock, stop } = this.ports
    const askedAt = clock.now()
    const latest = askedAt + waitMaxMs
    for (;;) {
      const [key, ...others] = this.inOrder(only)
      if (key === undefined || (only !== undefined && key.fingerprint !== only)) throw new Error('The pool has no such key.')
      const freeAt = this.freeAt(key.fingerprint)
      if (freeAt > latest) return { kind: 'wait', freeAt }
      const nextFreeAt = pacedAfter === undefined ? Math.min(...others.map((other) => this.freeAt(other.fingerprint))) : latest
      const admission = await this.limiter.admit(key.limiters, {
        waitMaxMs: Math.max(0, Math.min(latest, nextFreeAt) - clock.now()),
        together: this.together({ ...need, key: only }, key),
        notBefore: Math.max(this.notBefore(), pacedAfter === undefined ? 0 : pacedAfter + paceMs(key)),
        ...(beforeWaiting === undefined ? {} : { beforeWaiting }),
      })
      if (admission.kind === 'called-off') return admission
      if (this.isSpread && (admission.kind === 'wait' || clock.now() - askedAt >= second)) this.lastGoAt ??= 0
      if (admission.kind === 'go') {
        if (only === undefined) this.turn++
        if (this.lastGoAt !== undefined) this.lastGoAt = admission.permit.goAt
        return { ...admission, key }
      }
      this.busyUntil.set(key.fingerprint, admission.freeAt)
      if (stop.aborted || only !== undefined) return admission
    }
  }

  /** Puts another key in the place of one, or takes it out. */
  replace({ fingerprint }: OpenKey, by?: OpenKey): void {
    const others = this.keys.filter((key) => key.fingerprint !== fingerprint && key.fingerprint !== by?.fingerprint)
    this.keys = by === undefined ? others : [by, ...others]
  }

  /** No request goes before this instant. */
  private notBefore(): Instant {
    return this.lastGoAt === undefined ? 0 : this.lastGoAt + spreadMs(this.keys)
  }

  /** The tokens that are taken with one write (count). Of those that may use any key, the others go round the other keys. */
  private together(
    { key: only, together = 1, isEstimate = false }: Pick<KeyNeed, 'key' | 'together' | 'isEstimate'>,
    key: OpenKey,
  ): number {
    const isAlone = key.limiters.every((limiter) => limiter.isAlone === true)
    if (this.lastGoAt !== undefined || (isEstimate && !isAlone)) return 1
    return only === undefined ? Math.ceil(together / this.keys.length) : together
  }

  /** The keys in the order in which they are free. The one that must be used comes first. */
  private inOrder(only: string | undefined): readonly OpenKey[] {
    const begin = this.turn % Math.max(1, this.keys.length)
    const inTurn = [...this.keys.slice(begin), ...this.keys.slice(0, begin)]
    const rank = ({ fingerprint }: OpenKey) => (fingerprint === only ? Number.NEGATIVE_INFINITY : this.freeAt(fingerprint))
    return inTurn.sort((a, b) => rank(a) - rank(b))
  }
}

/** The requests of a paced stream are this far apart (ms), so that its page ids outlive the waits. */
function paceMs({ limiters }: OpenKey): number {
  return Math.ceil(minute / Math.min(...limiters.map(({ limit }) => limit)))
}

/** A little less than the limit asks for (share), so that a run makes up for its pauses. */
const spreadShare = 0.97

/** Requests that are spread over the minute are this far apart (ms). */
function spreadMs(keys: readonly OpenKey[]): number {
  return Math.round(spreadShare / keys.reduce((sum, key) => sum + 1 / paceMs(key), 0))
}
