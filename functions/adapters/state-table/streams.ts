import * as z from 'zod'
import type { StreamStore } from '../../domain/ports.ts'
import type { StreamId } from '../../domain/stream/stream.ts'
import { type Instant, second } from '../../domain/time.ts'
import { streamSchema } from './schemas.ts'
import { isAbsent, isLive, type Key, type Store } from './store.ts'

const streamPrefix = 'STREAM#'

function streamKey(connectorId: string, stream: StreamId): Key {
  return { pk: `CONNECTOR#${connectorId}`, sk: `${streamPrefix}${stream}` }
}

/** The stream of a sort key; nothing where it is another kind of item. */
export function streamOf(sk: unknown): StreamId | undefined {
  return typeof sk === 'string' && sk.startsWith(streamPrefix) ? sk.slice(streamPrefix.length) : undefined
}

/** What deleting a connector and bringing it back do to its ledgers. */
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
  async function each(connectorId: string, change: (key: Key) => Promise<boolean>): Promise<void> {
    const changes: Promise<boolean>[] = []
    const where = '#pk = :pk AND begins_with(#sk, :prefix)'
    const { pk } = streamKey(connectorId, '')
    for await (const { sk } of store.query({ where, values: { pk, prefix: streamPrefix } })) changes.push(change({ pk, sk: String(sk) }))
    await Promise.all(changes)
  }

  return {
    /**
     *     run                                acceptance
     *     lease: 5 → 6
     *                                        the item is deleted: 6 → 7, expires
     *     checkpoint 6 → 7: refused          else the item would be written without its expiry
     */
    expire(connectorId, at) {
      const expressions = ['#version = #version + :one']
      const set = { expiresAt: Math.ceil(at / second) }
      return each(connectorId, (key) => store.update(key, { set, expressions }, { holds: isLive, values: { one: 1 } }))
    },

    /** A run that has written meanwhile has done the same, and one that is under way may go on: no version is bumped. */
    keep(connectorId) {
      return each(connectorId, (key) => store.update(key, { remove: ['expiresAt'] }, { holds: isLive }))
    },
  }
}
