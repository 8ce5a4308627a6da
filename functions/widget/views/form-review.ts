import type { Connector } from '../../domain/connector/connector.ts'
import { budgetOf } from '../../domain/operate/test/budget.ts'
import { cutText } from '../../domain/text.ts'
import { durationText, minute } from '../../domain/time.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { textOf } from '../form/draft.ts'
import { type Field, lockedOnEdit } from '../form/fields.ts'
import type { FormState } from '../form/form-state.ts'
import { type Html, html } from '../html.ts'
import { callOf, cancel } from './form.ts'
import { button, type Frame } from './frame.ts'

/** The last step of Create and Edit: everything that will be stored, before it is. */

export interface ReviewState extends FormState {
  /** Each is good for exactly these values: to store them, and to test them before. */
  readonly tickets: { readonly store: string; readonly test?: string }
  /** The connector that the values make, with all defaults. */
  readonly connector: Connector
}

/** A value is cut to this (characters). */
const valueMax = 400

export function formReview(state: ReviewState, frame: Frame): Html {
  const { mode, connectorId, notice, item, tickets, connector, vendor } = state
  const here = { ...callOf(state, 'review'), left: 'review' }
  const title = mode === 'create' ? `Create ${connectorId}?` : `Edit ${connectorId}?`
  const isChanged = mode === 'create' || state.fields.some(({ attribute: { name } }) => name in state.draft)
  return html`<p class="tb-bar">${cancel(state, frame)}</p><h2>${title}</h2><p>Step 3 of 3: Review.</p>
${notice === undefined ? '' : html`<p role="alert" class="tb-warn">${notice}</p>`}
${item['managedBy'] === 'file' ? html`<p class="tb-warn">A file of connectors owns this item: its next apply writes over your changes.</p>` : ''}
${mode === 'create' ? created(state, connector) : changes(state)}
<p>${budgetWords(connector, vendor)}</p>
${mode === 'create' ? html`<p>${backfillWords(connector, vendor)}</p><p>The id, the type, the name and the tenant cannot change later.</p>` : ''}
${connector.disableTlsVerification ? html`<p class="tb-warn">Any certificate is accepted. Whoever is between this deployment and the vendor can read the API key and change the events. A CA of your own (tlsCaPem) is the better way.</p>` : ''}
<p class="tb-bar">${button(frame, { ...here, step: 'configuration' }, 'Back')}${isChanged ? button(frame, { ...here, act: 'store', ticket: tickets.store }, 'Submit') : html`<span>Nothing differs.</span>`}${tickets.test === undefined ? '' : button(frame, { ...here, act: 'test', ticket: tickets.test }, 'Test before')}</p>
<p class="tb-doc">After Submit it is tested, and its first run begins, both at once.</p>`
}

function created({ fields, vendor, connectorId }: FormState, connector: Connector): Html {
  const values = connector as unknown as Readonly<Record<string, unknown>>
  const rows = fields.map((field): readonly [string, string] => [field.title, shown(values[field.attribute.name], field)])
  return definitions([['Id', connectorId], ['Type', vendor.title], ...rows.filter(([, text]) => text !== '')])
}

/** The values that change: the stored one, and the new one. */
function changes({ fields, draft, item }: FormState): Html {
  const rows = fields.flatMap((field): readonly (readonly [string, string])[] => {
    const { name } = field.attribute
    const text = draft[name]
    if (text === undefined || lockedOnEdit.includes(name)) return []
    const before = textOf(item, field.attribute)
    const named = (value: string) => (value === '' ? 'nothing' : cutText(value, valueMax))
    return [[field.title, `${named(before)} → ${named(text)}`]]
  })
  return definitions(rows)
}

function definitions(rows: readonly (readonly [string, string])[]): Html {
  return html`<dl>${rows.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>`
}

function shown(value: unknown, { choices = [] }: Field): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return ''
  const titleOf = (one: unknown) => choices.find((choice) => choice.value === one)?.title ?? secretText(one)
  const text = Array.isArray(value) ? value.map(titleOf).join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return cutText(text, valueMax)
}

function secretText(one: unknown): string {
  if (typeof one !== 'object' || one === null || !('secretName' in one)) return typeof one === 'string' ? one : JSON.stringify(one)
  return 'jsonKey' in one ? `${one.secretName}#${one.jsonKey}` : String(one.secretName)
}

/** The requests that a connector asks of its keys, and the age of its events. */
function budgetWords(connector: Connector, vendor: Vendor): string {
  const { connectorId, intervalMinutes, requestsPerMinute, rateGroup, apiKeySecrets } = connector
  const keys = rateGroup === undefined ? apiKeySecrets.length : 1
  const { perMinute, limit, ageMs, fits } = budgetOf(
    { connectorId, streams: vendor.streams(connector).length, intervalMinutes, keys },
    requestsPerMinute,
    [],
  )
  const asked = `It asks for ${rounded(perMinute)} requests a minute, of the ${limit} that ${keys === 1 ? 'its key has' : `its ${keys} keys have`}; other users of ${keys === 1 ? 'the key' : 'the keys'} take from the same.`
  const age = `An event is at most about ${durationText(ageMs)} old when the lake has it.`
  return fits
    ? `${asked} ${age}`
    : `${asked} That is too many: events come later and later. Choose fewer streams, a longer interval, or more keys.`
}

/** The time that the first read takes at least. */
function backfillWords(connector: Connector, vendor: Vendor): string {
  const { initialBackfillMinutes, requestsPerMinute, apiKeySecrets, rateGroup } = connector
  const streams = vendor.streams(connector).length
  const perMinute = requestsPerMinute * (rateGroup === undefined ? apiKeySecrets.length : 1)
  const leastMs = (streams / perMinute) * minute
  const rate = (perMinute * vendor.pageItemsMax).toLocaleString('en-US')
  return `The first read goes back ${durationText(initialBackfillMinutes * minute)}: ${streams} ${streams === 1 ? 'request' : 'requests'} at least, ${durationText(leastMs)}. A large backlog takes a minute for each ${rate} events.`
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
