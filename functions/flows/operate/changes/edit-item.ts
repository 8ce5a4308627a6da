import type { HistoryEntry, Refusal } from '../../../domain/operate/operation.ts'
import { failed, ok, type Result } from '../../../domain/result.ts'
import { type ConnectorItem, digestItem } from '../../item-digest.ts'
import type { Carry, OperatePorts } from '../carry.ts'
import { checkItem } from './check-item.ts'

/** Stores a new item. The connectors table's stream has it accepted within seconds. */
export const create: Carry<'create'> = async (ports, { item }) => {
  const checked = await checkItem(ports, item)
  if (!checked.ok) return checked
  const { connectorId } = checked.value
  const done = ok({
    message: `${connectorId} was created. It is accepted and read within a minute; "show" tells whether it works.`,
    after: item,
  })
  if (await ports.items.writeItem(item, undefined)) return done
  // The first try of this request may have broken off after its write.
  const stored = await ports.items.readItem(connectorId)
  return stored !== undefined && digestItem(ports.digest, stored) === digestItem(ports.digest, item) ? done : exists(connectorId)
}

/** Stores an item in place of the one with this version. */
export const edit: Carry<'edit'> = async (ports, { connectorId, version, item }) => {
  if (item['connectorId'] !== connectorId) return otherId(connectorId)
  const current = await currentItem(ports, connectorId, version, digestItem(ports.digest, item))
  if (!current.ok) return current
  const checked = await checkItem(ports, item)
  if (!checked.ok) return checked
  const changed = changes(current.value, item)
  if (Object.keys(changed.after).length + Object.keys(changed.before).length === 0)
    return ok({ message: 'Nothing differs, so nothing was changed.' })
  if (!(await ports.items.writeItem(item, current.value))) return conflict(connectorId)
  return ok({ message: `${connectorId} was changed. The change is in use within a minute.${fileNote(current.value)}`, ...changed })
}

/** Deletes the item with this version. */
export const remove: Carry<'delete'> = async (ports, { connectorId, version }) => {
  const current = await currentItem(ports, connectorId, version)
  if (!current.ok) return current
  if (!(await ports.items.deleteItem(current.value))) return conflict(connectorId)
  const stays =
    'Its records stay in the lake, its secrets in Secrets Manager, and its state for 4 days: created again by then, it goes on where it stopped.'
  return ok({ message: `${connectorId} was deleted. ${stays}${fileNote(current.value)}`, before: current.value })
}

/** Switches collecting off. */
export const pause: Carry<'pause'> = (ports, { connectorId }) => switchTo(ports, connectorId, false)

/** Switches collecting on again. */
export const resume: Carry<'resume'> = (ports, { connectorId }) => switchTo(ports, connectorId, true)

/** Other writers of one item in a row (count). */
const switchTriesMax = 5

async function switchTo({ items }: OperatePorts, connectorId: string, enabled: boolean): ReturnType<Carry<'pause'>> {
  for (let tries = 0; tries < switchTriesMax; tries++) {
    const item = await items.readItem(connectorId)
    if (item === undefined) return notFound(connectorId)
    if ((item['enabled'] ?? true) === enabled) return ok({ message: `${connectorId} ${enabled ? 'collects' : 'is paused'} already.` })
    if (!(await items.writeItem({ ...item, enabled }, item))) continue
    const after = enabled
      ? 'It is read within a minute, and the events of the pause as far as the vendor still keeps them.'
      : 'A run in progress ends soon. Events that the vendor no longer keeps when it is resumed are lost.'
    return ok({
      message: `${connectorId} was ${enabled ? 'resumed' : 'paused'}. ${after}${fileNote(item)}`,
      before: { enabled: !enabled },
      after: { enabled },
    })
  }
  return conflict(connectorId)
}

/** The stored item, if it is still the one that the person has seen, or is the wanted one: a first try may have broken off after its write. */
async function currentItem(
  { items, digest }: OperatePorts,
  connectorId: string,
  version: string,
  wanted?: string,
): Promise<Result<ConnectorItem, Refusal>> {
  const item = await items.readItem(connectorId)
  if (item === undefined) return notFound(connectorId)
  const isSeen = [version, wanted].includes(digestItem(digest, item))
  return isSeen ? ok(item) : conflict(connectorId)
}

/** The attributes that differ, with their values. */
function changes(before: ConnectorItem, after: ConnectorItem): { readonly before: ConnectorItem; readonly after: ConnectorItem } {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  const of = (item: ConnectorItem): HistoryEntry['before'] & object =>
    Object.fromEntries(names.filter((name) => name in item).map((name) => [name, item[name]]))
  return { before: of(before), after: of(after) }
}

function fileNote(item: ConnectorItem): string {
  return item['managedBy'] === 'file'
    ? ' A file of connectors owns this item, and its next apply writes over this: change the file as well.'
    : ''
}

function otherId(connectorId: string): Result<never, Refusal> {
  const message = 'The id of a connector cannot change. Set it back, or create a connector with the other id.'
  return failed({ code: 'wrong', message, problems: [{ path: 'connectorId', message: `Give ${connectorId}.` }] })
}

function exists(connectorId: string): Result<never, Refusal> {
  return failed({ code: 'exists', message: `There is a connector ${connectorId} already. Give another id, or edit that one.` })
}

function conflict(connectorId: string): Result<never, Refusal> {
  const message = `Somebody else has changed ${connectorId} since you looked at it, so nothing was changed. Look at it again, and make your change there.`
  return failed({ code: 'conflict', message })
}

export function notFound(connectorId: string): Result<never, Refusal> {
  return failed({ code: 'not-found', message: `There is no connector ${connectorId}. "list" names all of them.` })
}
