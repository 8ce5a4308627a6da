import type { DueStore } from '../../domain/ports.ts'
import { notLater } from './expressions.ts'
import { comparisonKey, connectorOfPk, dueKey, shardOf, shards, tickKey } from './item-keys.ts'
import { comparisonSchema, dueSchema, tickSchema } from './schemas.ts'
import { mustWrite, type Store } from './store.ts'
import { dueIndex } from './table-definitions.ts'

export function dueItems(store: Store): DueStore {
  return {
    // The items are not parsed, so that one item of a newer release does not stop the other connectors. The claim refuses that one.
    async *dueBefore(until) {
      for (let shard = 0; shard < shards; shard++) {
        const where = '#dueShard = :shard AND #nextDueAt < :until'
        for await (const { pk, nextDueAt } of store.query({ index: dueIndex, where, values: { shard, until } })) {
          yield { connectorId: connectorOfPk(String(pk)), nextDueAt: Number(nextDueAt) }
        }
      }
    },

    /**
     *     dispatch A                         a run whose message came late
     *     index: due 12:00
     *                                        begins: 12:00 → 12:05
     *     12:00 → 12:15: refused, the table has 12:05; sends nothing
     */
    claimDue(connectorId, seen, next, dueSince) {
      const unclaimed = '#nextDueAt = :seen'
      const set = { nextDueAt: next, ...(dueSince === undefined ? {} : { dueSince }) }
      return store.update(dueKey(connectorId), { set }, { holds: unclaimed, values: { seen } })
    },

    /**
     *     run                                run of the same message, which the queue gave out twice
     *     begins: 12:00 → 12:05
     *                                        begins: refused, the due time of 12:00 is gone
     */
    beginDue(connectorId, seen, next) {
      const sameClaim = '#nextDueAt = :seen'
      const change = { set: { nextDueAt: next }, remove: ['dueSince'] }
      return store.update(dueKey(connectorId), change, { holds: sameClaim, values: { seen } })
    },

    readDue: (connectorId) => store.get(dueKey(connectorId), dueSchema),

    /**
     *     run                                acceptance, or "run now"
     *     began with due 12:15 (its claim)
     *                                        makes it due 12:03
     *     ends: next 12:05                   refused: 12:03 is earlier, and somebody wants it
     *
     * A connector that was switched off or deleted meanwhile has no due time, and gets none here.
     */
    setDue(connectorId, seen, next, acceptedAt) {
      const asItWas = seen === undefined ? 'attribute_not_exists(#pk)' : '#nextDueAt = :seen'
      const later = '#nextDueAt > :next'
      return store.update(
        dueKey(connectorId),
        {
          set: { nextDueAt: next, dueShard: shardOf(connectorId), ...(acceptedAt === undefined ? {} : { acceptedAt }) },
          expressions: ['#wantedTo = if_not_exists(#wantedTo, :never)'],
        },
        {
          holds: `(${asItWas} OR ${later})${acceptedAt === undefined ? '' : ` AND ${notLater}`}`,
          values: { seen, next, never: 0, acceptedAt },
        },
      )
    },

    /**
     *     acceptance A                       acceptance B
     *     freezes before it makes it due
     *                                        switches the connector off, or makes it due itself
     *     makes it due: refused, or found by the next run
     */
    async makeDue(connectorId, at, wantedTo, acceptedAt) {
      const key = dueKey(connectorId)
      const attributes = { nextDueAt: at, wantedTo, dueShard: shardOf(connectorId), acceptedAt }
      if (acceptedAt !== undefined) return store.put(key, attributes, { condition: { holds: notLater, values: { acceptedAt } } })
      await mustWrite(key, store.put(key, attributes))
      return true
    },

    removeDue: (connectorId, acceptedAt) =>
      store.remove(dueKey(connectorId), acceptedAt === undefined ? undefined : { holds: notLater, values: { acceptedAt } }),

    readTick: () => store.get(tickKey, tickSchema),

    writeTick(tick, lastAt) {
      const holds = lastAt === undefined ? 'attribute_not_exists(#pk)' : '#at = :lastAt'
      return store.put(tickKey, { ...tick }, { condition: { holds, values: { lastAt } } })
    },

    readComparison: () => store.get(comparisonKey, comparisonSchema),

    async writeComparison(comparison) {
      await mustWrite(comparisonKey, store.put(comparisonKey, { ...comparison }))
    },
  }
}
