import { isConnectorId, sizeProblem } from '../domain/connector/connector-schema.ts'
import type { AcceptedConnector, DueStore, StatusStore } from '../domain/ports.ts'
import { isConverged } from '../domain/status/accepted-status.ts'
import type { ConnectorStatus } from '../domain/status/status.ts'
import { type AcceptPolicy, type AcceptPorts, acceptConnector } from './accept-connector.ts'
import { convergeConnector } from './converge-connector.ts'
import { type ConnectorItem, digestItem } from './item-digest.ts'
import { retireConnector } from './retire-connector.ts'

export interface ReconcilePorts extends AcceptPorts {
  readonly state: AcceptPorts['state'] & StatusStore & Pick<DueStore, 'dueBefore'>
}

/**
 * The hourly comparison of the connectors table with the accepted connectors. It repairs what a lost record of the table's stream, or a
 * fault in the middle of an acceptance, left undone: it carries out acceptances that were not carried out to the end, accepts items that
 * differ from the accepted ones, and retires connectors whose item is gone. In this order: a connector that an earlier release accepted
 * claims its keys before another item can. It finds them by the listings alone, so a connector that is as it should be costs no
 * read of its own and no secret. One that fails is logged, and the others go on. Throws when a table cannot be listed.
 */
export async function reconcileConnectors(ports: ReconcilePorts, policy: AcceptPolicy, items: AsyncIterable<ConnectorItem>): Promise<void> {
  const { digest } = ports
  const listed = await listConnectors(ports)
  const done = await carryOut(ports, listed)
  // From here on: an item that waited for the claims was written before they were all made, so it is among the items.
  const present = new Set<string>()
  for await (const item of items) {
    const connectorId = item['connectorId']
    if (typeof connectorId !== 'string') continue
    present.add(connectorId)
    const accepted = listed.accepted.get(connectorId)
    const mayBeAccepted = isConnectorId(connectorId) && sizeProblem(item) === undefined
    const isSame = mayBeAccepted && accepted?.retiredAt === undefined && accepted?.itemDigest === digestItem(digest, item)
    if (isSame && !hasProblems(listed, connectorId) && done.has(connectorId)) continue
    await orNextTime(ports, connectorId, 'The item could not be checked', () => acceptConnector(ports, policy, connectorId, item))
  }
  for (const [connectorId, { retiredAt }] of listed.accepted) {
    if (present.has(connectorId) || (retiredAt !== undefined && done.has(connectorId))) continue
    await orNextTime(ports, connectorId, 'The connector could not be retired', () => retireConnector(ports, connectorId))
  }
}

/**
 * Carries out every acceptance that is not carried out to its end. Returns the connectors whose acceptance is. Then all keys are claimed
 * that an earlier release has left without a claim. If one connector fails, the others wait for another comparison, but no longer: it may
 * fail for ever.
 */
async function carryOut(ports: ReconcilePorts, { accepted, statuses, due }: Listed): Promise<ReadonlySet<string>> {
  const { state, clock } = ports
  const done = new Set<string>()
  for (const [connectorId, each] of accepted) {
    const isDone =
      isConverged(each, statuses.get(connectorId), due.has(connectorId)) ||
      (await orNextTime(ports, connectorId, 'The acceptance could not be carried out', () =>
        convergeConnector(ports, each, { isItemRight: false }),
      ))
    if (isDone) done.add(connectorId)
  }
  const last = await state.readComparison()
  const isClaimed = done.size === accepted.size || last?.completedAt !== undefined
  if (isClaimed && last?.claimedAt === undefined) await state.writeComparison({ ...last, claimedAt: clock.now() })
  return done
}

/** All connectors as the eventually consistent listings show them. What they show too early or too late costs a repair that changes nothing. */
interface Listed {
  readonly accepted: ReadonlyMap<string, AcceptedConnector>
  readonly statuses: ReadonlyMap<string, ConnectorStatus>
  readonly due: ReadonlySet<string>
}

async function listConnectors({ state }: ReconcilePorts): Promise<Listed> {
  const accepted = new Map<string, AcceptedConnector>()
  for await (const each of state.allAccepted()) accepted.set(each.connector.connectorId, each)
  const statuses = new Map<string, ConnectorStatus>()
  for await (const { connectorId, status } of state.fleet()) statuses.set(connectorId, status)
  const due = new Set<string>()
  for await (const { connectorId } of state.dueBefore(Number.MAX_SAFE_INTEGER)) due.add(connectorId)
  return { accepted, statuses, due }
}

/** The item was refused, and the reason may be gone. */
function hasProblems({ statuses }: Listed, connectorId: string): boolean {
  return (statuses.get(connectorId)?.problems.length ?? 0) > 0
}

async function orNextTime({ log }: ReconcilePorts, connectorId: string, what: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    const message = `${what}. The next comparison tries again.`
    log({ level: 'error', event: 'acceptance-failed', connectorId, message, error })
    return false
  }
}
