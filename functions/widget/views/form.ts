import type { Problem } from '../../domain/connector/problems.ts'
import { textOf, ticked } from '../form/draft.ts'
import { boxName, chosenIn, type Field, fieldName, lockedOnEdit } from '../form/fields.ts'
import type { FormState } from '../form/form-state.ts'
import { exact, type Html, html, lines } from '../html.ts'
import { button, type Call, type Frame, submit } from './frame.ts'

/** The steps of Create and Edit in which values are given. */

/** A field of these has several lines. */
const longTexts: readonly string[] = ['tlsCaPem', 'logFilters']
const examples: Readonly<Record<string, string>> = {
  logFilters: '[{"name":"passed-mail","action":"exclude","conditions":[{"field":"action","operator":"equals","values":["Pass"]}]}]',
}

export function form(state: FormState, frame: Frame): Html {
  const { step, mode, connectorId, notice, item, problems } = state
  const title = mode === 'create' ? 'Create a connector' : `Edit ${connectorId}`
  const shownNames = fieldsOn(state).map(({ attribute }) => attribute.name)
  const isPlaced = (problem: Problem) => shownNames.includes(rootOf(problem)) || (mode === 'create' && isOfIdentity(problem))
  const unplaced = problems.filter((problem) => !isPlaced(problem))
  return html`<p class="tb-bar">${cancel(state, frame)}</p><h2>${title}</h2>
<p>Step ${step === 'general' ? 1 : 2} of 3: ${step === 'general' ? 'General' : 'Configuration'}. A star (*) marks a field that must be filled in.</p>
${notice === undefined ? '' : html`<p role="alert" class="tb-warn">${notice}</p>`}
${item['managedBy'] === 'file' ? html`<p class="tb-warn">A file of connectors owns this item: its next apply writes over your changes. Change the file as well.</p>` : ''}
${problems.length === 0 ? '' : html`<p role="alert" class="tb-bad">${problems.length === 1 ? 'One value is' : `${problems.length} values are`} not right. Correct them, and go on.</p>`}
${unplaced.map(({ path, message }) => html`<p class="tb-bad">${path}: ${message}</p>`)}
<form class="tb-form">${step === 'general' ? general(state, frame) : configuration(state, frame)}
<p class="tb-bar">${step === 'configuration' ? submit(frame, callOf(state, 'general'), 'Back') : ''}${submit(frame, callOf(state, step === 'general' ? 'configuration' : 'review'), 'Next')}</p></form>`
}

/** The call of the form at another step, with all that was given so far. */
export function callOf({ mode, connectorId, version, draft, step: left }: FormState, step: FormState['step']): Call {
  return {
    view: mode,
    ...(mode === 'edit' ? { connectorId, ...(version === undefined ? {} : { version }) } : {}),
    step,
    left,
    values: draft,
  }
}

export function cancel({ mode, connectorId }: FormState, frame: Frame): Html {
  return mode === 'edit' ? button(frame, { view: 'details', connectorId }, 'Cancel') : button(frame, { view: 'overview' }, 'Cancel')
}

function general(state: FormState, { runsOn }: Frame): Html {
  return html`${state.mode === 'create' ? identity(state) : lockedIdentity(state)}
${control('runsOn', 'Runs on', html`<span>${runsOn}</span>`)}
${fieldsOn(state).map((field) => fieldOf(field, state))}`
}

function identity({ vendor, vendors, draft, tenants, problems }: FormState): Html {
  const types = vendors.map(
    ({ type, title }) => html`<option value="${type}"${type === vendor.type ? html` selected` : ''}>${title}</option>`,
  )
  const known = tenants.map(
    ({ tenant, name }) =>
      html`<option value="${tenant}"${tenant === draft['tenant'] ? html` selected` : ''}>${name === tenant ? tenant : `${tenant} (${name})`}</option>`,
  )
  const ofId = problems.filter(isOfIdentity).map(({ message }) => message)
  return html`${control('category', 'Category', html`<span>${vendor.category}</span>`)}
${control('type', 'Type *', html`<select id="tb-type" name="${fieldName('type')}">${types}</select>`)}
${control('function', 'Function', html`<span>Collect</span>`)}
${control('tenant', 'Tenant *', html`<select id="tb-tenant" name="${fieldName('tenant')}"><option value="">a new one</option>${known}</select>`, { doc: 'It is in every record, and cannot change later.' })}
${control('newTenant', 'New tenant', textInput('newTenant', draft['newTenant'] ?? '', 'acme'), { doc: '1 to 40 lower-case letters, digits or hyphens. It counts in place of the chosen one.' })}
${control('shortName', 'Name *', textInput('shortName', draft['shortName'] ?? '', 'cas'), { doc: 'Letters, digits, dots, hyphens or underscores, no other characters. The id of the connector is TENANT.NAME, at most 64 characters, and cannot change later. By convention it is the kind of connector.', problems: ofId })}`
}

function lockedIdentity({ connectorId, vendor, item }: FormState): Html {
  const parts: readonly (readonly [string, string])[] = [
    ['Category', vendor.category],
    ['Type', vendor.title],
    ['Function', 'Collect'],
    ['Id', connectorId],
    ['Name for people', String(item['name'] ?? '')],
    ['Tenant’s name for people', String(item['tenantName'] ?? '')],
  ]
  return html`<dl>${parts.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>
<p>These cannot change: the records in the lake and the state of the connector are found by them. Create another connector if you need other ones.</p>`
}

function configuration(state: FormState, { hint }: Frame): Html {
  const fields = fieldsOn(state)
  const advanced = fields.filter(({ isAdvanced }) => isAdvanced)
  const isOpen = advanced.some(({ attribute: { name } }) => state.field === name || hasProblem(state, name) || name in state.draft)
  return html`${hint === undefined || state.mode === 'edit' ? '' : html`<p class="tb-doc">${hint}</p>`}${fields.filter(({ isAdvanced }) => !isAdvanced).map((field) => fieldOf(field, state))}
<details${isOpen ? html` open` : ''}><summary>Advanced</summary>${advanced.map((field) => fieldOf(field, state))}</details>`
}

function fieldsOn({ fields, step, mode }: FormState): readonly Field[] {
  return fields.filter((field) => field.step === step && !(mode === 'edit' && lockedOnEdit.includes(field.attribute.name)))
}

function fieldOf(field: Field, state: FormState): Html {
  const { attribute } = field
  const { name, doc, required, default: byDefault } = attribute
  const isRequired = required && !lockedOnEdit.includes(name)
  const about = {
    doc: attribute.type !== 'number' || byDefault === undefined ? doc : `${doc} Default: ${byDefault}.`,
    problems: state.problems
      .filter((problem) => rootOf(problem) === name)
      .map(({ path, message }) => (path === name ? message : `${path}: ${message}`)),
    isMarked: state.field === name,
  }
  const title = `${field.title}${isRequired ? ' *' : ''}`
  if (field.choices !== undefined) return choices(field, title, about, state)
  return control(name, title, input(field, state), about)
}

function input({ attribute, suggestions }: Field, { item, draft }: FormState): Html {
  const { name, type } = attribute
  const text = draft[name] ?? textOf(item, attribute)
  if (type === 'boolean')
    return html`<input type="checkbox" id="tb-${name}" name="${fieldName(name)}" value="${ticked}"${text === ticked ? html` checked` : ''}>`
  if (suggestions !== undefined) return suggested(name, text, suggestions)
  if (longTexts.includes(name))
    return html`<textarea id="tb-${name}" name="${fieldName(name)}" rows="5" cols="60" placeholder="${examples[name] ?? ''}">
${exact(text)}</textarea>`
  return textInput(name, text, '')
}

/** A list to choose from, beside a field for a value that is not in it. */
function suggested(name: string, text: string, suggestions: Field['suggestions'] & object): Html {
  const isListed = suggestions.some(({ value }) => value === text)
  return html`<select name="${boxName(name)}" aria-label="Region"><option value="">another, typed below</option>${suggestions.map(({ value, title }) => html`<option value="${value}"${value === text ? html` selected` : ''}>${title}</option>`)}</select>
${textInput(name, isListed ? '' : text, 'https://…')}`
}

interface About {
  readonly doc?: string
  readonly problems?: readonly string[]
  readonly isMarked?: boolean
}

function control(name: string, title: string, inner: Html, about: About = {}): Html {
  return html`<div class="tb-field${about.isMarked === true ? ' tb-marked' : ''}"><label for="tb-${name}">${title}</label><div>${inner}${notes(about)}</div></div>
`
}

function notes({ doc, problems = [] }: About): Html {
  return html`${problems.map((problem) => html`<p class="tb-bad">${problem}</p>`)}${doc === undefined || doc === '' ? '' : html`<p class="tb-doc">${doc}</p>`}`
}

function choices({ attribute, choices: offered = [], isOpen }: Field, title: string, about: About, state: FormState): Html {
  const { name } = attribute
  const chosen = chosenIn(state.item, state.draft, attribute)
  const boxes = offered.map(
    ({ value, title: label }) =>
      html`<label class="tb-box"><input type="checkbox" name="${boxName(name, value)}" value="${ticked}"${chosen.includes(value) ? html` checked` : ''}> ${label}</label>`,
  )
  const typed =
    isOpen === true
      ? html`<label class="tb-box">Other names <input name="${boxName(name)}" size="40" placeholder="separated by commas"></label>`
      : ''
  return html`<fieldset class="tb-field${about.isMarked === true ? ' tb-marked' : ''}"><legend>${title}</legend><div>${boxes}${typed}${name === 'apiKeySecrets' ? newKey(state) : ''}${notes(about)}</div></fieldset>
`
}

/** A key is typed only where the values of a form stay on this machine. */
function newKey({ canStoreKeys, newSecret, vendor }: FormState): Html {
  const command = html`<pre>${lines(`npx --no tributary key set ${newSecret}`)}</pre>`
  const steps = html`<details><summary>Getting a key from the vendor</summary><ol>${vendor.card.apiKeySteps.map((text) => html`<li>${text}</li>`)}</ol></details>`
  if (!canStoreKeys)
    return html`<p>A key is never typed here. Store a new one with this command. Then press Back and Next to see it here:</p>${command}${steps}`
  return html`<p class="tb-bar"><label>New key <input type="password" name="${fieldName('newKey')}" autocomplete="off" size="40"></label>
<label>stored as <input name="${fieldName('newSecret')}" value="${newSecret}" size="30"></label></p><p class="tb-doc">The key is stored on this machine, in a file that only you can read, when you press Next or Back. It is never shown again.</p>${steps}`
}

function textInput(name: string, text: string, placeholder: string): Html {
  return html`<input id="tb-${name}" name="${fieldName(name)}" value="${exact(text)}" size="44" placeholder="${placeholder}">`
}

function hasProblem({ problems }: FormState, name: string): boolean {
  return problems.some((problem) => rootOf(problem) === name)
}

function isOfIdentity(problem: Problem): boolean {
  return rootOf(problem) === 'connectorId'
}

function rootOf({ path }: Problem): string {
  return /^[A-Za-z]*/.exec(path)?.[0] ?? ''
}
