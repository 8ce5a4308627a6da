import * as z from 'zod/mini'
import type { StreamStore } from '../../domain/ports.ts'
import { type Instant, second } from '../../domain/time.ts'
import { isAbsent, isLive } from './expressions.ts'
import { connectorPk, type Key, streamKey, streamPrefix } from './item-keys.ts'
import { streamSchema } from './schemas.ts'
import type { Store } from './store.ts'

/** How long the ledgers of a connector stay: until some time after it was deleted, or for good. A ledger that is so already is not written. */
export interface StreamRetention {
  expire(connectorId: string, at: Instant): Promise<void>
  keep(connectorId: string): Promise<void>
}

export function streamItems(store: Store): StreamStore {
  return {
    /**
     *     run A                              run B
     *     lease: 5 → 6
     *     freezes; its lease runs out
     *                                        lease: 6 → 7
     *     wakes, checkpoint 6 → 7: refused
     */
    writeStream(connectorId, stream, next) {
      const sameVersion = `${isLive} AND #version = :before`
      const condition = { holds: next.version === 1 ? isAbsent : sameVersion, values: { before: next.version - 1 } }
      return store.put(streamKey(connectorId, stream), z.encode(streamSchema, next), { condition })
    },
  }
}

export function streamRetention(store: Store): StreamRetention {
  async function each(connectorId: string, expiresAt: number | undefined, change: (key: Key) => Promise<boolean>): Promise<void> {
    const changes: Promise<boolean>[] = []
    const where = '#pk = :pk AND begins_with(#sk, :prefix)'
    const pk = connectorPk(connectorId)
    for await (const stream of store.query({ where, values: { pk, prefix: streamPrefix } })) {
      if (stream['expiresAt'] !== expiresAt) changes.push(change({ pk, sk: String(stream['sk']) }))
    }
    await Promise.all(changes)
  }

  return {
    /**
     *     run                                acceptance
     *     lease: 5 → 6
     *                                        the item is deleted: 6 → 7, expires
     *     checkpoint 6 → 7: refused          without this, the run would write the item without its expiry
     */
    expire(connectorId, at) {
      const expressions = ['#version = #version + :one']
      const set = { expiresAt: Math.ceil(at / second) }
      return each(connectorId, set.expiresAt, (key) => store.update(key, { set, expressions }, { holds: isLive, values: { one: 1 } }))
    },

    /** The version stays the same: a run under way may go on, and its next write removes the expiry as well. */
    keep(connectorId) {
      return each(connectorId, undefined, (key) => store.update(key, { remove: ['expiresAt'] }, { holds: isLive }))
    },
  }
}
