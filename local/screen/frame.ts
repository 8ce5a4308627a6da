import { traitsOfState } from '../../functions/domain/status/connector-state.ts'
import {
  countStates,
  numberText,
  orDash,
  type StatusColumn,
  statusCells,
  statusColumns,
  worse,
} from '../../functions/domain/status/status-row.ts'
import { durationText, type Instant, iso } from '../../functions/domain/time.ts'
import { sumCounts } from '../report/runs.ts'
import { cutToWidth, joinToWidth, wrapToWidth } from './cells.ts'
import type { LiveRow, NextRun, StreamRow } from './live-row.ts'
import { type Block, type Column, fittingBlocks, tableLines } from './table.ts'

/** The live table: one frame of a terminal. */

export interface View {
  readonly now: Instant
  readonly startedAt: Instant
  readonly rows: readonly LiveRow[]
  /** Show the streams of this connector, in place of the connectors. */
  readonly streamsOf?: string
  /** What --once waits for. */
  readonly waits: readonly { readonly key: string; readonly text: string }[]
  /** The command that queries the lake. */
  readonly query: string
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** The columns that only this machine has. */
export const localColumns = {
  nextRun: { title: 'next run', doc: 'Time until the connector is read again; `running`, or `queued` until a place is free.' },
  thisStart: { title: 'this start', doc: 'Events delivered since this start, by whichever process.' },
  allTime: { title: 'all time', doc: 'Events delivered since the connector was first accepted.' },
  requests: { title: 'requests', doc: 'Requests to the vendor since this start.' },
} as const

type Name = StatusColumn | keyof typeof localColumns

const idMax = 40

const columns: readonly Column<Name>[] = [
  { name: 'connector', title: statusColumns.connector.title, align: 'left', widthMax: idMax },
  { name: 'tenant', title: statusColumns.tenant.title, align: 'left', widthMax: idMax / 2 },
  { name: 'state', title: statusColumns.state.title, align: 'left' },
  { name: 'since', title: statusColumns.since.title, align: 'left' },
  { name: 'lag', title: statusColumns.lag.title, align: 'right' },
  { name: 'retentionLeft', title: statusColumns.retentionLeft.title, align: 'right' },
  { name: 'lastRead', title: statusColumns.lastRead.title, align: 'right' },
  { name: 'nextRun', title: localColumns.nextRun.title, align: 'right' },
  { name: 'thisStart', title: localColumns.thisStart.title, align: 'right' },
  { name: 'today', title: statusColumns.today.title, align: 'right' },
  { name: 'week', title: statusColumns.week.title, align: 'right' },
  { name: 'allTime', title: localColumns.allTime.title, align: 'right' },
  { name: 'behind', title: statusColumns.behind.title, align: 'right' },
  { name: 'lost', title: statusColumns.lost.title, align: 'right' },
  { name: 'requests', title: localColumns.requests.title, align: 'right' },
]

/** The columns that a narrow terminal does without, the first one first. */
const sacrifices: readonly Name[] = [
  'requests',
  'week',
  'since',
  'tenant',
  'today',
  'retentionLeft',
  'behind',
  'lost',
  'lastRead',
  'nextRun',
  'allTime',
  'thisStart',
]

const streamColumns: readonly Column<'stream' | 'lag' | 'lastRead' | 'thisStart' | 'allTime' | 'filtered' | 'requests'>[] = [
  { name: 'stream', title: 'stream', align: 'left', widthMax: idMax },
  { name: 'lag', title: statusColumns.lag.title, align: 'right' },
  { name: 'lastRead', title: statusColumns.lastRead.title, align: 'right' },
  { name: 'thisStart', title: 'this start', align: 'right' },
  { name: 'allTime', title: 'all time', align: 'right' },
  { name: 'filtered', title: 'filtered', align: 'right' },
  { name: 'requests', title: 'requests', align: 'right' },
]

/** The first minutes explain what happens (ms). */
const explainedMs = 120_000
/** The lines of notices at most (count), and the lines that the table keeps at least. */
const noticesMax = 5
const tableMin = 4

/** The lines of one frame: at most `rows`, none wider than `columns`. `notices` are warnings and messages, the newest last. */
export function frameLines(view: View, notices: readonly string[], size: Size): readonly string[] {
  const width = Math.max(1, size.columns)
  const wrapped = (texts: readonly string[]) => texts.flatMap((text) => wrapToWidth(text, width))
  const head = [...wrapped([headText(view)]), ...joinToWidth(totals(view), width), '']
  const foot = [
    ...wrapped([...waitLines(view), ...(notices.length === 0 ? explanation(view) : [])]),
    ...notices.slice(-noticesMax).map((text) => cutToWidth(text, width)),
    ...joinToWidth([...(view.rows.some(hasEvents) ? [`Query the events: ${view.query}`] : []), 'Ctrl-C ends.'], width),
  ]
  const room = size.rows - head.length - 1
  const shownFoot = foot.length === 0 || room - tableMin <= 0 ? [] : foot.slice(-(room - tableMin))
  const table =
    view.streamsOf === undefined ? connectorLines(view, width, room - shownFoot.length) : streamLines(view, view.streamsOf, width)
  return [...head, ...table, ...(shownFoot.length === 0 ? [] : ['', ...shownFoot])].slice(0, Math.max(1, size.rows))
}

function headText({ now, rows }: View): string {
  const connectors = `${numberText(rows.length)} ${rows.length === 1 ? 'connector' : 'connectors'}`
  return `${iso(now).slice(0, 19).replace('T', ' ')} UTC   ${connectors}${rows.length === 0 ? '' : `: ${statesText(rows)}`}`
}

function totals({ now, rows }: View): readonly string[] {
  const { thisStart, allTime } = sumCounts(rows.map(({ counts }) => counts))
  const next = rows.flatMap(({ connectorId, nextRun }) => (typeof nextRun === 'number' ? [{ connectorId, nextRun }] : []))
  const [first] = next.sort((a, b) => a.nextRun - b.nextRun)
  const running = rows.filter(({ nextRun }) => nextRun === 'running').length
  return [
    `Events: ${numberText(thisStart.delivered)} this start, ${numberText(allTime.delivered)} all time`,
    `requests: ${numberText(thisStart.requests)} this start`,
    ...(running === 0 ? [] : [`${numberText(running)} running`]),
    ...(first === undefined ? [] : [`next run in ${durationText(first.nextRun - now)} (${first.connectorId})`]),
  ]
}

function hasEvents({ counts }: LiveRow): boolean {
  return counts.allTime.delivered > 0
}

function waitLines({ waits }: View): readonly string[] {
  const shown = waits.slice(0, 2).map(({ text }) => text)
  return waits.length <= 2 ? shown : [...shown, `… and ${waits.length - 2} more connectors are waited for.`]
}

/** What a newcomer sees in the first minutes, and what happens next. */
function explanation({ now, startedAt, rows }: View): readonly string[] {
  if (now - startedAt > explainedMs || rows.length === 0 || rows.some(({ state }) => traitsOfState(state).isProblem)) return []
  if (!rows.some(hasEvents)) return [firstMinuteText(rows.length)]
  const late = Math.max(0, ...rows.map(({ lateArrivalMinutes = 0 }) => lateArrivalMinutes))
  const interval = Math.max(0, ...rows.map(({ intervalMinutes = 0 }) => intervalMinutes))
  return [
    `All is well. Each connector is read every ${interval} min or more often. Its lag is never 0: events may come ${late} min late, so only what is older is proven complete.`,
  ]
}

/** So many connectors are checked before a newcomer wonders (count). */
const soonMax = 50

/** The same on a terminal and in a file. */
export function firstMinuteText(connectors: number): string {
  const soon = connectors <= soonMax ? 'half a minute' : 'some minutes'
  return `Each connector is checked and then read at once. The first events arrive within ${soon}, if the vendor has any.`
}

function connectorLines(view: View, width: number, height: number): readonly string[] {
  if (view.rows.length === 0) return ['There is no connector yet.']
  const rows = view.rows.toSorted(worse)
  // No more rows than lines can be shown.
  const first = rows.slice(0, Math.max(1, height))
  const { heading, blocks } = tableLines(
    columns,
    first.map((row) => connectorBlock(row, view.now)),
    { width, sacrifices },
  )
  const { lines, count } = fittingBlocks(blocks, height - 1, first.length === rows.length)
  const left = rows.slice(count)
  if (left.length === 0) return [heading, ...lines]
  return [heading, ...lines, cutToWidth(`… and ${numberText(left.length)} more: ${statesText(left)}`, width)]
}

function statesText(rows: readonly LiveRow[]): string {
  return countStates(rows)
    .map(({ state, count }) => `${numberText(count)} ${traitsOfState(state).title}`)
    .join(', ')
}

function connectorBlock(row: LiveRow, now: Instant): Block<Name> {
  const { counts } = row
  return {
    cells: {
      ...statusCells(row, now),
      nextRun: nextRunText(row.nextRun, now),
      thisStart: numberText(counts.thisStart.delivered),
      allTime: numberText(counts.allTime.delivered),
      requests: numberText(counts.thisStart.requests),
    },
    detail: row.reason,
  }
}

function nextRunText(next: NextRun | undefined, now: Instant): string {
  return typeof next === 'number' ? durationText(next - now) : (next ?? '–')
}

/** The table of the streams of one connector. */
export function streamLines({ rows, now }: Pick<View, 'rows' | 'now'>, connectorId: string, width: number): readonly string[] {
  const row = rows.find((each) => each.connectorId === connectorId)
  if (row === undefined) return [cutToWidth(`There is no connector ${connectorId}.`, width)]
  const state = `${connectorId}: ${traitsOfState(row.state).title}${row.reason === '' ? '' : `. ${row.reason}`}`
  const { heading, blocks } = tableLines(
    streamColumns,
    row.streams.map((stream) => streamBlock(stream, now)),
    {
      width,
      sacrifices: ['requests', 'filtered', 'lastRead'],
    },
  )
  return [...wrapToWidth(state, width), heading, ...blocks.flat()]
}

function streamBlock({ id, counts, lagMs, lastReadAt, detail }: StreamRow, now: Instant) {
  return {
    cells: {
      stream: id,
      lag: orDash(lagMs, durationText),
      lastRead: orDash(lastReadAt, (at) => `${durationText(now - at)} ago`),
      thisStart: numberText(counts.thisStart.delivered),
      allTime: numberText(counts.allTime.delivered),
      filtered: numberText(counts.allTime.filtered),
      requests: numberText(counts.allTime.requests),
    },
    detail,
  }
}
