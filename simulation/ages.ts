import { type Instant, second } from '../functions/domain/time.ts'
import type { StreamName } from '../local/simulator/catalogue.ts'
import type { SimulatedEvent } from '../local/simulator/history.ts'
import { isThere } from './live-audit.ts'
import type { World } from './world.ts'

/** Ages are measured this often (ms), and so are this much too high at most. */
const lookEveryMs = second

/**
 * Lets time pass. Returns how old the events of each stream were when the lake had them, at most (ms): of all events that the vendor
 * began to show in this time, also of those that the lake still lacks.
 */
export async function worstAges(
  world: World,
  connectorId: string,
  streams: readonly StreamName[],
  forMs: number,
): Promise<ReadonlyMap<StreamName, number>> {
  const { clock, model, lake } = world
  const awaited = new Map<StreamName, readonly SimulatedEvent[]>()
  const worst = new Map<StreamName, number>(streams.map((stream) => [stream, 0]))
  let from: Instant = clock.now()
  for (const end = from + forMs; clock.now() < end; ) {
    await world.run(lookEveryMs)
    const now = clock.now()
    const inLake = lake.byConnector.get(connectorId)
    for (const stream of streams) {
      const left = [...(awaited.get(stream) ?? []), ...model.eventsVisible(stream, from, now)].filter((event) => !isThere(inLake, event))
      const oldest = Math.min(...left.map(({ visibleAt }) => visibleAt))
      worst.set(stream, Math.max(worst.get(stream) ?? 0, now - oldest))
      awaited.set(stream, left)
    }
    from = now
  }
  return worst
}
