import type { Connector } from '../connector/connector.ts'
import type { Failure } from '../failures.ts'
import type { Result } from '../result.ts'
import type { Coverage } from '../status/coverage.ts'
import type { ShownKey } from '../status/key-texts.ts'
import type { StatusRow } from '../status/status-row.ts'
import type { StreamCounts, StreamId } from '../stream/stream.ts'
import type { Instant } from '../time.ts'
import type { HistoryEntry, Refusal } from './operation.ts'
import type { TestAnswer } from './test/test-answer.ts'

/** The answers to the questions, as JSON. Instants are in ms since 1970. */

export interface ListAnswer {
  readonly asOf: Instant
  /** The worst first. */
  readonly rows: readonly OverviewRow[]
  /** Connectors that were looked at (count): all that the caller may see. */
  readonly total: number
}

/** A row of the overview. The rest is absent if the item was never accepted. */
export interface OverviewRow extends StatusRow {
  readonly name?: string
  /** The vendor's category and title. */
  readonly category?: string
  readonly type?: string
  /** For people. */
  readonly contentTypes?: readonly string[]
  readonly intervalMinutes?: number
}

export interface ShowAnswer {
  readonly asOf: Instant
  readonly row: StatusRow
  /** The item as it is stored; absent if it was deleted. An edit names `version`. */
  readonly item?: Readonly<Record<string, unknown>>
  readonly version?: string
  /** The item that is in use, with all defaults. It differs from `item` if the last edit was refused. */
  readonly accepted?: Connector
  readonly streams: readonly StreamAnswer[]
  readonly keys: readonly KeyAnswer[]
  readonly lastFailure?: Failure & { readonly at: Instant; readonly stream?: StreamId }
}

export interface StreamAnswer extends Coverage {
  readonly stream: StreamId
  readonly lastReadAt?: Instant
  readonly counts: StreamCounts
  /** The failures in a row, and when it is tried again. */
  readonly trouble?: { readonly failure: Failure; readonly attempts: number; readonly until: Instant; readonly since: Instant }
}

export interface KeyAnswer extends ShownKey {
  /** As the item names it: `name` or `name#jsonKey`. */
  readonly secret: string
  /** The beginning of the key's fingerprint: two secrets with the same one hold the same key. */
  readonly fingerprint: string
}

interface HistoryAnswer {
  /** The latest first. */
  readonly entries: readonly HistoryEntry[]
}

interface CoverageAnswer {
  readonly asOf: Instant
  readonly streams: readonly (Coverage & { readonly stream: StreamId; readonly lastReadAt?: Instant })[]
}

/** An item that would be accepted, with all defaults filled in. */
interface ValidateAnswer {
  readonly connector: Connector
}

/** The answer to each question. */
export interface AnswerOf {
  readonly list: ListAnswer
  readonly show: ShowAnswer
  readonly history: HistoryAnswer
  readonly coverage: CoverageAnswer
  readonly validate: ValidateAnswer
  readonly 'test-result': TestAnswer
}

/** The answer of the function `operate` to a program, as JSON. */
export function operateAnswer(result: Result<object, Refusal>) {
  if (result.ok) return { ...result.value, ok: true as const }
  const { code, message, problems = [] } = result.failure
  return { ok: false as const, code, message, problems }
}
