import { type StateTable, stateTable } from '../../functions/adapters/state-table/state-table.ts'
import type { Clock } from '../../functions/domain/ports.ts'
import { MemoryDynamoDb } from './dynamodb.ts'

/** The state table's own adapter over a table in memory. */
export function memoryState(clock: Pick<Clock, 'now'>): StateTable {
  return stateTable({ client: new MemoryDynamoDb().client, table: 'state', now: () => clock.now() })
}
