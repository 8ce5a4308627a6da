import type { EventMetric } from '../metrics.ts'
import type { StreamCounts } from './stream.ts'

/** The counts of a stream without the counts of each filter. */
export type Counted = Omit<StreamCounts, 'byFilter'>

function counted(of: (name: keyof Counted) => number): Counted {
  return {
    pages: of('pages'),
    requests: of('requests'),
    throttled: of('throttled'),
    fetched: of('fetched'),
    delivered: of('delivered'),
    filtered: of('filtered'),
    alreadySeen: of('alreadySeen'),
    malformed: of('malformed'),
    late: of('late'),
    changed: of('changed'),
    redacted: of('redacted'),
  }
}

export function sumOfCounts(counts: readonly Counted[]): Counted {
  return counted((name) => counts.reduce((sum, each) => sum + each[name], 0))
}

/** The difference between two states of the counts of one stream; without `before`, `now` itself. */
export function countsSince(before: Counted | undefined, now: Counted): Counted {
  return counted((name) => now[name] - (before?.[name] ?? 0))
}

/** Adds counts to those of a stream, also under the name of each filter that the connector has. Others are forgotten. */
export function addCounts(before: StreamCounts, more: Partial<StreamCounts>, filters?: readonly string[]): StreamCounts {
  const kept = Object.entries(before.byFilter).filter(([name]) => filters === undefined || filters.includes(name))
  const byFilter: Record<string, number> = Object.fromEntries(kept)
  for (const [name, count] of Object.entries(more.byFilter ?? {})) byFilter[name] = (byFilter[name] ?? 0) + count
  return { ...counted((name) => before[name] + (more[name] ?? 0)), byFilter }
}

/** The counts as the metrics of one event type. */
export function eventValues({
  delivered,
  filtered,
  alreadySeen,
  malformed,
  late,
  changed,
  redacted,
}: Counted): Record<EventMetric, number> {
  return {
    EventsDelivered: delivered,
    EventsFiltered: filtered,
    EventsDuplicate: alreadySeen,
    EventsMalformed: malformed,
    EventsLate: late,
    EventsChanged: changed,
    EventsRedacted: redacted,
  }
}
