import type { FailureCode } from '../failures.ts'
import type { FleetMetric } from '../metrics.ts'
import type { Instant } from '../time.ts'

/** The traits of a state that decide. Those that people see are in `shown-state.ts`; nothing else in the code lists states. */
interface StateTraits {
  /** Whether events are collected in this state. If they are not, nothing lags and nothing is lost. */
  readonly collects: boolean
  /** Whether a person must know: entering it is a problem, leaving it a recovery. */
  readonly isProblem: boolean
  /** The metric that counts the connectors in this state. Absent: nothing counts them. */
  readonly metric?: FleetMetric
  /** The next step of the reader, if the reason does not name it. */
  readonly remedy: string
}

/** All states that are stored, the worst first. */
const connectorStateTraits = {
  'losing-data': {
    collects: true,
    isProblem: true,
    metric: 'ConnectorsLosingData',
    remedy: 'Add a key of its own, or collect fewer streams, before the retention limit is reached.',
  },
  failing: {
    collects: true,
    isProblem: true,
    metric: 'ConnectorsFailing',
    remedy: 'See the reason, and test it: each step of the Test says what fails, and what to do.',
  },
  throttled: {
    collects: true,
    isProblem: true,
    metric: 'ConnectorsThrottled',
    remedy: 'Use a key that nothing else uses, or lower requestsPerMinute.',
  },
  refused: {
    collects: false,
    isProblem: true,
    metric: 'ConnectorsRefused',
    remedy: 'Correct the item; it is checked again at once.',
  },
  'catching-up': {
    collects: true,
    isProblem: false,
    metric: 'ConnectorsCatchingUp',
    remedy: 'Nothing, unless it lasts: then add a key of its own, or collect fewer streams.',
  },
  starting: {
    collects: true,
    isProblem: false,
    remedy: 'Nothing: it is read for the first time, or anew after an edit.',
  },
  ok: {
    collects: true,
    isProblem: false,
    metric: 'ConnectorsOk',
    remedy: 'Nothing.',
  },
  paused: {
    collects: false,
    isProblem: false,
    remedy: 'Nothing. Set enabled to true to continue; events that the vendor no longer keeps by then are lost.',
  },
  retired: {
    collects: false,
    isProblem: false,
    remedy: 'Nothing. Write the item again within 4 days to continue where it stopped.',
  },
} as const satisfies Record<string, StateTraits>

export type ConnectorState = keyof typeof connectorStateTraits

/** All states that are stored, the worst first. */
export const connectorStates = Object.keys(connectorStateTraits) as readonly ConnectorState[]

export function traitsOfState(state: ConnectorState): StateTraits {
  return connectorStateTraits[state]
}

/** Whether somebody switched the connector off, or deleted it. `refused` is neither: the last accepted version, if any, goes on. */
export function isSwitchedOff(state: ConnectorState): boolean {
  const { collects, isProblem } = traitsOfState(state)
  return !collects && !isProblem
}

/** A change of state. It stays in the status until its notification is sent. */
export interface StateChange {
  readonly from: ConnectorState
  readonly to: ConnectorState
  readonly reason: string
  readonly since: Instant
  /** The failure behind the new state, and behind the old one. */
  readonly cause?: FailureCode
  readonly causeBefore?: FailureCode
  /** Set if the state is the same but an edit of the item was refused. */
  readonly refusedEdit?: true
}
