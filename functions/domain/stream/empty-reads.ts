import { type Instant, minute } from '../time.ts'
import type { StreamCounts, StreamId, StreamState } from './stream.ts'

/**
 * Reads that found nothing. The item of a quiet stream is not written for each of them: the status, which each run writes, says how far they
 * went. If that is lost, the next run reads the same time again.
 */
export interface EmptyReads {
  /** When the first of these streams was last read. */
  readonly at: Instant
  /** All of these streams were read up to here, */
  readonly to: Instant
  /** and their last covered interval ends here or later. */
  readonly provenTo: Instant
  /** The version of the item that each stream builds on, and its reads since (count). With another version they say nothing. */
  readonly streams: Readonly<Record<StreamId, { readonly version: number; readonly reads: number }>>
}

/** The item of a stream is written at least this often (ms), so that a lost status costs little. */
const writtenEveryMs = 30 * minute

/** The attributes that empty reads may move on. `since` follows from the acceptance and the retention limit. */
const moved = new Set<keyof StreamState>(['since', 'covered', 'readThrough', 'shownThrough', 'lastReadAt', 'widthMs', 'counts'])

/** Whether the item must be written after an empty read. `saved`: the stream as it is stored; absent if it is not. */
export function isWorthSaving(saved: StreamState | undefined, next: StreamState, now: Instant): boolean {
  if (saved === undefined || now - (saved.lastReadAt ?? 0) >= writtenEveryMs) return true
  const [covered, nextCovered] = [saved.covered.at(-1), next.covered.at(-1)]
  const isLastGrown = covered !== undefined && covered.from === nextCovered?.from
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

/** The empty reads that no item has. `saved`: the streams as they are stored. */
export function emptyReadsOf(
  streams: ReadonlyMap<StreamId, StreamState>,
  saved: ReadonlyMap<StreamId, StreamState>,
): EmptyReads | undefined {
  const unsaved = [...streams].flatMap(([id, stream]) => {
    const stored = saved.get(id)
    const reads = stored?.version === stream.version ? readsBetween(stored.counts, stream.counts) : undefined
    return reads === undefined || reads === 0 ? [] : [{ id, stream, reads }]
  })
  if (unsaved.length === 0) return undefined
  const least = (of: (stream: StreamState) => Instant) => Math.min(...unsaved.map(({ stream }) => of(stream)))
  return {
    at: least(({ lastReadAt = 0 }) => lastReadAt),
    to: least(({ readThrough }) => readThrough),
    provenTo: least(({ covered }) => covered.at(-1)?.to ?? 0),
    streams: Object.fromEntries(unsaved.map(({ id, stream: { version }, reads }) => [id, { version, reads }])),
  }
}

/** The stream as the empty reads left it. */
export function afterEmptyReads(id: StreamId, stored: StreamState, empty: EmptyReads | undefined): StreamState {
  const own = empty?.streams[id]
  const last = stored.covered.at(-1)
  // A stream that was made anew may have the same version.
  if (empty === undefined || own?.version !== stored.version || last === undefined || empty.at <= (stored.lastReadAt ?? 0)) return stored
  const { pages, requests } = stored.counts
  return {
    ...stored,
    lastReadAt: empty.at,
    readThrough: Math.max(stored.readThrough, empty.to),
    covered: [...stored.covered.slice(0, -1), { from: last.from, to: Math.max(last.to, empty.provenTo) }],
    counts: { ...stored.counts, pages: pages + own.reads, requests: requests + own.reads },
  }
}
