import { hour, type Instant, minute, second } from '../functions/domain/time.ts'
import { eventTypeNames, type StreamName } from '../local/simulator/catalogue.ts'
import { eventAges } from './ages.ts'
import { connectorItem, key, start, World } from './world.ts'

/** The vendor allows one key this many in any 60 s (requests). */
const requestsPerMinute = 20
const contentTypes = ['sharepoint', 'exchange', 'gmail'] as const
const streams = contentTypes.flatMap((service) => eventTypeNames.map((event): StreamName => `${service}/${event}`))
const busy: StreamName = 'exchange/dlp'
export const quiet = streams.filter((stream) => stream !== busy)
/** The other streams have so many each. */
const quietEventsPerHour = 240
const spikeEvents = 30_000
/** The first requests of a connector use all tokens at once, so they are not measured (ms). */
const warmUpMs = minute

export interface SpikeCase {
  readonly intervalMinutes: number
  readonly comes: 'before the first run' | 'during a run'
}

export const spikeCases: readonly SpikeCase[] = [1, 5].flatMap((intervalMinutes) =>
  (['before the first run', 'during a run'] as const).map((comes) => ({ intervalMinutes, comes })),
)

/** Figures of the time in which the lake lacks a part of the spike. */
export interface BesideSpike extends SpikeCase {
  /** The ages of the events of the eleven quiet streams: from when the vendor shows them until the lake has them (ms). */
  readonly worstMs: number
  readonly medianMs: number
  /** From the first page of the spike until the lake has all of it (ms). */
  readonly spikeMs: number
  /** Requests in this time, as a share of those that the limit allows: for all streams, and for the busy one. Of whole minutes. */
  readonly usedShare: number
  readonly spikeShare: number
}

/** `count` events of the busy stream within a minute. */
export function spike(at: number, count = spikeEvents) {
  return Array.from({ length: 60 }, (_, n) => ({ at: at + n * second + 7, count: count / 60, stream: busy }))
}

export const twelveStreams = { contentTypes, eventTypes: eventTypeNames }

/** Collects eleven quiet streams beside a spike on the twelfth, until the lake has the spike. */
export async function collectSpike({
  intervalMinutes,
  comes,
}: SpikeCase): Promise<{ readonly world: World; readonly figures: BesideSpike }> {
  const at = comes === 'during a run' ? start + 10 * minute : start - 30 * minute
  const vendor = { eventsPerHour: quietEventsPerHour, streamEventsPerHour: { [busy]: 0 }, bursts: spike(at) }
  const world = new World({ vendor })
  await world.put(connectorItem({ ...twelveStreams, intervalMinutes, initialBackfillMinutes: 60 }))
  // The run that finds the spike has not begun.
  await world.run(Math.max(warmUpMs, at + minute - second - start))
  let looks: readonly Look[] = []
  const isOver = async () => {
    const { requests, delivered } = (await world.stream('acme.cas', busy)).counts
    const look = { at: world.clock.now(), made: world.model.account.requests(key).length, forSpike: requests }
    looks = delivered === 0 ? [look] : [...looks, look]
    return delivered >= spikeEvents
  }
  await isOver()
  const patienceMs = (intervalMinutes + 1) * minute
  const ages = await eventAges(world, { connectorId: 'acme.cas', streams: quiet, forMs: hour, isOver, patienceMs })
  const sorted = ages.toSorted((a, b) => a - b)
  const worstMs = sorted.at(-1) ?? 0
  const medianMs = sorted[Math.floor(sorted.length / 2)] ?? 0
  return { world, figures: { intervalMinutes, comes, worstMs, medianMs, ...usedOf(looks) } }
}

/** All cases, one after the other. */
export async function simulateSpikes(): Promise<readonly BesideSpike[]> {
  const figures: BesideSpike[] = []
  for (const of of spikeCases) figures.push((await collectSpike(of)).figures)
  return figures
}

interface Look {
  readonly at: Instant
  /** Requests so far (count): for all streams, and for the busy one. */
  readonly made: number
  readonly forSpike: number
}

/** `looks`: the first one is the last before the first page of the spike. */
function usedOf(looks: readonly Look[]): Pick<BesideSpike, 'spikeMs' | 'usedShare' | 'spikeShare'> {
  const [first, last] = [looks[0], looks.at(-1)]
  if (first === undefined || last === undefined) throw new Error('No page of the spike was read.')
  const minutes = Math.floor((last.at - first.at) / minute)
  const end = looks.find(({ at }) => at >= first.at + minutes * minute) ?? last
  const allowed = minutes * requestsPerMinute
  return {
    spikeMs: last.at - first.at,
    usedShare: (end.made - first.made) / allowed,
    spikeShare: (end.forSpike - first.forSpike) / allowed,
  }
}
