import type { StateTable } from '../../../functions/adapters/state-table/state-table.ts'
import type { Instant } from '../../../functions/domain/time.ts'

/** Each test gets a new, empty state table, and sets the time that the table sees. */
export interface Given {
  state: StateTable
  now: Instant
}
