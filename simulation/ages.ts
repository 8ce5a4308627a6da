import { type Instant, second } from '../functions/domain/time.ts'
import type { StreamName } from '../local/simulator/catalogue.ts'
import type { SimulatedEvent } from '../local/simulator/history.ts'
import { isThere } from './live-audit.ts'
import type { World } from './world.ts'

/** Ages are measured this often (ms), and so are this much too high at most. */
const lookEveryMs = second

interface Watch {
  readonly connectorId: string
  readonly streams: readonly StreamName[]
  /** The events that the vendor begins to show within this time (ms). */
  readonly forMs: number
  /** Ends this time early. */
  readonly isOver?: () => Promise<boolean>
  /** How long to wait after this time for those that the lake lacks (ms). */
  readonly patienceMs?: number
}

/**
 * Lets time pass. Returns how old each event was when the lake had it (ms): of all events that the vendor began to show in this time. An
 * event that the lake still lacks is as old as it is then.
 */
export async function eventAges(
  world: World,
  { connectorId, streams, forMs, isOver = async () => false, patienceMs = 0 }: Watch,
): Promise<readonly number[]> {
  const { clock, model, lake } = world
  const ages: number[] = []
  let awaited: readonly SimulatedEvent[] = []
  let from: Instant = clock.now()
  let end = from + forMs
  for (;;) {
    await world.run(lookEveryMs)
    const now = clock.now()
    const fresh = from < end ? streams.flatMap((stream) => [...model.eventsVisible(stream, from, Math.min(now, end))]) : []
    from = now
    const inLake = lake.byConnector.get(connectorId)
    const left: SimulatedEvent[] = []
    for (const event of [...awaited, ...fresh]) {
      if (isThere(inLake, event)) ages.push(now - event.visibleAt)
      else left.push(event)
    }
    awaited = left
    if (now < end && (await isOver())) end = now
    if (now >= end && (awaited.length === 0 || now >= end + patienceMs))
      return [...ages, ...awaited.map(({ visibleAt }) => now - visibleAt)]
  }
}
