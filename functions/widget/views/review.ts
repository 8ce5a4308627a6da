import type { Refusal } from '../../domain/operate/operation.ts'
import type { Result } from '../../domain/result.ts'
import { iso } from '../../domain/time.ts'
import { type Html, html, lines } from '../html.ts'
import { button, type Call, type Frame, submit } from './frame.ts'

/** A change as the pages send it: the ticket stands in for its request id. */
export type PageChange = Readonly<Record<string, unknown>> & { readonly action: string }

/** The connector that a change is for: an item that is created names its own. */
export function connectorOf({ connectorId, item }: PageChange): string {
  const named = connectorId ?? (typeof item === 'object' && item !== null && 'connectorId' in item ? item.connectorId : undefined)
  return String(named ?? '')
}

/** The title of each change, and what a person should know before it is carried out. */
const meanings: Readonly<Record<string, { readonly title: string; readonly doc: string }>> = {
  pause: {
    title: 'Pause',
    doc: 'It is not collected until somebody resumes it. Events that the vendor no longer keeps by then are lost.',
  },
  resume: { title: 'Resume', doc: 'It is collected again, with the events of the pause as far as the vendor still keeps them.' },
  collect: { title: 'Collect now', doc: 'A run begins within a minute, and reads every stream up to now.' },
  delete: {
    title: 'Delete',
    doc: 'Its item is deleted, and nothing more is collected. Its records stay in the lake, its secrets where they are, and its state for 4 days: created again by then, it goes on where it stopped.',
  },
  reread: { title: 'Reread', doc: 'The time is read again. What it finds is in the lake once, unless all of it is sent again.' },
  test: {
    title: 'Test',
    doc: 'Seven steps: the item, its secrets, the address, each key, each content type and event type, the lake, and the room that the key has. It asks the vendor within the limit of the key, once for each content type and event type, and the lake gets one line that no view shows. It may take some minutes, and changes nothing of the connector; a Test that passes clears a failed status.',
  },
  dismiss: { title: 'Dismiss', doc: 'The result of the last Test is taken away. The history keeps that it was made.' },
  acknowledge: { title: 'Acknowledge', doc: 'The loss stays on record, with your note. A later loss is told again.' },
}

/** Asks before a change. The ticket is in the button that carries the change out, and nowhere else. `more`: a sentence about this connector. */
export function review(change: PageChange, ticket: string, more: string, frame: Frame): Html {
  const { action } = change
  const connectorId = connectorOf(change)
  const { title = action, doc = '' } = meanings[action] ?? {}
  const values = Object.entries(change).filter(([name]) => !['action', 'connectorId', 'requestId', 'version'].includes(name))
  return html`${backTo(connectorId, frame)}<h2>${title}${action === 'dismiss' ? ' the Test of' : ''} ${connectorId}?</h2><p>${doc}</p>${more === '' ? '' : html`<p>${more}</p>`}
${values.length === 0 ? '' : html`<dl>${values.map(([name, value]) => html`<dt>${name}</dt><dd>${valueText(value)}</dd>`)}</dl>`}
<p class="tb-bar">${button(frame, { view: 'submit', ticket, change }, title)}${button(frame, { view: 'details', connectorId }, 'Cancel')}</p>`
}

function valueText(value: unknown): string {
  if (typeof value === 'number' && value > 1e12) return `${iso(value).replace('T', ' ').slice(0, 19)} UTC`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The outcome of a change. `back`: the form that it was made with, so that nothing typed is lost. */
export function submitted(
  connectorId: string,
  result: Result<{ readonly message: string }, Refusal>,
  back: Call | undefined,
  frame: Frame,
): Html {
  const text = result.ok ? result.value.message : result.failure.message
  const problems = result.ok ? [] : (result.failure.problems ?? [])
  return html`${backTo(connectorId, frame)}<h2>${result.ok ? 'Done' : 'Not done'}</h2><p role="status">${text}</p>
${problems.map(({ path, message }) => html`<p>${path}: ${message}</p>`)}
${back === undefined || result.ok ? '' : html`<p class="tb-bar">${button(frame, back, 'Back to the form')}</p>`}`
}

/** The form of a re-read. `streams`: those of the connector. */
export function rereadForm(connectorId: string, streams: readonly string[], from: number, to: number, frame: Frame): Html {
  const minuteOf = (at: number) => iso(at).slice(0, 16)
  return html`${backTo(connectorId, frame)}<h2>Reread ${connectorId}</h2><p>Choose a time that the vendor still keeps. What the lake has is left out, unless you send it again.</p>
<form class="tb-bar"><label>From (UTC) <input name="from" value="${minuteOf(from)}"></label><label>To (UTC) <input name="to" value="${minuteOf(to)}"></label>
<label>Stream <select name="stream"><option value="">all</option>${streams.map((stream) => html`<option value="${stream}">${stream}</option>`)}</select></label>
<label>Events that the lake has <select name="redeliver"><option value="">leave out</option><option value="yes">send again</option></select></label>
${submit(frame, { view: 'review', action: 'reread', connectorId }, 'Review')}</form>`
}

/** The form of an acknowledgement. */
export function acknowledgeForm(connectorId: string, loss: string, frame: Frame): Html {
  return html`${backTo(connectorId, frame)}<h2>Acknowledge the loss of ${connectorId}</h2><pre>${lines(loss)}</pre>
<form class="tb-bar"><label>Note <input name="note" size="60"></label>${submit(frame, { view: 'review', action: 'acknowledge', connectorId }, 'Review')}</form>`
}

function backTo(connectorId: string, frame: Frame): Html {
  return html`<p class="tb-bar">${button(frame, { view: 'overview' }, 'All connectors')}${button(frame, { view: 'details', connectorId }, connectorId)}</p>`
}
