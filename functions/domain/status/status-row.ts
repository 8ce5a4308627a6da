import { cutText } from '../text.ts'
import { day, durationText, type Instant, iso } from '../time.ts'
import { activityText } from './activity.ts'
import { type ConnectorState, connectorStates, traitsOfState } from './connector-state.ts'
import { type Acknowledgement, type ConnectorStatus, formatRefusedEdit } from './status.ts'

/** The table of connectors that people see: a row a connector, the worst first. The dashboard and the terminal only format it. */

/** One connector in the table. */
export interface StatusRow {
  readonly connectorId: string
  readonly tenantName: string
  readonly state: ConnectorState
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
  /** A sentence about the last hour, if nothing is wrong: it delivers, or it is quiet. */
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

/** The row of a connector whose status was read at `now`. */
export function statusRow(connectorId: string, status: ConnectorStatus, now: Instant): StatusRow {
  const {
    state,
    reason,
    since,
    tenantName = '',
    lagMs,
    retentionLeftMs,
    lastRunAt,
    lastSuccessAt,
    streamsBehind,
    lostRanges,
    days,
    acknowledged,
    activity,
    trouble,
    test,
  } = status
  const { collects } = traitsOfState(state)
  const sinceRun = now - (lastRunAt ?? now)
  // A refused edit enters the reason with the next run, and a paused connector has no runs.
  const refusedEdit = state === 'refused' ? [] : formatRefusedEdit(status.problems).filter((sentence) => !reason.includes(sentence))
  const week = Array.from({ length: 7 }, (_, ago) => days[iso(now - ago * day).slice(0, 10)]?.delivered ?? 0)
  return {
    connectorId: cutText(connectorId, nameMax),
    tenantName: cutText(tenantName, 2 * nameMax),
    state,
    reason: cutText([reason, ...refusedEdit].join(' '), reasonMax),
    since,
    ...(collects && lagMs !== undefined ? { lagMs: lagMs + sinceRun } : {}),
    ...(collects && retentionLeftMs !== undefined ? { retentionLeftMs: retentionLeftMs - sinceRun } : {}),
    ...(lastSuccessAt === undefined ? {} : { lastSuccessAt }),
    deliveredToday: week[0] ?? 0,
    deliveredWeek: week.reduce((sum, delivered) => sum + delivered, 0),
    deliveredByDay: week.toReversed(),
    ...(streamsBehind === undefined ? {} : { streamsBehind }),
    ...(lostRanges === undefined ? {} : { lostRanges }),
    ...(lostRanges === undefined || lostRanges === 0 ? {} : { loss: lossText(lostRanges, acknowledged) }),
    ...(state === 'ok' && activity !== undefined ? { activity: activityText(activity, now) } : {}),
    ...(trouble === undefined || trouble.until <= now ? {} : { nextTryAt: trouble.until }),
    ...(test === undefined || test.until <= now ? {} : { test: test.progress }),
  }
}

function lossText(lostRanges: number, acknowledged: Acknowledgement | undefined): string {
  const isNew = lostRanges > (acknowledged?.lostRanges ?? 0)
  const count = lostRanges === 1 ? '1 time range' : `${numberText(lostRanges)} time ranges`
  if (acknowledged === undefined || isNew)
    return `Events of ${count} were lost for good; its coverage says when. Acknowledge the loss when it is dealt with.`
  return `Events of ${count} were lost for good, acknowledged at ${minuteText(acknowledged.at)} UTC: ${cutText(acknowledged.note, nameMax)}`
}

/** The texts of a row. */
export function statusCells(row: StatusRow, now: Instant): Readonly<Record<StatusColumn, string>> {
  const isPast = row.retentionLeftMs !== undefined && row.retentionLeftMs <= 0
  return {
    connector: row.connectorId,
    tenant: row.tenantName,
    state: traitsOfState(row.state).title,
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

const rank = Object.fromEntries(connectorStates.map((state, i) => [state, i])) as Readonly<Record<ConnectorState, number>>

/** Sorts the worse connector first. Of two in an urgent state, the one nearer to the retention limit is worse. */
export function worse(a: StatusRow, b: StatusRow): number {
  const byState = rank[a.state] - rank[b.state]
  const none = Number.MAX_SAFE_INTEGER
  const byRetention = traitsOfState(a.state).isUrgent ? (a.retentionLeftMs ?? none) - (b.retentionLeftMs ?? none) : 0
  return byState || byRetention || (a.connectorId < b.connectorId ? -1 : 1)
}

/** How many connectors are in each state, the worst state first. States without one are left out. */
export function countStates(
  rows: readonly Pick<StatusRow, 'state'>[],
): readonly { readonly state: ConnectorState; readonly count: number }[] {
  return connectorStates.flatMap((state) => {
    const count = rows.filter((row) => row.state === state).length
    return count === 0 ? [] : [{ state, count }]
  })
}

/** The text of a value, and a dash for none. */
export function orDash<T>(value: T | undefined, text: (value: T) => string): string {
  return value === undefined ? '–' : text(value)
}

/** The problem and when it is tried again, or the last hour of a connector that is well. */
export function remark({ reason, activity = '', loss, nextTryAt, test }: StatusRow): string {
  const next = nextTryAt === undefined ? '' : ` Next try at ${minuteText(nextTryAt)} UTC.`
  const now = reason === '' ? activity : `${reason}${next}`
  const testing = test === undefined ? '' : `A Test runs: ${test}.`
  return [testing, now, loss ?? ''].filter((part) => part !== '').join(' ')
}

/** `12,345`. */
export function numberText(value: number): string {
  return value.toLocaleString('en-US')
}

/** `2026-11-24 20:35`, UTC. */
export function minuteText(at: Instant): string {
  return iso(at).slice(0, 16).replace('T', ' ')
}
