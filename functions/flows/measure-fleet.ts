import { isVendorsOwn } from '../domain/failures.ts'
import type { Clock, OutageStore, PublishMetrics, StatusStore } from '../domain/ports.ts'
import { traitsOfState } from '../domain/status/connector-state.ts'
import { FleetTally } from '../domain/status/fleet.ts'
import { outageNotification } from '../domain/status/notifications.ts'
import type { Outage } from '../domain/status/outage.ts'
import type { ConnectorStatus } from '../domain/status/status.ts'
import { type Instant, minute } from '../domain/time.ts'
import type { Vendor } from '../domain/vendor.ts'
import { beginOutage, type NotifyPorts, notifyChanges, notifyOutage } from './notify-changes.ts'

export interface MeasurePorts extends NotifyPorts {
  readonly state: StatusStore & OutageStore
  readonly clock: Clock
  readonly publish: PublishMetrics
  readonly vendors: ReadonlyMap<string, Vendor>
}

/** What has not been told after this (ms) is not told any more by whoever should have; and the listing shows by then what was written. */
const overdueMs = 2 * minute

/** What the connectors that collect from one of a vendor's origins saw of it. */
interface ObservedOrigin {
  readonly vendor: string
  readonly origin: string
  /** When it last answered any of them. */
  respondedAt: Instant
  /** One that it fails, if any. */
  failing?: Pick<Outage, 'cause' | 'reason' | 'since'>
}

/**
 * Reads the status of every connector and publishes what they come to, for each vendor. What was left untold is told. An outage
 * ends when its origin has answered any connector since it began and fails none.
 */
export async function measureFleet(ports: MeasurePorts): Promise<void> {
  const { state, clock } = ports
  const now = clock.now()
  const tallies = new Map([...ports.vendors.keys()].map((vendor) => [vendor, new FleetTally()]))
  const origins = new Map<string, ObservedOrigin>()
  for await (const { connectorId, status } of state.fleet()) {
    const vendor = status.vendor ?? 'unknown'
    const tally = tallies.get(vendor) ?? new FleetTally()
    tallies.set(vendor, tally)
    tally.add(status, now)
    see(origins, status)
    const recent = status.pendingChanges?.filter(({ since }) => since >= now - overdueMs) ?? []
    await notifyChanges(ports, connectorId, { before: { ...status, pendingChanges: recent }, after: status })
  }
  const open = await outages(ports, origins, now)
  for (const [vendor, tally] of tallies) ports.publish({ vendor, values: tally.metrics(open.get(vendor) ?? 0, now) })
}

function see(origins: Map<string, ObservedOrigin>, status: ConnectorStatus): void {
  const { vendor, origin, state, cause, reason, since, lastSuccessAt = 0, lastFailure } = status
  if (vendor === undefined || origin === undefined || !traitsOfState(state).collects) return
  const key = originKey({ vendor, origin })
  const seen = origins.get(key) ?? { vendor, origin, respondedAt: 0 }
  // A key that is rejected is an answer too.
  const refusedAt = lastFailure?.status !== undefined && !isVendorsOwn(lastFailure.code) ? lastFailure.at : 0
  seen.respondedAt = Math.max(seen.respondedAt, lastSuccessAt, refusedAt)
  if (state === 'failing' && cause !== undefined && isVendorsOwn(cause)) seen.failing = { cause, reason, since }
  origins.set(key, seen)
}

/** How many of each vendor's origins fail. What cannot be told for now is told with the next measurement. */
async function outages(
  ports: MeasurePorts,
  origins: ReadonlyMap<string, ObservedOrigin>,
  now: Instant,
): Promise<ReadonlyMap<string, number>> {
  const open = new Map<string, number>()
  const known = new Set<string>()
  const count = (vendor: string) => open.set(vendor, (open.get(vendor) ?? 0) + 1)
  for (const outage of await ports.state.outages()) {
    known.add(originKey(outage))
    const origin = origins.get(originKey(outage))
    const isRecent = outage.since > now - overdueMs
    const goesOn = isRecent || (origin !== undefined && (origin.failing !== undefined || origin.respondedAt <= outage.since))
    if (goesOn) count(outage.vendor)
    await orLater(ports, outage.origin, async () => {
      if (!isRecent && !outage.sent) await notifyOutage(ports, outage)
      if (goesOn) return
      // Where nobody is left that asks the origin, nobody knows whether it answers.
      if (origin !== undefined) await ports.bus.put([outageNotification(outage, now)])
      await ports.state.endOutage(outage)
    })
  }
  // One that ended while another connector ran into it.
  for (const [key, { vendor, origin, failing }] of origins) {
    if (failing === undefined || known.has(key)) continue
    count(vendor)
    await orLater(ports, origin, () => beginOutage(ports, { vendor, origin, ...failing, sent: false }))
  }
  return open
}

async function orLater({ log }: MeasurePorts, origin: string, tell: () => Promise<void>): Promise<void> {
  try {
    await tell()
  } catch (error) {
    log({ level: 'warn', event: 'outage-pending', message: `${origin} is told of later`, error })
  }
}

function originKey({ vendor, origin }: { readonly vendor: string; readonly origin: string }): string {
  return `${vendor} ${origin}`
}
