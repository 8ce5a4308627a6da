import { isVendorsOwn } from '../domain/failures.ts'
import type { Bus, Log, OutageStore, StatusStore, StatusUpdate } from '../domain/ports.ts'
import { changeNotification, outageNotification } from '../domain/status/notifications.ts'
import type { Outage } from '../domain/status/outage.ts'
import { changesNotIn, withoutSent } from '../domain/status/status.ts'
import { minute } from '../domain/time.ts'

export interface NotifyPorts {
  readonly state: Pick<StatusStore, 'updateStatus'> & Pick<OutageStore, 'beginOutage' | 'outageSent'>
  readonly bus: Bus
  readonly log: Log
}

/**
 * A notification that is still pending after this (ms) was not sent by the process that wrote the change, so `measureFleet` sends it.
 * By then its listing, which is eventually consistent, shows all that the process wrote.
 */
export const overdueMs = 2 * minute

/**
 * Sends a notification for each change that `update` added to a status, and then removes the changes from the status. Only the process
 * that wrote a change calls this, so each change is sent once. A change that a crash or the bus kept from being sent stays pending, and
 * `measureFleet` sends it. The first connector that a vendor's outage stops begins the outage. Never throws.
 */
export async function notifyChanges(ports: NotifyPorts, connectorId: string, update: StatusUpdate | undefined): Promise<void> {
  const { state, bus, log } = ports
  if (update === undefined) return
  const changes = changesNotIn(update.after, update.before?.pendingChanges)
  if (changes.length === 0) return
  const { tenantName, vendor = 'unknown', origin } = update.after
  try {
    const notifications = changes.map((change) => changeNotification({ connectorId, tenantName, vendor }, change))
    const outage = changes.find(({ to, cause }) => to === 'failing' && cause !== undefined && isVendorsOwn(cause))
    if (outage?.cause !== undefined && origin !== undefined) {
      const { cause, reason, since } = outage
      await beginOutage(ports, { vendor, origin, cause, reason, since, sent: false })
    }
    await bus.put(notifications)
    await state.updateStatus(connectorId, (before) => (before === undefined ? undefined : withoutSent(before, changes)))
  } catch (error) {
    const message = 'The notification about its change of state was not sent. The next measurement of the fleet tries again.'
    log({ level: 'warn', event: 'change-pending', connectorId, message, error })
  }
}

/** Records the outage and sends its notification. Does nothing if the origin has an outage already. */
export async function beginOutage(ports: NotifyPorts, outage: Outage): Promise<void> {
  if (await ports.state.beginOutage(outage)) await notifyOutage(ports, outage)
}

export async function notifyOutage({ bus, state }: NotifyPorts, outage: Outage): Promise<void> {
  await bus.put([outageNotification(outage)])
  await state.outageSent(outage)
}
