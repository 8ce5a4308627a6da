import type { FailureCode } from '../failures.ts'
import type { FleetMetric } from '../metrics.ts'
import type { Instant } from '../time.ts'

/** The traits of a state. Nothing else in the code lists states. */
interface StateTraits {
  /** The name that people see. */
  readonly title: string
  /** The meaning of the state, as a sentence. */
  readonly doc: string
  readonly tone: 'bad' | 'warn' | 'good' | 'quiet'
  /** Whether events are collected in this state. If they are not, nothing lags and nothing is lost. */
  readonly collects: boolean
  /** Whether a person must know: entering it is a problem, leaving it a recovery. */
  readonly isProblem: boolean
  /** Whether time runs out: of two connectors in this state, the one nearer to the retention limit is worse. */
  readonly isUrgent: boolean
  /** The metric that counts the connectors in this state. Absent: nothing counts them. */
  readonly metric?: FleetMetric
  /** The next step of the reader, if the reason does not name it. */
  readonly remedy: string
}

/** All states, the worst first. */
const connectorStateTraits = {
  'losing-data': {
    title: 'losing data',
    doc: 'Unread events are about to pass the retention limit, or have passed it.',
    tone: 'bad',
    collects: true,
    isProblem: true,
    isUrgent: true,
    metric: 'ConnectorsLosingData',
    remedy: 'Add a key of its own, or collect fewer streams, before the retention limit is reached.',
  },
  failing: {
    title: 'failing',
    doc: 'Somebody must correct something, or the vendor has an outage.',
    tone: 'bad',
    collects: true,
    isProblem: true,
    isUrgent: true,
    metric: 'ConnectorsFailing',
    remedy: 'See the reason, and test it: each step of the Test says what fails, and what to do.',
  },
  throttled: {
    title: 'throttled',
    doc: 'The vendor allows fewer requests than the connector’s item says.',
    tone: 'warn',
    collects: true,
    isProblem: true,
    isUrgent: true,
    metric: 'ConnectorsThrottled',
    remedy: 'Use a key that nothing else uses, or lower requestsPerMinute.',
  },
  refused: {
    title: 'refused',
    doc: 'The item was never accepted.',
    tone: 'warn',
    collects: false,
    isProblem: true,
    isUrgent: false,
    metric: 'ConnectorsRefused',
    remedy: 'Correct the item; it is checked again at once.',
  },
  'catching-up': {
    title: 'catching up',
    doc: 'Older events are still being read.',
    tone: 'warn',
    collects: true,
    isProblem: false,
    isUrgent: true,
    metric: 'ConnectorsCatchingUp',
    remedy: 'Nothing, unless it lasts: then add a key of its own, or collect fewer streams.',
  },
  starting: {
    title: 'starting',
    doc: 'Accepted, nothing read yet.',
    tone: 'quiet',
    collects: true,
    isProblem: false,
    isUrgent: false,
    remedy: 'Nothing: it is read for the first time, or anew after an edit.',
  },
  ok: {
    title: 'ok',
    doc: 'Up to date.',
    tone: 'good',
    collects: true,
    isProblem: false,
    isUrgent: false,
    metric: 'ConnectorsOk',
    remedy: 'Nothing.',
  },
  paused: {
    title: 'paused',
    doc: '`enabled` is false.',
    tone: 'quiet',
    collects: false,
    isProblem: false,
    isUrgent: false,
    remedy: 'Nothing. Set enabled to true to continue; events that the vendor no longer keeps by then are lost.',
  },
  retired: {
    title: 'retired',
    doc: 'The item was deleted.',
    tone: 'quiet',
    collects: false,
    isProblem: false,
    isUrgent: false,
    remedy: 'Nothing. Write the item again within 4 days to continue where it stopped.',
  },
} as const satisfies Record<string, StateTraits>

export type ConnectorState = keyof typeof connectorStateTraits

export type Tone = StateTraits['tone']

/** All states that are stored, the worst first. */
export const connectorStates = Object.keys(connectorStateTraits) as readonly ConnectorState[]

/** Never stored, because an earlier release does not know it: a row has it in place of a stored state that is less bad. */
const dataLost = {
  title: 'data was lost',
  doc: 'Events were lost for good, and nobody has acknowledged the loss.',
  tone: 'bad',
  collects: true,
  isProblem: true,
  isUrgent: false,
  remedy: 'Acknowledge the loss when it is dealt with.',
} as const satisfies StateTraits

/** A state as people see it. */
export type ShownState = ConnectorState | 'data-lost'

/** All states that people see, the worst first. */
export const shownStates: readonly ShownState[] = connectorStates.flatMap((state) =>
  state === 'throttled' ? ['data-lost', state] : [state],
)

/** A loss is worse than any state that collects but for those before it. A connector that is off keeps its state, so that it is found by it. */
export function shownState(state: ConnectorState, isLossNew: boolean): ShownState {
  const isWorse = shownStates.indexOf(state) < shownStates.indexOf('data-lost')
  return isLossNew && !isWorse && traitsOfState(state).collects ? 'data-lost' : state
}

export function traitsOfState(state: ShownState): StateTraits {
  return state === 'data-lost' ? dataLost : connectorStateTraits[state]
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
