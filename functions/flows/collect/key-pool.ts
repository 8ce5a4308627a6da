import type { HeldKeys } from '../../domain/connector/key-register.ts'
import { backoffMs, type Failure, failure, formatFailure } from '../../domain/failures.ts'
import type { Clock, Log } from '../../domain/ports.ts'
import type { ConnectorStatus } from '../../domain/status/status.ts'
import type { Instant } from '../../domain/time.ts'
import { type Accepted, type KeyPorts, type OpenedKeys, type OpenKey, openKeys, replacedKey, secretText } from '../open-keys.ts'

export interface KeyPoolPorts extends KeyPorts {
  readonly clock: Clock
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
}

type RejectedKeys = ConnectorStatus['rejectedKeys']

/** The API keys of one run: it chooses the next key, and knows which keys have no token and which were rejected. */
export class KeyPool {
  private readonly ports: KeyPoolPorts
  private readonly accepted: Accepted
  private keys: readonly OpenKey[]
  private rejected: RejectedKeys
  /** Why keys could not be opened. */
  private readonly failures: readonly Failure[]
  /** Keys without a token to spare, by fingerprint, and until when. */
  private readonly busyUntil = new Map<string, Instant>()
  /** Secrets that this run has read without the cache. */
  private readonly secretsReadAgain = new Set<string>()
  private readonly openedStatus: Pick<ConnectorStatus, 'keys' | 'oldestKeyAt'>

  /** Opens every key of the connector, except those that back off after a rejection. `heldKeys`: as just read, if there are any. */
  static async open(ports: KeyPoolPorts, accepted: Accepted, rejectedBefore: RejectedKeys, heldKeys?: HeldKeys): Promise<KeyPool> {
    return new KeyPool(ports, accepted, await openKeys(ports, accepted, ports.clock.now(), heldKeys), rejectedBefore)
  }

  private constructor(ports: KeyPoolPorts, accepted: Accepted, { keys, failures }: OpenedKeys, rejectedBefore: RejectedKeys) {
    this.ports = ports
    this.accepted = accepted
    this.failures = failures
    // The rejection of a key that is no longer in its secret is forgotten.
    const fingerprints = new Set(keys.map(({ fingerprint }) => fingerprint))
    this.rejected = Object.fromEntries(Object.entries(rejectedBefore).filter(([fingerprint]) => fingerprints.has(fingerprint)))
    const now = ports.clock.now()
    this.keys = keys.filter(({ fingerprint }) => (this.rejected[fingerprint]?.until ?? 0) <= now)
    const storedAt = keys.flatMap((key) => key.storedAt ?? [])
    this.openedStatus = {
      keys: this.keys.map(({ fingerprint }) => fingerprint),
      ...(storedAt.length === 0 ? {} : { oldestKeyAt: Math.min(...storedAt) }),
    }
  }

  get all(): readonly OpenKey[] {
    return this.keys
  }

  /** The attributes of the connector's status that are about its keys. */
  get status(): Pick<ConnectorStatus, 'keys' | 'oldestKeyAt' | 'rejectedKeys'> {
    return { ...this.openedStatus, rejectedKeys: this.rejected }
  }

  /** Why the pool is empty. */
  whyEmpty(lastFailure: Failure | undefined): Failure {
    if (this.failures[0] !== undefined) return this.failures[0]
    return lastFailure?.code === 'unauthorized' ? lastFailure : failure('unauthorized', 'The vendor rejected every key of this connector')
  }

  /** One sentence for each problem of a part of the pool, for people. */
  notes(): string[] {
    const all = this.accepted.connector.apiKeySecrets.length
    const rejected = Math.min(Object.keys(this.rejected).length, all)
    return [
      ...(rejected > 0 && all > 1 ? [`${rejected} of ${all} keys rejected by the vendor (401): store a new one in its secret.`] : []),
      ...(this.keys.length > 0 ? this.failures.map(formatFailure) : []),
    ]
  }

  /** A range stays with its key. A new range goes to the next key that is not busy, round robin. */
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

  /** When the first key becomes free, if all are busy. */
  allBusyUntil(now: Instant): Instant | undefined {
    if (!this.keys.every(({ fingerprint }) => this.isBusy(fingerprint, now))) return undefined
    return Math.min(...this.keys.map(({ fingerprint }) => this.busyUntil.get(fingerprint) ?? now))
  }

  /** When the first of the busy keys becomes free. */
  firstFreeAt(now: Instant): Instant | undefined {
    const busy = [...this.busyUntil.values()].filter((until) => until > now)
    return busy.length === 0 ? undefined : Math.min(...busy)
  }

  /** The vendor accepted the key. */
  accept({ fingerprint }: OpenKey): void {
    const { [fingerprint]: _, ...others } = this.rejected
    this.rejected = others
  }

  /**
   * The vendor rejected the key. If its secret holds a new key already, that one replaces it. Otherwise the key backs off, and the others
   * go on. If no key is left, it returns when the key may be tried again.
   */
  async reject(key: OpenKey, why: Failure): Promise<Instant | undefined> {
    const { clock, log, random } = this.ports
    const now = clock.now()
    const secret = secretText(key.reference)
    const replacement = await this.readSecretAgain(key, now)
    if (replacement !== undefined) {
      this.keys = [replacement, ...this.without(key, replacement)]
      return undefined
    }
    const attempts = (this.rejected[key.fingerprint]?.attempts ?? 0) + 1
    const until = now + backoffMs({ code: why.code }, attempts, random())
    this.rejected = { ...this.rejected, [key.fingerprint]: { at: now, until, attempts } }
    log({
      level: 'error',
      event: 'key-rejected',
      connectorId: this.accepted.connector.connectorId,
      message: `${secret}: ${formatFailure(why)}`,
    })
    this.keys = this.without(key)
    return this.keys.length > 0 ? undefined : until
  }

  /** The key that its secret holds now, if it is another one. A run reads each secret at most once without the cache. */
  private async readSecretAgain(key: OpenKey, now: Instant): Promise<OpenKey | undefined> {
    const secret = secretText(key.reference)
    if (this.secretsReadAgain.has(secret)) return undefined
    this.secretsReadAgain.add(secret)
    return replacedKey(this.ports, this.accepted, key, now)
  }

  private without(...keys: readonly OpenKey[]): readonly OpenKey[] {
    return this.keys.filter(({ fingerprint }) => !keys.some((key) => key.fingerprint === fingerprint))
  }
}
