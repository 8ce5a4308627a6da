import { type ConnectorState, traitsOfState } from './connector-state.ts'

/** A state as people see it: the stored one, or `data-lost`. */
export type ShownState = ConnectorState | 'data-lost'

/** The traits of a state that only people need. */
interface Looks {
  /** The name that people see. */
  readonly title: string
  /** The meaning of the state, as a sentence. */
  readonly doc: string
  readonly tone: 'bad' | 'warn' | 'good' | 'quiet'
  /** Whether time runs out: of two connectors in this state, the one nearer to the retention limit is worse. */
  readonly isUrgent: boolean
}

export type Tone = Looks['tone']

/** All states that people see, the worst first. */
const looks: Readonly<Record<ShownState, Looks>> = {
  'losing-data': {
    title: 'losing data',
    doc: 'Unread events are about to pass the retention limit, or have passed it.',
    tone: 'bad',
    isUrgent: true,
  },
  failing: {
    title: 'failing',
    doc: 'Somebody must correct something, or the vendor has an outage.',
    tone: 'bad',
    isUrgent: true,
  },
  'data-lost': {
    title: 'data was lost',
    doc: 'Events were lost for good, and nobody has acknowledged the loss.',
    tone: 'bad',
    isUrgent: false,
  },
  throttled: {
    title: 'throttled',
    doc: 'The vendor allows fewer requests than the connector’s item says.',
    tone: 'warn',
    isUrgent: true,
  },
  refused: {
    title: 'refused',
    doc: 'The item was never accepted.',
    tone: 'warn',
    isUrgent: false,
  },
  'catching-up': {
    title: 'catching up',
    doc: 'Older events are still being read.',
    tone: 'warn',
    isUrgent: true,
  },
  starting: {
    title: 'starting',
    doc: 'Accepted, nothing read yet.',
    tone: 'quiet',
    isUrgent: false,
  },
  ok: {
    title: 'ok',
    doc: 'Up to date.',
    tone: 'good',
    isUrgent: false,
  },
  paused: {
    title: 'paused',
    doc: '`enabled` is false.',
    tone: 'quiet',
    isUrgent: false,
  },
  retired: {
    title: 'retired',
    doc: 'The item was deleted.',
    tone: 'quiet',
    isUrgent: false,
  },
}

export const shownStates = Object.keys(looks) as readonly ShownState[]

/** `data-lost` is never stored, because an earlier release does not know it. */
const dataLost = { collects: true, isProblem: true, remedy: 'Acknowledge the loss when it is dealt with.' }

/** All traits of a state. */
export function traitsOfShown(state: ShownState) {
  return { ...looks[state], ...(state === 'data-lost' ? dataLost : traitsOfState(state)) }
}

/** A loss is worse than any state that collects but for those before it. A connector that is off keeps its state, so that it is found by it. */
export function shownState(state: ConnectorState, isLossNew: boolean): ShownState {
  const isWorse = shownStates.indexOf(state) < shownStates.indexOf('data-lost')
  return isLossNew && !isWorse && traitsOfState(state).collects ? 'data-lost' : state
}
