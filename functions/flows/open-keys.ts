import type { Connector, SecretReference } from '../domain/connector/connector.ts'
import type { Digest, KeyedDigest } from '../domain/digest.ts'
import { type Failure, failure } from '../domain/failures.ts'
import type { KeyUser, KeyUserStore, Secrets } from '../domain/ports.ts'
import { failed, ok, type Result } from '../domain/result.ts'
import { day, type Instant } from '../domain/time.ts'
import type { LimiterRef } from './collect/rate-limiter.ts'
import { type KeyLimitPorts, lowestLimit, storeLimit } from './key-limit.ts'

/** An API key that a run may use. */
export interface OpenKey {
  readonly reference: SecretReference
  readonly apiKey: string
  /** When this version of the secret was stored; absent if the service does not say. */
  readonly storedAt?: Instant
  /** A keyed hash of the key, 32 hex digits. It is the same for two secrets that hold the same key, so both use one limiter. */
  readonly fingerprint: string
  /** The limiters that each request with the key must pass: that of the rate group, if any, then that of the key. */
  readonly limiters: readonly LimiterRef[]
}

export interface KeyPorts {
  readonly state: KeyUserStore
  readonly secrets: Secrets
  readonly digest: Digest
  readonly keyedDigest: KeyedDigest
  /** Returns 32 random bytes in hex. They become the key of all fingerprints if there is none yet. */
  readonly newFingerprintKey: () => string
}

/** A connector counts as a user of a key for this long after it last opened the key (ms). */
const usersKeptMs = 2 * day

/**
 * Reads one key and registers the connector as its user. Fails with `secret-missing`, `secret-unreadable` or `secret-malformed`, and with
 * `key-shared` if a connector of another tenant uses the key and the two do not both allow it.
 */
export async function openKey(
  ports: KeyPorts,
  connector: Connector,
  reference: SecretReference,
  now: Instant,
  options: { readonly bypassCache?: boolean } = {},
): Promise<Result<OpenKey>> {
  const secret = await ports.secrets.read(reference, options)
  if (!secret.ok) return secret
  const hashKey = await ports.state.fingerprintKey(ports.newFingerprintKey())
  const fingerprint = ports.keyedDigest(hashKey, secret.value.apiKey).slice(0, 32)
  const users = await ports.state.registerKeyUser(fingerprint, keyUser(connector, now), now)
  const otherTenant = users.find((user) => user.tenantName !== connector.tenantName && !(user.sharedKey && connector.sharedKey))
  if (otherTenant !== undefined) {
    await ports.state.forgetKeyUser(fingerprint, connector.connectorId)
    return failed(sharedWith(reference, otherTenant))
  }
  const limiters = [limiterRefOf(fingerprint, users)]
  if (connector.rateGroup !== undefined) {
    const group = `GROUP:${ports.digest(`${connector.type}\n${connector.rateGroup}`).slice(0, 32)}`
    limiters.unshift(limiterRefOf(group, await ports.state.registerKeyUser(group, keyUser(connector, now), now)))
  }
  return ok({ reference, ...secret.value, fingerprint, limiters })
}

/** Every key of the connector that can be opened, each once, and the failures of the others. */
export async function openKeys(
  ports: KeyPorts,
  connector: Connector,
  now: Instant,
): Promise<{ readonly keys: readonly OpenKey[]; readonly failures: readonly Failure[] }> {
  const keys: OpenKey[] = []
  const failures: Failure[] = []
  for (const reference of connector.apiKeySecrets) {
    const opened = await openKey(ports, connector, reference, now)
    if (!opened.ok) failures.push(opened.failure)
    else if (!keys.some(({ fingerprint }) => fingerprint === opened.value.fingerprint)) keys.push(opened.value)
  }
  return { keys, failures }
}

/** Removes the connector as a user of its keys. For a key that cannot be read, the entry expires by itself after two days. */
export async function closeKeys(ports: KeyPorts & KeyLimitPorts, connector: Connector, now: Instant): Promise<void> {
  const { keys } = await openKeys(ports, connector, now)
  for (const { limiters } of keys) {
    for (const { bucket } of limiters) {
      await ports.state.forgetKeyUser(bucket, connector.connectorId)
      await storeLimit(ports, bucket)
    }
  }
}

/** Stores the limits of the connector's keys, after it was registered as their user. */
export async function storeLimits(ports: KeyPorts & KeyLimitPorts, connector: Connector, now: Instant): Promise<void> {
  const { keys } = await openKeys(ports, connector, now)
  for (const { limiters } of keys) {
    for (const { bucket } of limiters) await storeLimit(ports, bucket)
  }
}

/** The reference as a user writes it: `name` or `name#jsonKey`. */
export function secretText({ secretName, jsonKey }: SecretReference): string {
  return jsonKey === undefined ? secretName : `${secretName}#${jsonKey}`
}

function keyUser(connector: Connector, now: Instant): KeyUser {
  return {
    connectorId: connector.connectorId,
    tenantName: connector.tenantName,
    sharedKey: connector.sharedKey,
    requestsPerMinute: connector.requestsPerMinute,
    ...(connector.requestsPerDay === undefined ? {} : { requestsPerDay: connector.requestsPerDay }),
    until: now + usersKeptMs,
  }
}

/** A limiter has the lowest limit of all its users, of which the connector is one. */
function limiterRefOf(bucket: string, users: readonly KeyUser[]): LimiterRef {
  const limit = lowestLimit(users)
  if (limit === undefined) throw new Error(`The limiter ${bucket} has no user, although one was just registered.`)
  return { bucket, ...limit }
}

function sharedWith(reference: SecretReference, { connectorId }: KeyUser): Failure {
  return failure('key-shared', `Connector ${connectorId} of another tenant uses the API key in ${secretText(reference)} as well`)
}
