import type { Clock, DueStore, OutageStore, PublishMetrics, StatusStore } from '../domain/ports.ts'
import { FleetTally } from '../domain/status/fleet.ts'
import type { Vendor } from '../domain/vendor.ts'
import { type NotifyPorts, notifyChanges, overdueMs } from './notify-changes.ts'
import { dueAges } from './oldest-due.ts'
import { type ObservedOrigin, observeOrigin, reviewOutages } from './review-outages.ts'

export interface MeasurePorts extends NotifyPorts {
  readonly state: StatusStore & OutageStore & Pick<DueStore, 'dueBefore' | 'readDue'>
  readonly clock: Clock
  readonly publish: PublishMetrics
  readonly vendors: ReadonlyMap<string, Vendor>
}

/**
 * Reads the status of every connector and publishes the metrics of the fleet, one set for each vendor. It also sends the notifications
 * that are still pending, and begins and ends outages. Throws when the state table fails.
 */
export async function measureFleet(ports: MeasurePorts): Promise<void> {
  const { state, clock, publish } = ports
  const now = clock.now()
  const tallies = new Map([...ports.vendors.keys()].map((vendor) => [vendor, new FleetTally()]))
  const origins = new Map<string, ObservedOrigin>()
  const due = new Map<string, number>()
  for await (const { connectorId, ageMs } of dueAges(state, now)) due.set(connectorId, ageMs)
  for await (const { connectorId, status } of state.fleet()) {
    const vendor = status.vendor ?? 'unknown'
    const tally = tallies.get(vendor) ?? new FleetTally()
    tallies.set(vendor, tally)
    tally.add(status, now)
    tally.addDue(due.get(connectorId) ?? 0)
    observeOrigin(origins, status)
    const recent = status.pendingChanges?.filter(({ since }) => since >= now - overdueMs) ?? []
    await notifyChanges(ports, connectorId, { before: { ...status, pendingChanges: recent }, after: status })
  }
  const outages = await reviewOutages(ports, origins, now)
  for (const [vendor, tally] of tallies) publish({ vendor, values: tally.metrics(outages.get(vendor) ?? 0, now) })
}
