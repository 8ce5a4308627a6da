import type { Instant } from '../../domain/time.ts'
import type { OpenKey } from '../open-keys.ts'

/** The keys of one run: which of them has a token to spare, and which is used next. */
export class KeyPool {
  private keys: readonly OpenKey[]
  /** Keys without a token to spare, by fingerprint, and until when. */
  private readonly busyUntil = new Map<string, Instant>()

  constructor(keys: readonly OpenKey[]) {
    this.keys = keys
  }

  get all(): readonly OpenKey[] {
    return this.keys
  }

  /** A range stays with its key; a new one goes to the next key that is not busy, in turn. */
  choose(fingerprint: string | undefined, readSteps: number, now: Instant): OpenKey | undefined {
    const own = this.keys.find((key) => key.fingerprint === fingerprint)
    if (own !== undefined) return own
    const free = this.keys.filter((key) => !this.isBusy(key.fingerprint, now))
    return free[readSteps % Math.max(1, free.length)]
  }

  isBusy(fingerprint: string, now: Instant): boolean {
    return (this.busyUntil.get(fingerprint) ?? 0) > now
  }

  hasAnother(key: OpenKey, now: Instant): boolean {
    return this.keys.some(({ fingerprint }) => fingerprint !== key.fingerprint && !this.isBusy(fingerprint, now))
  }

  markBusy(key: OpenKey, until: Instant): void {
    this.busyUntil.set(key.fingerprint, until)
  }

  /** When the first of them frees, if all are busy. */
  busyTo(now: Instant): Instant | undefined {
    if (!this.keys.every(({ fingerprint }) => this.isBusy(fingerprint, now))) return undefined
    return Math.min(...this.keys.map(({ fingerprint }) => this.busyUntil.get(fingerprint) ?? now))
  }

  /** When the first of those that are busy frees. */
  firstFreeAt(now: Instant): Instant | undefined {
    const busy = [...this.busyUntil.values()].filter((until) => until > now)
    return busy.length === 0 ? undefined : Math.min(...busy)
  }

  /** Takes a key out, and puts another in its place. */
  replace(key: OpenKey, by?: OpenKey): void {
    const others = this.keys.filter(({ fingerprint }) => fingerprint !== key.fingerprint)
    this.keys = by === undefined ? others : [by, ...others]
  }
}
