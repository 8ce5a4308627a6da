import { isDeepStrictEqual } from 'node:util'
import { digest } from '../../functions/adapters/digest.ts'
import { stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { stateTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'
import type { Caller, HistoryEntry } from '../../functions/domain/operate/operation.ts'
import type { ConnectorItems, LogEntry } from '../../functions/domain/ports.ts'
import { ok } from '../../functions/domain/result.ts'
import type { OperatePorts } from '../../functions/flows/operate/carry.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { MemoryDynamoDb } from '../../simulation/fakes/dynamodb.ts'
import { World } from '../../simulation/world.ts'
import type { LocalDynamo } from '../dynalite.ts'

export const start = Date.UTC(2026, 10, 24, 12)

export const provider: Caller = { tenant: 'all', awsRequestId: 'aws-1' }
export const acme: Caller = { tenant: 'acme', awsRequestId: 'aws-2' }
export const globex: Caller = { tenant: 'globex', awsRequestId: 'aws-3' }

/** All that a flow did beyond the state table. */
export interface Effects {
  readonly items: Map<string, Readonly<Record<string, unknown>>>
  readonly kept: HistoryEntry[]
  readonly called: { readonly payload: Readonly<Record<string, unknown>>; readonly caller: Caller }[]
  readonly logged: LogEntry[]
}

/** The connectors table in memory, with the conditions of its adapter. */
export function memoryItems(items: Map<string, Readonly<Record<string, unknown>>>): ConnectorItems {
  const isStill = (before: Readonly<Record<string, unknown>> | undefined, connectorId: string) =>
    isDeepStrictEqual(items.get(connectorId), before)
  return {
    readItem: async (connectorId) => structuredClone(items.get(connectorId)),
    async writeItem(item, before) {
      const id = String(item['connectorId'])
      return isStill(before, id) && items.set(id, structuredClone(item)) === items
    },
    async deleteItem(before) {
      const id = String(before['connectorId'])
      return isStill(before, id) && items.delete(id)
    },
  }
}

/** The ports of `operate` over a state table: on dynalite if it is given, else in memory. */
export async function operatePorts(dynamo?: LocalDynamo): Promise<{ ports: OperatePorts; clock: { at: number }; effects: Effects }> {
  const clock = { at: start, now: () => clock.at, sleepUntil: async () => {} }
  const table = `state-${crypto.randomUUID()}`
  await dynamo?.create(stateTableDefinition(table))
  const effects: Effects = { items: new Map(), kept: [], called: [], logged: [] }
  let tickets = 0
  const ports: OperatePorts = {
    // A Test of a connector asks a world of its own.
    ...new World({ ticking: false }).ports(0),
    clock,
    items: memoryItems(effects.items),
    secretsBoundToOrigin: true,
    state: stateTable({ client: dynamo?.client ?? new MemoryDynamoDb().client, table, now: () => clock.at }),
    queue: { send: async () => {} },
    digest,
    policy: { vendors, secretPrefix: 'tributary/', allowedHosts: [], tlsVerificationOptional: false },
    historyLake: {
      async keep(entry) {
        effects.kept.push(entry)
        return ok(undefined)
      },
    },
    later: { call: async (payload, caller) => void effects.called.push({ payload, caller }) },
    newTicket() {
      tickets += 1
      return String(tickets).padStart(32, '0')
    },
    log: (entry) => void effects.logged.push(entry),
  }
  return { ports, clock, effects }
}
