import { type Tone, traitsOfShown } from '../domain/status/shown-state.ts'
import {
  countStates,
  numberText,
  reasonMax,
  remark,
  type StatusColumn,
  type StatusRow,
  statusCells,
  statusColumns,
  worse,
} from '../domain/status/status-row.ts'
import { cutText } from '../domain/text.ts'
import { type Instant, minuteText } from '../domain/time.ts'
import { fitting, type Html, html, json } from './html.ts'
import type { StatusQuestion, Theme } from './question.ts'

/** The table of all connectors as HTML for a CloudWatch custom widget: no script, no link, nothing loaded from another place. */

/** The surroundings of the page. */
export interface Frame {
  readonly theme: Theme
  /** The function that the buttons call: the widget's own. */
  readonly functionArn: string
}

/** Size of all rows in the JSON that the function returns (bytes). With the markup around them the response stays below 200 KB. */
const rowsMax = 180_000

/** The page that shows the rows that the question asks for, out of `all`. */
export function statusPage(all: readonly StatusRow[], question: StatusQuestion, frame: Frame, now: Instant): string {
  if (all.length === 0) return page(frame, noConnectors())
  const ask = (more: Partial<StatusQuestion>, title: string) => button(frame, { ...question, from: 1, ...more }, title)
  const ofTenant = all.filter(({ tenantName }) => tenantName.toLowerCase().includes(question.tenant.toLowerCase()))
  const found = ofTenant.filter(({ state }) => question.state.length === 0 || question.state.includes(state)).sort(worse)
  const from = Math.min(question.from, Math.max(1, found.length))
  const rows = fitting(
    found.slice(from - 1, from - 1 + question.limit).map((row) => rowOf(row, now)),
    rowsMax,
  )
  const to = from - 1 + rows.length
  const counts = countStates(ofTenant).map(({ state, count }) =>
    ask({ state: [state] }, `${numberText(count)} ${traitsOfShown(state).title}`),
  )
  const shown =
    found.length === 0
      ? html`No connector matches; there are ${numberText(all.length)} in all.`
      : html`Rows ${numberText(from)} to ${numberText(to)} of ${numberText(found.length)}${found.length < all.length ? html`; ${numberText(all.length)} connectors in all` : ''}.`
  return page(
    frame,
    html`<p class="tb-bar">${counts}${ask({ state: [], tenant: '' }, `all ${numberText(all.length)}`)}</p>
<p>${selection(question)}${shown} As of ${minuteText(now)} UTC.</p>
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
    ...(state.length === 0 ? [] : [`State ${state.map((one) => traitsOfShown(one).title).join(' or ')}.`]),
    ...(tenant === '' ? [] : [`Tenant like “${tenant}”.`]),
  ]
  return parts.length === 0 ? '' : html`${parts.join(' ')} `
}

const columns = Object.keys(statusColumns) as readonly StatusColumn[]

function table(rows: readonly Html[]): Html {
  const headings = columns.map((column) => html`<th title="${statusColumns[column].doc}">${statusColumns[column].title}</th>`)
  return html`<table><thead><tr>${headings}<th title="">problem, and what to do</th></tr></thead><tbody>
${rows}</tbody></table>`
}

function rowOf(row: StatusRow, now: Instant): Html {
  const cells = statusCells(row, now)
  const tone = html` class="tb-${traitsOfShown(row.state).tone}"`
  return html`<tr>${columns.map((column) => html`<td${column === 'state' ? tone : ''}>${cells[column]}</td>`)}<td>${remark(row)}</td></tr>
`
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
