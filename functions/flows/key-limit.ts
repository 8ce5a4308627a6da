import type { Clock, KeyUser, KeyUserStore, TokenStore } from '../domain/ports.ts'
import { withLimit } from '../domain/token-bucket.ts'

export interface KeyLimitPorts {
  readonly clock: Clock
  readonly state: Pick<KeyUserStore, 'keyUsers'> & TokenStore
}

/** Tries in a row that lose to other writers (count). Each lost try is the write of a run. */
const writesMax = 200

/** Writes the lowest limit of all users into the bucket, so that runs under way keep it too. Does nothing without a bucket or users. */
export async function storeLimit({ clock, state }: KeyLimitPorts, bucket: string): Promise<void> {
  for (let write = 0; write < writesMax; write++) {
    const stored = await state.readTokens(bucket)
    if (stored === undefined) return
    const users = await state.keyUsers(bucket, clock.now())
    const limit = lowestLimit(users)
    if (limit === undefined || limit === stored.limit) return
    if (await state.writeTokens(bucket, { ...withLimit(stored, limit), version: stored.version + 1 })) return
  }
  throw new Error(`Other runs changed the limiter ${bucket} ${writesMax} times in a row.`)
}

function lowestLimit(users: readonly KeyUser[]): number | undefined {
  return users.length === 0 ? undefined : Math.min(...users.map(({ requestsPerMinute }) => requestsPerMinute))
}
