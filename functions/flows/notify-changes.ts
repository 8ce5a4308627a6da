import { isVendorsOwn } from '../domain/failures.ts'
import type { Bus, Log, OutageStore, StatusStore, StatusUpdate } from '../domain/ports.ts'
import { changeNotification, type Notification, outageNotification } from '../domain/status/notifications.ts'
import type { Outage } from '../domain/status/outage.ts'
import { changesNotIn, withoutSent } from '../domain/status/status.ts'

export interface NotifyPorts {
  readonly state: Pick<StatusStore, 'updateStatus'> & Pick<OutageStore, 'beginOutage' | 'outageSent'>
  readonly bus: Bus
  readonly log: Log
}

/**
 * Tells the changes that a write made, and then takes them out of the status. Only who made them tells them, so each is told
 * once; what a crash or the bus prevented stays in the status, and `dispatch` tells it later. The first connector that a
 * vendor's outage stops tells of the outage. Never throws.
 */
export async function notifyChanges(ports: NotifyPorts, connectorId: string, amended: StatusUpdate | undefined): Promise<void> {
  const { state, bus, log } = ports
  if (amended === undefined) return
  const changes = changesNotIn(amended.after, amended.before?.pendingChanges)
  if (changes.length === 0) return
  const { tenantName = 'unknown', vendor = 'unknown', origin } = amended.after
  try {
    const notifications: Notification[] = changes.map((change) => changeNotification({ connectorId, tenantName, vendor }, change))
    const outage = changes.find(({ to, cause }) => to === 'failing' && cause !== undefined && isVendorsOwn(cause))
    if (outage?.cause !== undefined && origin !== undefined) {
      const { cause, reason, since } = outage
      await beginOutage(ports, { vendor, origin, cause, reason, since, sent: false })
    }
    await bus.put(notifications)
    await state.updateStatus(connectorId, (before) => (before === undefined ? undefined : withoutSent(before, changes)))
  } catch (error) {
    log({ level: 'warn', event: 'change-pending', connectorId, message: 'its change of state is told later', error })
  }
}

export async function beginOutage(ports: NotifyPorts, outage: Outage): Promise<void> {
  if (await ports.state.beginOutage(outage)) await notifyOutage(ports, outage)
}

export async function notifyOutage({ bus, state }: NotifyPorts, outage: Outage): Promise<void> {
  await bus.put([outageNotification(outage)])
  await state.outageSent(outage)
}
