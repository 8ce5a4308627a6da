import type { HeldKeys } from '../../domain/connector/key-register.ts'
import { backoffMs, type Failure, failure, formatFailure } from '../../domain/failures.ts'
import type { Clock, Log } from '../../domain/ports.ts'
import type { ConnectorStatus } from '../../domain/status/status.ts'
import { requestsAreSpread } from '../../domain/stream/schedule.ts'
import { type Instant, minute } from '../../domain/time.ts'
import { type Accepted, type KeyPorts, type OpenedKeys, type OpenKey, openKeys, replacedKey, secretText } from '../open-keys.ts'
import { KeyPool } from './key-pool.ts'
import type { Limiter } from './rate-limiter.ts'

export interface RunKeysPorts extends KeyPorts {
  readonly clock: Clock
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
  /** Aborted when the process must end. */
  readonly stop: AbortSignal
}

/** The connector's status before the run. */
type Before = Pick<ConnectorStatus, 'rejectedKeys' | 'readSteps'>

/** The API keys of one run: those that could be opened are in `pool`, and those that the vendor rejects leave it. */
export class RunKeys {
  private readonly ports: RunKeysPorts
  private readonly accepted: Accepted
  readonly pool: KeyPool
  /** Every key that this run has read, also one that the vendor rejects or that belongs to another tenant. */
  readonly apiKeys: Set<string>
  private rejected: Before['rejectedKeys']
  /** Why keys could not be opened. */
  private readonly failures: readonly Failure[]
  /** Secrets that this run has read without the cache. */
  private readonly secretsReadAgain = new Set<string>()
  private readonly openedStatus: Pick<ConnectorStatus, 'keys' | 'oldestKeyAt' | 'keysStoredAt'>

  /** Opens every key of the connector, except those that back off after a rejection. `heldKeys`: as just read, if there are any. */
  static async open(ports: RunKeysPorts, accepted: Accepted, before: Before, limiter: Limiter, heldKeys?: HeldKeys): Promise<RunKeys> {
    return new RunKeys(ports, accepted, before, limiter, await openKeys(ports, accepted, ports.clock.now(), heldKeys))
  }

  private constructor(ports: RunKeysPorts, accepted: Accepted, before: Before, limiter: Limiter, { keys, apiKeys, failures }: OpenedKeys) {
    this.ports = ports
    this.accepted = accepted
    this.failures = failures
    this.apiKeys = new Set(apiKeys)
    // The rejection of a key that is no longer in its secret is forgotten.
    const fingerprints = new Set(keys.map(({ fingerprint }) => fingerprint))
    this.rejected = Object.fromEntries(Object.entries(before.rejectedKeys).filter(([fingerprint]) => fingerprints.has(fingerprint)))
    const now = ports.clock.now()
    const usable = keys.filter(({ fingerprint }) => (this.rejected[fingerprint]?.until ?? 0) <= now)
    this.pool = new KeyPool(
      ports,
      limiter,
      usable,
      before.readSteps,
      requestsAreSpread({ intervalMs: accepted.connector.intervalMinutes * minute }),
    )
    const dated = keys.flatMap(({ fingerprint, storedAt }) => (storedAt === undefined ? [] : [[fingerprint, storedAt] as const]))
    this.openedStatus = {
      keys: usable.map(({ fingerprint }) => fingerprint),
      ...(dated.length === 0 ? {} : { oldestKeyAt: Math.min(...dated.map(([, at]) => at)), keysStoredAt: Object.fromEntries(dated) }),
    }
  }

  /** The attributes of the connector's status that are about its keys. */
  get status(): Pick<ConnectorStatus, 'keys' | 'oldestKeyAt' | 'keysStoredAt' | 'rejectedKeys'> {
    return { ...this.openedStatus, rejectedKeys: this.rejected }
  }

  /** Why no key can be used. */
  whyEmpty(lastFailure: Failure | undefined): Failure {
    if (this.failures[0] !== undefined) return this.failures[0]
    return lastFailure?.code === 'unauthorized' ? lastFailure : failure('unauthorized', 'The vendor rejected every key of this connector')
  }

  /** One sentence for each key that could not be opened while others could, for people. */
  notes(): string[] {
    return this.pool.all.length > 0 ? this.failures.map(formatFailure) : []
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
      this.pool.replace(key, replacement)
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
    this.pool.replace(key)
    return this.pool.all.length > 0 ? undefined : until
  }

  /** The key that its secret holds now, if it is another one. A run reads each secret at most once without the cache. */
  private async readSecretAgain(key: OpenKey, now: Instant): Promise<OpenKey | undefined> {
    const secret = secretText(key.reference)
    if (this.secretsReadAgain.has(secret)) return undefined
    this.secretsReadAgain.add(secret)
    const replaced = await replacedKey(this.ports, this.accepted, key, now)
    for (const apiKey of replaced.apiKeys) this.apiKeys.add(apiKey)
    return replaced.key
  }
}
