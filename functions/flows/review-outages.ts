import { isVendorsOwn } from '../domain/failures.ts'
import type { OutageStore } from '../domain/ports.ts'
import { traitsOfState } from '../domain/status/connector-state.ts'
import { outageNotification } from '../domain/status/notifications.ts'
import type { Outage } from '../domain/status/outage.ts'
import type { ConnectorStatus } from '../domain/status/status.ts'
import type { Instant } from '../domain/time.ts'
import { beginOutage, type NotifyPorts, notifyOutage, overdueMs } from './notify-changes.ts'

interface OutagePorts extends NotifyPorts {
  readonly state: NotifyPorts['state'] & OutageStore
}

/** A vendor's origin, as the connectors that collect from it have seen it. */
export interface ObservedOrigin {
  readonly vendor: string
  readonly origin: string
  /** When it last responded to any of them; 0: never. */
  respondedAt: Instant
  /** Why and since when it fails one of them, if it does. */
  failing?: Pick<Outage, 'cause' | 'reason' | 'since'>
}

/** Adds the status of one connector to `origins`. */
export function observeOrigin(origins: Map<string, ObservedOrigin>, status: ConnectorStatus): void {
  const { vendor, origin, state, cause, reason, since, lastSuccessAt = 0, lastFailure } = status
  if (vendor === undefined || origin === undefined || !traitsOfState(state).collects) return
  const id = originId({ vendor, origin })
  const observed = origins.get(id) ?? { vendor, origin, respondedAt: 0 }
  // A refusal is a response too, such as that of a key.
  const refusedAt = lastFailure?.status !== undefined && !isVendorsOwn(lastFailure.code) ? lastFailure.at : 0
  observed.respondedAt = Math.max(observed.respondedAt, lastSuccessAt, refusedAt)
  if (state === 'failing' && cause !== undefined && isVendorsOwn(cause)) observed.failing = { cause, reason, since }
  origins.set(id, observed)
}

/**
 * Ends every outage whose origin fails no connector and has responded to one since the outage began. Begins an outage for an origin that
 * fails and has none. Returns the number of origins that fail, by vendor. A notification that cannot be sent is logged, and the next
 * call tries again.
 */
export async function reviewOutages(
  ports: OutagePorts,
  origins: ReadonlyMap<string, ObservedOrigin>,
  now: Instant,
): Promise<ReadonlyMap<string, number>> {
  const failingOrigins = new Map<string, number>()
  const count = (vendor: string) => failingOrigins.set(vendor, (failingOrigins.get(vendor) ?? 0) + 1)
  const withOutage = new Set<string>()
  for (const outage of await ports.state.outages()) {
    withOutage.add(originId(outage))
    const observed = origins.get(originId(outage))
    const isRecent = outage.since > now - overdueMs
    const goesOn = isRecent || (observed !== undefined && (observed.failing !== undefined || observed.respondedAt <= outage.since))
    if (goesOn) count(outage.vendor)
    await orNextTime(ports, outage.origin, async () => {
      if (!isRecent && !outage.sent) await notifyOutage(ports, outage)
      if (goesOn) return
      // If no connector collects from the origin any more, nobody knows whether it responds, so no recovery is announced.
      if (observed !== undefined) await ports.bus.put([outageNotification(outage, now)])
      await ports.state.endOutage(outage)
    })
  }
  // A connector may have failed while the outage of its origin was being ended.
  for (const [id, { vendor, origin, failing }] of origins) {
    if (failing === undefined || withOutage.has(id)) continue
    count(vendor)
    await orNextTime(ports, origin, () => beginOutage(ports, { vendor, origin, ...failing, sent: false }))
  }
  return failingOrigins
}

async function orNextTime({ log }: OutagePorts, origin: string, notify: () => Promise<void>): Promise<void> {
  try {
    await notify()
  } catch (error) {
    const message = `The notification about ${origin} was not sent. The next measurement tries again.`
    log({ level: 'warn', event: 'outage-pending', message, error })
  }
}

function originId({ vendor, origin }: { readonly vendor: string; readonly origin: string }): string {
  return `${vendor} ${origin}`
}
