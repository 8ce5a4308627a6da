import type { StateTable } from '../functions/adapters/state-table/state-table.ts'
import type { AcceptedConnector } from '../functions/domain/ports.ts'
import * as intervals from '../functions/domain/stream/intervals.ts'
import type { Interval, StreamId, StreamState } from '../functions/domain/stream/stream.ts'
import { iso, minute } from '../functions/domain/time.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import { vendors } from '../functions/vendors/index.ts'
import { isStreamName, type StreamName } from '../local/simulator/catalogue.ts'
import { expectedKey } from './expected-record.ts'
import type { World } from './world.ts'

/** The events that a ledger calls covered but the lake lacks, and the events that the lake has more than once. */
export interface Audit {
  readonly expected: number
  readonly missing: readonly string[]
  readonly twice: readonly string[]
  /** Streams whose counts did not add up at some look. */
  readonly unbalanced: readonly string[]
}

type Audited = Pick<World, 'lake' | 'model'> & { readonly state: Pick<StateTable, 'allAccepted' | 'readRun'> }

/** Problems that are kept of each kind (count). */
const problemsMax = 1_000

/**
 * Compares the lake with the vendor's own account, for every accepted connector. The lake must have every event of each covered
 * interval that is late by no more than `lateArrivalMinutes`. A look checks only what became covered since the one before, so looks may be
 * frequent, and nothing is forgotten before somebody looked.
 */
export class Auditor {
  private readonly world: Audited
  /** By stream: the covered intervals that were looked at. */
  private readonly looked = new Map<StreamId, readonly Interval[]>()
  private expected = 0
  private readonly missing: string[] = []
  private readonly unbalanced = new Set<string>()

  constructor(world: Audited) {
    this.world = world
  }

  async look(): Promise<void> {
    for await (const accepted of this.world.state.allAccepted()) {
      const { streams } = await this.world.state.readRun(accepted.connector.connectorId)
      const vendor = vendors.get(accepted.connector.type) as Vendor
      for (const id of vendor.streams(accepted.connector)) {
        const stream = streams.get(id)
        if (stream !== undefined) this.lookAt(accepted, id, stream)
      }
    }
  }

  result(): Audit {
    const twice: string[] = []
    for (const [connectorId, inLake] of this.world.lake.byConnector) {
      for (const [id, count] of inLake) if (count > 1 && !this.world.lake.malformed.has(id)) twice.push(`${connectorId} ${id}`)
    }
    return { expected: this.expected, missing: this.missing, twice, unbalanced: [...this.unbalanced] }
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
    const inLake = lake.byConnector.get(connector.connectorId) ?? new Map<string, number>()
    for (const event of model.eventsVisible(stream, from, to, undefined, { lateMaxMs: connector.lateArrivalMinutes * minute })) {
      this.expected += 1
      // The vendor shows an update in place of its event, so one of the two must be there.
      const isThere = inLake.has(expectedKey(event)) || (event.update !== undefined && inLake.has(expectedKey(event.update)))
      if (!isThere && this.missing.length < problemsMax)
        this.missing.push(`${connector.connectorId} ${stream} ${event.id} of ${iso(event.selected)}, visible from ${iso(event.visibleAt)}`)
    }
  }
}

/** One look at all that is covered now. */
export async function audit(world: Audited): Promise<Audit> {
  const auditor = new Auditor(world)
  await auditor.look()
  return auditor.result()
}
