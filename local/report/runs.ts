import type { RunState, RunStore } from '../../functions/domain/ports.ts'
import type { StreamCounts, StreamId, StreamState } from '../../functions/domain/stream/stream.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'

/** The state of one connector, as it was read for the screen, the summary and the end. */
export interface ConnectorRun {
  readonly connectorId: string
  readonly run: RunState
}

export type Vendors = ReadonlyMap<string, Vendor>

export async function readRuns(state: RunStore, connectorIds: readonly string[]): Promise<readonly ConnectorRun[]> {
  const runs: ConnectorRun[] = []
  for (const connectorId of connectorIds) runs.push({ connectorId, run: await state.readRun(connectorId) })
  return runs
}

/** The streams that the accepted connector has, each with its state if it was read or tried. */
export function streamsOf(
  { run: { accepted, streams } }: ConnectorRun,
  vendors: Vendors,
): readonly { readonly id: StreamId; readonly stream?: StreamState }[] {
  if (accepted === undefined) return []
  const ids = vendors.get(accepted.connector.type)?.streams(accepted.connector) ?? []
  return ids.map((id) => {
    const stream = streams.get(id)
    return stream === undefined ? { id } : { id, stream }
  })
}

/** Counts of events and requests. fetched = delivered + filtered + alreadySeen. */
export type Counts = Pick<StreamCounts, 'delivered' | 'filtered' | 'alreadySeen' | 'changed' | 'requests' | 'throttled'>

const none: Counts = { delivered: 0, filtered: 0, alreadySeen: 0, changed: 0, requests: 0, throttled: 0 }

/** The counts of all time and those since this start. */
export interface BothCounts {
  readonly allTime: Counts
  readonly thisStart: Counts
}

/** The counts of each stream at this start, by connector and stream. */
export type CountsAtStart = ReadonlyMap<string, Counts>

const keyOf = (connectorId: string, stream: StreamId) => `${connectorId} ${stream}`

export function countsAtStart(runs: readonly ConnectorRun[]): CountsAtStart {
  return new Map(
    runs.flatMap(({ connectorId, run }) => [...run.streams].map(([id, { counts }]) => [keyOf(connectorId, id), counts] as const)),
  )
}

export function countsOf(connectorId: string, id: StreamId, stream: StreamState | undefined, atStart: CountsAtStart): BothCounts {
  const allTime = combine(stream?.counts ?? none, none, (a, b) => a + b)
  const before = atStart.get(keyOf(connectorId, id)) ?? none
  // A stream that began anew meanwhile, with another baseUrl, counts from 0.
  return { allTime, thisStart: allTime.requests < before.requests ? allTime : combine(allTime, before, (a, b) => a - b) }
}

export function sumCounts(all: readonly BothCounts[]): BothCounts {
  const sum = (counts: readonly Counts[]) => counts.reduce((a, b) => combine(a, b, (x, y) => x + y), none)
  return { allTime: sum(all.map(({ allTime }) => allTime)), thisStart: sum(all.map(({ thisStart }) => thisStart)) }
}

function combine(a: Counts, b: Counts, of: (a: number, b: number) => number): Counts {
  return {
    delivered: of(a.delivered, b.delivered),
    filtered: of(a.filtered, b.filtered),
    alreadySeen: of(a.alreadySeen, b.alreadySeen),
    changed: of(a.changed, b.changed),
    requests: of(a.requests, b.requests),
    throttled: of(a.throttled, b.throttled),
  }
}
