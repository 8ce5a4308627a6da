import type { Clock, KeyUser, KeyUserStore, TokenStore } from '../domain/ports.ts'
import { hasLimit, type KeyLimit, newBucket, type TokenBucket, withLimit } from '../domain/token-bucket.ts'

export interface KeyLimitPorts {
  readonly clock: Clock
  readonly state: Pick<KeyUserStore, 'keyUsers'> & TokenStore
}

/** Tries in a row that lose to other writers (count). Each lost try is the write of another run, so more is a bug. */
const writesMax = 200

/** The lowest limits of a key's users; nothing if it has none. */
export function lowestLimit(users: readonly KeyUser[]): KeyLimit | undefined {
  if (users.length === 0) return undefined
  const perDay = users.flatMap(({ requestsPerDay }) => requestsPerDay ?? [])
  return {
    limit: Math.min(...users.map(({ requestsPerMinute }) => requestsPerMinute)),
    ...(perDay.length === 0 ? {} : { perDay: Math.min(...perDay) }),
  }
}

/**
 * Copies the lowest limits of a key's users into its bucket, which every run heeds with its next token. Called after each change of the
 * users. It writes only if the bucket holds others. Returns the bucket; nothing if the key has neither users nor a bucket.
 *
 *     acceptance A                       acceptance B
 *     reads bucket 4 and the users
 *                                        changes its user
 *                                        reads bucket 4 and the users, writes 4 → 5
 *     writes 4 → 5: refused, reads both again
 *
 * The users are read after the bucket, so the write that wins has seen every change that came before the bucket it builds on.
 */
export async function storeLimit({ clock, state }: KeyLimitPorts, bucket: string): Promise<TokenBucket | undefined> {
  for (let write = 0; write < writesMax; write++) {
    const stored = await state.readTokens(bucket)
    const limit = lowestLimit(await state.keyUsers(bucket, clock.now()))
    if (limit === undefined || (stored !== undefined && hasLimit(stored, limit))) return stored
    const next = withLimit(stored ?? newBucket(limit), limit)
    const written = { ...next, version: next.version + 1 }
    if (await state.writeTokens(bucket, written)) return written
  }
  throw new Error(`Other writers changed the limiter ${bucket} ${writesMax} times in a row.`)
}
