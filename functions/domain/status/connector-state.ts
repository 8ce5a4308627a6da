import type { FailureCode } from '../failures.ts'
import type { FleetMetric } from '../metrics.ts'
import type { Instant } from '../time.ts'

/** A state with all that follows from it: nothing else in the code lists states. */
interface StateTraits {
  /** As people see it. */
  readonly title: string
  readonly tone: 'bad' | 'warn' | 'good' | 'quiet'
  /** Whether events are collected in this state. Where they are not, nothing lags and nothing is lost. */
  readonly collects: boolean
  /** Whether a person must know: entering it is a problem, leaving it a recovery. */
  readonly isProblem: boolean
  /** Time runs out: of two connectors in it, the one nearer the retention limit is worse. */
  readonly isUrgent: boolean
  /** Counts the connectors in it. Absent: nobody counts them. */
  readonly metric?: FleetMetric
  /** The next step of the reader, where the reason does not name it. */
  readonly remedy: string
}

/** The worst first. */
const connectorStateTraits = {
  /** Unread events are about to pass the retention limit, or have passed it. */
  'losing-data': {
    title: 'losing data',
    tone: 'bad',
    collects: true,
    isProblem: true,
    isUrgent: true,
    metric: 'ConnectorsLosingData',
    remedy: 'Add a key of its own, or collect fewer streams, before the retention limit is reached.',
  },
  /** Somebody must correct something, or the vendor has an outage. */
  failing: {
    title: 'failing',
    tone: 'bad',
    collects: true,
    isProblem: true,
    isUrgent: true,
    metric: 'ConnectorsFailing',
    remedy: 'See the reason.',
  },
  /** The vendor allows less than the connector was told. */
  throttled: {
    title: 'throttled',
    tone: 'warn',
    collects: true,
    isProblem: true,
    isUrgent: true,
    metric: 'ConnectorsThrottled',
    remedy: 'Use a key that nothing else uses, or lower requestsPerMinute.',
  },
  /** The item was never accepted. */
  refused: {
    title: 'refused',
    tone: 'warn',
    collects: false,
    isProblem: true,
    isUrgent: false,
    metric: 'ConnectorsRefused',
    remedy: 'Correct the item in the connectors table; it is checked again at once.',
  },
  /** Older events are still being read. */
  'catching-up': {
    title: 'catching up',
    tone: 'warn',
    collects: true,
    isProblem: false,
    isUrgent: true,
    metric: 'ConnectorsCatchingUp',
    remedy: 'Nothing, unless it lasts: then add a key of its own, or collect fewer streams.',
  },
  /** Accepted, nothing read yet. */
  starting: {
    title: 'starting',
    tone: 'quiet',
    collects: true,
    isProblem: false,
    isUrgent: false,
    remedy: 'Nothing: it is read for the first time, or anew after an edit.',
  },
  /** Up to date. */
  ok: {
    title: 'ok',
    tone: 'good',
    collects: true,
    isProblem: false,
    isUrgent: false,
    metric: 'ConnectorsOk',
    remedy: 'Nothing.',
  },
  /** `enabled` is false. */
  paused: {
    title: 'paused',
    tone: 'quiet',
    collects: false,
    isProblem: false,
    isUrgent: false,
    remedy: 'Nothing. Set enabled to true to go on; events older than the vendor keeps are lost by then.',
  },
  /** The item was deleted. */
  retired: {
    title: 'retired',
    tone: 'quiet',
    collects: false,
    isProblem: false,
    isUrgent: false,
    remedy: 'Nothing. Write the item again within 4 days to go on where it stopped.',
  },
} as const satisfies Record<string, StateTraits>

export type ConnectorState = keyof typeof connectorStateTraits

export type Tone = StateTraits['tone']

/** The worst first. */
export const connectorStates = Object.keys(connectorStateTraits) as readonly ConnectorState[]

export function traitsOfState(state: ConnectorState): StateTraits {
  return connectorStateTraits[state]
}

/** Somebody switched the connector off, or deleted it. Refused is not off: the version before the edit goes on. */
export function isSwitchedOff(state: ConnectorState): boolean {
  const { collects, isProblem } = traitsOfState(state)
  return !collects && !isProblem
}

/** A change of state whose notification is pending: it stays in the status until it was sent. */
export interface StateChange {
  readonly from: ConnectorState
  readonly to: ConnectorState
  readonly reason: string
  readonly since: Instant
  /** Why it fails, and why it failed before. */
  readonly cause?: FailureCode
  readonly causeBefore?: FailureCode
  /** The state is the same, but an edit of the item was refused. */
  readonly refusedEdit?: true
}
