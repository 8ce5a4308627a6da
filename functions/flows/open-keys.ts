import type { Connector, SecretReference } from '../domain/connector/connector.ts'
import { bucketsOf, claimKey, type HeldKeys, heldAfter, type KeyClaim } from '../domain/connector/key-register.ts'
import { tenantOf } from '../domain/connector/tenant.ts'
import type { Digest, KeyedDigest } from '../domain/digest.ts'
import { type Failure, failure } from '../domain/failures.ts'
import type { AcceptedConnector, KeyRegisterStore, KeyUserStore, Secret, Secrets } from '../domain/ports.ts'
import { failed, ok, type Result } from '../domain/result.ts'
import { versionOf } from '../domain/status/accepted-status.ts'
import type { Instant } from '../domain/time.ts'
import type { LimiterRef } from './collect/rate-limiter.ts'
import { claimFor, leaveBucket, limiterRefOf, type RegisterPorts, useBucket } from './key-registers.ts'

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

/** The ports that find the key of a secret, and its owner. */
export interface FindPorts {
  readonly state: Pick<KeyRegisterStore, 'readClaims'> & Pick<KeyUserStore, 'keyUsers' | 'fingerprintKey'>
  readonly secrets: Secrets
  readonly keyedDigest: KeyedDigest
  /** Returns 32 random bytes in hex. They become the key of all fingerprints if there is none yet. */
  readonly newFingerprintKey: () => string
}

export interface KeyPorts extends FindPorts, RegisterPorts {
  readonly state: FindPorts['state'] & RegisterPorts['state'] & KeyRegisterStore
  readonly digest: Digest
  /** Rate groups that connectors of all tenants share. */
  readonly sharedRateGroups: readonly string[]
}

export type Accepted = Pick<AcceptedConnector, 'connector' | 'acceptedAt'>

export interface OpenedKeys {
  readonly keys: readonly OpenKey[]
  /** Every key that could be read, also one that the connector may not use. Whoever knows them can keep them out of records. */
  readonly apiKeys: readonly string[]
  readonly failures: readonly Failure[]
}

type FoundKey = Secret & { readonly reference: SecretReference; readonly fingerprint: string }

/** Tries in a row that lose to another process that opens the keys of the same connector (count). */
const writesMax = 20

/**
 * Opens the keys of an accepted connector: every key that can be read and that the connector owns, each once, and the failures of the
 * others (`secret-missing`, `secret-unreadable`, `secret-malformed`, and `key-shared` for a key that another tenant owns). It brings the
 * registers of the keys into the state that follows from the acceptance: the keys of the connector are recorded, then claimed, then used
 * if it is enabled; keys that it no longer has are left. It writes nothing if all of that is so. A connector of an earlier acceptance
 * than the recorded one opens nothing and writes nothing. `known`: the record as just read; absent: it is read here.
 */
export async function openKeys(ports: KeyPorts, accepted: Accepted, now: Instant, known?: HeldKeys): Promise<OpenedKeys> {
  const { state } = ports
  const { connector, acceptedAt } = accepted
  const { connectorId } = connector
  for (let write = 0; write < writesMax; write++) {
    const before = (write === 0 ? known : undefined) ?? (await state.readHeldKeys(connectorId))
    if (before !== undefined && before.acceptedAt > acceptedAt) return { keys: [], apiKeys: [], failures: [] }
    const found = await findKeys(ports, connector, before)
    const fingerprints = new Map([...found].map(([name, key]) => [name, key.ok ? key.value.fingerprint : undefined]))
    const held = heldAfter(before, acceptedAt, fingerprints, groupBucket(ports, connector))
    if (held !== before && !(await state.writeHeldKeys(connectorId, held))) continue
    const opened = await claimAndUse(ports, accepted, [...found.values()], held, now)
    await leave(ports, connectorId, held)
    return { ...opened, apiKeys: [...found.values()].flatMap((key) => (key.ok ? [key.value.apiKey] : [])) }
  }
  throw new Error(`Other processes changed the keys of connector ${connectorId} ${writesMax} times in a row.`)
}

/** Ends every claim and every use of a connector that was deleted, by its record: its secrets may be gone. */
export async function leaveKeys(ports: KeyPorts, tombstone: AcceptedConnector): Promise<void> {
  const { connectorId } = tombstone.connector
  const version = versionOf(tombstone)
  const before = await ports.state.readHeldKeys(connectorId)
  if (before !== undefined && before.acceptedAt > version) return
  // An earlier release recorded no keys: the secrets say which they are. Entries of keys that cannot be read expire by themselves.
  const buckets = before === undefined ? await bucketsBySecrets(ports, tombstone.connector) : bucketsOf(before)
  for (const bucket of buckets) await leaveBucket(ports, bucket, connectorId, version)
  if (before === undefined || buckets.length === 0) return
  await ports.state.writeHeldKeys(connectorId, { revision: before.revision + 1, acceptedAt: version, keys: [], leaving: [] })
}

async function bucketsBySecrets(ports: KeyPorts, connector: Connector): Promise<readonly string[]> {
  const found = [...(await findKeys(ports, connector, undefined)).values()]
  const group = groupBucket(ports, connector)
  return [...new Set([...found.flatMap((key) => (key.ok ? [key.value.fingerprint] : [])), ...(group === undefined ? [] : [group])])]
}

/** The failures of an item that is not accepted yet: keys that it may not have. It only reads, so a refused item leaves no trace. */
export async function keysOfOthers(ports: FindPorts & Pick<KeyPorts, 'clock'>, connector: Connector): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  for (const key of (await findKeys(ports, connector, undefined)).values()) {
    if (!key.ok) continue
    const register = await ports.state.readClaims(key.value.fingerprint)
    const users = await ports.state.keyUsers(key.value.fingerprint, ports.clock.now())
    // A claim of a later acceptance than any: the item would be the newest.
    const claiming = claimKey(register, claimOf(connector, Number.POSITIVE_INFINITY), users)
    const failure = claimFailure(claiming, key.value.reference)
    if (failure !== undefined) failures.push(failure)
  }
  return failures
}

/** The key of one secret of an item, for its Test: `apiKey` also if the connector may not use it. */
export interface TestKey {
  readonly reference: SecretReference
  readonly apiKey?: string
  readonly key: Result<OpenKey>
}

/**
 * The keys of an item for its Test, each secret read afresh. It claims no key and uses none, so an item that is not accepted leaves no
 * trace. Fails for a key as `openKeys` does. The limiter is that of the key, with the limit of its users.
 */
export async function keysForTest(
  ports: FindPorts & Pick<KeyPorts, 'clock' | 'digest' | 'sharedRateGroups'>,
  connector: Connector,
): Promise<readonly TestKey[]> {
  const { state, clock } = ports
  const group = groupBucket(ports, connector)
  const usersOf = (bucket: string) => state.keyUsers(bucket, clock.now())
  const ofGroup = group === undefined ? [] : [limiterRefOf(group, { users: await usersOf(group) }, connector)]
  const keys: TestKey[] = []
  for (const reference of connector.apiKeySecrets) {
    const found = await findKey(ports, reference, true)
    if (!found.ok) {
      keys.push({ reference, key: found })
      continue
    }
    const { fingerprint, apiKey } = found.value
    const users = await usersOf(fingerprint)
    const claiming = claimKey(await state.readClaims(fingerprint), claimOf(connector, Number.POSITIVE_INFINITY), users)
    const refused = claimFailure(claiming, reference)
    const limiters = [...ofGroup, limiterRefOf(fingerprint, { users }, connector)]
    keys.push({ reference, apiKey, key: refused === undefined ? ok({ ...found.value, limiters }) : failed(refused) })
  }
  return keys
}

/**
 * The key that the secret holds now, read without the cache, if it is another one than `key`, and all keys that the connector then has:
 * it opens them anew.
 */
export async function replacedKey(
  ports: KeyPorts,
  accepted: Accepted,
  key: OpenKey,
  now: Instant,
): Promise<{ readonly key?: OpenKey | undefined; readonly apiKeys: readonly string[] }> {
  const secret = await ports.secrets.read(key.reference, { bypassCache: true })
  if (!secret.ok || (await fingerprintOf(ports, secret.value.apiKey)) === key.fingerprint) return { apiKeys: [] }
  const { keys, apiKeys } = await openKeys(ports, accepted, now)
  const isReplacement = ({ reference, fingerprint }: OpenKey) =>
    secretText(reference) === secretText(key.reference) && fingerprint !== key.fingerprint
  return { key: keys.find(isReplacement), apiKeys }
}

/** The reference as a user writes it: `name` or `name#jsonKey`. */
export function secretText({ secretName, jsonKey }: SecretReference): string {
  return jsonKey === undefined ? secretName : `${secretName}#${jsonKey}`
}

/** The key behind each reference. A secret whose key differs from the recorded one is read again without the cache, which may be older. */
async function findKeys(
  ports: FindPorts,
  connector: Connector,
  held: HeldKeys | undefined,
): Promise<ReadonlyMap<string, Result<FoundKey>>> {
  const recorded = new Map(held?.keys.map(({ reference, fingerprint }) => [reference, fingerprint]))
  const found = new Map<string, Result<FoundKey>>()
  for (const reference of connector.apiKeySecrets) {
    const name = secretText(reference)
    let key = await findKey(ports, reference, false)
    const before = recorded.get(name)
    if (key.ok && before !== undefined && key.value.fingerprint !== before) key = await findKey(ports, reference, true)
    found.set(name, key)
  }
  return found
}

async function findKey(ports: FindPorts, reference: SecretReference, bypassCache: boolean): Promise<Result<FoundKey>> {
  const secret = await ports.secrets.read(reference, bypassCache ? { bypassCache } : {})
  return secret.ok ? ok({ ...secret.value, reference, fingerprint: await fingerprintOf(ports, secret.value.apiKey) }) : secret
}

async function fingerprintOf(ports: FindPorts, apiKey: string): Promise<string> {
  const hashKey = await ports.state.fingerprintKey(ports.newFingerprintKey())
  return ports.keyedDigest(hashKey, apiKey).slice(0, 32)
}

async function claimAndUse(
  ports: KeyPorts,
  accepted: Accepted,
  found: readonly Result<FoundKey>[],
  held: HeldKeys,
  now: Instant,
): Promise<Omit<OpenedKeys, 'apiKeys'>> {
  const keys: OpenKey[] = []
  const failures: Failure[] = []
  const { connector, acceptedAt } = accepted
  for (const key of found) {
    if (!key.ok) {
      failures.push(key.failure)
      continue
    }
    const { reference, fingerprint } = key.value
    if (keys.some((opened) => opened.fingerprint === fingerprint)) continue
    const refused = claimFailure(await claimFor(ports, fingerprint, claimOf(connector, acceptedAt), now), reference)
    if (refused !== undefined) failures.push(refused)
    const mayUse = refused === undefined && connector.enabled
    const use = await useBucket(ports, fingerprint, accepted, mayUse, now)
    // Nobody uses a key for an acceptance that a later one has replaced meanwhile.
    const isUsed = use.users.some((user) => user.connectorId === connector.connectorId && user.acceptedAt === acceptedAt)
    if (mayUse && isUsed) keys.push({ ...key.value, limiters: [limiterRefOf(fingerprint, use, connector)] })
  }
  if (held.group === undefined) return { keys, failures }
  const use = await useBucket(ports, held.group, accepted, keys.length > 0, now)
  if (keys.length === 0) return { keys, failures }
  const limiter = limiterRefOf(held.group, use, connector)
  return { keys: keys.map((key) => ({ ...key, limiters: [limiter, ...key.limiters] })), failures }
}

async function leave(ports: KeyPorts, connectorId: string, held: HeldKeys): Promise<void> {
  if (held.leaving.length === 0) return
  for (const bucket of held.leaving) await leaveBucket(ports, bucket, connectorId, held.acceptedAt)
  // If another process changed the record meanwhile, it leaves them as well.
  await ports.state.writeHeldKeys(connectorId, { ...held, revision: held.revision + 1, leaving: [] })
}

/** The limiter of the connector's rate group. A group belongs to its tenant, unless the provider shares it. */
function groupBucket(
  { digest, sharedRateGroups }: Pick<KeyPorts, 'digest' | 'sharedRateGroups'>,
  connector: Connector,
): string | undefined {
  const { type, rateGroup } = connector
  if (rateGroup === undefined) return undefined
  const tenant = tenantOf(connector)
  // Connectors whose id names no tenant keep the group that earlier releases gave them.
  const isOfAll = tenant.startsWith('~') || sharedRateGroups.includes(rateGroup)
  return `GROUP:${digest(isOfAll ? `${type}\n${rateGroup}` : `${type}\n${tenant}\n${rateGroup}`).slice(0, 32)}`
}

function claimOf(connector: Connector, acceptedAt: Instant): KeyClaim {
  const { connectorId, sharedWith, sharedKey } = connector
  return { connectorId, tenant: tenantOf(connector), sharedWith, sharedKey, acceptedAt }
}

function claimFailure(claiming: Awaited<ReturnType<typeof claimFor>>, reference: SecretReference): Failure | undefined {
  const name = secretText(reference)
  switch (claiming.kind) {
    case 'refused':
      return failure('key-shared', `Connector ${claiming.by} of another tenant uses the API key in ${name} as well`)
    case 'full':
      return failure('key-shared', `${claiming.count} connectors have the API key in ${name}, and there is no room for another one`)
    case 'held':
    case 'claimed':
      return undefined
  }
}
