import type { KeyRegisterStore } from '../../../domain/ports.ts'
import { day, type Instant } from '../../../domain/time.ts'
import { retiredKeptMs } from '../accepted.ts'
import { isAbsent, isLive } from '../expressions.ts'
import { claimsKey, heldKeysKey, type Key } from '../item-keys.ts'
import { heldKeysSchema, keyClaimsSchema } from '../schemas.ts'
import type { Store } from '../store.ts'

/** A register that nobody is in any more stays for so long (ms), so that no writer takes a new one for the one that it has read. */
const emptyKeptMs = day

/** The owners of each API key, and the keys of each connector. */
export function keyRegisterItems(store: Store, now: () => Instant): KeyRegisterStore {
  function write(key: Key, next: { readonly revision: number }, keptMs: number | undefined): Promise<boolean> {
    const sameRevision = `${isLive} AND #revision = :before`
    const condition = { holds: next.revision === 1 ? isAbsent : sameRevision, values: { before: next.revision - 1 } }
    return store.put(key, { ...next }, { condition, expiresAt: keptMs === undefined ? undefined : now() + keptMs })
  }

  return {
    async readClaims(fingerprint) {
      return (await store.get(claimsKey(fingerprint), keyClaimsSchema)) ?? { revision: 0, claims: [] }
    },

    /**
     *     tenant A                           tenant B
     *     reads revision 0: nobody           reads revision 0: nobody
     *     claims it: 0 → 1
     *                                        claims it: 0 → 1: refused, reads the claim of A
     */
    writeClaims: (fingerprint, next) => write(claimsKey(fingerprint), next, next.claims.length === 0 ? emptyKeptMs : undefined),

    readHeldKeys: (connectorId) => store.get(heldKeysKey(connectorId), heldKeysSchema),

    writeHeldKeys(connectorId, next) {
      const isEmpty = next.keys.length + next.leaving.length === 0
      return write(heldKeysKey(connectorId), next, isEmpty ? retiredKeptMs : undefined)
    },
  }
}
