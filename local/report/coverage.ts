import type { RunState } from '../../functions/domain/ports.ts'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import { watermarkMarginMs } from '../../functions/domain/stream/proof.ts'
import type { Interval, LostRange, StreamState } from '../../functions/domain/stream/stream.ts'
import { type Instant, iso, minute } from '../../functions/domain/time.ts'
import { type ConnectorRun, streamsOf, type Vendors } from './runs.ts'

/** `[from, to)`, ISO 8601. */
interface TimeRange {
  readonly from: string
  readonly to: string
}

/** From when to when the events of one stream are there. Times are ISO 8601; the first three are null while nothing has been read. */
export interface Coverage {
  /** The stream answers for events from here on. What is before is older than the first read, or than what the vendor keeps. */
  readonly since: string | null
  /** Proven complete from `since` to here: each event is delivered, filtered or in a lost range. Equal to `since`: nothing is proven yet. */
  readonly coveredTo: string | null
  /** Read to here, but for the gaps. From `coveredTo` on it is not proven: late events may still come. */
  readonly readTo: string | null
  /** Until then late events may come in what was read. Null: all of it is proven. */
  readonly lateUntil: string | null
  /** The events of these ranges were not read and never will be. */
  readonly lostRanges: readonly (TimeRange & { readonly reason: LostRange['reason'] })[]
  /** The events of these ranges have not been read yet. */
  readonly gaps: readonly TimeRange[]
}

export function coverageOf(stream: StreamState | undefined, { accepted, status }: RunState, now: Instant): Coverage {
  if (stream?.lastReadAt === undefined) return { since: null, coveredTo: null, readTo: null, lateUntil: null, lostRanges: [], gaps: [] }
  const coveredTo = ledger.coveredTo(stream, now)
  const clockMs = status?.vendorClockMs ?? 0
  // The live edge goes past time that it cannot read, but nothing was read that came after the last page.
  const readTo = Math.max(Math.min(ledger.readTo(stream), stream.lastReadAt + clockMs), coveredTo)
  const lateMs = (accepted?.connector.lateArrivalMinutes ?? 0) * minute
  // The times are the vendor's, and people wait by ours.
  const lateUntil = readTo - clockMs + lateMs + watermarkMarginMs
  return {
    since: iso(stream.since),
    coveredTo: iso(coveredTo),
    readTo: iso(readTo),
    lateUntil: readTo > coveredTo ? iso(lateUntil) : null,
    lostRanges: stream.lostRanges.map((range) => ({ ...isoRange(range), reason: range.reason })),
    gaps: gapsOf(stream, lateMs, now).map(isoRange),
  }
}

function isoRange({ from, to }: Interval): TimeRange {
  return { from: iso(from), to: iso(to) }
}

/**
 * A stream that is read on time is never covered up to now, so its newest part is a gap only when it has become unusually long, or up to
 * where the live edge jumped over what it could not read.
 */
function gapsOf(stream: StreamState, lateMs: number, now: Instant): readonly Interval[] {
  const gaps = ledger.missing(stream, now).filter(({ to }) => to < now)
  const coveredTo = ledger.coveredTo(stream, now)
  const isFarBehind = now - coveredTo > 2 * lateMs + 10 * minute
  if (gaps.length > 0) return gaps
  const to = isFarBehind ? now - lateMs : Math.min(now, stream.jumpedTo ?? 0)
  return to > coveredTo ? [{ from: coveredTo, to }] : []
}

/** The coverage as a sentence without its subject and without a full stop. */
export function coverageText({ since, coveredTo, readTo, lateUntil, gaps, lostRanges }: Coverage): string {
  if (since === null || coveredTo === null || readTo === null) return 'nothing read yet'
  const isProven = coveredTo > since
  const proven = isProven ? `proven complete from ${timeText(since)} to ${timeText(coveredTo, since)} UTC` : 'nothing proven complete yet'
  const read = isProven ? `read to ${timeText(readTo, since)}` : `read from ${timeText(since)} to ${timeText(readTo, since)} UTC`
  return [
    proven,
    ...(lateUntil === null ? [] : [`${read}, where late events may come until ${timeText(lateUntil, since)}`]),
    ...(gaps.length === 0 ? [] : [`${rangesText(gaps.length)} not read yet`]),
    ...(lostRanges.length === 0 ? [] : [`${rangesText(lostRanges.length)} lost`]),
  ].join('; ')
}

function rangesText(count: number): string {
  return `${count} time ${count === 1 ? 'range' : 'ranges'}`
}

/** `2026-11-24 20:35:26`, UTC, of an ISO 8601 text; without the date if it is that of `other`. */
function timeText(at: string, other = ''): string {
  return at.slice(0, 10) === other.slice(0, 10) ? at.slice(11, 19) : at.slice(0, 19).replace('T', ' ')
}

/** The last sentence of --once when everything was read up to its start: the part that is proven, and the part that is not. */
export function completeText(runs: readonly ConnectorRun[], vendors: Vendors, start: Instant): string {
  const streams = runs.flatMap((each) => (each.run.accepted?.connector.enabled ? streamsOf(each, vendors) : []))
  if (streams.length === 0) return 'No connector collects, so there was nothing to read.'
  const provenTo = Math.min(...streams.map(({ stream }) => (stream === undefined ? start : ledger.coveredTo(stream, start))))
  const lateMax = Math.max(...runs.map(({ run }) => run.accepted?.connector.lateArrivalMinutes ?? 0))
  const startText = `the start, ${timeText(iso(start))} UTC`
  if (provenTo >= start) return `Every stream is read, and proven complete, up to ${startText}.`
  return `Every stream is read up to ${startText}, and proven complete up to ${timeText(iso(provenTo), iso(start))}. Later events may still come, up to ${lateMax} min late (lateArrivalMinutes); the next start reads them.`
}
