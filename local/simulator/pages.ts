import type { History, SimulatedEvent } from './history.ts'
import type { Settings } from './options.ts'
import type { Snapshot } from './query.ts'
import { randomFrom, shuffle } from './random.ts'

/** The place in a snapshot where the next page begins. */
export interface Cursor {
  readonly bucket: number
  /** The position in the order of reading. */
  readonly index: number
  /** The end of the page before, which this page shows again. */
  readonly repeated: readonly SimulatedEvent[]
}

/** The part of a snapshot that a page shows. */
export interface PageRange {
  readonly snapshot: Snapshot
  readonly cursor: Cursor | undefined
  /** New events on the page, at most. */
  readonly count: number
  /** The vendor keeps events from this time on. */
  readonly oldest: number
  /** The time of this page on the vendor's clock. */
  readonly vendorNow: number
}

export interface PageEvents {
  readonly found: SimulatedEvent[]
  /** Absent on the last page. */
  readonly next?: Omit<Cursor, 'repeated'>
}

export function readPage(history: History, settings: Settings, range: PageRange): PageEvents {
  if (settings.paging === 'offset') return readByOffset(history, settings, range)
  return settings.order === 'shuffled' ? readShuffled(history, settings, range) : readInOrder(history, settings, range)
}

function readInOrder(history: History, settings: Settings, { snapshot, cursor, count, oldest }: PageRange): PageEvents {
  const { customer, stream } = snapshot
  const width = history.bucketMs(stream)
  const isDescending = settings.order === 'descending'
  const first = Math.floor(Math.max(snapshot.start, oldest) / width)
  const last = Math.floor(Math.min(snapshot.end, snapshot.takenAt) / width)
  const found: SimulatedEvent[] = []
  let bucket = cursor?.bucket ?? (isDescending ? last : first)
  let index = cursor?.index ?? 0
  if (bucket < first && !isDescending) {
    bucket = first
    index = 0
  }
  for (; bucket >= first && bucket <= last; bucket += isDescending ? -1 : 1) {
    const events = history.bucket(customer, stream, bucket)
    for (; index < events.length; index += 1) {
      const event = events[isDescending ? events.length - 1 - index : index]
      if (event === undefined || !matches(settings, snapshot, event, oldest)) continue
      if (found.length === count) return { found, next: { bucket, index } }
      found.push(event)
    }
    index = 0
  }
  return { found }
}

/** Skips as many of the items that are shown now as earlier pages had. */
function readByOffset(history: History, settings: Settings, range: PageRange): PageEvents {
  const snapshot = { ...range.snapshot, takenAt: range.vendorNow }
  const all = readInOrder(history, settings, { ...range, snapshot, cursor: undefined, count: Number.MAX_SAFE_INTEGER }).found
  const from = range.cursor?.index ?? 0
  const found = all.slice(from, from + range.count)
  return from + found.length < all.length ? { found, next: { bucket: 0, index: from + found.length } } : { found }
}

/** Makes the whole order again for each page, so that no page id has to hold it. */
function readShuffled(history: History, settings: Settings, { snapshot, cursor, count, oldest }: PageRange): PageEvents {
  const oldestAtStart = snapshot.takenAt - settings.retentionMs
  const all = readInOrder(history, settings, {
    snapshot,
    cursor: undefined,
    count: Number.MAX_SAFE_INTEGER,
    oldest: oldestAtStart,
    vendorNow: snapshot.takenAt,
  })
  const shuffled = shuffle(randomFrom(snapshot.seed, 1, 1), all.found)
  const found: SimulatedEvent[] = []
  for (let index = cursor?.index ?? 0; index < shuffled.length; index += 1) {
    const event = shuffled[index]
    if (event === undefined || event.selected < oldest) continue
    if (found.length === count) return { found, next: { bucket: 0, index } }
    found.push(event)
  }
  return { found }
}

function matches({ bounds }: Settings, snapshot: Snapshot, event: SimulatedEvent, oldest: number): boolean {
  const isStartOpen = bounds === 'exclusive' || bounds === 'start-exclusive'
  const isEndOpen = bounds === 'exclusive' || bounds === 'half-open'
  return (
    event.visibleAt <= snapshot.takenAt &&
    (event.hiddenAt === undefined || snapshot.takenAt < event.hiddenAt) &&
    event.selected >= oldest &&
    (isStartOpen ? event.selected > snapshot.start : event.selected >= snapshot.start) &&
    (isEndOpen ? event.selected < snapshot.end : event.selected <= snapshot.end)
  )
}
