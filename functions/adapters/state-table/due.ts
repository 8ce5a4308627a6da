import type { DueStore } from '../../domain/ports.ts'
import { type Key, mustWrite, type Store, shardOf, shards } from './store.ts'
import { dueIndex } from './table-definitions.ts'

const connectorPrefix = 'CONNECTOR#'

export function dueKey(connectorId: string): Key {
  return { pk: `${connectorPrefix}${connectorId}`, sk: 'DUE' }
}

export function dueItems(store: Store): DueStore {
  return {
    // Of a newer item the key is enough: the claim refuses it, and the other connectors go on.
    async *dueBefore(until) {
      for (let shard = 0; shard < shards; shard++) {
        const where = '#dueShard = :shard AND #nextDueAt < :until'
        for await (const { pk, nextDueAt } of store.query({ index: dueIndex, where, values: { shard, until } })) {
          yield { connectorId: String(pk).slice(connectorPrefix.length), nextDueAt: Number(nextDueAt) }
        }
      }
    },

    /**
     *     dispatch A                         dispatch B (the rule delivers at least once)
     *     index: due 12:00                   index: due 12:00
     *     12:00 → 12:15, sends the message
     *                                        12:00 → 12:15: refused, it is 12:15 now; sends nothing
     */
    claimDue(connectorId, seen, next) {
      const unclaimed = '#nextDueAt = :seen'
      return store.update(dueKey(connectorId), { set: { nextDueAt: next } }, { holds: unclaimed, values: { seen } })
    },

    /**
     *     run                                acceptance, or "run now"
     *     began with due 12:15 (its claim)
     *                                        makes it due 12:03
     *     ends: next 12:05                   refused: 12:03 is earlier, and it is wanted
     *
     * A connector that was switched off or deleted meanwhile has no due time any more and gets none.
     */
    setDue(connectorId, seen, next) {
      const asItWas = seen === undefined ? 'attribute_not_exists(#pk)' : '#nextDueAt = :seen'
      const later = '#nextDueAt > :next'
      return store.update(
        dueKey(connectorId),
        { set: { nextDueAt: next, dueShard: shardOf(connectorId) }, expressions: ['#wantedTo = if_not_exists(#wantedTo, :never)'] },
        { holds: `(${asItWas} OR ${later})`, values: { seen, next, never: 0 } },
      )
    },

    async makeDue(connectorId, at, wantedTo) {
      const key = dueKey(connectorId)
      await mustWrite(key, store.put(key, { nextDueAt: at, wantedTo, dueShard: shardOf(connectorId) }))
    },

    removeDue: (connectorId) => store.remove(dueKey(connectorId)),
  }
}
