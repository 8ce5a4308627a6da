import type { Connector } from '../domain/connector/connector.ts'
import { immutableProblems, movedKeyProblems, parseConnector } from '../domain/connector/connector-schema.ts'
import type { Problem } from '../domain/connector/problems.ts'
import { tenantOfId } from '../domain/connector/tenant.ts'
import { formatFailure } from '../domain/failures.ts'
import type { AcceptedConnector, AcceptedStore, Clock, DueStore, Queue, RunStore } from '../domain/ports.ts'
import { type ConnectorStatus, newStatus, withRefusedEdit, withState } from '../domain/status/status.ts'
import type { StreamId } from '../domain/stream/stream.ts'
import { wholeCharacters } from '../domain/text.ts'
import { floorToSecond, type Instant } from '../domain/time.ts'
import type { Vendor } from '../domain/vendor.ts'
import { type ConnectorItem, digestItem } from './item-digest.ts'
import { type NotifyPorts, notifyChanges } from './notify-changes.ts'
import { closeKeys, type KeyPorts, openKeys, secretText } from './open-keys.ts'

export interface AcceptPorts extends KeyPorts, NotifyPorts {
  readonly state: KeyPorts['state'] & NotifyPorts['state'] & AcceptedStore & Pick<DueStore, 'makeDue' | 'removeDue'> & RunStore
  readonly clock: Clock
  readonly queue: Queue
  readonly vendors: ReadonlyMap<string, Vendor>
}

export interface AcceptPolicy {
  /** Every secret that a connector names must begin with it. */
  readonly secretPrefix: string
  /** `HOST` or `HOST:PORT`, for one tenant with `@TENANT` after it. */
  readonly allowedHosts: readonly string[]
  /** Whether a connector may switch TLS verification off. */
  readonly tlsVerificationOptional: boolean
  /** Whether a connector that moves to another origin must name other secrets. */
  readonly secretsBoundToOrigin: boolean
}

/** Tries in a row that lose to other writers (count). Only the table's stream and the hourly comparison write an acceptance, so more is a bug. */
const writesMax = 5

/**
 * Checks an item and, if it is right, copies it into the state table: runs collect from that copy only. A bad item leaves the last
 * accepted version collecting, and the status says what is wrong. A second call with the same item changes nothing. Throws when the
 * state table or the queue fails.
 */
export async function acceptConnector(ports: AcceptPorts, policy: AcceptPolicy, connectorId: string, item: ConnectorItem): Promise<void> {
  const { state, clock, digest } = ports
  for (let write = 0; write < writesMax; write++) {
    const before = await state.readAccepted(connectorId)
    const checked = await check(ports, policy, item, before?.connector)
    if (!checked.ok) return refuse(ports, connectorId, item, checked.problems, before)
    const after = acceptance(checked.connector, digestItem(digest, item), before, ports.vendors, clock.now())
    if (before !== undefined && before.retiredAt === undefined && before.itemDigest === after.itemDigest) return confirm(ports, after)
    if (await state.writeAccepted(after, before)) return begin(ports, after, before)
  }
  throw new Error(`Other writers changed the acceptance of connector ${connectorId} ${writesMax} times in a row.`)
}

type Checked = { readonly ok: true; readonly connector: Connector } | { readonly ok: false; readonly problems: readonly Problem[] }

async function check(ports: AcceptPorts, policy: AcceptPolicy, item: ConnectorItem, before: Connector | undefined): Promise<Checked> {
  const parsed = parseConnector(item, { ...policy, vendors: ports.vendors }, before)
  if (!parsed.ok) return parsed
  const changed = before === undefined ? [] : immutableProblems(before, parsed.connector)
  if (changed.length > 0) return { ok: false, problems: changed }
  const moved = before === undefined || !policy.secretsBoundToOrigin ? [] : movedKeyProblems(before, parsed.connector)
  if (moved.length > 0) return { ok: false, problems: moved }
  // A secret that cannot be read is no problem of the item, because the item may be written before the secret. The run reports it.
  const { failures } = await openKeys(ports, parsed.connector, ports.clock.now())
  const shared = failures.filter(({ code }) => code === 'key-shared')
  if (shared.length === 0) return parsed
  return { ok: false, problems: shared.map((failure) => ({ path: 'apiKeySecrets', message: formatFailure(failure) })) }
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
  const lastPause = pauseOf(connector, before, now)
  return { connector, itemDigest, acceptedAt: now, streamsSince, ...(lastPause === undefined ? {} : { lastPause }) }
}

/** The time for which the connector was disabled or deleted. The ledger reports events that were lost in it as `paused`. */
function pauseOf(connector: Connector, before: AcceptedConnector | undefined, now: Instant): AcceptedConnector['lastPause'] {
  const offSince = before?.lastPause !== undefined && before.lastPause.to === undefined ? before.lastPause.from : before?.retiredAt
  if (connector.enabled) return offSince === undefined ? before?.lastPause : { from: offSince, to: now }
  return { from: offSince ?? now }
}

/** The item is new or was changed: its status starts over, and it is due now. */
async function begin(ports: AcceptPorts, accepted: AcceptedConnector, before: AcceptedConnector | undefined): Promise<void> {
  const { state, log } = ports
  const { connector, acceptedAt: now } = accepted
  const { connectorId } = connector
  await updateStatus(ports, connector, now, 'changed')
  await leaveKeys(ports, before?.connector, connector, now)
  const change = before === undefined ? 'The connector is new' : 'The connector was changed'
  const message = tenantOfId(connectorId) === undefined ? `${change}. ${namesNoTenant}` : change
  log({ level: 'info', event: 'connector-accepted', connectorId, message })
  if (connector.enabled) await makeDue(ports, connectorId, now)
  else await state.removeDue(connectorId)
}

const namesNoTenant =
  'Its id names no tenant, so no policy can give it to the operator of one. A new connector must have an id such as "acme.cas"'

/** The item was accepted before. If that acceptance stopped before it made the connector due, this makes it due. */
async function confirm(ports: AcceptPorts, { connector, acceptedAt: now }: AcceptedConnector): Promise<void> {
  const { connectorId, enabled } = connector
  await updateStatus(ports, connector, now, 'unchanged')
  if (enabled && (await ports.state.readRun(connectorId)).due === undefined) await makeDue(ports, connectorId, now)
}

async function makeDue({ state, queue }: AcceptPorts, connectorId: string, now: Instant): Promise<void> {
  await state.makeDue(connectorId, now, floorToSecond(now))
  await queue.send(connectorId, 0)
}

async function updateStatus(ports: AcceptPorts, connector: Connector, now: Instant, item: 'changed' | 'unchanged'): Promise<void> {
  const { connectorId } = connector
  const updated = await ports.state.updateStatus(connectorId, (status) => acceptedStatus(status, connector, now, item))
  await notifyChanges(ports, connectorId, updated)
}

/** The status of an accepted connector. A change of the item may have removed the cause of every failure, so it ends all backoffs. */
function acceptedStatus(
  status: ConnectorStatus | undefined,
  connector: Connector,
  now: Instant,
  item: 'changed' | 'unchanged',
): ConnectorStatus {
  const { trouble, ...stored } = status ?? newStatus(now, connector.tenantName)
  const backoffs =
    item === 'changed' ? { rejectedKeys: {} } : { rejectedKeys: stored.rejectedKeys, ...(trouble === undefined ? {} : { trouble }) }
  const { tenantName, type: vendor, baseUrl: origin } = connector
  const next = { ...stored, ...backoffs, tenantName, vendor, origin, problems: [] }
  if (!connector.enabled) return withState(next, { state: 'paused', reason: 'enabled is false, so nothing is collected.' }, now)
  if (item === 'unchanged' && status !== undefined && status.state !== 'refused') return next
  return withState(next, { state: 'starting', reason: '' }, now)
}

/** Removes the connector as a user of the keys that it no longer has: its limit must not count there, and another tenant may take such a key. */
async function leaveKeys(ports: AcceptPorts, before: Connector | undefined, after: Connector, now: Instant): Promise<void> {
  const kept = new Set(after.apiKeySecrets.map(secretText))
  const left = before?.apiKeySecrets.filter((reference) => !kept.has(secretText(reference))) ?? []
  if (before === undefined || left.length === 0) return
  await closeKeys(ports, { ...before, apiKeySecrets: left }, now)
  // A removed name may lead to a key that the connector still has under another name, so its keys are registered again.
  await openKeys(ports, after, now)
}

/** The last accepted version goes on, if there is one. The tenant and the vendor are taken from the item only as far as they are right. */
async function refuse(
  ports: AcceptPorts,
  connectorId: string,
  item: ConnectorItem,
  problems: readonly Problem[],
  before: AcceptedConnector | undefined,
): Promise<void> {
  const { state, clock, log, vendors } = ports
  const now = clock.now()
  const keepsAccepted = before !== undefined && before.retiredAt === undefined
  const message = problems.map((problem) => `${problem.path}: ${problem.message}`).join(' ')
  const tenantName = typeof item['tenantName'] === 'string' ? wholeCharacters(item['tenantName'], tenantNameLengthMax) : undefined
  const vendor = typeof item['type'] === 'string' && vendors.has(item['type']) ? { vendor: item['type'] } : {}
  const refused = await state.updateStatus(connectorId, (status) => {
    const stored = { ...vendor, ...(status ?? newStatus(now, tenantName)) }
    if (keepsAccepted) return withRefusedEdit(stored, problems, now)
    return withState({ ...stored, problems }, { state: 'refused', reason: `The item was not accepted. ${message}` }, now)
  })
  log({ level: 'warn', event: 'connector-refused', connectorId, message, keepsAccepted })
  await notifyChanges(ports, connectorId, refused)
}

/** A name that was not checked is cut to the length that is allowed (characters). */
const tenantNameLengthMax = 128
