import type { ListAnswer, OverviewRow } from '../../domain/operate/answers.ts'
import { type ShownState, shownStates, traitsOfShown } from '../../domain/status/shown-state.ts'
import { countStates, numberText, orDash, remark } from '../../domain/status/status-row.ts'
import { durationText, type Instant, minuteText } from '../../domain/time.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { fitting, type Html, html } from '../html.ts'
import { dayBars } from './bars.ts'
import { button, type Call, type Frame, submit } from './frame.ts'

/** The connectors that the overview shows, and from which row on. */
export interface OverviewQuestion {
  /** A part of an id, a name or a tenant; empty: all. */
  readonly find: string
  /** Empty: in any state. */
  readonly state: ShownState | ''
  readonly from: number
}

/** Rows on one page (count). */
const rowsMax = 50
/** Their size (bytes). With the markup around them a page stays below 180 KB. */
const rowsBytesMax = 165_000

/** The overview of all connectors: the worst first, found by name, tenant and state. */
export function overview({ rows, total, asOf }: ListAnswer, question: OverviewQuestion, vendors: readonly Vendor[], frame: Frame): Html {
  const create = button(frame, { view: 'create' }, 'Create')
  const cards = html`<p class="tb-bar">${button(frame, { view: 'events' }, 'Events')} About ${vendors.map(({ type, title }) => button(frame, { view: 'vendor', type }, title))}</p>`
  if (total === 0) return html`<h2>Connectors</h2><p>There is no connector yet.</p><p class="tb-bar">${create}</p>${cards}`
  const { find, state, from } = question
  const shown = fitting(
    rows.slice(from - 1, from - 1 + rowsMax).map((row) => rowOf(row, frame, asOf)),
    rowsBytesMax,
  )
  const to = from - 1 + shown.length
  const call = (more: Partial<OverviewQuestion>): Call => ({ view: 'overview', find, state, from: 1, ...more })
  const counts = countStates(rows).map(({ state: each, count }) =>
    button(frame, call({ state: each }), `${numberText(count)} ${traitsOfShown(each).title}`),
  )
  return html`<h2>Connectors</h2><p class="tb-bar">${create}</p>
<form class="tb-bar"><label>Find <input name="find" value="${find}" placeholder="name or tenant"></label>
<label>State <select name="state"><option value="">any</option>${shownStates.map((each) => html`<option value="${each}"${each === state ? html` selected` : ''}>${traitsOfShown(each).title}</option>`)}</select></label>
${submit(frame, call({}), 'Show')}${find === '' && state === '' ? '' : button(frame, call({ find: '', state: '' }), 'Show all')}</form>
<p class="tb-bar">${counts}</p>
<p>${shown.length === 0 ? html`No connector matches; there are ${numberText(total)}.` : html`Rows ${numberText(from)} to ${numberText(to)} of ${numberText(rows.length)}, the worst first.`} As of ${minuteText(asOf)} UTC.</p>
${shown.length === 0 ? '' : table(shown)}
<p class="tb-bar">${from > 1 ? button(frame, call({ from: Math.max(1, from - rowsMax) }), 'Previous') : ''}${to < rows.length ? button(frame, call({ from: to + 1 }), 'Next') : ''}${button(frame, call({ from }), 'Refresh')}</p>
${cards}`
}

const headings: readonly (readonly [title: string, isNumber?: true])[] = [
  ['Connector'],
  ['Tenant'],
  ['Status'],
  ['Actions'],
  ['Remarks'],
  ['Last activity', true],
  ['Lag', true],
  ['Events, 7 days'],
  ['Type'],
  ['Category'],
  ['Content types'],
  ['Interval', true],
  ['Runs on'],
]

function table(rows: readonly Html[]): Html {
  return html`<div class="tb-scroll" role="region" aria-label="Table" tabindex="0"><table><thead><tr>${headings.map(([title, isNumber]) => html`<th scope="col"${isNumber ? html` class="tb-number"` : ''}>${title}</th>`)}</tr></thead><tbody>
${rows}</tbody></table></div>`
}

function rowOf(row: OverviewRow, frame: Frame, now: Instant): Html {
  const { title, tone } = traitsOfShown(row.state)
  return html`<tr><td class="tb-name">${button(frame, { view: 'details', connectorId: row.connectorId }, row.connectorId, 'link')}${row.name === undefined ? '' : html`<span class="tb-doc">${row.name}</span>`}</td>
<td class="tb-name">${row.tenantName}</td><td class="tb-state tb-${tone}">${title}</td>
<td class="tb-time">${row.state === 'retired' ? '' : button(frame, { view: 'review', action: 'test', connectorId: row.connectorId }, 'Test')}${button(frame, { view: 'details', connectorId: row.connectorId }, 'Details')}</td><td class="tb-remark">${remark(row)}</td>
<td class="tb-number">${orDash(row.lastSuccessAt, (at) => `${durationText(now - at)} ago`)}</td><td class="tb-number">${orDash(row.lagMs, durationText)}</td>
<td>${dayBars(row.deliveredByDay)}</td><td>${row.type ?? '–'}</td><td>${row.category ?? '–'}</td><td>${(row.contentTypes ?? []).join(', ')}</td>
<td class="tb-number">${orDash(row.intervalMinutes, (minutes) => `${minutes} min`)}</td><td>${frame.runsOn}</td></tr>
`
}
