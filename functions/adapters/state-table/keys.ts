import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import type { KeyUser, KeyUserStore, TokenStore } from '../../domain/ports.ts'
import { StateUnavailable } from '../../domain/state-errors.ts'
import type { Instant } from '../../domain/time.ts'
import { bucketSchema, keyUserSchema } from './schemas.ts'
import { isAbsent, isLive, type Key, mustWrite, type Store } from './store.ts'
import { tokensFromText, tokensToText } from './token-text.ts'

const userPrefix = 'USER#'
const fingerprintKeyKey: Key = { pk: 'FINGERPRINT', sk: 'KEY' }
const fingerprintKeyItem = z.object({ keyHex: z.string() })

function bucketKey(bucket: string): Key {
  return { pk: `KEY#${bucket}`, sk: 'TOKENS' }
}

function userKey(bucket: string, connectorId: string): Key {
  return { pk: `KEY#${bucket}`, sk: `${userPrefix}${connectorId}` }
}

/** What is kept of an API key, by its fingerprint: the limiter, and who uses it. */
export function keyItems(store: Store): TokenStore & KeyUserStore {
  async function users(bucket: string, now: Instant): Promise<KeyUser[]> {
    const found: KeyUser[] = []
    const where = '#pk = :pk AND begins_with(#sk, :prefix)'
    for await (const item of store.query({ where, values: { pk: bucketKey(bucket).pk, prefix: userPrefix } })) {
      const user = store.parse(item, keyUserSchema)
      if (user.until > now) found.push(user)
    }
    return found
  }

  let knownKeyHex: string | undefined

  /**
   *     function A                         function B
   *     reads: none                        reads: none
   *     writes its own candidate
   *                                        writes its own: refused, reads A's
   */
  async function findFingerprintKey(candidate: string): Promise<string> {
    const stored = await store.get(fingerprintKeyKey, fingerprintKeyItem)
    if (stored !== undefined) return stored.keyHex
    if (await store.put(fingerprintKeyKey, { keyHex: candidate }, { condition: { holds: isAbsent } })) return candidate
    const theirs = await store.get(fingerprintKeyKey, fingerprintKeyItem)
    if (theirs === undefined) throw new StateUnavailable('The key that fingerprints API keys was written and removed meanwhile. Try again.')
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
          `The tokens of the state item ${bucketKey(bucket).pk} cannot be read. Delete the item two minutes after the last request with this key.`,
        )
      }
    },

    /**
     *     run A                              run B
     *     reads version 4: one token left    reads version 4: one token left
     *     takes it: 4 → 5
     *                                        takes it: 4 → 5: refused, reads anew and waits
     */
    writeTokens(bucket, next) {
      const sameVersion = `${isLive} AND #version = :before`
      const condition = { holds: next.version === 1 ? isAbsent : sameVersion, values: { before: next.version - 1 } }
      return store.put(bucketKey(bucket), z.encode(bucketSchema, { ...next, tokens: tokensToText(next.tokens) }), { condition })
    },

    /**
     *     connector A                        connector B, of another tenant
     *     puts itself down
     *                                        puts itself down
     *     reads: A, B                        reads: A, B
     *
     * First the write, then the read: at least one of the two sees the other.
     */
    async registerKeyUser(bucket, user, now) {
      const known = await users(bucket, now)
      if (known.some((stored) => isSameUse(stored, user, now))) return known
      const key = userKey(bucket, user.connectorId)
      await mustWrite(key, store.put(key, { ...user }, { expiresAt: user.until }))
      return users(bucket, now)
    },

    forgetKeyUser: (bucket, connectorId) => store.remove(userKey(bucket, connectorId)),

    // It never changes, so one read serves the process.
    async fingerprintKey(candidate) {
      knownKeyHex ??= await findFingerprintKey(candidate)
      return knownKeyHex
    },
  }
}

/** Its own `until` is worth a write only once half of it has passed. */
function isSameUse(stored: KeyUser, user: KeyUser, now: Instant): boolean {
  return isDeepStrictEqual({ ...stored, until: user.until }, user) && stored.until - now >= (user.until - now) / 2
}
