import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod/mini'
import type { StatusStore } from '../../domain/ports.ts'
import { StateUnavailable } from '../../domain/state-errors.ts'
import type { ConnectorStatus } from '../../domain/status/status.ts'
import { retiredKeptMs } from './accepted.ts'
import { isAbsent, isLive } from './expressions.ts'
import { parseItem } from './item.ts'
import { shardOf, shards, statusKey } from './item-keys.ts'
import { statusSchema } from './schemas.ts'
import type { Store } from './store.ts'
import { fleetIndex } from './table-definitions.ts'

/** Tries in a row that lose to other writers (count). Only the run (every 30 s) and acceptance write a status, so more is a bug. */
const updatesMax = 20

const statusItem = z.object({ status: statusSchema, revision: z.number() })
const fleetItem = z.object({ connectorId: z.string(), status: statusSchema })

export function statusItems(store: Store): StatusStore {
  const attributes = (connectorId: string, status: ConnectorStatus) => ({
    status: z.encode(statusSchema, status),
    connectorId,
    fleetShard: shardOf(connectorId),
  })

  return {
    async readStatus(connectorId) {
      return (await store.get(statusKey(connectorId), statusItem))?.status
    },

    /**
     *     acceptance                         run
     *     reads revision 7
     *                                        writes its results: 7 → 8
     *     writes 7 → 8: refused, reads 8 and updates that
     */
    async updateStatus(connectorId, update) {
      const key = statusKey(connectorId)
      for (let write = 0; write < updatesMax; write++) {
        const before = await store.get(key, statusItem)
        const status = update(before?.status)
        if (status === undefined) return undefined
        const updated = { after: status, ...(before === undefined ? {} : { before: before.status }) }
        if (isDeepStrictEqual(status, before?.status)) return updated
        const revision = before?.revision ?? 0
        const sameRevision = `${isLive} AND #revision = :revision`
        const condition = { holds: before === undefined ? isAbsent : sameRevision, values: { revision } }
        const expiresAt = status.state === 'retired' ? status.since + retiredKeptMs : undefined
        if (await store.put(key, { ...attributes(connectorId, status), revision: revision + 1 }, { condition, expiresAt })) return updated
      }
      throw new StateUnavailable(
        `Other writers changed the status of connector ${connectorId} ${updatesMax} times in a row. The next change tries again.`,
      )
    },

    async *fleet() {
      for (let shard = 0; shard < shards; shard++) {
        const where = '#fleetShard = :shard'
        for await (const item of store.query({ index: fleetIndex, where, values: { shard } })) {
          const listed = store.listed(item, fleetItem)
          if (listed !== undefined) yield listed
        }
      }
    },
  }
}

export function parseStatus(item: Readonly<Record<string, unknown>>): ConnectorStatus {
  return parseItem(item, statusItem).status
}
