import type { HistoryStore, TestStore, TicketStore } from '../../domain/ports.ts'
import { historyItems } from './operate/history.ts'
import { testItems } from './operate/tests.ts'
import { ticketItems } from './operate/tickets.ts'
import { type PipelineTable, pipelineTable } from './pipeline-table.ts'
import { dynamodbStore, type StoreOptions } from './store.ts'

/** Every store of the state table. */
export type StateTable = PipelineTable & HistoryStore & TicketStore & TestStore

/** The state table with what people ask for. The bundles of the pipeline do without: see `pipelineTable`. */
export function stateTable(options: StoreOptions): StateTable {
  const store = dynamodbStore(options)
  return { ...pipelineTable(options), ...historyItems(store, options.now), ...ticketItems(store), ...testItems(store) }
}
