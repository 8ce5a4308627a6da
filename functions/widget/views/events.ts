import { type EventSearch, eventColumns, eventsShown } from '../../domain/operate/event-search.ts'
import { cardOf } from '../../domain/operate/vendor-card.ts'
import { cutText } from '../../domain/text.ts'
import { type Instant, iso } from '../../domain/time.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { type Html, html, lines } from '../html.ts'
import { button, type Frame, submit } from './frame.ts'

/** Rows of the lake, as JSON values. */
export type Row = Readonly<Record<string, unknown>>

/** A cell is cut to this (characters). */
const cellMax = 120
/** A record is cut to this (characters). */
const recordMax = 60_000

/** The form of a search, its query to copy and, where the lake is at hand, the events. `rows`: undefined if nothing can be searched here. */
export function events(
  search: EventSearch,
  sql: string,
  found: { readonly rows: readonly Row[] } | { readonly failure: string } | undefined,
  vendors: readonly Vendor[],
  frame: Frame,
): Html {
  const services = [...new Set(vendors.flatMap(({ offer }) => offer.contentTypes))]
  const eventTypes = [...new Set(vendors.flatMap(({ offer }) => offer.eventTypes))]
  const labels = Object.fromEntries(vendors.flatMap((vendor) => Object.entries(vendor.labels)))
  const choice = (name: string, chosen: string, values: readonly string[]) =>
    html`<select name="${name}"><option value="">any</option>${values.map((value) => html`<option value="${value}"${value === chosen ? html` selected` : ''}>${labels[value] ?? value}</option>`)}</select>`
  return html`<p class="tb-bar">${button(frame, { view: 'overview' }, 'All connectors')}</p><h2>Events</h2>
<form class="tb-bar"><label>From (UTC) <input name="from" value="${minuteOf(search.from)}" placeholder="2026-11-24T12:00"></label>
<label>To (UTC) <input name="to" value="${minuteOf(search.to)}" placeholder="2026-11-24T13:00"></label>
<label>Tenant <input name="tenant" value="${search.tenant}"></label>
<label>Connector <input name="connectorId" value="${search.connectorId}"></label>
<label>Service ${choice('service', search.service, services)}</label>
<label>Event type ${choice('eventType', search.eventType, eventTypes)}</label>
<label>Text <input name="text" value="${search.text}"></label>
${submit(frame, { view: 'events' }, 'Search')}</form>
${found === undefined ? elsewhere(frame) : 'failure' in found ? html`<p>${found.failure}</p>` : table(found.rows, frame)}
<h3>Query</h3><pre>${lines(sql)}</pre>${locating(vendors, frame)}`
}

function table(rows: readonly Row[], frame: Frame): Html {
  if (rows.length === 0) return html`<p>No event matches. An event is here about a minute after it was collected.</p>`
  const count =
    rows.length < eventsShown
      ? `${rows.length} ${rows.length === 1 ? 'event' : 'events'}, the newest first.`
      : `The newest ${eventsShown} events. Narrow the search to see others.`
  return html`<p>${count}</p>
<div class="tb-scroll" role="region" aria-label="Events" tabindex="0"><table><thead><tr>${eventColumns.map((column) => html`<th scope="col">${column.replace('_', ' ')}</th>`)}</tr></thead><tbody>
${rows.map((row) => html`<tr>${eventColumns.map((column) => html`<td class="${column === 'timestamp' ? 'tb-time' : 'tb-name'}">${cell(row, column, frame)}</td>`)}</tr>`)}</tbody></table></div>`
}

/** The time of an event leads to its record. */
function cell(row: Row, column: string, frame: Frame): Html | string {
  const value = row[column]
  if (column === 'timestamp')
    return button(frame, { view: 'event', id: String(row['id']) }, iso(Number(value)).replace('T', ' ').slice(0, 19), 'link')
  return value === null || value === undefined ? '–' : cutText(String(value), cellMax)
}

function elsewhere({ queryEditor }: Frame): Html {
  const editor =
    queryEditor === undefined ? 'Athena' : html`<a href="${queryEditor}" target="_blank" rel="noreferrer">the editor of Athena</a>`
  return html`<p>Copy the query below into ${editor}, and choose the workgroup and the database of the stack.</p>`
}

/** The columns that find the events of each content type. */
function locating(vendors: readonly Vendor[], { runsOn }: Frame): Html {
  const rows = vendors.flatMap((vendor) => cardOf(vendor, runsOn).collected)
  return html`<h3>Locating records</h3><dl>${rows.map(
    (row) =>
      html`<dt>${row.label}</dt><dd>${Object.entries(row.locating)
        .map(([column, value]) => `${column}: ${value}`)
        .join('; ')}</dd>`,
  )}</dl>`
}

/** One record of the lake as JSON. */
export function event(record: Row | undefined, frame: Frame): Html {
  const back = html`<p class="tb-bar">${button(frame, { view: 'events' }, 'Events')}</p><h2>Event</h2>`
  if (record === undefined) return html`${back}<p>There is no such event in the lake.</p>`
  return html`${back}<pre>${lines(cutText(JSON.stringify(record, null, 2), recordMax))}</pre>`
}

/** `2026-11-24T12:00`. */
function minuteOf(at: Instant): string {
  return iso(at).slice(0, 16)
}
