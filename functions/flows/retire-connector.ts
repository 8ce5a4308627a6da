import { isConnectorId } from '../domain/connector/connector-schema.ts'
import type { AcceptedStore } from '../domain/ports.ts'
import { withState } from '../domain/status/status.ts'
import { type ConvergePorts, convergeConnector } from './converge-connector.ts'
import { notifyChanges } from './notify-changes.ts'

export interface RetirePorts extends ConvergePorts {
  readonly state: ConvergePorts['state'] & AcceptedStore
}

/**
 * Ends the collection of a connector whose item was deleted. A tombstone keeps its ledgers for 4 days, so that a new item with the
 * same id resumes them. Does nothing if another process changed the acceptance meanwhile. A second call completes what the first left
 * undone. Throws when the state table fails.
 */
export async function retireConnector(ports: RetirePorts, connectorId: string): Promise<void> {
  const { state, clock, log } = ports
  // Nothing was ever stored under such an id.
  if (!isConnectorId(connectorId)) return
  const before = await state.readAccepted(connectorId)
  if (before === undefined) return retireRefused(ports, connectorId)
  if (before.retiredAt !== undefined) return convergeConnector(ports, before, { isItemRight: true })
  const tombstone = { ...before, retiredAt: Math.max(clock.now(), before.acceptedAt + 1) }
  if (!(await state.writeAccepted(tombstone, before))) return
  log({ level: 'info', event: 'connector-retired', connectorId, message: 'The item was deleted' })
  await convergeConnector(ports, tombstone, { isItemRight: true })
}

/** The item was never accepted, so all that there is of it is its status. */
async function retireRefused(ports: RetirePorts, connectorId: string): Promise<void> {
  const { state, clock } = ports
  const now = clock.now()
  await state.removeDue(connectorId)
  const retired = await state.updateStatus(connectorId, (status) =>
    status === undefined ? undefined : { ...withState(status, { state: 'retired', reason: 'The item was deleted.' }, now), problems: [] },
  )
  await notifyChanges(ports, connectorId, retired)
}
