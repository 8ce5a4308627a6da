import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod/mini'
import type { KeyUser, KeyUserStore, TokenStore } from '../../domain/ports.ts'
import { StateUnavailable } from '../../domain/state-errors.ts'
import type { Instant } from '../../domain/time.ts'
import { isAbsent, isLive } from './expressions.ts'
import { parseItem } from './item.ts'
import { bucketKey, bucketPk, fingerprintKeyKey, userKey, userPrefix } from './item-keys.ts'
import { bucketSchema, keyUserSchema } from './schemas.ts'
import { mustWrite, type Store } from './store.ts'
import { tokensFromText, tokensToText } from './token-text.ts'

const fingerprintKeyItem = z.object({ keyHex: z.string() })

/** The limiter and the users of each API key, and of each rate group. A key is named by its fingerprint, never by its text. */
export function apiKeyItems(store: Store): TokenStore & KeyUserStore {
  async function users(bucket: string, now: Instant): Promise<KeyUser[]> {
    const found: KeyUser[] = []
    const where = '#pk = :pk AND begins_with(#sk, :prefix)'
    for await (const item of store.query({ where, values: { pk: bucketPk(bucket), prefix: userPrefix } })) {
      const user = parseItem(item, keyUserSchema)
      if (user.until > now) found.push(user)
    }
    return found
  }

  let cachedKeyHex: string | undefined

  /**
   *     function A                         function B
   *     reads: none                        reads: none
   *     writes its own candidate
   *                                        writes its own: refused, reads the one of A
   */
  async function findFingerprintKey(candidate: string): Promise<string> {
    const stored = await store.get(fingerprintKeyKey, fingerprintKeyItem)
    if (stored !== undefined) return stored.keyHex
    if (await store.put(fingerprintKeyKey, { keyHex: candidate }, { condition: { holds: isAbsent } })) return candidate
    const theirs = await store.get(fingerprintKeyKey, fingerprintKeyItem)
    if (theirs === undefined)
      throw new StateUnavailable('Somebody removed the key that fingerprints API keys while it was read. Try again.')
    return theirs.keyHex
  }

  return {
    async readTokens(bucket) {
      const stored = await store.get(bucketKey(bucket), bucketSchema)
      if (stored === undefined) return undefined
      try {
        return { ...stored, tokens: tokensFromText(stored.tokens) }
      } catch {
        throw new StateUnavailable(
          `The tokens of the state item ${bucketPk(bucket)} cannot be read. Delete the item two minutes after the last request with this key.`,
        )
      }
    },

    /**
     *     run A                              run B
     *     reads version 4: one token left    reads version 4: one token left
     *     takes it: 4 → 5
     *                                        takes it: 4 → 5: refused, reads again and waits
     */
    writeTokens(bucket, next) {
      const sameVersion = `${isLive} AND #version = :before`
      const condition = { holds: next.version === 1 ? isAbsent : sameVersion, values: { before: next.version - 1 } }
      return store.put(bucketKey(bucket), z.encode(bucketSchema, { ...next, tokens: tokensToText(next.tokens) }), { condition })
    },

    /**
     *     connector A                        connector B, of another tenant
     *     writes itself as a user
     *                                        writes itself as a user
     *     reads: A, B                        reads: A, B
     *
     * The write comes before the read, so at least one of the two sees the other.
     */
    async registerKeyUser(bucket, user, now) {
      const before = await users(bucket, now)
      if (before.some((stored) => isSameUse(stored, user, now))) return before
      const key = userKey(bucket, user.connectorId)
      await mustWrite(key, store.put(key, { ...user }, { expiresAt: user.until }))
      return users(bucket, now)
    },

    keyUsers: users,

    forgetKeyUser: (bucket, connectorId) => store.remove(userKey(bucket, connectorId)),

    // The key never changes, so each process reads it once.
    async fingerprintKey(candidate) {
      cachedKeyHex ??= await findFingerprintKey(candidate)
      return cachedKeyHex
    },
  }
}

/** Whether a write would say nothing new. A later `until` alone is worth a write only after half of the time has passed. */
function isSameUse(stored: KeyUser, user: KeyUser, now: Instant): boolean {
  return isDeepStrictEqual({ ...stored, until: user.until }, user) && stored.until - now >= (user.until - now) / 2
}
