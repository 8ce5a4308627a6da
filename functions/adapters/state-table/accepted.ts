import type { AcceptedConnector, AcceptedStore } from '../../domain/ports.ts'
import { day } from '../../domain/time.ts'
import { isAbsent, isLive } from './expressions.ts'
import { acceptedKey, shardOf, shards } from './item-keys.ts'
import { acceptedSchema } from './schemas.ts'
import type { Store } from './store.ts'
import type { StreamRetention } from './streams.ts'
import { fleetIndex } from './table-definitions.ts'

/** How long a deleted connector's items are kept (ms): longer than any vendor keeps its events, so the same id resumes its ledger. */
export const retiredKeptMs = 4 * day

export function acceptedItems(store: Store, streams: StreamRetention): AcceptedStore {
  function keepStreams({ connector, retiredAt }: AcceptedConnector): Promise<void> {
    const { connectorId } = connector
    return retiredAt === undefined ? streams.keep(connectorId) : streams.expire(connectorId, retiredAt + retiredKeptMs)
  }

  return {
    readAccepted: (connectorId) => store.get(acceptedKey(connectorId), acceptedSchema),

    // Accepted items have shards of their own in the fleet index, after those of the statuses, so that neither listing reads the other.
    async *allAccepted() {
      for (let shard = shards; shard < 2 * shards; shard++) {
        const where = '#fleetShard = :shard'
        for await (const item of store.query({ index: fleetIndex, where, values: { shard } })) {
          const accepted = store.listed(item, acceptedSchema)
          if (accepted !== undefined) yield accepted
        }
      }
    },

    /**
     *     the table's stream                 hourly comparison
     *     reads acceptance A                 reads acceptance A
     *     item edited: writes B over A
     *                                        writes A' (the old item) over A: refused, the table has B
     *
     * A deletion changes neither the digest nor the time of the acceptance, so `retiredAt` is compared as well.
     */
    async writeAccepted(accepted, before) {
      const { connectorId } = accepted.connector
      const sameItem = '#itemDigest = :itemDigest AND #acceptedAt = :acceptedAt'
      const sameTombstone = before?.retiredAt === undefined ? 'attribute_not_exists(#retiredAt)' : '#retiredAt = :retiredAt'
      const condition = {
        holds: before === undefined ? isAbsent : `${isLive} AND ${sameItem} AND ${sameTombstone}`,
        ...(before === undefined ? {} : { values: { ...before } }),
      }
      const expiresAt = accepted.retiredAt === undefined ? undefined : accepted.retiredAt + retiredKeptMs
      const attributes = { ...accepted, connectorId, fleetShard: shards + shardOf(connectorId) }
      if (!(await store.put(acceptedKey(connectorId), attributes, { condition, expiresAt }))) return false

      if (expiresAt !== undefined || before?.retiredAt !== undefined) await keepStreams(accepted)
      return true
    },

    keepStreams,
  }
}
