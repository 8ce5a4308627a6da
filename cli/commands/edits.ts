import * as z from 'zod'
import { connectorAttributes, parseConnector } from '../../functions/domain/connector/connector-schema.ts'
import type { Problem } from '../../functions/domain/connector/problems.ts'
import { tenantOfId } from '../../functions/domain/connector/tenant.ts'
import { withNames } from '../../functions/domain/operate/new-item.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'
import { vendors } from '../../functions/vendors/index.ts'
import type { Item } from '../answers.ts'
import { withoutAttributes } from '../attributes.ts'
import { formatItem, parseItemFile } from '../connectors-file.ts'
import type { Place } from '../operator.ts'
import { Mistake, type Outcome } from '../outcome.ts'
import { changedAttributes, changeLines } from '../plan.ts'
import { changeOf, isConfirmed, type Session, sayPlace } from '../session.ts'
import { carryOut, nothingChanged, outcomeOf, storedItem } from './changes.ts'

/** Making and editing one connector: from options, from a file, or with questions at the terminal. */

export interface EditOptions {
  readonly file?: string
  /** The attributes that options give. */
  readonly attributes: Item
  readonly unset: readonly string[]
}

export async function create(session: Session, given: string | undefined, options: EditOptions): Promise<Outcome> {
  sayPlace(session)
  const fromFile = options.file === undefined ? {} : parseItemFile(options.file, session.terminal.readFile(options.file))
  const { connectorId = given, ...others } = fromFile
  if (given !== undefined && connectorId !== given) {
    throw new Mistake(`The file is for ${String(connectorId)}, and the command names ${given}. Give one of them.`)
  }
  const written = { ...(connectorId === undefined ? {} : { connectorId }), ...others, ...options.attributes }
  const isAsked = session.terminal.isInteractive && missingAttributes(written).length > 0
  const item = isAsked ? await askForItem(session, written) : withNames(withType(written))
  const id = String(item['connectorId'] ?? '')
  if (id === '') throw new Mistake('Name the connector: create TENANT.NAME, such as create acme.cas. See create --help.')
  if (session.terminal.isInteractive && !session.yes) {
    session.terminal.note(formatItem(item))
    if (!(await isConfirmed(session, `Create ${id}?`, false))) return nothingChanged
  }
  return outcomeOf(session, [await carryOut(session, id, { action: 'create', ...changeOf(session), item })])
}

export async function edit(session: Session, connectorId: string, options: EditOptions): Promise<Outcome> {
  sayPlace(session)
  const { item: before, version } = await storedItem(session, connectorId)
  const isEmpty = options.file === undefined && Object.keys(options.attributes).length === 0 && options.unset.length === 0
  if (isEmpty && !session.terminal.isInteractive) {
    throw new Mistake(`Nothing to edit: give an option for an attribute, --unset, or -f FILE. See edit --help.`)
  }
  const base = await editedItem(session, before, options, isEmpty)
  const item = { ...withoutAttributes(base, options.unset), ...options.attributes, connectorId }
  const changes = changedAttributes(before, item, vendors)
  if (changes.length === 0) return { exit: 'done', result: { results: [] }, text: `${connectorId} is like that already.\n` }
  if (before['managedBy'] === 'file') {
    session.terminal.note(`A file of connectors owns ${connectorId}: its next apply writes over this edit.`)
  }
  session.terminal.note(changeLines(changes).join('\n'))
  if (session.terminal.isInteractive && !(await isConfirmed(session, `Edit ${connectorId}?`, false))) return nothingChanged
  return outcomeOf(session, [await carryOut(session, connectorId, { action: 'edit', ...changeOf(session), connectorId, version, item })])
}

async function editedItem({ terminal }: Session, before: Item, { file }: EditOptions, isEmpty: boolean): Promise<Item> {
  if (file !== undefined) return parseItemFile(file, terminal.readFile(file))
  return isEmpty ? parseItemFile('the text', await terminal.ask.edit('Edit the connector', formatItem(before))) : before
}

/** There is nothing to choose as long as there is one vendor. */
function withType(item: Item): Item {
  const [type, ...others] = vendors.keys()
  return others.length === 0 ? { type, ...item } : item
}

function missingAttributes(item: Item): readonly string[] {
  return connectorAttributes().flatMap(({ name, required }) => (required && item[name] === undefined ? [name] : []))
}

/** Asks for the attributes that are missing, each with the words of the schema, and checks each answer by it. */
async function askForItem({ terminal, place }: Session, given: Item): Promise<Item> {
  let item = given
  const problem = (name: string) => async (text: string) => problemOf({ ...item, [name]: text }, name, place.secretPrefix)
  for (const { name, doc } of connectorAttributes().filter((attribute) => attribute.required && item[attribute.name] === undefined)) {
    const vendor = vendors.get(String(item['type']))
    const byDefault = suggestion(name, item, place.secretPrefix)
    const options = { problem: problem(name), ...(byDefault === undefined ? {} : { byDefault }) }
    if (name === 'type') {
      const choices = [...vendors.values()].map(({ type, title }) => ({ value: type, name: title }))
      item = { ...item, type: choices.length === 1 ? choices[0]?.value : await terminal.ask.oneOf(doc, choices) }
    } else if (name === 'baseUrl' && vendor !== undefined) {
      const other = { value: '', name: 'another address' }
      const chosen = await terminal.ask.oneOf(doc, [...vendor.hosts.map((host) => ({ value: `https://${host}` })), other])
      item = { ...item, baseUrl: chosen === '' ? await terminal.ask.text(doc, { ...options, problem: hostProblem(place, item) }) : chosen }
    } else if (name === 'apiKeySecrets') {
      const list = { ...options, problem: async (text: string) => problemOf({ ...item, [name]: [text] }, name, place.secretPrefix) }
      item = { ...item, [name]: [await terminal.ask.text(doc, list)] }
    } else item = { ...item, [name]: await terminal.ask.text(doc, options) }
  }
  for (const [name, choices] of selections(vendors.get(String(item['type'])))) {
    if (item[name] === undefined) item = { ...item, [name]: await terminal.ask.someOf(name, choices) }
  }
  return item
}

function suggestion(name: string, { connectorId, type }: Item, secretPrefix: string): string | undefined {
  const id = String(connectorId ?? '')
  const tenant = tenantOfId(id)
  if (tenant === undefined) return undefined
  if (name === 'name') return `${tenant}-${String(type ?? id.slice(tenant.length + 1))}`
  if (name === 'tenantName') return tenant
  return name === 'apiKeySecrets' ? `${secretPrefix}${id.replace('.', '/')}` : undefined
}

/** The deployment alone knows which hosts it allows. */
function hostProblem({ operator }: Place, item: Item) {
  return async (baseUrl: string): Promise<string | undefined> => {
    const answer = await operator.ask({ action: 'validate', item: { ...item, baseUrl } })
    return answer.ok ? undefined : answer.problems.find(({ path }) => path === 'baseUrl')?.message
  }
}

/** The problem of one attribute, as far as it can be known here. */
function problemOf(item: Item, name: string, secretPrefix: string): string | undefined {
  return problemsHere(item, secretPrefix).find(({ path }) => path === name || path.startsWith(`${name}[`))?.message
}

/** The problems of an item by the rules that no deployment is needed for. `allowedHosts`: in addition to the vendors'. */
export function problemsHere(item: Item, secretPrefix: string, allowedHosts: readonly string[] = []): readonly Problem[] {
  const parsed = parseConnector(item, { vendors, secretPrefix, allowedHosts, tlsVerificationOptional: true })
  return parsed.ok ? [] : parsed.problems
}

/** The vendor's own attributes with their values, the defaults checked. */
function selections(vendor: Vendor | undefined): readonly (readonly [string, readonly { value: string; checked: boolean }[]])[] {
  if (vendor === undefined) return []
  const { properties } = z
    .object({
      properties: z.record(
        z.string(),
        z.object({ default: z.array(z.string()).default([]), items: z.object({ enum: z.array(z.string()) }) }),
      ),
    })
    .parse(z.toJSONSchema(vendor.attributes, { io: 'input' }))
  return Object.entries(properties).map(([name, { default: chosen, items }]) => [
    name,
    items.enum.map((value) => ({ value, checked: chosen.includes(value) })),
  ])
}
