import { type ConnectorAttribute, connectorAttributes } from '../../domain/connector/connector-schema.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { type Draft, type Item, isSame, namesIn, textOf, ticked } from './draft.ts'

/** The fields of the form, and the texts that its steps send. */

export const formSteps = ['general', 'configuration', 'review'] as const
export type FormStep = (typeof formSteps)[number]

/** One attribute in the form. */
export interface Field {
  readonly attribute: ConnectorAttribute
  readonly title: string
  readonly step: 'general' | 'configuration'
  /** The values that boxes offer, with their names for people. Absent: the value is typed. */
  readonly choices?: readonly { readonly value: string; readonly title: string }[]
  /** Further values may be typed beside the boxes. */
  readonly isOpen?: true
  /** Values to choose one of, in place of typing it. */
  readonly suggestions?: readonly { readonly value: string; readonly title: string }[]
  /** Shown only when a person asks for it. */
  readonly isAdvanced: boolean
}

/** The names of the fields in a form begin with it, so that no field can stand in for a member of the call. */
const prefix = 'f:'
/** A name that is typed beside the boxes. */
const more = '+'

const titles: Readonly<Record<string, string>> = {
  name: 'Name for people',
  tenantName: 'Tenant’s name for people',
  baseUrl: 'Base URL',
  apiKeySecrets: 'API keys',
  initialBackfillMinutes: 'Initial backfill (minutes)',
  intervalMinutes: 'Interval (minutes)',
  disableTlsVerification: 'Accept any TLS certificate',
  tlsCaPem: 'CA certificates (PEM)',
  lateArrivalMinutes: 'Late arrival (minutes)',
}

const general: readonly string[] = ['name', 'tenantName', 'logFilters', 'note']
const plain: readonly string[] = [
  'baseUrl',
  'apiKeySecrets',
  'contentTypes',
  'eventTypes',
  'intervalMinutes',
  'initialBackfillMinutes',
  'disableTlsVerification',
]
/** The identity has fields of its own, and two attributes have operations of their own: pause and apply. */
const elsewhere: readonly string[] = ['connectorId', 'type', 'enabled', 'managedBy']
/** They cannot change once the connector was accepted. */
export const lockedOnEdit: readonly string[] = ['name', 'tenantName']

/** `secrets`: those that exist for the tenant. */
export function fieldsOf(vendor: Vendor, item: Item, draft: Draft, secrets: readonly string[]): readonly Field[] {
  const attributes = connectorAttributes(vendor).filter(({ name }) => !elsewhere.includes(name))
  const order = [...general, ...plain]
  const rank = ({ name }: ConnectorAttribute) => (order.includes(name) ? order.indexOf(name) : order.length)
  return attributes
    .toSorted((a, b) => rank(a) - rank(b))
    .map((attribute) => {
      const { name } = attribute
      const offered = choicesOf(name, vendor, secrets)
      const chosen = chosenIn(item, draft, attribute)
      return {
        attribute,
        title: titles[name] ?? titleOf(name),
        step: general.includes(name) ? 'general' : 'configuration',
        isAdvanced: !order.includes(name),
        ...(offered === undefined ? {} : { choices: withTitles([...new Set([...offered, ...chosen])], vendor) }),
        ...(name === 'apiKeySecrets' ? { isOpen: true as const } : {}),
        ...(name === 'baseUrl' ? { suggestions: regionsOf(vendor) } : {}),
      }
    })
}

function choicesOf(name: string, { offer }: Vendor, secrets: readonly string[]): readonly string[] | undefined {
  if (name === 'contentTypes') return offer.contentTypes
  if (name === 'eventTypes') return offer.eventTypes
  return name === 'apiKeySecrets' ? secrets : undefined
}

function regionsOf({ card }: Vendor): Field['suggestions'] & object {
  return card.regions.map(({ title, host }) => ({ value: `https://${host}`, title: `${title}: https://${host}` }))
}

function withTitles(values: readonly string[], { labels }: Vendor): Field['choices'] & object {
  return values.map((value) => ({ value, title: labels[value] ?? value }))
}

/** The chosen values of a list: those of the draft, else of the item. */
export function chosenIn(item: Item, draft: Draft, attribute: ConnectorAttribute): readonly string[] {
  return [...new Set(namesIn(draft[attribute.name] ?? textOf(item, attribute)))]
}

function titleOf(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`
}

export function fieldName(name: string): string {
  return `${prefix}${name}`
}

/** The name of one box, or of the field beside the boxes. */
export function boxName(name: string, value: string = more): string {
  return `${prefix}${name}:${value}`
}

/** The texts that a step's form has sent, out of an untrusted call. A box that is not ticked is not sent, so its absence counts. */
export function sentBy(
  call: Readonly<Record<string, unknown>>,
  fields: readonly Field[],
  names: readonly string[],
): Readonly<Record<string, string>> {
  const text = (name: string) => {
    const value = call[name]
    return typeof value === 'string' ? value : undefined
  }
  const isTicked = (name: string) => [ticked, true, 'on', 'true'].includes(call[name] as string | boolean)
  const sent = new Map<string, string>()
  for (const name of names) {
    const value = text(fieldName(name))
    if (value !== undefined) sent.set(name, value)
  }
  for (const { attribute, choices, suggestions } of fields) {
    const { name, type } = attribute
    if (choices !== undefined) {
      const values = choices.filter(({ value }) => isTicked(boxName(name, value))).map(({ value }) => value)
      sent.set(name, [...new Set([...values, ...namesIn(text(boxName(name)) ?? '')])].join(', '))
    } else if (type === 'boolean') sent.set(name, isTicked(fieldName(name)) ? ticked : '')
    else {
      const value = text(fieldName(name))
      const chosen = suggestions?.find((each) => each.value === text(boxName(name)))?.value
      // A value that is typed counts before one that is chosen.
      if (value !== undefined) sent.set(name, value.trim() === '' && chosen !== undefined ? chosen : value)
    }
  }
  return Object.fromEntries(sent)
}

/** The draft after a person has sent these texts. A text that says the same as the item is no change. */
export function redrafted(draft: Draft, sent: Readonly<Record<string, string>>, item: Item, fields: readonly Field[]): Draft {
  const isChange = ([name, text]: readonly [string, string]) => {
    const field = fields.find(({ attribute }) => attribute.name === name)
    if (field === undefined) return true
    const { attribute, choices } = field
    if (choices === undefined) return !isSame(text, textOf(item, attribute))
    return [...new Set(namesIn(text))].sort().join() !== chosenIn(item, {}, attribute).toSorted().join()
  }
  return Object.fromEntries(Object.entries({ ...draft, ...sent }).filter(isChange))
}
