import type { Connector } from '../functions/domain/connector/connector.ts'
import type { AcceptedConnector } from '../functions/domain/ports.ts'
import type { StreamId } from '../functions/domain/stream/stream.ts'
import { type Instant, iso, minute } from '../functions/domain/time.ts'
import { isStreamName } from '../local/simulator/catalogue.ts'
import type { SimulatedEvent } from '../local/simulator/history.ts'
import { expectedKey } from './expected-record.ts'
import type { World } from './world.ts'

/** Requests, waits for tokens and the dispatch every minute take less than this together (ms). */
const promptSpareMs = minute
/** A request that is refused because somebody else uses the key closes it for a window and kills the link, so its range is read again (ms). */
const refusedSpareMs = 5 * minute
/** A late event waits for the last read of its range, and that one may wait for other ranges (ms). */
const lateSpareMs = 5 * minute
/** A late event is found when its range is read for the last time: at most so long after that is possible (intervals). */
const settlingIntervals = 4
/** So long after the last fault everything is read up to now again (ms). */
const recoveryMs = 60 * minute
/** Problems that are kept (count). */
const problemsMax = 1_000

/** Events with `selected` before `to` (the vendor's clock) that the lake lacks. */
interface Awaited {
  readonly events: readonly SimulatedEvent[]
  readonly to: Instant
}

/** Looks whether live events are in the lake in time while no fault happens. */
export class LiveAudit {
  /** Live events that the lake lacked for too long after the vendor began to show them. */
  readonly old = new Set<string>()
  private readonly world: Pick<World, 'lake' | 'model' | 'clock'>
  /** By stream: the live events that the lake lacks. */
  private readonly awaited = new Map<StreamId, Awaited>()

  constructor(world: Pick<World, 'lake' | 'model' | 'clock'>) {
    this.world = world
  }

  /** `quietSince`: since when no fault happens; infinite while one may happen. */
  look({ connector, acceptedAt, retiredAt }: AcceptedConnector, stream: StreamId, quietSince: Instant): void {
    const { clock, model, lake } = this.world
    const name = `${connector.connectorId} ${stream}`
    const now = clock.now()
    const liveSince = Math.max(quietSince + recoveryMs, acceptedAt)
    if (retiredAt !== undefined || !connector.enabled || !isStreamName(stream) || liveSince > now) return void this.awaited.delete(name)
    const skewMs = model.skewMs(now)
    const { events, to: from } = this.awaited.get(name) ?? { events: [], to: liveSince + skewMs }
    const to = now + skewMs
    const fresh = model.eventsVisible(stream, from, to, undefined, { lateMaxMs: connector.lateArrivalMinutes * minute })
    const inLake = lake.byConnector.get(connector.connectorId)
    const left = [...events, ...fresh].filter((event) => !isThere(inLake, event))
    for (const event of left) {
      if (dueInLake(event, connector, skewMs, model.hasOtherConsumer) < to && this.old.size < problemsMax)
        this.old.add(`${name} ${event.id} of ${iso(event.selected)}, visible from ${iso(event.visibleAt)}`)
    }
    this.awaited.set(name, { events: left, to })
  }
}

/** When the event is in the lake at the latest, if there is no fault (the vendor's clock). */
function dueInLake(
  { selected, visibleAt }: SimulatedEvent,
  { intervalMinutes, lateArrivalMinutes }: Connector,
  skewMs: number,
  hasOtherConsumer: boolean,
): Instant {
  const interval = intervalMinutes * minute
  if (visibleAt === selected) return visibleAt + interval + (hasOtherConsumer ? refusedSpareMs : promptSpareMs)
  // The last read of a range waits for the earlier of the two clocks.
  return selected + lateArrivalMinutes * minute + settlingIntervals * interval + lateSpareMs + Math.max(0, skewMs)
}

/** The vendor shows an update in place of its event, so one of the two must be there. */
export function isThere(inLake: ReadonlyMap<string, number> | undefined, event: SimulatedEvent): boolean {
  if (inLake === undefined) return false
  return inLake.has(expectedKey(event)) || (event.update !== undefined && inLake.has(expectedKey(event.update)))
}
