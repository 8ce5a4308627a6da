import * as z from 'zod/mini'
import type { SecretOriginStore } from '../../../domain/ports.ts'
import { StateUnavailable } from '../../../domain/state-errors.ts'
import { isAbsent } from '../expressions.ts'
import { formatKey, secretOriginKey } from '../item-keys.ts'
import type { Store } from '../store.ts'

const secretOriginItem = z.object({ origin: z.string() })

/** The origin that each secret was first accepted with. It never expires: the secret may outlive every connector that names it. */
export function secretOriginItems(store: Store): SecretOriginStore {
  async function readSecretOrigin(secretName: string): Promise<string | undefined> {
    return (await store.get(secretOriginKey(secretName), secretOriginItem))?.origin
  }

  return {
    readSecretOrigin,

    /**
     *     acceptance of connector A          acceptance of connector B
     *     reads: not bound                   reads: not bound
     *     binds it to https://one
     *                                        binds it to https://two: refused, reads https://one
     */
    async bindSecret(secretName, origin) {
      const bound = await readSecretOrigin(secretName)
      if (bound !== undefined) return bound
      const key = secretOriginKey(secretName)
      if (await store.put(key, { origin }, { condition: { holds: isAbsent } })) return origin
      const theirs = await readSecretOrigin(secretName)
      if (theirs === undefined)
        throw new StateUnavailable(`Somebody removed the state item ${formatKey(key)} while it was read. Try again.`)
      return theirs
    },
  }
}
