import type { Connector, SecretReference } from '../domain/connector/connector.ts'
import type { Digest, KeyedDigest } from '../domain/digest.ts'
import { type Failure, failure } from '../domain/failures.ts'
import type { KeyUser, KeyUserStore, Secrets } from '../domain/ports.ts'
import { failed, ok, type Result } from '../domain/result.ts'
import { day, type Instant } from '../domain/time.ts'
import type { LimiterRef } from './collect/rate-limiter.ts'

/** An API key that a run may use. */
export interface OpenKey {
  readonly reference: SecretReference
  readonly apiKey: string
  /** When it was stored, if the secret says so. */
  readonly storedAt?: Instant
  /** A keyed hash of the key itself: two secrets or names of one key have one limiter. */
  readonly fingerprint: string
  /** What a request with it must pass: the rate group's limiter, then the key's own. */
  readonly limiters: readonly LimiterRef[]
}

export interface KeyPorts {
  readonly state: KeyUserStore
  readonly secrets: Secrets
  readonly digest: Digest
  readonly keyedDigest: KeyedDigest
  /** 32 random bytes in hex, for the one time that the fingerprint key is made. */
  readonly newFingerprintKey: () => string
}

const usersKeptMs = 2 * day

/** Reads one key and puts the connector down as its user. Fails with a code of the secrets or with `key-shared`. */
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
  const stranger = users.find((user) => user.tenantName !== connector.tenantName && !(user.sharedKey && connector.sharedKey))
  if (stranger !== undefined) {
    await ports.state.forgetKeyUser(fingerprint, connector.connectorId)
    return failed(sharedWith(reference, stranger))
  }
  const limiters = [limiterRefOf(fingerprint, users)]
  if (connector.rateGroup !== undefined) {
    const group = `GROUP:${ports.digest(`${connector.type}\n${connector.rateGroup}`).slice(0, 32)}`
    limiters.unshift(limiterRefOf(group, await ports.state.registerKeyUser(group, keyUser(connector, now), now)))
  }
  return ok({ reference, ...secret.value, fingerprint, limiters })
}

/** Every key of the connector's pool that can be opened, and why the others cannot. */
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

/** The connector no longer uses its keys. What cannot be read is forgotten by itself, two days later. */
export async function closeKeys(ports: KeyPorts, connector: Connector, now: Instant): Promise<void> {
  const { keys } = await openKeys(ports, connector, now)
  for (const { limiters } of keys) {
    for (const { bucket } of limiters) await ports.state.forgetKeyUser(bucket, connector.connectorId)
  }
}

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

/** The lowest limit of all who use it counts. */
function limiterRefOf(bucket: string, users: readonly KeyUser[]): LimiterRef {
  const perDay = users.flatMap(({ requestsPerDay }) => (requestsPerDay === undefined ? [] : [requestsPerDay]))
  return {
    bucket,
    limit: Math.min(...users.map(({ requestsPerMinute }) => requestsPerMinute)),
    ...(perDay.length === 0 ? {} : { perDay: Math.min(...perDay) }),
  }
}

function sharedWith(reference: SecretReference, stranger: KeyUser): Failure {
  return failure('key-shared', `The API key in ${secretText(reference)} is used by connector ${stranger.connectorId} of another tenant`)
}
