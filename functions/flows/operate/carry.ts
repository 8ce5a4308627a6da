import type { ConnectorPolicy } from '../../domain/connector/connector-schema.ts'
import type { Digest } from '../../domain/digest.ts'
import type { AnswerOf } from '../../domain/operate/answers.ts'
import type { Caller, Change, HistoryEntry, Question, Refusal } from '../../domain/operate/operation.ts'
import type {
  AcceptedStore,
  Clock,
  ConnectorItems,
  DueStore,
  HistoryLake,
  HistoryStore,
  Later,
  Log,
  Queue,
  RunStore,
  SecretOriginStore,
  StatusStore,
  StreamStore,
  TicketStore,
} from '../../domain/ports.ts'
import type { Result } from '../../domain/result.ts'
import type { TestPorts } from './test/run-test.ts'

export interface OperatePorts extends TestPorts {
  readonly clock: Clock
  readonly items: ConnectorItems
  readonly state: TestPorts['state'] &
    RunStore &
    AcceptedStore &
    DueStore &
    StatusStore &
    StreamStore &
    SecretOriginStore &
    HistoryStore &
    TicketStore
  readonly historyLake: HistoryLake
  readonly later: Later
  /** 128 random bits, in hex. */
  readonly newTicket: () => string
  readonly queue: Queue
  /** Whether the key of a secret goes only to the origin that the secret was first accepted with. */
  readonly secretsBoundToOrigin: boolean
  readonly digest: Digest
  /** The rules by which an item is accepted, with the vendors. */
  readonly policy: ConnectorPolicy
  readonly log: Log
}

/** The ports of questions alone. */
export type AskPorts = Pick<OperatePorts, 'clock' | 'items' | 'digest' | 'policy' | 'secretsBoundToOrigin'> & {
  readonly state: Pick<
    OperatePorts['state'],
    'fleet' | 'keyUsers' | 'allAccepted' | 'readAccepted' | 'readRun' | 'history' | 'readSecretOrigin' | 'bindSecret' | 'readTest'
  >
}

/** The answer to an operation, as JSON. */
export type Answer = object

/** A change that was carried out. */
export interface Done {
  /** A sentence about the change, and about the next step. */
  readonly message: string
  /** The values that it changed, for the history. */
  readonly before?: HistoryEntry['before']
  readonly after?: HistoryEntry['after']
}

/** Answers a question. Throws only when a table fails. */
export type Ask<A extends Question['action']> = (
  ports: AskPorts,
  question: Extract<Question, { readonly action: A }>,
  caller: Caller,
) => Promise<Result<AnswerOf[A], Refusal>>

/** Carries out a change. Throws only when a table fails. */
export type Carry<A extends Change['action']> = (
  ports: OperatePorts,
  change: Extract<Change, { readonly action: A }>,
  caller: Caller,
) => Promise<Result<Done, Refusal>>
