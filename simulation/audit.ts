import type { StateTable } from '../functions/adapters/state-table/state-table.ts'
import type { Connector } from '../functions/domain/connector/connector.ts'
import type { AcceptedConnector } from '../functions/domain/ports.ts'
import * as intervals from '../functions/domain/stream/intervals.ts'
import type { Interval, StreamId, StreamState } from '../functions/domain/stream/stream.ts'
import { type Instant, iso, minute } from '../functions/domain/time.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import { vendors } from '../functions/vendors/index.ts'
import { isStreamName, type StreamName } from '../local/simulator/catalogue.ts'
import type { SimulatedEvent } from '../local/simulator/history.ts'
import { expectedKey } from './expected-record.ts'
import type { World } from './world.ts'

/** The result of all looks at a world. */
export interface Audit {
  /** Events that a ledger called covered (count). */
  readonly expected: number
  /** Those of them that the lake lacked. */
  readonly missing: readonly string[]
  /** Events that the lake has more than once. */
  readonly twice: readonly string[]
  /** Live events that the lake lacked for too long after the vendor began to show them. */
  readonly old: readonly string[]
  /** Pairs of connectors of two tenants that used one key although one of them does not allow it. */
  readonly sharing: readonly string[]
  /** Streams whose counts did not add up at some look. */
  readonly unbalanced: readonly string[]
}

type Audited = Pick<World, 'lake' | 'model' | 'clock' | 'secrets'> & { readonly state: Pick<StateTable, 'allAccepted' | 'readRun'> }

/** Problems that are kept of each kind (count). */
const problemsMax = 1_000
/** Requests, waits for tokens and the dispatch every minute take less than this together (ms). */
const ageSpareMs = 5 * minute
/** A busy stream reads its newest events first. Those that are left out are read by the next run (intervals). */
const promptIntervals = 2
/** A late event is found when its range is read for the last time: at most so long after that is possible (intervals). */
const settlingIntervals = 4
/** So long after the last fault, and after an acceptance, everything is read up to now again (ms). */
const recoveryMs = 60 * minute

/**
 * Compares the lake with the vendor's own account, for every accepted connector. The lake must have every event of each covered
 * interval that is late by no more than `lateArrivalMinutes`. A look checks only what became covered since the one before, so looks may be
 * frequent, and nothing is forgotten before somebody looked.
 */
export class Auditor {
  private readonly world: Audited
  /** By stream: the covered intervals that were looked at. */
  private readonly looked = new Map<StreamId, readonly Interval[]>()
  /** By stream: the live events that the lake lacks. */
  private readonly awaited = new Map<StreamId, Awaited>()
  private expected = 0
  private readonly missing: string[] = []
  private readonly old = new Set<string>()
  private readonly sharing = new Set<string>()
  private readonly unbalanced = new Set<string>()

  constructor(world: Audited) {
    this.world = world
  }

  /** `quietSince`: since when no fault happens, if so. */
  async look(quietSince = Number.POSITIVE_INFINITY): Promise<void> {
    const users = new Map<string, Connector[]>()
    for await (const accepted of this.world.state.allAccepted()) {
      if (accepted.retiredAt === undefined && accepted.connector.enabled) this.lookAtKeys(accepted.connector, users)
      const { streams } = await this.world.state.readRun(accepted.connector.connectorId)
      const vendor = vendors.get(accepted.connector.type) as Vendor
      for (const id of vendor.streams(accepted.connector)) {
        const stream = streams.get(id)
        if (stream !== undefined) this.lookAt(accepted, id, stream)
        this.lookAtAge(accepted, id, quietSince)
      }
    }
  }

  result(): Audit {
    const twice: string[] = []
    for (const [connectorId, inLake] of this.world.lake.byConnector) {
      for (const [id, count] of inLake) if (count > 1 && !this.world.lake.malformed.has(id)) twice.push(`${connectorId} ${id}`)
    }
    return {
      expected: this.expected,
      missing: this.missing,
      twice,
      old: [...this.old],
      sharing: [...this.sharing],
      unbalanced: [...this.unbalanced],
    }
  }

  private lookAtKeys(connector: Connector, users: Map<string, Connector[]>): void {
    for (const { secretName } of connector.apiKeySecrets) {
      const apiKey = String(this.world.secrets.values.get(secretName))
      const others = users.get(apiKey) ?? []
      for (const other of others) {
        const areAllowed = other.tenantName === connector.tenantName || (other.sharedKey && connector.sharedKey)
        if (!areAllowed) this.sharing.add(`${other.connectorId} and ${connector.connectorId} use the key in ${secretName}`)
      }
      users.set(apiKey, [...others, connector])
    }
  }

  private lookAtAge({ connector, acceptedAt, retiredAt }: AcceptedConnector, stream: StreamId, quietSince: Instant): void {
    const { clock, model, lake } = this.world
    const name = `${connector.connectorId} ${stream}`
    const now = clock.now()
    const liveSince = Math.max(quietSince, acceptedAt) + recoveryMs
    if (retiredAt !== undefined || !connector.enabled || !isStreamName(stream) || liveSince > now) return void this.awaited.delete(name)
    const skewMs = model.skewMs(now)
    const { events, to: from } = this.awaited.get(name) ?? { events: [], to: liveSince + skewMs }
    const to = now + skewMs
    const fresh = model.eventsVisible(stream, from, to, undefined, { lateMaxMs: connector.lateArrivalMinutes * minute })
    const inLake = lake.byConnector.get(connector.connectorId)
    const left = [...events, ...fresh].filter((event) => !isThere(inLake, event))
    for (const event of left) {
      if (dueInLake(event, connector) < to && this.old.size < problemsMax)
        this.old.add(`${name} ${event.id} of ${iso(event.selected)}, visible from ${iso(event.visibleAt)}`)
    }
    this.awaited.set(name, { events: left, to })
  }

  private lookAt(accepted: AcceptedConnector, id: StreamId, { covered, counts }: StreamState): void {
    const { connectorId } = accepted.connector
    if (!isStreamName(id)) throw new Error(`${id} is no stream of the simulator`)
    const { fetched, delivered, filtered, alreadySeen, changed } = counts
    if (delivered + filtered + alreadySeen !== fetched || changed > delivered + filtered)
      this.unbalanced.add(
        `${connectorId} ${id}: ${delivered} + ${filtered} + ${alreadySeen} is not ${fetched}, or ${changed} is more than the first two`,
      )
    const name = `${connectorId} ${id}`
    let looked = this.looked.get(name) ?? []
    for (const interval of covered) {
      for (const fresh of intervals.without(interval, looked)) this.check(accepted, id, fresh)
      looked = intervals.union(looked, interval)
    }
    this.looked.set(name, looked)
  }

  private check({ connector }: AcceptedConnector, stream: StreamName, { from, to }: Interval): void {
    const { lake, model } = this.world
    const inLake = lake.byConnector.get(connector.connectorId)
    for (const event of model.eventsVisible(stream, from, to, undefined, { lateMaxMs: connector.lateArrivalMinutes * minute })) {
      this.expected += 1
      if (!isThere(inLake, event) && this.missing.length < problemsMax)
        this.missing.push(`${connector.connectorId} ${stream} ${event.id} of ${iso(event.selected)}, visible from ${iso(event.visibleAt)}`)
    }
  }
}

/** Events with `selected` before `to` (the vendor's clock) that the lake lacks. */
interface Awaited {
  readonly events: readonly SimulatedEvent[]
  readonly to: Instant
}

/** When the event is in the lake at the latest, if there is no fault (the vendor's clock). */
function dueInLake({ selected, visibleAt }: SimulatedEvent, { intervalMinutes, lateArrivalMinutes }: Connector): Instant {
  const interval = intervalMinutes * minute
  if (visibleAt === selected) return visibleAt + promptIntervals * interval + ageSpareMs
  return selected + lateArrivalMinutes * minute + settlingIntervals * interval + ageSpareMs
}

/** The vendor shows an update in place of its event, so one of the two must be there. */
function isThere(inLake: ReadonlyMap<string, number> | undefined, event: SimulatedEvent): boolean {
  if (inLake === undefined) return false
  return inLake.has(expectedKey(event)) || (event.update !== undefined && inLake.has(expectedKey(event.update)))
}

/** One look at all that is covered now. */
export async function audit(world: Audited): Promise<Audit> {
  const auditor = new Auditor(world)
  await auditor.look()
  return auditor.result()
}
