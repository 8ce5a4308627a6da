import { isVendorsOwn } from '../domain/failures.ts'
import type { Clock, PublishMetrics } from '../domain/ports.ts'
import { FleetTally, isAtRest } from '../domain/status/fleet.ts'
import { outageNotice } from '../domain/status/notifications.ts'
import type { Outage } from '../domain/status/outage.ts'
import type { ConnectorStatus } from '../domain/status/status.ts'
import { type Instant, minute } from '../domain/time.ts'
import type { Vendor } from '../domain/vendor.ts'
import { beginOutage, type TellPorts, tellChanges, tellOutage } from './notify-changes.ts'

export interface MeasurePorts extends TellPorts {
  readonly clock: Clock
  readonly publish: PublishMetrics
  readonly vendors: ReadonlyMap<string, Vendor>
}

/** What has not been told after this (ms) is not told any more by whoever should have; and the listing shows by then what was written. */
const overdueMs = 2 * minute

/** What the connectors that collect from one of a vendor's sites saw of it. */
interface Site {
  readonly vendor: string
  readonly site: string
  /** When it last answered any of them. */
  answeredAt: Instant
  /** One that it fails, if any. */
  failing?: Pick<Outage, 'cause' | 'reason' | 'since'>
}

/**
 * Reads the status of every connector and publishes what they come to, for each vendor. What was left untold is told. An outage
 * ends when its site has answered any connector since it began and fails none.
 */
export async function measureFleet(ports: MeasurePorts): Promise<void> {
  const { state, clock } = ports
  const now = clock.now()
  const tallies = new Map([...ports.vendors.keys()].map((vendor) => [vendor, new FleetTally()]))
  const sites = new Map<string, Site>()
  for await (const { connectorId, status } of state.fleet()) {
    const vendor = status.vendor ?? 'unknown'
    const tally = tallies.get(vendor) ?? new FleetTally()
    tallies.set(vendor, tally)
    tally.add(status, now)
    see(sites, status)
    const recent = status.changes?.filter(({ since }) => since >= now - overdueMs) ?? []
    await tellChanges(ports, connectorId, { before: { ...status, changes: recent }, after: status })
  }
  const open = await outages(ports, sites, now)
  for (const [vendor, tally] of tallies) ports.publish({ vendor, values: tally.metrics(open.get(vendor) ?? 0, now) })
}

function see(sites: Map<string, Site>, status: ConnectorStatus): void {
  const { vendor, site, state, cause, reason, since, lastSuccessAt = 0, lastFailure } = status
  if (vendor === undefined || site === undefined || isAtRest(state)) return
  const key = siteKey({ vendor, site })
  const seen = sites.get(key) ?? { vendor, site, answeredAt: 0 }
  // A key that is rejected is an answer too.
  const refusedAt = lastFailure?.status !== undefined && !isVendorsOwn(lastFailure.code) ? lastFailure.at : 0
  seen.answeredAt = Math.max(seen.answeredAt, lastSuccessAt, refusedAt)
  if (state === 'failing' && cause !== undefined && isVendorsOwn(cause)) seen.failing = { cause, reason, since }
  sites.set(key, seen)
}

/** How many of each vendor's sites fail. What cannot be told for now is told with the next measurement. */
async function outages(ports: MeasurePorts, sites: ReadonlyMap<string, Site>, now: Instant): Promise<ReadonlyMap<string, number>> {
  const open = new Map<string, number>()
  const known = new Set<string>()
  const count = (vendor: string) => open.set(vendor, (open.get(vendor) ?? 0) + 1)
  for (const outage of await ports.state.outages()) {
    known.add(siteKey(outage))
    const site = sites.get(siteKey(outage))
    const fresh = outage.since > now - overdueMs
    const goesOn = fresh || (site !== undefined && (site.failing !== undefined || site.answeredAt <= outage.since))
    if (goesOn) count(outage.vendor)
    await orLater(ports, outage.site, async () => {
      if (!fresh && !outage.told) await tellOutage(ports, outage)
      if (goesOn) return
      // Where nobody is left that asks the site, nobody knows whether it answers.
      if (site !== undefined) await ports.bus.put([outageNotice(outage, now)])
      await ports.state.endOutage(outage)
    })
  }
  // One that ended while another connector ran into it.
  for (const [key, { vendor, site, failing }] of sites) {
    if (failing === undefined || known.has(key)) continue
    count(vendor)
    await orLater(ports, site, () => beginOutage(ports, { vendor, site, ...failing, told: false }))
  }
  return open
}

async function orLater({ log }: MeasurePorts, site: string, tell: () => Promise<void>): Promise<void> {
  try {
    await tell()
  } catch (error) {
    log({ level: 'warn', event: 'outage-untold', message: `${site} is told of later`, error })
  }
}

function siteKey({ vendor, site }: { readonly vendor: string; readonly site: string }): string {
  return `${vendor} ${site}`
}
