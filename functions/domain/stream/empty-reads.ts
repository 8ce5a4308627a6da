import { type Instant, minute } from '../time.ts'
import type { StreamCounts, StreamId, StreamState } from './stream.ts'

/**
 * Reads of one stream that found nothing. The item of a quiet stream is not written for each of them: the status, which each run writes, says
 * how far they went. If that is lost, the next run reads the same time again.
 */
export interface EmptyReads {
  /** The version of the item that they build on. With another version they say nothing. */
  readonly version: number
  /** The number of the reads. */
  readonly reads: number
  /** When the last one was made. */
  readonly at: Instant
  /** The stream was read up to here, */
  readonly to: Instant
  /** and its last covered interval ends here. */
  readonly provenTo: Instant
}

/** The item of a stream is written at least this often (ms), so that a lost status costs little. */
const writtenEveryMs = 30 * minute

/** The attributes that empty reads may move on. `since` follows from the acceptance and the retention limit. */
const moved = new Set<keyof StreamState>(['since', 'covered', 'readThrough', 'shownThrough', 'lastReadAt', 'widthMs', 'counts'])

/** Whether the item must be written after an empty read. `saved`: the stream as it is stored; absent if it is not. */
export function isWorthSaving(saved: StreamState | undefined, next: StreamState, now: Instant): boolean {
  if (saved === undefined || now - (saved.lastReadAt ?? 0) >= writtenEveryMs) return true
  const [covered, nextCovered] = [saved.covered.at(-1), next.covered.at(-1)]
  // The retention limit moves its beginning on. What was taken back must not come back with the item.
  const isLastGrown =
    covered !== undefined &&
    nextCovered !== undefined &&
    covered.from <= nextCovered.from &&
    nextCovered.from <= covered.to &&
    covered.to <= nextCovered.to &&
    saved.readThrough <= next.readThrough
  // A wider range is worth a write, because it saves requests.
  const isWider = next.widthMs >= 2 * saved.widthMs
  return !isLastGrown || isWider || readsBetween(saved.counts, next.counts) === undefined || text(saved, moved) !== text(next, moved)
}

/** The reads of one empty page each that lie between the counts. Nothing if anything else was counted. */
function readsBetween(before: StreamCounts, after: StreamCounts): number | undefined {
  const apart = new Set<keyof StreamCounts>(['pages', 'requests'])
  const reads = after.pages - before.pages
  return reads === after.requests - before.requests && text(before, apart) === text(after, apart) ? reads : undefined
}

/** The attributes without those in `apart`, in an order of their own. */
function text<T extends object>(value: T, apart: ReadonlySet<keyof T>): string {
  const names = Object.keys(value).filter((name) => !apart.has(name as keyof T) && value[name as keyof T] !== undefined)
  return JSON.stringify(names.sort().map((name) => [name, value[name as keyof T]]))
}

/** The empty reads that no item has, by stream. `saved`: the streams as they are stored. */
export function emptyReadsOf(
  streams: ReadonlyMap<StreamId, StreamState>,
  saved: ReadonlyMap<StreamId, StreamState>,
): Readonly<Record<StreamId, EmptyReads>> | undefined {
  const unsaved = [...streams].flatMap(([id, { version, counts, lastReadAt: at = 0, readThrough: to, covered }]) => {
    const stored = saved.get(id)
    const reads = stored?.version === version ? readsBetween(stored.counts, counts) : undefined
    return reads === undefined || reads === 0 ? [] : [[id, { version, reads, at, to, provenTo: covered.at(-1)?.to ?? 0 }] as const]
  })
  return unsaved.length === 0 ? undefined : Object.fromEntries(unsaved)
}

/** The stream as its empty reads left it. */
export function afterEmptyReads(stored: StreamState, empty: EmptyReads | undefined): StreamState {
  const last = stored.covered.at(-1)
  // A stream that was made anew may have the same version.
  if (empty?.version !== stored.version || last === undefined || empty.at <= (stored.lastReadAt ?? 0)) return stored
  const { pages, requests } = stored.counts
  return {
    ...stored,
    lastReadAt: empty.at,
    readThrough: Math.max(stored.readThrough, empty.to),
    covered: [...stored.covered.slice(0, -1), { from: last.from, to: Math.max(last.to, empty.provenTo) }],
    counts: { ...stored.counts, pages: pages + empty.reads, requests: requests + empty.reads },
  }
}
