import type { StateTable } from '../functions/adapters/state-table/state-table.ts'
import { iso, minute } from '../functions/domain/time.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import { vendors } from '../functions/vendors/index.ts'
import { isStreamName } from '../local/simulator/catalogue.ts'
import { expectedKey } from './expected-record.ts'
import type { World } from './world.ts'

/** The events that a ledger calls covered but the lake lacks, and the events that the lake has more than once. */
export interface Audit {
  readonly expected: number
  readonly missing: readonly string[]
  readonly twice: readonly string[]
}

type Audited = Pick<World, 'lake' | 'model'> & { readonly state: Pick<StateTable, 'allAccepted' | 'readRun'> }

/**
 * Compares the lake with the vendor's own account, for every accepted connector. The lake must have every event of each covered
 * interval that is late by no more than `lateArrivalMinutes`.
 */
export async function audit(world: Audited): Promise<Audit> {
  let expected = 0
  const missing: string[] = []
  const twice: string[] = []
  for await (const { connector } of world.state.allAccepted()) {
    const inLake = world.lake.byConnector.get(connector.connectorId) ?? new Map<string, number>()
    for (const [id, count] of inLake) if (count > 1 && !world.lake.malformed.has(id)) twice.push(`${connector.connectorId} ${id}`)
    const { streams } = await world.state.readRun(connector.connectorId)
    const vendor = vendors.get(connector.type) as Vendor
    for (const stream of vendor.streams(connector)) {
      if (!isStreamName(stream)) throw new Error(`${stream} is no stream of the simulator`)
      for (const { from, to } of streams.get(stream)?.covered ?? []) {
        for (const event of world.model.eventsVisible(stream, from, to, undefined, { lateMaxMs: connector.lateArrivalMinutes * minute })) {
          // An item without an id cannot be found here. The counts of the streams cover these items.
          if (event.malformed === 'null' || event.malformed === 'string' || event.malformed === 'no-id') continue
          expected += 1
          const isUpdated = event.update !== undefined && inLake.has(expectedKey(event.update))
          if (!inLake.has(expectedKey(event)) && !isUpdated)
            missing.push(`${connector.connectorId} ${stream} ${event.id} of ${iso(event.selected)}, visible from ${iso(event.visibleAt)}`)
        }
      }
    }
  }
  return { expected, missing, twice }
}
