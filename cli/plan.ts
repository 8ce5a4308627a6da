import { isDeepStrictEqual } from 'node:util'
import { connectorAttributes } from '../functions/domain/connector/connector-schema.ts'
import { quote } from '../functions/domain/connector/problems.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import type { Item } from './answers.ts'

/** The difference between a file of connectors and a deployment. */

/** A connector as the deployment has it. */
export interface StoredConnector {
  readonly connectorId: string
  readonly item: Item
  readonly version: string
}

export interface AttributeChange {
  readonly attribute: string
  /** Absent: the item does not have the attribute, so its default counts. */
  readonly before?: unknown
  readonly after?: unknown
}

export type PlannedChange =
  | { readonly action: 'create'; readonly connectorId: string; readonly item: Item }
  | {
      readonly action: 'edit'
      readonly connectorId: string
      readonly version: string
      readonly item: Item
      readonly changes: readonly AttributeChange[]
    }
  | { readonly action: 'delete'; readonly connectorId: string; readonly version: string }

export interface Plan {
  readonly changes: readonly PlannedChange[]
  /** Connectors that are as the file says (count). */
  readonly unchanged: number
  /** Connectors that a file owned, and that this one no longer has. With `prune` they are deleted. */
  readonly left: readonly string[]
}

export function planOf(
  wanted: readonly Item[],
  stored: readonly StoredConnector[],
  options: { readonly prune: boolean; readonly vendors: ReadonlyMap<string, Vendor> },
): Plan {
  const storedById = new Map(stored.map((each) => [each.connectorId, each]))
  const wantedIds = new Set(wanted.map(({ connectorId }) => connectorId))
  const changes = wanted.flatMap((item): readonly PlannedChange[] => {
    const connectorId = String(item['connectorId'])
    const before = storedById.get(connectorId)
    if (before === undefined) return [{ action: 'create', connectorId, item }]
    const differences = changedAttributes(before.item, item, options.vendors)
    return differences.length === 0 ? [] : [{ action: 'edit', connectorId, version: before.version, item, changes: differences }]
  })
  const gone = stored.filter(({ connectorId, item }) => item['managedBy'] === 'file' && !wantedIds.has(connectorId))
  const deletions = gone.map(({ connectorId, version }) => ({ action: 'delete' as const, connectorId, version }))
  return {
    changes: [...changes, ...(options.prune ? deletions : [])],
    unchanged: wanted.length - changes.length,
    left: options.prune ? [] : gone.map(({ connectorId }) => connectorId),
  }
}

/** The attributes whose values differ. An absent one has its default, so the item that says the default is no other one. */
export function changedAttributes(before: Item, after: Item, vendors: ReadonlyMap<string, Vendor>): readonly AttributeChange[] {
  const defaults = defaultsOf(vendors.get(String(after['type'])))
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names
    .filter((name) => !isDeepStrictEqual(before[name] ?? defaults.get(name), after[name] ?? defaults.get(name)))
    .map((attribute) => ({
      attribute,
      ...(before[attribute] === undefined ? {} : { before: before[attribute] }),
      ...(after[attribute] === undefined ? {} : { after: after[attribute] }),
    }))
}

/** The default of `lateArrivalMinutes` depends on other attributes. */
const dependent: readonly string[] = ['lateArrivalMinutes']

function defaultsOf(vendor: Vendor | undefined): ReadonlyMap<string, unknown> {
  const attributes = vendor === undefined ? [] : connectorAttributes(vendor)
  return new Map(
    attributes.flatMap(({ name, default: byDefault }) =>
      byDefault === undefined || dependent.includes(name) ? [] : [[name, JSON.parse(byDefault)]],
    ),
  )
}

const signs = { create: '+', edit: '~', delete: '-' } as const

/** The changes, for people: a line for each connector, and one for each attribute that differs. */
export function planLines({ changes }: Plan): readonly string[] {
  return changes.flatMap((change) => {
    const head = `${signs[change.action]} ${change.action} ${change.connectorId}`
    if (change.action === 'edit') return [head, ...changeLines(change.changes)]
    return change.action === 'create' ? [head, ...changeLines(createdAttributes(change.item))] : [head]
  })
}

function createdAttributes(item: Item): readonly AttributeChange[] {
  return Object.entries(item)
    .filter(([name]) => name !== 'connectorId')
    .map(([attribute, after]) => ({ attribute, after }))
}

export function changeLines(changes: readonly AttributeChange[]): readonly string[] {
  return changes.map((change) => {
    const after = 'after' in change ? shortValue(change.after) : '(its default)'
    return 'before' in change ? `    ${change.attribute}: ${shortValue(change.before)} → ${after}` : `    ${change.attribute}: ${after}`
  })
}

const shownMax = 200

/** A value in one line. A text that may be a key is shown by its length only. */
export function shortValue(value: unknown): string {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return `[${value.map((each) => quote(each)).join(', ')}]`
  if (typeof value !== 'object' || value === null) return quote(value)
  const json = JSON.stringify(value)
  return json.length <= shownMax ? json : quote(value)
}
