import { isVendorsOwn } from '../domain/failures.ts'
import { FleetTally } from '../domain/fleet.ts'
import { outageNotice } from '../domain/notices.ts'
import type { Outage } from '../domain/outage.ts'
import type { Clock, PublishMetrics } from '../domain/ports.ts'
import type { ConnectorStatus } from '../domain/status.ts'
import { type Instant, minute } from '../domain/time.ts'
import type { Vendor } from '../domain/vendor.ts'
import { type TellPorts, tellChanges, tellOutage } from './tell-changes.ts'

export interface MeasurePorts extends TellPorts {
  readonly clock: Clock
  readonly publish: PublishMetrics
  readonly vendors: ReadonlyMap<string, Vendor>
}

/** What has not been told after this (ms) is not told any more by whoever should have; and the listing shows by then what was written. */
const overdueMs = 2 * minute

/**
 * Reads the status of every connector and publishes what they come to, for each vendor. What was left untold is told, and an
 * outage that no connector suffers from any more has ended.
 */
export async function measureFleet(ports: MeasurePorts): Promise<void> {
  const { state, clock } = ports
  const now = clock.now()
  const tallies = new Map([...ports.vendors.keys()].map((vendor) => [vendor, new FleetTally()]))
  const failing = new Set<string>()
  for await (const { connectorId, status } of state.fleet()) {
    const vendor = status.vendor ?? 'unknown'
    const tally = tallies.get(vendor) ?? new FleetTally()
    tallies.set(vendor, tally)
    tally.add(status, now)
    if (suffersOutage(status)) failing.add(siteKey({ vendor, site: status.site ?? '' }))
    if ((status.changes?.[0]?.since ?? now) < now - overdueMs) await tellChanges(ports, connectorId, { after: status })
  }
  const open = await endOutages(ports, failing, now)
  for (const [vendor, tally] of tallies) ports.publish({ vendor, values: tally.metrics(open.get(vendor) ?? 0, now) })
}

/** How many of each vendor's sites still fail. What cannot be told for now is told with the next measurement. */
async function endOutages(ports: MeasurePorts, failing: ReadonlySet<string>, now: Instant): Promise<ReadonlyMap<string, number>> {
  const open = new Map<string, number>()
  for (const outage of await ports.state.outages()) {
    const fresh = outage.since > now - overdueMs
    const goesOn = fresh || failing.has(siteKey(outage))
    if (goesOn) open.set(outage.vendor, (open.get(outage.vendor) ?? 0) + 1)
    try {
      if (!fresh && !outage.told) await tellOutage(ports, outage)
      if (!goesOn) await endOutage(ports, outage, now)
    } catch (error) {
      ports.log({ level: 'warn', event: 'outage-untold', message: `${outage.site} is told of later`, error })
    }
  }
  return open
}

async function endOutage({ state, bus }: MeasurePorts, outage: Outage, now: Instant): Promise<void> {
  await bus.put([outageNotice(outage, now)])
  await state.endOutage(outage)
}

function suffersOutage({ state, cause }: ConnectorStatus): boolean {
  return state === 'failing' && cause !== undefined && isVendorsOwn(cause)
}

function siteKey({ vendor, site }: { readonly vendor: string; readonly site: string }): string {
  return `${vendor} ${site}`
}
