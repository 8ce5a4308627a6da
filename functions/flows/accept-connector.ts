import type { Connector } from '../domain/connector/connector.ts'
import { immutableProblems, parseConnector } from '../domain/connector/connector-schema.ts'
import type { Problem } from '../domain/connector/problems.ts'
import { formatFailure } from '../domain/failures.ts'
import type { AcceptedConnector, AcceptedStore, Clock, DueStore, OutageStore, Queue, RunStore, StatusStore } from '../domain/ports.ts'
import { newStatus, withRefusedEdit, withState } from '../domain/status/status.ts'
import type { StreamId } from '../domain/stream/stream.ts'
import { floorToSecond, type Instant } from '../domain/time.ts'
import type { Vendor } from '../domain/vendor.ts'
import { type NotifyPorts, notifyChanges } from './notify-changes.ts'
import { closeKeys, type KeyPorts, openKeys, secretText } from './open-keys.ts'

export interface AcceptPorts extends KeyPorts, NotifyPorts {
  readonly state: KeyPorts['state'] &
    AcceptedStore &
    Pick<DueStore, 'makeDue' | 'removeDue'> &
    RunStore &
    StatusStore &
    Pick<OutageStore, 'beginOutage' | 'outageSent'>
  readonly clock: Clock
  readonly queue: Queue
  readonly vendors: ReadonlyMap<string, Vendor>
}

export interface AcceptPolicy {
  readonly secretPrefix: string
  readonly allowedHosts: readonly string[]
  /** Whether a connector may switch TLS verification off. */
  readonly tlsVerificationOptional: boolean
}

/** An item as a user wrote it: plain JSON. */
export type ConnectorItem = Readonly<Record<string, unknown>>

/** Others that write the same acceptance at the same time (count): the stream's record and the hourly comparison, no more. */
const writesMax = 5

/**
 * Checks an item and copies it into the state table if it is right; only that copy is ever collected from. A bad item leaves
 * the last accepted version collecting and says in the status what is wrong. Doing it twice changes nothing.
 */
export async function acceptConnector(ports: AcceptPorts, policy: AcceptPolicy, connectorId: string, item: ConnectorItem): Promise<void> {
  const { state, clock, log } = ports
  const itemDigest = digestOf(ports, item)
  for (let write = 0; write < writesMax; write++) {
    const before = await state.readAccepted(connectorId)
    const checked = await check(ports, policy, item, before?.connector)
    if (!checked.ok) return refuse(ports, connectorId, item, checked.problems, before)
    const now = clock.now()
    const after = acceptance(checked.connector, itemDigest, before, ports.vendors, now)
    const unchanged = before !== undefined && before.retiredAt === undefined && before.itemDigest === itemDigest
    if (!unchanged && !(await state.writeAccepted(after, before))) continue

    const { connector } = after
    const accepted = await state.updateStatus(connectorId, (status) => {
      const { trouble: _, ...mended } = status ?? newStatus(now, connector.tenantName)
      const known = unchanged && status !== undefined ? status : mended
      const whose = { tenantName: connector.tenantName, vendor: connector.type, origin: connector.baseUrl }
      const clean = { ...known, ...whose, problems: [], rejectedKeys: unchanged ? known.rejectedKeys : {} }
      if (!connector.enabled) return withState(clean, { state: 'paused', reason: 'enabled is false: nothing is collected.' }, now)
      if (unchanged && status !== undefined && status.state !== 'refused') return clean
      return withState(clean, { state: 'starting', reason: '' }, now)
    })
    await notifyChanges(ports, connectorId, accepted)
    if (unchanged) return makeDueIfNever(ports, connector, now)
    await leaveKeys(ports, before?.connector, connector, now)
    log({ level: 'info', event: 'connector-accepted', connectorId, message: before === undefined ? 'new' : 'changed' })
    if (!connector.enabled) return state.removeDue(connectorId)
    await state.makeDue(connectorId, now, floorToSecond(now))
    return ports.queue.send(connectorId, 0)
  }
  throw new Error(`The acceptance of connector ${connectorId} was written by others ${writesMax} times in a row.`)
}

/** Whoever accepted it may have been stopped before it was made due. */
async function makeDueIfNever({ state, queue }: AcceptPorts, { connectorId, enabled }: Connector, now: Instant): Promise<void> {
  if (!enabled || (await state.readRun(connectorId)).due !== undefined) return
  await state.makeDue(connectorId, now, floorToSecond(now))
  await queue.send(connectorId, 0)
}

/** The item was deleted: collecting stops, and a tombstone keeps the ledger for 4 days, so that the same id resumes it. */
export async function retireConnector(ports: AcceptPorts, connectorId: string): Promise<void> {
  const { state, clock, log } = ports
  const before = await state.readAccepted(connectorId)
  const now = clock.now()
  if (before !== undefined && before.retiredAt === undefined) {
    if (!(await state.writeAccepted({ ...before, retiredAt: now }, before))) return
    await closeKeys(ports, before.connector, now)
    log({ level: 'info', event: 'connector-retired', connectorId, message: 'its item was deleted' })
  }
  await state.removeDue(connectorId)
  const retired = await state.updateStatus(connectorId, (status) => ({
    ...withState(
      status ?? newStatus(now),
      { state: 'retired', reason: 'The item was deleted. The same id resumes where it stopped, within 4 days.' },
      now,
    ),
    problems: [],
  }))
  await notifyChanges(ports, connectorId, retired)
}

type Checked = { readonly ok: true; readonly connector: Connector } | { readonly ok: false; readonly problems: readonly Problem[] }

async function check(ports: AcceptPorts, policy: AcceptPolicy, item: ConnectorItem, before: Connector | undefined): Promise<Checked> {
  const parsed = parseConnector(item, { ...policy, vendors: ports.vendors })
  if (!parsed.ok) return parsed
  const fixed = before === undefined ? [] : immutableProblems(before, parsed.connector)
  if (fixed.length > 0) return { ok: false, problems: fixed }
  // A secret that cannot be read yet is the run's to report: the item may come before it.
  const { failures } = await openKeys(ports, parsed.connector, ports.clock.now())
  const shared = failures.filter(({ code }) => code === 'key-shared')
  if (shared.length === 0) return parsed
  return { ok: false, problems: shared.map((failure) => ({ path: 'apiKeySecrets', message: formatFailure(failure) })) }
}

/** The connector is no longer a user of the keys that it had before: another tenant may have one of them now, and its limit counts there no more. */
async function leaveKeys(ports: AcceptPorts, before: Connector | undefined, after: Connector, now: Instant): Promise<void> {
  const kept = new Set(after.apiKeySecrets.map(secretText))
  const left = before?.apiKeySecrets.filter((reference) => !kept.has(secretText(reference))) ?? []
  if (before === undefined || left.length === 0) return
  await closeKeys(ports, { ...before, apiKeySecrets: left }, now)
  // A key that it has under another name now is still its own.
  await openKeys(ports, after, now)
}

async function refuse(
  ports: AcceptPorts,
  connectorId: string,
  item: ConnectorItem,
  problems: readonly Problem[],
  before: AcceptedConnector | undefined,
): Promise<void> {
  const { state, clock, log } = ports
  const now = clock.now()
  const running = before !== undefined && before.retiredAt === undefined
  const said = problems.map(({ path, message }) => `${path}: ${message}`).join(' ')
  const tenantName = typeof item['tenantName'] === 'string' ? item['tenantName'].slice(0, 128) : undefined
  const vendor = typeof item['type'] === 'string' && ports.vendors.has(item['type']) ? { vendor: item['type'] } : {}
  const refused = await state.updateStatus(connectorId, (status) => {
    const known = { ...vendor, ...(status ?? newStatus(now, tenantName)) }
    if (running) return withRefusedEdit(known, problems, now)
    return withState({ ...known, problems }, { state: 'refused', reason: `The item was not accepted. ${said}` }, now)
  })
  log({ level: 'warn', event: 'connector-refused', connectorId, message: said, goesOnWithAccepted: running })
  await notifyChanges(ports, connectorId, refused)
}

function acceptance(
  connector: Connector,
  itemDigest: string,
  before: AcceptedConnector | undefined,
  vendors: ReadonlyMap<string, Vendor>,
  now: Instant,
): AcceptedConnector {
  const streams = vendors.get(connector.type)?.streams(connector) ?? []
  const streamsSince: Record<StreamId, Instant> = { ...before?.streamsSince }
  for (const stream of streams) streamsSince[stream] ??= now
  const lastPause = pause(connector, before, now)
  return { connector, itemDigest, acceptedAt: now, streamsSince, ...(lastPause === undefined ? {} : { lastPause }) }
}

/** Time switched off, by `enabled` or by deletion, is known when it is on again: what passed the horizon meanwhile is a hole of that reason. */
function pause(connector: Connector, before: AcceptedConnector | undefined, now: Instant): AcceptedConnector['lastPause'] {
  const open = before?.lastPause !== undefined && before.lastPause.to === undefined ? before.lastPause.from : before?.retiredAt
  if (connector.enabled) return open === undefined ? before?.lastPause : { from: open, to: now }
  return { from: open ?? now }
}

function digestOf({ digest }: AcceptPorts, item: ConnectorItem): string {
  return digest(canonical(item))
}

/** The same for the same content, whatever the order of its attributes. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`
}

/**
 * The hourly comparison of the customer's table with what was accepted: a record of the table's stream that was lost repairs
 * itself. What is as it was accepted, has run since, and of which nothing else is said, is not looked at closer.
 */
export async function reconcileConnectors(ports: AcceptPorts, policy: AcceptPolicy, items: AsyncIterable<ConnectorItem>): Promise<void> {
  const unchanged = new Set<string>()
  for await (const { connectorId, status } of ports.state.fleet()) {
    if (status.problems.length === 0 && status.state !== 'refused' && status.state !== 'starting') unchanged.add(connectorId)
  }
  const accepted = new Map<string, string>()
  for await (const { connector, itemDigest, retiredAt } of ports.state.allAccepted()) {
    if (retiredAt === undefined) accepted.set(connector.connectorId, itemDigest)
  }
  const there = new Set<string>()
  for await (const item of items) {
    const connectorId = item['connectorId']
    if (typeof connectorId !== 'string') continue
    there.add(connectorId)
    if (accepted.get(connectorId) === digestOf(ports, item) && unchanged.has(connectorId)) continue
    try {
      await acceptConnector(ports, policy, connectorId, item)
    } catch (error) {
      ports.log({ level: 'error', event: 'acceptance-failed', connectorId, message: 'the other connectors go on', error })
    }
  }
  for (const connectorId of accepted.keys()) {
    if (!there.has(connectorId)) await retireConnector(ports, connectorId)
  }
}
