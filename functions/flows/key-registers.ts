import type { Connector } from '../domain/connector/connector.ts'
import { type Claiming, claimKey, type KeyClaim, releaseKey } from '../domain/connector/key-register.ts'
import type { AcceptedConnector, AcceptedStore, Clock, KeyRegisterStore, KeyUser, KeyUserStore } from '../domain/ports.ts'
import { day, type Instant } from '../domain/time.ts'
import { hasLimit, type TokenBucket } from '../domain/token-bucket.ts'
import type { LimiterRef } from './collect/rate-limiter.ts'
import { type KeyLimitPorts, lowestLimit, storeLimit } from './key-limit.ts'

/** The two registers of a key: its owners, who have claimed it, and its users, whose limits count. */

export interface RegisterPorts {
  readonly clock: Clock
  readonly state: Pick<KeyRegisterStore, 'readClaims' | 'writeClaims'> &
    KeyUserStore &
    Pick<AcceptedStore, 'readAccepted'> &
    KeyLimitPorts['state']
}

/** A connector counts as a user of a key for this long after it last opened the key (ms). */
const usersKeptMs = 2 * day
/** Tries in a row that lose to other connectors which claim or leave the same key (count). */
const writesMax = 100

/** Claims a key. It writes nothing if the claim stands already, or is refused. */
export async function claimFor({ state }: RegisterPorts, fingerprint: string, claim: KeyClaim, now: Instant): Promise<Claiming> {
  for (let write = 0; write < writesMax; write++) {
    const register = await state.readClaims(fingerprint)
    const first = claimKey(register, claim, [])
    if (first.kind !== 'claimed') return first
    const claiming = claimKey(register, claim, await state.keyUsers(fingerprint, now))
    if (claiming.kind !== 'claimed' || (await state.writeClaims(fingerprint, claiming.next))) return claiming
  }
  throw new Error(`Other connectors changed the claims of the key ${fingerprint} ${writesMax} times in a row.`)
}

/** The users of a limiter, and its bucket: absent if the key is new. */
export interface BucketUse {
  readonly users: readonly KeyUser[]
  readonly stored?: TokenBucket | undefined
}

/**
 * Makes the connector a user of the limiter, or ends that. It writes nothing if that is so already; a later `until` alone is worth a write
 * once half of its time has passed.
 */
export async function useBucket(
  ports: RegisterPorts,
  bucket: string,
  { connector, acceptedAt }: Pick<AcceptedConnector, 'connector' | 'acceptedAt'>,
  isUser: boolean,
  now: Instant,
): Promise<BucketUse> {
  const { state } = ports
  const { connectorId } = connector
  const storedBefore = await state.readTokens(bucket)
  // The users are read after the bucket, as `storeLimit` does: a bucket that holds their limits is right.
  const before = await state.keyUsers(bucket, now)
  const own = before.find((user) => user.connectorId === connectorId)
  const user = keyUser(connector, acceptedAt, now)
  const isSo = isUser ? own !== undefined && isSameUse(own, user, now) : own === undefined
  const limit = lowestLimit(before)
  if (isSo && storedBefore !== undefined && limit !== undefined && hasLimit(storedBefore, limit))
    return { users: before, stored: storedBefore }
  if (!isSo && isUser) {
    await state.writeKeyUser(bucket, user)
    // A later acceptance may have ended the use before this write, and would not look again.
    const accepted = await state.readAccepted(connectorId)
    const isCurrent = accepted?.acceptedAt === acceptedAt && accepted.retiredAt === undefined
    if (!isCurrent) await state.removeKeyUser(bucket, connectorId, acceptedAt)
  } else if (!isSo) await state.removeKeyUser(bucket, connectorId, acceptedAt)
  // A process may have broken off after it changed the users.
  const stored = await storeLimit(ports, bucket)
  return { users: isSo ? before : await state.keyUsers(bucket, now), stored }
}

function isSameUse(stored: KeyUser, user: KeyUser, now: Instant): boolean {
  return (
    stored.acceptedAt === user.acceptedAt &&
    stored.tenantName === user.tenantName &&
    stored.sharedKey === user.sharedKey &&
    stored.requestsPerMinute === user.requestsPerMinute &&
    stored.requestsPerDay === user.requestsPerDay &&
    stored.until - now >= usersKeptMs / 2
  )
}

/** Ends the use of the key or rate group, and then the claim: an entry without a claim would count as one of an earlier release. */
export async function leaveBucket(ports: RegisterPorts, bucket: string, connectorId: string, acceptedAt: Instant): Promise<void> {
  const { state } = ports
  await state.removeKeyUser(bucket, connectorId, acceptedAt)
  await storeLimit(ports, bucket)
  for (let write = 0; write < writesMax; write++) {
    const next = releaseKey(await state.readClaims(bucket), connectorId, acceptedAt)
    if (next === undefined || (await state.writeClaims(bucket, next))) return
  }
  throw new Error(`Other connectors changed the claims of the key ${bucket} ${writesMax} times in a row.`)
}

function keyUser(connector: Connector, acceptedAt: Instant, now: Instant): KeyUser {
  return {
    connectorId: connector.connectorId,
    tenantName: connector.tenantName,
    sharedKey: connector.sharedKey,
    requestsPerMinute: connector.requestsPerMinute,
    ...(connector.requestsPerDay === undefined ? {} : { requestsPerDay: connector.requestsPerDay }),
    until: now + usersKeptMs,
    acceptedAt,
  }
}

/** A limiter has the lowest limits of its users. A connector that another process has removed from them meanwhile keeps its own. */
export function limiterRefOf(bucket: string, { users, stored }: BucketUse, connector: Connector): LimiterRef {
  const { requestsPerMinute: limit, requestsPerDay: perDay } = connector
  const lowest = lowestLimit(users) ?? { limit, ...(perDay === undefined ? {} : { perDay }) }
  const isAlone = users.length === 1 && users[0]?.connectorId === connector.connectorId
  return { bucket, ...lowest, isAlone, ...(stored !== undefined && hasLimit(stored, lowest) ? { opened: stored } : {}) }
}
