import type { AcceptedStore, Clock, DueStore } from '../domain/ports.ts'
import { newStatus, withState } from '../domain/status/status.ts'
import type { KeyLimitPorts } from './key-limit.ts'
import { type NotifyPorts, notifyChanges } from './notify-changes.ts'
import { closeKeys, type KeyPorts } from './open-keys.ts'

export interface RetirePorts extends KeyPorts, NotifyPorts {
  readonly state: KeyPorts['state'] & KeyLimitPorts['state'] & NotifyPorts['state'] & AcceptedStore & Pick<DueStore, 'removeDue'>
  readonly clock: Clock
}

/**
 * Ends the collection of a connector whose item was deleted. A tombstone keeps its ledgers for 4 days, so that a new item with the
 * same id resumes them. Does nothing if another process changed the acceptance meanwhile. Throws when the state table
 * fails.
 */
export async function retireConnector(ports: RetirePorts, connectorId: string): Promise<void> {
  const { state, clock, log } = ports
  const before = await state.readAccepted(connectorId)
  const now = clock.now()
  if (before !== undefined && before.retiredAt === undefined) {
    if (!(await state.writeAccepted({ ...before, retiredAt: now }, before))) return
    await closeKeys(ports, before.connector, now)
    log({ level: 'info', event: 'connector-retired', connectorId, message: 'The item was deleted' })
  }
  await state.removeDue(connectorId)
  const reason = 'The item was deleted. An item with the same id, written within 4 days, resumes where this one stopped.'
  const retired = await state.updateStatus(connectorId, (status) => ({
    ...withState(status ?? newStatus(now), { state: 'retired', reason }, now),
    problems: [],
  }))
  await notifyChanges(ports, connectorId, retired)
}
