import type { HistoryEntry } from '../../domain/operate/operation.ts'
import type { OperatePorts } from './carry.ts'

/**
 * Writes an entry of the history: into the table first, then into the lake, then into the table that the lake has it. A lake that fails
 * changes nothing of the operation: the entry in the table stays without the mark, and the log says so. Throws only when the table fails.
 */
export async function writeDown({ state, historyLake, log }: OperatePorts, entry: HistoryEntry): Promise<void> {
  await state.addHistory({ ...entry, inLake: false })
  const kept = await historyLake.keep(entry)
  if (kept.ok) return state.addHistory({ ...entry, inLake: true })
  const { connectorId, action, awsRequestId } = entry
  const message = `The lake does not have the history of ${action}; the state table has it for 90 days. ${kept.failure.detail}`
  log({ level: 'error', event: 'history-not-in-lake', message, connectorId, awsRequestId, code: kept.failure.code })
}
