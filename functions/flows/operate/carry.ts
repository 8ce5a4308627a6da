import type { ConnectorPolicy } from '../../domain/connector/connector-schema.ts'
import type { Digest } from '../../domain/digest.ts'
import type { Caller, Change, HistoryEntry, Question, Refusal } from '../../domain/operate/operation.ts'
import type {
  AcceptedStore,
  Clock,
  ConnectorItems,
  Connectors,
  DueStore,
  HistoryLake,
  HistoryStore,
  Later,
  Log,
  Queue,
  RunStore,
  StatusStore,
  StreamStore,
  TicketStore,
} from '../../domain/ports.ts'
import type { Result } from '../../domain/result.ts'

export interface OperatePorts {
  readonly clock: Clock
  readonly items: ConnectorItems
  readonly connectors: Connectors
  readonly state: RunStore & AcceptedStore & DueStore & StatusStore & StreamStore & HistoryStore & TicketStore
  readonly historyLake: HistoryLake
  readonly later: Later
  /** 128 random bits, in hex. */
  readonly newTicket: () => string
  readonly queue: Queue
  readonly digest: Digest
  /** The rules by which an item is accepted, with the vendors. */
  readonly policy: ConnectorPolicy
  readonly log: Log
}

/** The answer to a question, as JSON. */
export type Answer = Readonly<Record<string, unknown>>

/** A change that was carried out. */
export interface Done {
  /** Says what was done, and what comes next. */
  readonly message: string
  /** The values that it changed, for the history. */
  readonly before?: HistoryEntry['before']
  readonly after?: HistoryEntry['after']
}

/** Answers a question. Throws only when a table fails. */
export type Ask<A extends Question['action']> = (
  ports: OperatePorts,
  question: Extract<Question, { readonly action: A }>,
  caller: Caller,
) => Promise<Result<Answer, Refusal>>

/** Carries out a change. Throws only when a table fails. */
export type Carry<A extends Change['action']> = (
  ports: OperatePorts,
  change: Extract<Change, { readonly action: A }>,
  caller: Caller,
) => Promise<Result<Done, Refusal>>
