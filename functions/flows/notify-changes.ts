import { isVendorsOwn } from '../domain/failures.ts'
import type { Amended, Bus, Log, State } from '../domain/ports.ts'
import { changeNotice, type Notice, outageNotice } from '../domain/status/notifications.ts'
import type { Outage } from '../domain/status/outage.ts'
import { changesLeft, withoutTold } from '../domain/status/status.ts'

export interface TellPorts {
  readonly state: State
  readonly bus: Bus
  readonly log: Log
}

/**
 * Tells the changes that a write made, and then takes them out of the status. Only who made them tells them, so each is told
 * once; what a crash or the bus prevented stays in the status, and `dispatch` tells it later. The first connector that a
 * vendor's outage stops tells of the outage. Never throws.
 */
export async function tellChanges(ports: TellPorts, connectorId: string, amended: Amended | undefined): Promise<void> {
  const { state, bus, log } = ports
  if (amended === undefined) return
  const changes = changesLeft(amended.after, amended.before?.changes)
  if (changes.length === 0) return
  const { tenantName = 'unknown', vendor = 'unknown', site } = amended.after
  try {
    const notices: Notice[] = changes.map((change) => changeNotice({ connectorId, tenantName, vendor }, change))
    const outage = changes.find(({ to, cause }) => to === 'failing' && cause !== undefined && isVendorsOwn(cause))
    if (outage?.cause !== undefined && site !== undefined) {
      const { cause, reason, since } = outage
      await beginOutage(ports, { vendor, site, cause, reason, since, told: false })
    }
    await bus.put(notices)
    await state.amendStatus(connectorId, (before) => (before === undefined ? undefined : withoutTold(before, changes)))
  } catch (error) {
    log({ level: 'warn', event: 'change-untold', connectorId, message: 'its change of state is told later', error })
  }
}

export async function beginOutage(ports: TellPorts, outage: Outage): Promise<void> {
  if (await ports.state.beginOutage(outage)) await tellOutage(ports, outage)
}

export async function tellOutage({ bus, state }: TellPorts, outage: Outage): Promise<void> {
  await bus.put([outageNotice(outage)])
  await state.outageTold(outage)
}
