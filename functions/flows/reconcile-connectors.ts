import type { StatusStore } from '../domain/ports.ts'
import type { ConnectorStatus } from '../domain/status/status.ts'
import { type AcceptPolicy, type AcceptPorts, acceptConnector } from './accept-connector.ts'
import { type ConnectorItem, digestItem } from './item-digest.ts'
import { type RetirePorts, retireConnector } from './retire-connector.ts'

export interface ReconcilePorts extends AcceptPorts, RetirePorts {
  readonly state: AcceptPorts['state'] & RetirePorts['state'] & StatusStore
}

/**
 * The hourly comparison of the connectors table with the accepted connectors. It repairs what a lost record of the table's stream left
 * undone: it accepts items that differ from the accepted ones, and retires connectors whose item is gone. An item that cannot be
 * accepted is logged, and the others go on. Throws when a table cannot be read or a connector cannot be retired.
 */
export async function reconcileConnectors(ports: ReconcilePorts, policy: AcceptPolicy, items: AsyncIterable<ConnectorItem>): Promise<void> {
  const { state, digest, log } = ports
  const running = new Set<string>()
  for await (const { connectorId, status } of state.fleet()) if (hasRun(status)) running.add(connectorId)
  const accepted = new Map<string, string>()
  for await (const { connector, itemDigest, retiredAt } of state.allAccepted()) {
    if (retiredAt === undefined) accepted.set(connector.connectorId, itemDigest)
  }

  const present = new Set<string>()
  for await (const item of items) {
    const connectorId = item['connectorId']
    if (typeof connectorId !== 'string') continue
    present.add(connectorId)
    if (running.has(connectorId) && accepted.get(connectorId) === digestItem(digest, item)) continue
    try {
      await acceptConnector(ports, policy, connectorId, item)
    } catch (error) {
      const message = 'The item could not be checked. The next hourly comparison tries again.'
      log({ level: 'error', event: 'acceptance-failed', connectorId, message, error })
    }
  }
  for (const connectorId of accepted.keys()) {
    if (!present.has(connectorId)) await retireConnector(ports, connectorId)
  }
}

/** The connector has run since it was accepted, and no edit was refused. Otherwise its acceptance may have stopped half way. */
function hasRun({ problems, state }: ConnectorStatus): boolean {
  return problems.length === 0 && state !== 'refused' && state !== 'starting'
}
