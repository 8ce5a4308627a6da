import { partsOf, type StreamName } from './catalogue.ts'
import type { Settings } from './options.ts'
import { between, hashText, pick, type Random, randomFrom, unit, uuid } from './random.ts'

type Malformation = 'null' | 'string' | 'no-message' | 'no-id' | 'odd-types'
const malformations: readonly Malformation[] = ['null', 'string', 'no-message', 'no-id', 'odd-types']

/** One event at the vendor. Times are epoch milliseconds on the vendor's clock. */
export interface SimulatedEvent {
  /** `log_item_id`. */
  readonly id: string
  readonly customer: string
  readonly stream: StreamName
  readonly detection: number
  readonly generation: number
  /** Detection or generation: the time that `start` and `end` of a query select by. */
  readonly selected: number
  /** No response shows it earlier. */
  readonly visibleAt: number
  /** From then on responses show its update in its place. */
  readonly hiddenAt?: number
  readonly update?: SimulatedEvent
  /** The item differs from the documentation in this way, in every response. Undefined: it does not differ. */
  readonly malformed: Malformation | undefined
  /** The message is made from this number. */
  readonly seed: number
}

const secondMs = 1_000
const hourMs = 3_600_000
const bucketEvents = 50
/** Events are kept, so that each page of a response does not make them again (count). */
const cachedEventsMax = 50_000

/**
 * All events of the vendor, past and future, without storing them: time is cut into buckets, and the events of a bucket are a function
 * of the seed, the customer, the stream and the number of the bucket.
 */
export class History {
  readonly #settings: Settings
  readonly #from: number
  readonly #to: number
  readonly #cache = new Map<string, readonly SimulatedEvent[]>()
  #cachedEvents = 0

  constructor(settings: Settings) {
    if (settings.backlogMs > 0 && settings.startAt === undefined)
      throw new Error('backlogMs counts back from startAt, which is missing. Give startAt too.')
    this.#settings = settings
    this.#from = settings.startAt === undefined ? Number.NEGATIVE_INFINITY : settings.startAt - settings.backlogMs
    this.#to = settings.stopAt ?? Number.POSITIVE_INFINITY
  }

  /** Returns the width of a bucket of the stream (ms): about 50 events, from one second to one hour. */
  bucketMs(stream: StreamName): number {
    const perHour = this.#eventsPerHour(stream)
    const idealMs = perHour === 0 ? hourMs : (bucketEvents * hourMs) / perHour
    return Math.min(hourMs, Math.max(secondMs, Math.floor(idealMs / secondMs) * secondMs))
  }

  /** Returns the events with `selected` in bucket `number`, `[number × bucketMs, (number + 1) × bucketMs)`, in ascending order. */
  bucket(customer: string, stream: StreamName, number: number): readonly SimulatedEvent[] {
    const name = `${customer}/${stream}/${number}`
    const cached = this.#cache.get(name)
    if (cached !== undefined) {
      this.#cache.delete(name)
      this.#cache.set(name, cached)
      return cached
    }
    const events = this.#make(customer, stream, number)
    this.#cache.set(name, events)
    this.#cachedEvents += events.length + 1
    for (const [oldest, { length }] of this.#cache) {
      if (this.#cachedEvents <= cachedEventsMax || oldest === name) break
      this.#cache.delete(oldest)
      this.#cachedEvents -= length + 1
    }
    return events
  }

  /** Yields the events with `selected` in `[from, to)`, in ascending order. */
  *between(customer: string, stream: StreamName, from: number, to: number): Iterable<SimulatedEvent> {
    const width = this.bucketMs(stream)
    const start = Math.max(from, this.#from)
    const end = Math.min(to, this.#to)
    if (!Number.isFinite(start) || !Number.isFinite(end))
      throw new Error(`The events from ${start} to ${end} are endless. Bound the range, or give startAt and stopAt.`)
    for (let number = Math.floor(start / width); number * width < end; number += 1) {
      for (const event of this.bucket(customer, stream, number)) {
        if (event.selected >= start && event.selected < end) yield event
      }
    }
  }

  #eventsPerHour(stream: StreamName): number {
    return this.#settings.streamEventsPerHour[stream] ?? this.#settings.eventsPerHour
  }

  #make(customer: string, stream: StreamName, number: number): readonly SimulatedEvent[] {
    const { seed, bursts, wholeSeconds } = this.#settings
    const width = this.bucketMs(stream)
    const start = number * width
    const random = randomFrom(hashText(`${seed}/${customer}/${stream}`), seed, number, Math.floor(number / 0x1_0000_0000))
    const count = Math.floor((this.#eventsPerHour(stream) * width) / hourMs + unit(random))
    const events: SimulatedEvent[] = []
    const add = (source: Random, selected: number) => {
      if (selected < this.#from || selected >= this.#to) return
      const event = this.#event(source, customer, stream, selected)
      const before = events.at(-1)
      const made = before !== undefined && unit(source) < this.#settings.sharedIdRate ? { ...event, id: before.id } : event
      events.push(...this.#withUpdate(source, made))
    }
    for (let n = 0; n < count; n += 1) {
      const at = start + Math.floor(unit(random) * width)
      add(random, wholeSeconds ? Math.floor(at / secondMs) * secondMs : at)
    }
    bursts.forEach((burst, index) => {
      if (burst.at < start || burst.at >= start + width || (burst.stream ?? stream) !== stream) return
      const burstRandom = randomFrom(hashText(`${seed}/${customer}/${stream}/burst`), seed, index, burst.at | 0)
      for (let n = 0; n < burst.count; n += 1) add(burstRandom, burst.at)
    })
    return events.sort((a, b) => a.selected - b.selected)
  }

  #withUpdate(random: Random, event: SimulatedEvent): readonly SimulatedEvent[] {
    const { updateShare, updateAfterMs } = this.#settings
    if (unit(random) >= updateShare) return [event]
    const changedAt = event.visibleAt + updateAfterMs
    const update = { ...event, visibleAt: changedAt, seed: random() }
    return [{ ...event, hiddenAt: changedAt, update }, update]
  }

  #event(random: Random, customer: string, stream: StreamName, selected: number): SimulatedEvent {
    const { detectionLagMaxMs, verdictLagMaxMs, lateShare, lateMaxMs, malformedItemRate, selectBy } = this.#settings
    const lag = between(random, 0, partsOf(stream).event === 'virtualanalyzer' ? verdictLagMaxMs : detectionLagMaxMs)
    const isLate = unit(random) < lateShare
    const lateness = between(random, 0, 7) === 0 ? lateMaxMs : between(random, 0, lateMaxMs)
    const isMalformed = unit(random) < malformedItemRate
    const malformed = pick(random, malformations)
    const id = uuid(random)
    const detection = selectBy === 'detection' ? selected : selected - lag
    const generation = detection + lag
    const visibleAt = generation + (isLate ? lateness : 0)
    return {
      id,
      customer,
      stream,
      detection,
      generation,
      selected,
      visibleAt,
      malformed: isMalformed ? malformed : undefined,
      seed: random(),
    }
  }
}
