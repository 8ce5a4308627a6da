import type { RunState, RunStore } from '../../functions/domain/ports.ts'
import type { StreamCounts, StreamId, StreamState } from '../../functions/domain/stream/stream.ts'
import type { Instant } from '../../functions/domain/time.ts'
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

/** Connectors that one look reads (count): with these the local table is busy for a third of a second. */
const readsMax = 60

/**
 * Reads connectors for the screen, as fast as the table can bear. Of many connectors a look reads a part, those that run or are due first and
 * then those that it has not seen for longest; of the others it returns what it saw last.
 */
export class RunReader {
  private readonly state: RunStore
  private seen: ReadonlyMap<string, { readonly run: RunState; readonly at: number }>
  private looks = 0

  constructor(state: RunStore, seen: readonly ConnectorRun[]) {
    this.state = state
    this.seen = new Map(seen.map(({ connectorId, run }) => [connectorId, { run, at: 0 }]))
  }

  async read(connectorIds: readonly string[], now: Instant): Promise<readonly ConnectorRun[]> {
    this.looks += 1
    const seenAt = (id: string) => this.seen.get(id)?.at ?? -1
    const order = connectorIds
      .map((id) => ({ id, isActive: isActive(this.seen.get(id)?.run, now), at: seenAt(id) }))
      .sort((a, b) => Number(b.isActive) - Number(a.isActive) || a.at - b.at)
    // Half of a look is for the others, however many are active.
    const active = order.slice(0, readsMax / 2)
    const others = order.slice(readsMax / 2).sort((a, b) => a.at - b.at)
    const chosen = [...active, ...others.slice(0, readsMax / 2)].map(({ id }) => id)
    const fresh = new Map((await readRuns(this.state, chosen)).map(({ connectorId, run }) => [connectorId, { run, at: this.looks }]))
    this.seen = new Map(connectorIds.map((id) => [id, fresh.get(id) ?? this.seen.get(id) ?? { run: { streams: new Map() }, at: -1 }]))
    return [...this.seen].map(([connectorId, { run }]) => ({ connectorId, run }))
  }
}

function isActive(run: RunState | undefined, now: Instant): boolean {
  return run !== undefined && ((run.due?.nextDueAt ?? now + 1) <= now || [...run.streams.values()].some(({ lease }) => lease !== undefined))
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
export type Counts = Pick<StreamCounts, 'delivered' | 'filtered' | 'alreadySeen' | 'changed' | 'redacted' | 'requests' | 'throttled'>

const none: Counts = { delivered: 0, filtered: 0, alreadySeen: 0, changed: 0, redacted: 0, requests: 0, throttled: 0 }

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
    redacted: of(a.redacted, b.redacted),
    requests: of(a.requests, b.requests),
    throttled: of(a.throttled, b.throttled),
  }
}
