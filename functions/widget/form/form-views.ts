import type { Connector } from '../../domain/connector/connector.ts'
import type { ConnectorAttribute } from '../../domain/connector/connector-schema.ts'
import type { Problem } from '../../domain/connector/problems.ts'
import { tenantOfId } from '../../domain/connector/tenant.ts'
import type { Refusal } from '../../domain/operate/operation.ts'
import type { Result } from '../../domain/result.ts'
import type { Vendor } from '../../domain/vendor.ts'
import type { FormCall } from '../call.ts'
import { type ChangePorts, submitView } from '../change-views.ts'
import type { Html } from '../html.ts'
import { form } from '../views/form.ts'
import { formReview } from '../views/form-review.ts'
import type { Frame } from '../views/frame.ts'
import { refused } from '../views/refused.ts'
import type { PageChange } from '../views/review.ts'
import { type Item, itemOf } from './draft.ts'
import { chosenIn, type FormStep, fieldsOf, formSteps, lockedOnEdit, redrafted, sentBy } from './fields.ts'
import type { FormState } from './form-state.ts'
import { identityNames, identityOf, type KnownTenant, withIdentity } from './identity.ts'

/** The secrets that hold API keys, as far as the pages may know them. */
export interface PageKeys {
  /** Every name begins with it. */
  readonly prefix: string
  /** The names of those of a tenant, 100 at most. */
  readonly names: (tenant: string) => Promise<readonly string[]>
  /** Stores a typed key. Absent where the values of a form travel with every call. */
  readonly store?: (secret: string, key: string) => Promise<Result<unknown, Refusal>>
}

export interface FormPorts extends ChangePorts {
  readonly vendors: ReadonlyMap<string, Vendor>
  readonly keys: PageKeys
}

/** Draws a step of the form, and checks the steps before it again. A step with a problem is shown in place of a later one. */
export async function formView(ports: FormPorts, call: FormCall, frame: Frame): Promise<Html> {
  const opened = await open(ports, call)
  if (!opened.ok) return refused(opened.failure, frame)
  const state = opened.value
  const stored = await storeKey(ports, call, state)
  const keyed = stored.ok ? withKey(state, stored.value) : state
  const keyProblems = stored.ok ? [] : [{ path: 'apiKeySecrets', message: stored.failure.message }]
  const changed = itemOf(keyed.item, keyed.draft, attributesOf(keyed))
  const item = state.mode === 'create' ? withIdentity(changed.item, keyed.draft, keyed.tenants) : changed.item
  const checked = await ports.ask({ action: 'validate', item })
  const problems = [
    ...keyProblems,
    ...changed.problems,
    ...(await takenId(ports, state, item)),
    ...(checked.ok ? [] : (checked.failure.problems ?? [{ path: 'item', message: checked.failure.message }])),
  ]
  const step = shownStep(call, keyed, problems)
  // A step of a new connector that nobody has filled in yet has no mistakes.
  const shown = problems.filter(
    (problem) =>
      isOn(step, keyed, problem) && (call.view === 'edit' || isReached(call, step)) && !isOfMissingName(problem, keyed, problems),
  )
  const drawn = { ...keyed, step, problems: shown }
  if (step !== 'review' || !checked.ok) return form(drawn, frame)
  const changes = { store: storing(drawn, item), test: { action: 'test', connectorId: drawn.connectorId, item } }
  const { act, ticket, ...review } = call
  if (act !== undefined) return submitView(ports, { change: changes[act], ticket: ticket ?? '', back: review }, frame)
  return reviewItem(ports, drawn, changes, checked.value.connector, frame)
}

/** The change that stores the item. It names the item that the person has seen. */
function storing({ mode, connectorId, version = '' }: FormState, item: Item): PageChange {
  return mode === 'create' ? { action: 'create', item } : { action: 'edit', connectorId, version, item }
}

async function reviewItem(
  ports: FormPorts,
  state: FormState,
  { store, test }: { readonly store: PageChange; readonly test: PageChange },
  connector: Connector,
  frame: Frame,
): Promise<Html> {
  const [stored, tested] = [await ports.review(store), await ports.review(test)]
  if (!stored.ok) return refused(stored.failure, frame)
  const tickets = { store: stored.value.ticket, ...(tested.ok ? { test: tested.value.ticket } : {}) }
  return formReview({ ...state, tickets, connector }, frame)
}

async function open(ports: FormPorts, call: FormCall): Promise<Result<FormState, Refusal>> {
  const vendors = [...ports.vendors.values()]
  const listed = await ports.ask({ action: 'list' })
  const tenants = listed.ok ? tenantsIn(listed.value.rows) : []
  const values = call.values
  const shown = call.view === 'edit' ? await ports.ask({ action: 'show', connectorId: call.connectorId }) : undefined
  if (shown?.ok === false) return shown
  const stored = shown?.value
  if (call.view === 'edit' && stored?.item === undefined)
    return { ok: false, failure: { code: 'not-found', message: `There is no connector ${call.connectorId} to edit.` } }
  const type = String(stored?.item?.['type'] ?? call['f:type'] ?? values['type'] ?? vendors[0]?.type)
  const vendor = ports.vendors.get(type) ?? vendors[0]
  if (vendor === undefined) return { ok: false, failure: { code: 'not-found', message: 'This release has no vendor.' } }
  const item = stored?.item ?? { type: vendor.type }
  const sentIdentity = sentBy(call, [], identityNames)
  const { connectorId } = call.view === 'edit' ? call : identityOf({ ...values, ...sentIdentity })
  // A typed text is no tenant until the rule of an id says so, and a store of secrets refuses to look for some of them.
  const tenant = tenantOfId(connectorId) ?? ''
  const secrets = tenant === '' ? [] : await ports.keys.names(tenant)
  const all = fieldsOf(vendor, item, values, secrets)
  const left = all.filter((field) => field.step === call.left && !(call.view === 'edit' && lockedOnEdit.includes(field.attribute.name)))
  const isSent = call.form === true
  const draft = isSent ? redrafted(values, { ...sentIdentity, ...sentBy(call, left, []) }, item, all) : values
  const isOld = call.view === 'edit' && call.version !== undefined && call.version !== stored?.version
  return {
    ok: true,
    value: {
      mode: call.view,
      step: call.step,
      vendor,
      vendors,
      item,
      ...(stored?.version === undefined ? {} : { version: stored.version }),
      draft,
      fields: fieldsOf(vendor, item, draft, secrets),
      tenants,
      connectorId,
      problems: [],
      ...(call.view === 'edit' && call.field !== undefined ? { field: rootOf(call.field) } : {}),
      ...(isOld ? { notice: somebodyElse } : {}),
      newSecret: `${ports.keys.prefix}${tenant}/${connectorId.slice(tenant.length + 1)}`,
      canStoreKeys: ports.keys.store !== undefined,
    },
  }
}

const somebodyElse =
  'Somebody else has changed this connector since you began. Your changes are kept, and stand beside theirs: look at the review again.'

function tenantsIn(rows: readonly { readonly connectorId: string; readonly tenantName: string }[]): readonly KnownTenant[] {
  const known = new Map(
    rows.flatMap(({ connectorId, tenantName }) => {
      const tenant = tenantOfId(connectorId)
      return tenant === undefined ? [] : [[tenant, tenantName] as const]
    }),
  )
  return [...known].map(([tenant, name]) => ({ tenant, name })).sort((a, b) => (a.tenant < b.tenant ? -1 : 1))
}

/** Stores a key that was typed in the form. Succeeds with the name of its secret, or with nothing if none was typed. */
async function storeKey({ keys }: FormPorts, call: FormCall, state: FormState): Promise<Result<string | undefined, Refusal>> {
  const key = call['f:newKey']
  if (keys.store === undefined || call.left !== 'configuration' || typeof key !== 'string' || key === '')
    return { ok: true, value: undefined }
  const named = call['f:newSecret']
  const name = typeof named === 'string' && named.trim() !== '' ? named.trim() : state.newSecret
  const stored = await keys.store(name, key)
  return stored.ok ? { ok: true, value: name } : stored
}

/** The form with the secret among the chosen ones. */
function withKey(state: FormState, secret: string | undefined): FormState {
  if (secret === undefined) return state
  const { draft, item, vendor } = state
  const attribute = state.fields.find((field) => field.attribute.name === 'apiKeySecrets')?.attribute
  const before = attribute === undefined ? [] : chosenIn(item, draft, attribute)
  const names = [...new Set([...before, secret])]
  const redrawn = { ...draft, apiKeySecrets: names.join(', ') }
  return { ...state, draft: redrawn, fields: fieldsOf(vendor, item, redrawn, names) }
}

function attributesOf({ fields, mode }: FormState): readonly ConnectorAttribute[] {
  return fields.map(({ attribute }) => attribute).filter(({ name }) => mode === 'create' || !lockedOnEdit.includes(name))
}

async function takenId({ ask }: FormPorts, { mode }: FormState, item: Item): Promise<readonly Problem[]> {
  const connectorId = item['connectorId']
  if (mode === 'edit' || typeof connectorId !== 'string' || connectorId === '' || connectorId.length > 64) return []
  const shown = await ask({ action: 'show', connectorId })
  const isTaken = shown.ok && shown.value.item !== undefined
  return isTaken
    ? [{ path: 'connectorId', message: `There is a connector ${connectorId} already. Give another name, or edit that one.` }]
    : []
}

/** Whether a name for people is missing only because the id, which it follows from, is wrong. */
function isOfMissingName({ path }: Problem, { mode, draft }: FormState, problems: readonly Problem[]): boolean {
  const isWrongId = problems.some((problem) => problem.path === 'connectorId')
  return mode === 'create' && isWrongId && lockedOnEdit.includes(path) && (draft[path] ?? '').trim() === ''
}

/** The step to show: the wanted one, or the first before it that has a problem. */
function shownStep(
  { step, left, view, field }: FormCall & { readonly field?: string },
  state: FormState,
  problems: readonly Problem[],
): FormStep {
  if (view === 'edit' && left === undefined) {
    const root = rootOf(field ?? problems[0]?.path ?? '')
    return state.fields.find(({ attribute }) => attribute.name === root)?.step ?? step
  }
  const before = formSteps.slice(0, formSteps.indexOf(step))
  return before.find((each) => problems.some((problem) => isOn(each, state, problem))) ?? step
}

/** Whether a problem belongs to a step. Of an attribute that has no field, it belongs to the first. */
function isOn(step: FormStep, { fields }: FormState, { path }: Problem): boolean {
  const root = rootOf(path)
  const field = fields.find(({ attribute }) => attribute.name === root)
  return (field?.step ?? 'general') === step
}

/** Whether the person has been on this step, so that its mistakes are theirs. */
function isReached({ left }: FormCall, step: FormStep): boolean {
  return left !== undefined && formSteps.indexOf(step) <= formSteps.indexOf(left)
}

function rootOf(path: string): string {
  return /^[A-Za-z]*/.exec(path)?.[0] ?? ''
}
