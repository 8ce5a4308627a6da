import { type ConnectorState, connectorStates, type Tone, traitsOfState } from '../domain/status/connector-state.ts'
import { type ConnectorStatus, formatRefusedEdit } from '../domain/status/status.ts'
import { cutText } from '../domain/text.ts'
import { day, durationText, type Instant, iso } from '../domain/time.ts'
import { type Html, html, json } from './html.ts'
import type { StatusQuestion, Theme } from './question.ts'

/** The table of all connectors as HTML for a CloudWatch custom widget: no script, no link, nothing loaded from another place. */

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
  readonly streamsBehind?: number
  readonly lostRanges?: number
}

/** The surroundings of the page. */
export interface Frame {
  readonly theme: Theme
  /** The function that the buttons call: the widget's own. */
  readonly functionArn: string
}

const rank = Object.fromEntries(connectorStates.map((state, i) => [state, i])) as Readonly<Record<ConnectorState, number>>

/** The longest text in a cell (characters). */
const nameMax = 64
const reasonMax = 600
/** Size of all rows in the JSON that the function returns (bytes). With the markup around them the response stays below 200 KB. */
const rowsMax = 180_000

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
    ...(streamsBehind === undefined ? {} : { streamsBehind }),
    ...(lostRanges === undefined ? {} : { lostRanges }),
  }
}

/** The page that shows the rows that the question asks for, out of `all`. */
export function statusPage(all: readonly StatusRow[], question: StatusQuestion, frame: Frame, now: Instant): string {
  if (all.length === 0) return page(frame, noConnectors())
  const ask = (more: Partial<StatusQuestion>, title: string) => button(frame, { ...question, from: 1, ...more }, title)
  const ofTenant = all.filter(({ tenantName }) => tenantName.toLowerCase().includes(question.tenant.toLowerCase()))
  const found = ofTenant.filter(({ state }) => question.state.length === 0 || question.state.includes(state)).sort(worse)
  const from = Math.min(question.from, Math.max(1, found.length))
  const rows = fitting(found.slice(from - 1, from - 1 + question.limit).map((row) => rowOf(row, now)))
  const to = from - 1 + rows.length
  const counts = connectorStates.flatMap((state) => {
    const count = ofTenant.filter((row) => row.state === state).length
    return count === 0 ? [] : [ask({ state: [state] }, `${number(count)} ${traitsOfState(state).title}`)]
  })
  const shown =
    found.length === 0
      ? html`No connector matches; there are ${number(all.length)} in all.`
      : html`Rows ${number(from)} to ${number(to)} of ${number(found.length)}${found.length < all.length ? html`; ${number(all.length)} connectors in all` : ''}.`
  return page(
    frame,
    html`<p class="tb-bar">${counts}${ask({ state: [], tenant: '' }, `all ${number(all.length)}`)}</p>
<p>${selection(question)}${shown} As of ${timeText(now)} UTC.</p>
${found.length === 0 ? '' : table(rows)}
<p class="tb-bar">${from > 1 ? ask({ from: Math.max(1, from - question.limit) }, 'Previous') : ''}${to < found.length ? ask({ from: to + 1 }, 'Next') : ''}</p>`,
  )
}

/** A page without a table: a title, and sentences that say what failed and what to do. */
export function messagePage(theme: Theme, title: string, sentences: readonly string[]): string {
  return page({ theme }, html`<p><b>${title}</b></p>${sentences.map((sentence) => html`<p>${cutText(sentence, 2 * reasonMax)}</p>`)}`)
}

function noConnectors(): Html {
  return html`<p><b>There is no connector yet.</b></p>
<p>Store the vendor's API key in Secrets Manager under a name that begins with SecretPrefix. Then put an item into the table ConnectorsTableName. Both names are outputs of the stack:</p>
<pre>aws dynamodb put-item --table-name ConnectorsTableName --item file://connector.json</pre>
<p>Within a minute this table shows the connector as accepted or refused.</p>`
}

/** The sentences that name the chosen states and tenant. */
function selection({ state, tenant }: StatusQuestion): Html | string {
  const parts = [
    ...(state.length === 0 ? [] : [`State ${state.map((one) => traitsOfState(one).title).join(' or ')}.`]),
    ...(tenant === '' ? [] : [`Tenant like “${tenant}”.`]),
  ]
  return parts.length === 0 ? '' : html`${parts.join(' ')} `
}

function worse(a: StatusRow, b: StatusRow): number {
  const byState = rank[a.state] - rank[b.state]
  const none = Number.MAX_SAFE_INTEGER
  const byRetention = traitsOfState(a.state).isUrgent ? (a.retentionLeftMs ?? none) - (b.retentionLeftMs ?? none) : 0
  return byState || byRetention || (a.connectorId < b.connectorId ? -1 : 1)
}

/** The rows that fit into the response. */
function fitting(rows: readonly Html[]): readonly Html[] {
  const encoder = new TextEncoder()
  let bytes = 0
  const over = rows.findIndex((row) => {
    bytes += encoder.encode(JSON.stringify(row.text)).length
    return bytes > rowsMax
  })
  return over === -1 ? rows : rows.slice(0, over)
}

const columns = [
  ['connector', ''],
  ['tenant', ''],
  ['state', ''],
  ['since (UTC)', ''],
  ['lag', 'Time since the instant up to which all events are proven read.'],
  ['to retention limit', 'Time until the vendor deletes the first unread event.'],
  ['last read', 'Time since a page was last read.'],
  ['today', 'Events delivered today (UTC).'],
  ['7 days', 'Events delivered today and on the six days before (UTC).'],
  ['behind', 'Streams with final events that are not read or not proven complete.'],
  ['lost', 'Ranges of events that are lost for good and still on record.'],
  ['problem, and what to do', ''],
] as const

function table(rows: readonly Html[]): Html {
  return html`<table><thead><tr>${columns.map(([name, doc]) => html`<th title="${doc}">${name}</th>`)}</tr></thead><tbody>
${rows}</tbody></table>`
}

function rowOf(row: StatusRow, now: Instant): Html {
  const { title, tone } = traitsOfState(row.state)
  const lost = row.retentionLeftMs !== undefined && row.retentionLeftMs <= 0
  return html`<tr><td>${row.connectorId}</td><td>${row.tenantName}</td><td class="tb-${tone}">${title}</td><td>${timeText(row.since)}</td><td>${duration(row.lagMs)}</td><td>${lost ? 'passed' : duration(row.retentionLeftMs)}</td><td>${row.lastSuccessAt === undefined ? '–' : `${durationText(now - row.lastSuccessAt)} ago`}</td><td>${number(row.deliveredToday)}</td><td>${number(row.deliveredWeek)}</td><td>${count(row.streamsBehind)}</td><td>${count(row.lostRanges)}</td><td>${row.reason}</td></tr>
`
}

function duration(ms: number | undefined): string {
  return ms === undefined ? '–' : durationText(ms)
}

function count(value: number | undefined): string {
  return value === undefined ? '–' : number(value)
}

/** `12,345`. */
function number(value: number): string {
  return value.toLocaleString('en-US')
}

/** `2026-11-24 20:35`, UTC. */
function timeText(at: Instant): string {
  return iso(at).slice(0, 16).replace('T', ' ')
}

/** A button that calls the widget's own function. The new page replaces this one. */
function button({ functionArn }: Frame, question: StatusQuestion, title: string): Html {
  return html`<a class="btn">${title}</a><cwdb-action action="call" display="widget" endpoint="${functionArn}">${json(question)}</cwdb-action>`
}

const colours: Readonly<Record<Theme, Readonly<Record<'text' | 'line' | Tone, string>>>> = {
  light: { text: '#16191f', line: '#d5dbdb', bad: '#c7162b', warn: '#8d6605', good: '#1d7a35', quiet: '#5f6b7a' },
  dark: { text: '#d5dbdb', line: '#414d5c', bad: '#ff7a7a', warn: '#f0b429', good: '#5fd07f', quiet: '#95a5b8' },
}

function page({ theme }: { readonly theme: Theme }, body: Html): string {
  const { text, line, bad, warn, good, quiet } = colours[theme]
  return html`<style>
.tb { color: ${text}; font-size: 13px; line-height: 1.4 }
.tb p { margin: 0 0 8px }
.tb-bar { display: flex; flex-wrap: wrap; gap: 6px }
.tb .btn { color: ${text}; background: none; border: 1px solid ${line}; border-radius: 4px; padding: 1px 8px; cursor: pointer; font-size: 12px }
.tb table { border-collapse: collapse; width: 100%; margin: 0 0 8px; background: none; font-size: 13px; line-height: 1.4 }
.tb th, .tb td { border: 0; border-bottom: 1px solid ${line}; background: none; color: ${text}; padding: 4px 14px 4px 0; text-align: left; vertical-align: top; white-space: nowrap }
.tb th { font-weight: 600; color: ${quiet} }
.tb td:nth-child(n+5):nth-child(-n+11), .tb th:nth-child(n+5):nth-child(-n+11) { text-align: right; font-variant-numeric: tabular-nums }
.tb td:nth-child(-n+2) { white-space: normal; overflow-wrap: anywhere; min-width: 110px }
.tb td:last-child { white-space: normal; overflow-wrap: anywhere; min-width: 260px }
.tb td[class]::before { content: '● ' }
.tb td.tb-bad { color: ${bad}; font-weight: 600 }
.tb td.tb-warn { color: ${warn}; font-weight: 600 }
.tb td.tb-good { color: ${good} }
.tb td.tb-quiet { color: ${quiet} }
</style><div class="tb">${body}</div>`.text
}
