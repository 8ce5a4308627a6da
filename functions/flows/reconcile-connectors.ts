import { isConnectorId, sizeProblem } from '../domain/connector/connector-schema.ts'
import type { AcceptedConnector, DueStore, StatusStore } from '../domain/ports.ts'
import { isConverged } from '../domain/status/accepted-status.ts'
import type { ConnectorStatus } from '../domain/status/status.ts'
import { type AcceptPolicy, type AcceptPorts, acceptConnector } from './accept-connector.ts'
import { type ConnectorItem, digestItem } from './item-digest.ts'
import { retireConnector } from './retire-connector.ts'

export interface ReconcilePorts extends AcceptPorts {
  readonly state: AcceptPorts['state'] & StatusStore & Pick<DueStore, 'dueBefore'>
}

/**
 * The hourly comparison of the connectors table with the accepted connectors. It repairs what a lost record of the table's stream, or a
 * fault in the middle of an acceptance, left undone: it accepts items that differ from the accepted ones or were not carried out to the
 * end, and retires connectors whose item is gone. It finds them by the listings alone, so a connector that is as it should be costs no
 * read of its own and no secret. One that fails is logged, and the others go on. Throws when a table cannot be listed.
 */
export async function reconcileConnectors(ports: ReconcilePorts, policy: AcceptPolicy, items: AsyncIterable<ConnectorItem>): Promise<void> {
  const { digest } = ports
  const listed = await listConnectors(ports)
  const present = new Set<string>()
  for await (const item of items) {
    const connectorId = item['connectorId']
    if (typeof connectorId !== 'string') continue
    present.add(connectorId)
    const accepted = listed.accepted.get(connectorId)
    const mayBeAccepted = isConnectorId(connectorId) && sizeProblem(item) === undefined
    const isSame = mayBeAccepted && accepted?.retiredAt === undefined && accepted?.itemDigest === digestItem(digest, item)
    if (isSame && !hasProblems(listed, connectorId) && isDone(listed, connectorId)) continue
    await orNextTime(ports, connectorId, 'The item could not be checked', () => acceptConnector(ports, policy, connectorId, item))
  }
  for (const [connectorId, { retiredAt }] of listed.accepted) {
    if (present.has(connectorId) || (retiredAt !== undefined && isDone(listed, connectorId))) continue
    await orNextTime(ports, connectorId, 'The connector could not be retired', () => retireConnector(ports, connectorId))
  }
}

/** All connectors as the eventually consistent listings show them. What they show too early or too late costs a repair that changes nothing. */
interface Listed {
  readonly accepted: ReadonlyMap<string, Pick<AcceptedConnector, 'itemDigest' | 'acceptedAt' | 'retiredAt' | 'connector'>>
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

function isDone({ accepted, statuses, due }: Listed, connectorId: string): boolean {
  const of = accepted.get(connectorId)
  return of !== undefined && isConverged(of, statuses.get(connectorId), due.has(connectorId))
}

/** The item was refused, and the reason may be gone. */
function hasProblems({ statuses }: Listed, connectorId: string): boolean {
  return (statuses.get(connectorId)?.problems.length ?? 0) > 0
}

async function orNextTime({ log }: ReconcilePorts, connectorId: string, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const message = `${what}. The next hourly comparison tries again.`
    log({ level: 'error', event: 'acceptance-failed', connectorId, message, error })
  }
}
