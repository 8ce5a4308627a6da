import { unclaimedTime } from '../domain/dispatch.ts'
import type { AcceptedConnector, AcceptedStore, Clock, DueStore, Queue, StatusStore } from '../domain/ports.ts'
import { acceptedStatus, dueAfter, isStatusOfLater, versionOf } from '../domain/status/accepted-status.ts'
import { floorToSecond } from '../domain/time.ts'
import { type NotifyPorts, notifyChanges } from './notify-changes.ts'
import { type KeyPorts, leaveKeys, openKeys } from './open-keys.ts'
import { bindSecrets, type SecretOriginPorts } from './secret-origins.ts'

export interface ConvergePorts extends KeyPorts, NotifyPorts, SecretOriginPorts {
  readonly state: KeyPorts['state'] &
    NotifyPorts['state'] &
    SecretOriginPorts['state'] &
    Pick<AcceptedStore, 'keepStreams'> &
    Pick<StatusStore, 'readStatus'> &
    Pick<DueStore, 'readDue' | 'makeDue' | 'removeDue'>
  readonly clock: Clock
}

/**
 * Carries out an acceptance or a deletion: brings the secrets, the keys, the due time and the status of a connector to what follows from the accepted
 * connector, or from its tombstone, alone. A second call changes nothing. One that broke off anywhere is made good by the next: at the
 * next change of the item, in the hourly comparison, or at the start of a run. The status comes last, so it shows that the rest was done.
 * `isItemRight`: the item that the user sees is the accepted one. Without a queue, a connector that became due waits for the next tick.
 * Throws when the state table or the queue fails.
 */
export async function convergeConnector(
  ports: ConvergePorts & { readonly queue?: Queue },
  accepted: AcceptedConnector,
  { isItemRight }: { readonly isItemRight: boolean },
): Promise<void> {
  const { state, clock } = ports
  const { connectorId } = accepted.connector
  const now = clock.now()
  await state.keepStreams(accepted)
  // Acceptance has bound them, unless an earlier release accepted the connector.
  await bindSecrets(ports, accepted.connector)
  if (accepted.retiredAt === undefined) await openKeys(ports, accepted, now)
  else await leaveKeys(ports, accepted)
  await convergeDue(ports, accepted)
  const updated = await state.updateStatus(connectorId, (stored) =>
    isStatusOfLater(stored, versionOf(accepted)) ? undefined : acceptedStatus(stored, accepted, now, { isItemRight }),
  )
  await notifyChanges(ports, connectorId, updated)
}

async function convergeDue(ports: ConvergePorts & { readonly queue?: Queue }, accepted: AcceptedConnector): Promise<void> {
  const { state, clock, queue } = ports
  const { connectorId } = accepted.connector
  const version = versionOf(accepted)
  const [due, status] = await Promise.all([state.readDue(connectorId), state.readStatus(connectorId)])
  switch (dueAfter(due, accepted, status)) {
    case 'stay':
      return
    case 'remove':
      return state.removeDue(connectorId, version)
    case 'make': {
      const now = clock.now()
      if (await state.makeDue(connectorId, unclaimedTime(now), floorToSecond(now), version)) await queue?.send(connectorId, 0)
    }
  }
}
