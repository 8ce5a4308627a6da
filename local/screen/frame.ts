import { closest } from '../../functions/domain/connector/problems.ts'
import { traitsOfShown } from '../../functions/domain/status/shown-state.ts'
import {
  countStates,
  numberText,
  orDash,
  type Remarks,
  remark,
  type StatusColumn,
  statusCells,
  statusColumns,
  worse,
} from '../../functions/domain/status/status-row.ts'
import { durationText, type Instant, iso } from '../../functions/domain/time.ts'
import { sumCounts } from '../report/runs.ts'
import { cutToWidth, joinToWidth, wrapToWidth } from './cells.ts'
import { type LiveRow, type NextRun, type StreamRow, worseStream } from './live-row.ts'
import { type Block, type Column, fittingBlocks, tableLines } from './table.ts'

/** The live table: one frame of a terminal. */

export interface View {
  readonly now: Instant
  readonly startedAt: Instant
  readonly rows: readonly LiveRow[]
  /** Show the streams of this connector, in place of the connectors. */
  readonly streamsOf?: string
  /** The things that --once waits for. */
  readonly waits: readonly { readonly key: string; readonly text: string }[]
  /** Whether --once has given up something, so that it stays missing. */
  readonly hasGivenUp: boolean
  /** The command that queries the lake. */
  readonly query: string
  /** The address that opens the page; absent: there is none. */
  readonly page?: string
  /** The next step of somebody who has just begun. */
  readonly nextStep?: string
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

const known = { ...statusColumns, ...localColumns }

function column<N extends Name>(name: N, align: 'left' | 'right', more: { readonly widthMax?: number } = {}): Column<N> {
  return { name, title: known[name].title, align, ...more }
}

const columns: readonly Column<Name>[] = [
  column('connector', 'left', { widthMax: idMax }),
  column('tenant', 'left', { widthMax: idMax / 2 }),
  column('state', 'left'),
  column('since', 'left'),
  column('lag', 'right'),
  column('retentionLeft', 'right'),
  column('lastRead', 'right'),
  column('nextRun', 'right'),
  column('thisStart', 'right'),
  column('today', 'right'),
  column('week', 'right'),
  column('allTime', 'right'),
  column('behind', 'right'),
  column('lost', 'right'),
  column('requests', 'right'),
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
  column('lag', 'right'),
  column('lastRead', 'right'),
  column('thisStart', 'right'),
  column('allTime', 'right'),
  { name: 'filtered', title: 'filtered', align: 'right' },
  column('requests', 'right'),
]

/** The first minutes explain what happens (ms). */
const explainedMs = 120_000
/** The lines of one notice at most (count), and the lines that the table keeps at least. */
const noticeLinesMax = 4
const tableMin = 4

/** The lines of one frame: at most `rows`, none wider than `columns`. `notices` are warnings and messages, the newest last. */
export function frameLines(view: View, notices: readonly string[], size: Size): readonly string[] {
  const width = Math.max(1, size.columns)
  const height = Math.max(1, size.rows)
  const wrapped = (texts: readonly string[]) => texts.flatMap((text) => wrapToWidth(text, width))
  const head = boundedHead([...wrapped([headText(view)]), ...joinToWidth(totals(view), width)], height)
  const foot = [
    ...wrapped([...waitLines(view), ...(notices.length === 0 ? explanation(view) : [])]),
    ...notices.flatMap((text) => cutLines(wrapToWidth(text, width), noticeLinesMax, width)),
    ...(view.nextStep === undefined ? [] : cutLines(wrapToWidth(view.nextStep, width), noticeLinesMax, width)),
    ...joinToWidth(
      [
        ...(view.page === undefined ? [] : [`The page: ${view.page}`]),
        ...(view.rows.some(hasEvents) ? [`Query the events: ${view.query}`] : []),
        'Ctrl-C ends.',
      ],
      width,
    ),
  ]
  const room = height - head.length
  const footMax = room - tableMin - 1
  const shownFoot = footMax <= 0 ? [] : ['', ...foot.slice(-footMax)]
  const table = view.streamsOf === undefined ? connectorLines : streamLines
  const lines = table(view, { columns: width, rows: room - shownFoot.length })
  return [...head, ...lines, ...shownFoot].slice(0, height)
}

/** On a terminal of few lines the table goes first, so the head is cut. */
function boundedHead(lines: readonly string[], height: number): readonly string[] {
  return lines.length + 1 + tableMin <= height ? [...lines, ''] : lines.slice(0, Math.max(1, height - tableMin))
}

/** At most `max` lines; if there are more, the last one ends with `…`. */
function cutLines(lines: readonly string[], max: number, width: number): readonly string[] {
  const last = lines[max - 1]
  return lines.length <= max || last === undefined ? lines : [...lines.slice(0, max - 1), cutToWidth(`${last} …`, width)]
}

function headText({ now, rows }: View): string {
  const connectors = `${numberText(rows.length)} ${rows.length === 1 ? 'connector' : 'connectors'}`
  const failing = rows.reduce((sum, { streams }) => sum + streams.filter(({ failure }) => failure !== undefined).length, 0)
  const streams = failing === 0 ? [] : [`${numberText(failing)} ${failing === 1 ? 'stream fails' : 'streams fail'}`]
  return `${iso(now).slice(0, 19).replace('T', ' ')} UTC   ${connectors}${rows.length === 0 ? '' : `: ${[statesText(rows), ...streams].join(', ')}`}`
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

/** The sentences that tell a newcomer what is seen, and what happens next. */
function explanation({ now, startedAt, rows }: View): readonly string[] {
  const isTroubled = rows.some(
    ({ state, streams }) => traitsOfShown(state).isProblem || streams.some(({ failure }) => failure !== undefined),
  )
  if (now - startedAt > explainedMs || rows.length === 0 || isTroubled) return []
  const collecting = rows.filter(({ state }) => traitsOfShown(state).collects)
  if (collecting.length === 0 || !rows.some(hasEvents)) return [firstMinuteText({ connectors: rows.length, collecting: collecting.length })]
  const late = Math.max(0, ...collecting.map(({ lateArrivalMinutes = 0 }) => lateArrivalMinutes))
  const interval = Math.max(0, ...collecting.map(({ intervalMinutes = 0 }) => intervalMinutes))
  return [
    `All is well. Each connector is read every ${interval} min or more often. Its lag is never 0: events may come ${late} min late, so only what is older is proven complete.`,
  ]
}

/** So many connectors are checked before a newcomer wonders (count). */
const soonMax = 50

/** The same on a terminal and in a file. `collecting` are those that are not paused (count). */
export function firstMinuteText({ connectors, collecting }: { readonly connectors: number; readonly collecting: number }): string {
  if (connectors === 0) return 'There is no connector, so nothing is collected.'
  if (collecting === 0) {
    const all = connectors === 1 ? 'The connector is' : 'All connectors are'
    return `${all} paused (enabled is false), so nothing is collected. Set enabled to true and start again.`
  }
  const soon = connectors <= soonMax ? 'half a minute' : 'some minutes'
  return `Each connector is checked and then read at once. The first events arrive within ${soon}, if the vendor has any.`
}

function connectorLines(view: View, { columns: width, rows: height }: Size): readonly string[] {
  if (view.rows.length === 0) return wrapToWidth(firstMinuteText({ connectors: 0, collecting: 0 }), width)
  const rows = view.rows.toSorted(worseHere)
  // No more rows than lines can be shown.
  const first = rows.slice(0, Math.max(1, height))
  const { heading, blocks } = tableLines(
    columns,
    first.map((row) => connectorBlock(row, view.now)),
    { width, sacrifices },
  )
  const { lines, count } = fittingBlocks(blocks, height - 1, first.length === rows.length)
  const left = rows.slice(count)
  return [heading, ...lines, ...(left.length === 0 ? [] : [leftText(left.length, statesText(left), width)])]
}

/** A connector with a failing stream is worse than another one in the same state. */
function worseHere(a: LiveRow, b: LiveRow): number {
  const byStreams = a.state === b.state ? Number(b.streamReason !== '') - Number(a.streamReason !== '') : 0
  return byStreams || worse(a, b)
}

function leftText(count: number, parts: string, width: number): string {
  return cutToWidth(`… and ${numberText(count)} more${parts === '' ? '' : `: ${parts}`}`, width)
}

function statesText(rows: readonly LiveRow[]): string {
  return countStates(rows)
    .map(({ state, count }) => `${numberText(count)} ${traitsOfShown(state).title}`)
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
    // The columns show whether a connector that is ok delivers.
    detail: [remark(row.state === 'ok' ? withoutActivity(row) : row), row.streamReason].filter((text) => text !== '').join(' '),
  }
}

function withoutActivity({ activity: _, ...row }: LiveRow): Remarks {
  return row
}

function nextRunText(next: NextRun | undefined, now: Instant): string {
  return typeof next === 'number' ? durationText(next - now) : (next ?? '–')
}

/** The table of the streams of the connector `streamsOf`, the worst first. */
export function streamLines(
  { rows, now, streamsOf = '' }: Pick<View, 'rows' | 'now' | 'streamsOf'>,
  { columns: width, rows: height }: Size,
): readonly string[] {
  const row = rows.find((each) => each.connectorId === streamsOf)
  if (row === undefined) return [cutToWidth(`There is no connector ${streamsOf}.`, width)]
  const words = remark(row)
  const state = `${streamsOf}: ${traitsOfShown(row.state).title}${words === '' ? '' : `. ${words}`}`
  // A reason repeats failures that the streams have too.
  const stateLines = cutLines(wrapToWidth(state, width), Math.max(1, Math.floor(height / 4)), width)
  const streams = row.streams.toSorted(worseStream)
  const { heading, blocks } = tableLines(
    streamColumns,
    streams.map((stream) => streamBlock(stream, now)),
    { width, sacrifices: ['requests', 'filtered', 'lastRead'] },
  )
  const { lines, count } = fittingBlocks(blocks, height - stateLines.length - 1, true)
  const left = streams.slice(count)
  return [...stateLines, heading, ...lines, ...(left.length === 0 ? [] : [leftText(left.length, troublesText(left), width)])]
}

/** Connectors that a sentence names one by one (count). */
const namedMax = 10

/** For an id that no connector of `ids` has. */
export function unknownConnectorText(id: string, ids: readonly string[]): string {
  if (ids.length === 0) return `There is no connector ${id}, nor any other one.`
  const near = ids.length > namedMax ? closest(id, ids) : undefined
  if (near !== undefined) return `There is no connector ${id}. Did you mean ${near}?`
  const more = ids.length > namedMax ? ` and ${ids.length - namedMax} more` : ''
  return `There is no connector ${id}. The connectors are ${ids.slice(0, namedMax).join(', ')}${more}.`
}

function troublesText(streams: readonly StreamRow[]): string {
  const failing = streams.filter(({ failure }) => failure !== undefined).length
  const unread = streams.filter(({ failure, lastReadAt }) => failure === undefined && lastReadAt === undefined).length
  return [...(failing === 0 ? [] : [`${failing} failing`]), ...(unread === 0 ? [] : [`${unread} not read yet`])].join(', ')
}

function streamBlock({ id, counts, lagMs, lastReadAt, detail }: StreamRow, now: Instant) {
  return {
    cells: {
      stream: id,
      lag: durationText(lagMs),
      lastRead: orDash(lastReadAt, (at) => `${durationText(now - at)} ago`),
      thisStart: numberText(counts.thisStart.delivered),
      allTime: numberText(counts.allTime.delivered),
      filtered: numberText(counts.allTime.filtered),
      requests: numberText(counts.allTime.requests),
    },
    detail,
  }
}
