import { failures } from '../failures.ts'
import { cutText } from '../text.ts'
import { day, durationText, type Instant, iso, minuteText } from '../time.ts'
import { activityText } from './activity.ts'
import { keysText } from './key-texts.ts'
import { isLossNew, lossText } from './loss.ts'
import { type ShownState, shownState, shownStates, traitsOfShown } from './shown-state.ts'
import { type ConnectorStatus, formatRefusedEdit } from './status.ts'

/** The table of connectors that people see: a row a connector, the worst first. The dashboard and the terminal only format it. */

/** One connector in the table. */
export interface StatusRow {
  readonly connectorId: string
  readonly tenantName: string
  readonly state: ShownState
  readonly reason: string
  readonly since: Instant
  /** The lag now, not at the last run (ms). */
  readonly lagMs?: number
  /** Time until the first unread event passes the retention limit, from now (ms). */
  readonly retentionLeftMs?: number
  readonly lastSuccessAt?: Instant
  readonly deliveredToday: number
  readonly deliveredWeek: number
  /** Events of each of the last 7 days, the oldest first. */
  readonly deliveredByDay: readonly number[]
  readonly streamsBehind?: number
  readonly lostRanges?: number
  /** A sentence about lost events, and who knows of them. */
  readonly loss?: string
  /** Sentences about keys that are rejected while others work, and about old keys. */
  readonly keys?: string
  /** The next step, if the state is a problem and the reason does not name it. */
  readonly nextStep?: string
  /** A sentence if nothing is wrong: it never ran, it delivered in the last hour, or it is quiet. */
  readonly activity?: string
  /** When a failing connector is tried again. */
  readonly nextTryAt?: Instant
  /** The step of a Test that runs: "3 of 7". */
  readonly test?: string
}

/** The columns of the table, but for the last one: the reason. */
export const statusColumns = {
  connector: { title: 'connector', doc: 'The id of the connector.' },
  tenant: { title: 'tenant', doc: 'The tenant’s name for people.' },
  state: { title: 'state', doc: 'The worst that is true of the connector.' },
  since: { title: 'since (UTC)', doc: 'When the connector came into this state.' },
  lag: { title: 'lag', doc: 'Time since the instant up to which all events are proven read.' },
  retentionLeft: { title: 'to retention limit', doc: 'Time until the vendor deletes the first unread event.' },
  lastRead: { title: 'last read', doc: 'Time since a page was last read.' },
  today: { title: 'today', doc: 'Events delivered today (UTC).' },
  week: { title: '7 days', doc: 'Events delivered today and on the six days before (UTC).' },
  behind: { title: 'behind', doc: 'Streams with final events that are not read or not proven complete.' },
  lost: { title: 'lost', doc: 'Ranges of events that are lost for good and still on record.' },
} as const

export type StatusColumn = keyof typeof statusColumns

/** The longest text in a cell (characters). */
const nameMax = 64
export const reasonMax = 600
export const remarkMax = 1_300

/** The row of a connector whose status was read at `now`. */
export function statusRow(connectorId: string, status: ConnectorStatus, now: Instant): StatusRow {
  const {
    state: stored,
    since,
    tenantName = '',
    lagMs,
    retentionLeftMs,
    lastRunAt,
    lastSuccessAt,
    streamsBehind,
    lostRanges,
    days,
    trouble,
    test,
  } = status
  const state = shownState(stored, isLossNew(status))
  const { collects } = traitsOfShown(stored)
  const sinceRun = now - (lastRunAt ?? now)
  const reason = reasonText(status)
  const keys = keysText(status, now)
  const loss = lossText(status)
  const nextStep = nextStepOf(status, state, reason)
  const activity = wellText(status, now)
  const nextTryAt = trouble?.until ?? (stored === 'failing' ? status.nextTryAt : undefined)
  const week = Array.from({ length: 7 }, (_, ago) => days[iso(now - ago * day).slice(0, 10)]?.delivered ?? 0)
  return {
    connectorId: cutText(connectorId, nameMax),
    tenantName: cutText(tenantName, 2 * nameMax),
    state,
    reason: nextStep === undefined ? reason : cutText(reason, reasonMax - nextStep.length),
    since,
    ...(collects && lagMs !== undefined ? { lagMs: lagMs + sinceRun } : {}),
    ...(collects && retentionLeftMs !== undefined ? { retentionLeftMs: retentionLeftMs - sinceRun } : {}),
    ...(lastSuccessAt === undefined ? {} : { lastSuccessAt }),
    deliveredToday: week[0] ?? 0,
    deliveredWeek: week.reduce((sum, delivered) => sum + delivered, 0),
    deliveredByDay: week.toReversed(),
    ...(streamsBehind === undefined ? {} : { streamsBehind }),
    ...(lostRanges === undefined ? {} : { lostRanges }),
    ...(loss === undefined ? {} : { loss }),
    ...(keys === undefined || !collects ? {} : { keys }),
    ...(nextStep === undefined ? {} : { nextStep }),
    ...(activity === undefined ? {} : { activity }),
    ...(nextTryAt === undefined || nextTryAt <= now ? {} : { nextTryAt }),
    ...(test === undefined || test.until <= now ? {} : { test: cutText(test.progress, nameMax) }),
  }
}

/** The reason. A refused edit enters it with the next run, and a paused connector has no runs. */
function reasonText({ state, reason, problems }: ConnectorStatus): string {
  const refusedEdit = state === 'refused' ? [] : formatRefusedEdit(problems).filter((sentence) => !reason.includes(sentence))
  return cutText([reason, ...refusedEdit].filter((part) => part !== '').join(' '), reasonMax)
}

/** A loss names its own. A failure without a code, such as a clock that is wrong, has it in its reason. */
function nextStepOf({ state: stored, cause, reason: why }: ConnectorStatus, state: ShownState, reason: string): string | undefined {
  const { isProblem, remedy } = traitsOfShown(state)
  if (!isProblem || state === 'data-lost') return undefined
  const step = stored === 'failing' && cause !== undefined ? failures[cause].remedy : remedy
  const isNamed = reason.includes(step) || (stored === 'failing' && cause === undefined && why !== '')
  return isNamed ? undefined : step
}

function wellText({ state, activity = [], lastRunAt, since }: ConnectorStatus, now: Instant): string | undefined {
  if (state === 'ok') return activityText(activity, now) || undefined
  if (state !== 'starting') return undefined
  if (lastRunAt === undefined) return 'Never ran: the first run comes within minutes. If it does not, test it.'
  return `Nothing was read since ${minuteText(since)} UTC; the next run tells more.`
}

/** The texts of a row. */
export function statusCells(row: StatusRow, now: Instant): Readonly<Record<StatusColumn, string>> {
  const isPast = row.retentionLeftMs !== undefined && row.retentionLeftMs <= 0
  return {
    connector: row.connectorId,
    tenant: row.tenantName,
    state: traitsOfShown(row.state).title,
    since: minuteText(row.since),
    lag: orDash(row.lagMs, durationText),
    retentionLeft: isPast ? 'passed' : orDash(row.retentionLeftMs, durationText),
    lastRead: orDash(row.lastSuccessAt, (at) => `${durationText(now - at)} ago`),
    today: numberText(row.deliveredToday),
    week: numberText(row.deliveredWeek),
    behind: orDash(row.streamsBehind, numberText),
    lost: orDash(row.lostRanges, numberText),
  }
}

const rank = Object.fromEntries(shownStates.map((state, i) => [state, i])) as Readonly<Record<ShownState, number>>

/** Sorts the worse connector first. Of two in an urgent state, the one nearer to the retention limit is worse. */
export function worse(a: StatusRow, b: StatusRow): number {
  const byState = rank[a.state] - rank[b.state]
  const none = Number.MAX_SAFE_INTEGER
  const byRetention = traitsOfShown(a.state).isUrgent ? (a.retentionLeftMs ?? none) - (b.retentionLeftMs ?? none) : 0
  return byState || byRetention || (a.connectorId < b.connectorId ? -1 : 1)
}

/** How many connectors are in each state, the worst state first. States without one are left out. */
export function countStates(rows: readonly Pick<StatusRow, 'state'>[]): readonly { readonly state: ShownState; readonly count: number }[] {
  return shownStates.flatMap((state) => {
    const count = rows.filter((row) => row.state === state).length
    return count === 0 ? [] : [{ state, count }]
  })
}

/** The text of a value, and a dash for none. */
export function orDash<T>(value: T | undefined, text: (value: T) => string): string {
  return value === undefined ? '–' : text(value)
}

/** The parts of a row that its remark is made of. */
export type Remarks = Pick<StatusRow, 'reason' | 'activity' | 'loss' | 'keys' | 'nextStep' | 'nextTryAt' | 'test'>

/**
 * The problem, what to do about it and when it is tried again, or what a connector that is well did last; then its keys and its losses. At
 * most `remarkMax` characters.
 */
export function remark({ reason, activity = '', loss = '', keys = '', nextStep = '', nextTryAt, test }: Remarks): string {
  const next = nextTryAt === undefined ? '' : `Next try at ${minuteText(nextTryAt)} UTC.`
  const testing = test === undefined ? '' : `A Test runs: ${test}.`
  const trouble = reason === '' && nextStep === '' ? [activity] : [reason, nextStep, next]
  return cutText([testing, ...trouble, keys, loss].filter((part) => part !== '').join(' '), remarkMax)
}

/** `12,345`. */
export function numberText(value: number): string {
  return value.toLocaleString('en-US')
}
