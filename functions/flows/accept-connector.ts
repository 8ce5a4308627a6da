import type { Connector } from '../domain/connector/connector.ts'
import { immutableProblems } from '../domain/connector/connector-edits.ts'
import { isConnectorId, parseConnector, sizeProblem } from '../domain/connector/connector-schema.ts'
import type { Problem } from '../domain/connector/problems.ts'
import { tenantNote, tenantOfId } from '../domain/connector/tenant.ts'
import { formatFailure } from '../domain/failures.ts'
import type { AcceptedConnector, AcceptedStore, DueStore, Queue } from '../domain/ports.ts'
import { versionOf } from '../domain/status/accepted-status.ts'
import { newStatus, withRefusedEdit, withState } from '../domain/status/status.ts'
import type { StreamId } from '../domain/stream/stream.ts'
import type { Instant } from '../domain/time.ts'
import type { Vendor } from '../domain/vendor.ts'
import { type ConvergePorts, convergeConnector } from './converge-connector.ts'
import { type ConnectorItem, digestItem } from './item-digest.ts'
import { notifyChanges } from './notify-changes.ts'
import { keysOfOthers, secretText } from './open-keys.ts'
import { bindSecrets, movedKeys } from './secret-origins.ts'

export interface AcceptPorts extends ConvergePorts {
  readonly state: ConvergePorts['state'] & AcceptedStore & Pick<DueStore, 'readComparison' | 'writeComparison'>
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
}

/** Tries in a row that lose to other writers (count). Only the table's stream and the hourly comparison write an acceptance, so more is a bug. */
const writesMax = 5

/**
 * Checks an item and, if it is right, copies it into the state table: runs collect from that copy only. A bad item leaves the last
 * accepted version collecting, and the status says what is wrong. A second call with the same item changes nothing, and completes what
 * the first left undone. A new key of an item waits for the first comparison after an upgrade. Throws when the state table or the queue fails.
 */
export async function acceptConnector(ports: AcceptPorts, policy: AcceptPolicy, connectorId: string, item: ConnectorItem): Promise<void> {
  const { state, clock, digest, log } = ports
  if (!isConnectorId(connectorId)) return refuseId(ports, connectorId)
  const tooLarge = sizeProblem(item)
  if (tooLarge !== undefined) return refuse(ports, connectorId, item, [tooLarge], await state.readAccepted(connectorId))
  for (let write = 0; write < writesMax; write++) {
    const before = await state.readAccepted(connectorId)
    const itemDigest = digestItem(digest, item)
    const isAccepted = before?.retiredAt === undefined && before?.itemDigest === itemDigest
    const mayClaim = isAccepted || (await canClaim(ports))
    const checked = await check(ports, policy, item, before?.connector, isAccepted)
    if (!checked.ok) return refuse(ports, connectorId, item, checked.problems, before)
    if (before !== undefined && isAccepted) return convergeConnector(ports, before, { isItemRight: true })
    if (!mayClaim && hasNewSecret(before, checked.connector)) return defer(ports, connectorId)
    const raced = await bindNewSecrets(ports, before?.connector, checked.connector)
    if (raced.length > 0) return refuse(ports, connectorId, item, raced, before)
    const after = acceptance(checked.connector, itemDigest, before, ports.vendors, clock.now())
    if (!(await state.writeAccepted(after, before))) continue
    const change = before === undefined ? 'The connector is new.' : 'The connector was changed.'
    const message = [change, ...tenantNote(connectorId)].join(' ')
    log({ level: 'info', event: 'connector-accepted', connectorId, message })
    return convergeConnector(ports, after, { isItemRight: true })
  }
  throw new Error(`Other writers changed the acceptance of connector ${connectorId} ${writesMax} times in a row.`)
}

/** No key of the state table is made of an id that may be as long as a key of the connectors table. The log repeats nothing of it. */
function refuseId({ log }: Pick<AcceptPorts, 'log'>, connectorId: string): void {
  const message = `An item has a connectorId of ${connectorId.length} characters that no connector can have, so nothing is collected for it. Give an id of the form tenant.name, such as acme.cas, of at most 64 characters.`
  log({ level: 'warn', event: 'connector-refused', message, keepsAccepted: false })
}

type Checked = { readonly ok: true; readonly connector: Connector } | { readonly ok: false; readonly problems: readonly Problem[] }

/** The keys of an item that is accepted already are no longer checked: a key that another tenant claimed first is a failure of its runs. */
async function check(
  ports: AcceptPorts,
  policy: AcceptPolicy,
  item: ConnectorItem,
  before: Connector | undefined,
  isAccepted: boolean,
): Promise<Checked> {
  const parsed = parseConnector(item, { ...policy, vendors: ports.vendors }, before)
  if (!parsed.ok) return parsed
  const changed = before === undefined ? [] : immutableProblems(before, parsed.connector)
  if (changed.length > 0) return { ok: false, problems: changed }
  const moved = await movedKeys(ports, before, parsed.connector)
  if (moved.length > 0) return { ok: false, problems: moved }
  if (isAccepted) return parsed
  // A secret that cannot be read is no problem of the item, because the item may be written before the secret. The run reports it.
  const refused = await keysOfOthers(ports, parsed.connector)
  if (refused.length === 0) return parsed
  return { ok: false, problems: refused.map((failure) => ({ path: 'apiKeySecrets', message: formatFailure(failure) })) }
}

/**
 * Whether an item may claim a key that nobody has claimed. After an upgrade nobody may, until the first comparison has made the connectors
 * of the earlier release claim theirs: a paused one has no entry at its key. A table in which no key was ever seen has no such connector.
 */
async function canClaim({ state, clock }: AcceptPorts): Promise<boolean> {
  const comparison = await state.readComparison()
  if (comparison?.claimedAt !== undefined) return true
  if (await state.hasFingerprintKey()) return false
  await state.writeComparison({ ...comparison, claimedAt: clock.now() })
  return true
}

function hasNewSecret(before: AcceptedConnector | undefined, { apiKeySecrets }: Connector): boolean {
  const had = new Set(before?.retiredAt === undefined ? before?.connector.apiKeySecrets.map(secretText) : [])
  return apiKeySecrets.some((reference) => !had.has(secretText(reference)))
}

/** The comparison makes the connectors claim their keys first. Then it reads the connectors table, so it finds the item. */
function defer({ log }: AcceptPorts, connectorId: string): void {
  const message =
    'The connectors of the former release claim their keys first. The comparison of the tables accepts this item right after, within minutes.'
  log({ level: 'info', event: 'acceptance-deferred', connectorId, message })
}

/**
 * Binds the secrets of the item to its origin, as the last step before it is accepted, and those of the version that it replaces, which an
 * earlier release may have accepted. Returns the problems of a secret that another item has bound since the check.
 */
async function bindNewSecrets(ports: AcceptPorts, before: Connector | undefined, after: Connector): Promise<readonly Problem[]> {
  if (before !== undefined) await bindSecrets(ports, before)
  await bindSecrets(ports, after)
  return movedKeys(ports, before, after)
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
  // Everything that is made from an acceptance carries its time as its version, so no two have the same, whatever the clocks say.
  const acceptedAt = Math.max(now, before === undefined ? 0 : versionOf(before) + 1)
  return { connector, itemDigest, acceptedAt, streamsSince, ...(lastPause === undefined ? {} : { lastPause }) }
}

/** The time for which the connector was disabled or deleted. The ledger reports events that were lost in it as `paused`. */
function pauseOf(connector: Connector, before: AcceptedConnector | undefined, now: Instant): AcceptedConnector['lastPause'] {
  const offSince = before?.lastPause !== undefined && before.lastPause.to === undefined ? before.lastPause.from : before?.retiredAt
  if (connector.enabled) return offSince === undefined ? before?.lastPause : { from: offSince, to: now }
  return { from: offSince ?? now }
}

/** The last accepted version goes on, if there is one. Nothing is told under a name that the item gives itself: the tenant is that of the id. */
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
  // Its own acceptance may have broken off.
  if (keepsAccepted) await convergeConnector(ports, before, { isItemRight: false })
  const message = problems.map((problem) => `${problem.path}: ${problem.message}`).join(' ')
  const vendor = typeof item['type'] === 'string' && vendors.has(item['type']) ? { vendor: item['type'] } : {}
  const refused = await state.updateStatus(connectorId, (status) => {
    const stored = { ...vendor, ...(status ?? newStatus(now, tenantOfId(connectorId))) }
    if (keepsAccepted) return withRefusedEdit(stored, problems, now)
    return withState({ ...stored, problems }, { state: 'refused', reason: `The item was not accepted. ${message}` }, now)
  })
  log({ level: 'warn', event: 'connector-refused', connectorId, message, keepsAccepted })
  await notifyChanges(ports, connectorId, refused)
}
