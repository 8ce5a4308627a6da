import * as z from 'zod/mini'
import type { KeyUser, KeyUserStore, TokenStore } from '../../../domain/ports.ts'
import { StateUnavailable } from '../../../domain/state-errors.ts'
import type { Instant } from '../../../domain/time.ts'
import { isAbsent, isLive, notLater } from '../expressions.ts'
import { parseItem } from '../item.ts'
import { bucketKey, bucketPk, fingerprintKeyKey, userKey, userPrefix } from '../item-keys.ts'
import { bucketSchema, keyUserSchema } from '../schemas.ts'
import type { Store } from '../store.ts'
import { tokensFromText, tokensToText } from '../token-text.ts'

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

    keyUsers: users,

    /**
     *     run, of version 1                  acceptance of version 2
     *                                        writes itself as a user
     *     writes itself as a user: refused
     */
    writeKeyUser(bucket, user) {
      const condition = { holds: notLater, values: { acceptedAt: user.acceptedAt ?? 0 } }
      return store.put(userKey(bucket, user.connectorId), { ...user }, { condition, expiresAt: user.until })
    },

    removeKeyUser: (bucket, connectorId, acceptedAt) =>
      store.remove(userKey(bucket, connectorId), { holds: notLater, values: { acceptedAt } }),

    // The key never changes, so each process reads it once.
    async fingerprintKey(candidate) {
      cachedKeyHex ??= await findFingerprintKey(candidate)
      return cachedKeyHex
    },

    hasFingerprintKey: async () => cachedKeyHex !== undefined || (await store.get(fingerprintKeyKey, fingerprintKeyItem)) !== undefined,
  }
}
