import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import type { StatusStore } from '../../domain/ports.ts'
import { StateUnavailable } from '../../domain/state-errors.ts'
import type { ConnectorStatus } from '../../domain/status/status.ts'
import { retiredKeptMs } from './accepted.ts'
import { statusSchema } from './schemas.ts'
import { isAbsent, isLive, type Key, type Store, shardOf, shards } from './store.ts'
import { fleetIndex } from './table-definitions.ts'

/** Others that write the same status at the same time (count): its run every 30 s, and acceptance. More in a row is a bug. */
const updatesMax = 20

const statusItem = z.object({ status: statusSchema, revision: z.number() })
const fleetItem = z.object({ connectorId: z.string(), status: statusSchema })

export function statusKey(connectorId: string): Key {
  return { pk: `CONNECTOR#${connectorId}`, sk: 'STATUS' }
}

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
     *                                        writes what it saw: 8
     *     writes on 7: refused, reads 8, amends that
     */
    async updateStatus(connectorId, amend) {
      const key = statusKey(connectorId)
      for (let write = 0; write < updatesMax; write++) {
        const before = await store.get(key, statusItem)
        const status = amend(before?.status)
        if (status === undefined) return undefined
        const amended = { after: status, ...(before === undefined ? {} : { before: before.status }) }
        if (isDeepStrictEqual(status, before?.status)) return amended
        const revision = before?.revision ?? 0
        const sameRevision = `${isLive} AND #revision = :revision`
        const condition = { holds: before === undefined ? isAbsent : sameRevision, values: { revision } }
        const expiresAt = status.state === 'retired' ? status.since + retiredKeptMs : undefined
        if (await store.put(key, { ...attributes(connectorId, status), revision: revision + 1 }, { condition, expiresAt })) return amended
      }
      throw new StateUnavailable(
        `The status of connector ${connectorId} was written by others ${updatesMax} times in a row. It is tried again with the next change.`,
      )
    },

    async *fleet() {
      for (let shard = 0; shard < shards; shard++) {
        const where = '#fleetShard = :shard'
        for await (const item of store.query({ index: fleetIndex, where, values: { shard } })) yield store.parse(item, fleetItem)
      }
    },
  }
}

export function parseStatus(store: Store, item: Readonly<Record<string, unknown>>): ConnectorStatus {
  return store.parse(item, statusItem).status
}
