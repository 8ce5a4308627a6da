import type { StateTable } from '../functions/adapters/state-table/state-table.ts'
import { type Failure, failures, isLasting } from '../functions/domain/failures.ts'
import type { ConnectorState } from '../functions/domain/status/connector-state.ts'
import * as ledger from '../functions/domain/stream/ledger.ts'
import type { LostRange, StreamState } from '../functions/domain/stream/stream.ts'
import { floorToSecond, type Instant, iso, minute, second } from '../functions/domain/time.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import { localWords } from './local-words.ts'

/** `[from, to)`, ISO 8601. */
interface TimeRange {
  readonly from: string
  readonly to: string
}

interface StreamSummary {
  readonly service: string
  readonly event: string
  readonly delivered: number
  readonly filtered: number
  readonly alreadySeen: number
  /** Updates: events that came again with other content. They are delivered or filtered. */
  readonly changed: number
  readonly requests: number
  readonly throttled: number
  /** Every event before it is delivered, filtered or in a lost range. ISO 8601. */
  readonly coveredTo: string
  /** The events of these ranges were not read and never will be. */
  readonly lostRanges: readonly (TimeRange & { readonly reason: LostRange['reason'] })[]
  /** The events of these ranges have not been read yet. */
  readonly gaps: readonly TimeRange[]
}

export interface ConnectorSummary {
  /** Or, for an item that was refused for its id, its place in the file, `item 2`. */
  readonly connectorId: string
  readonly state: ConnectorState
  /** Why it is in this state and what to do; empty when all is well. */
  readonly reason: string
  readonly streams: readonly StreamSummary[]
}

export interface Summary {
  readonly connectors: readonly ConnectorSummary[]
  readonly requests: number
  readonly throttled: number
  readonly seconds: number
  /** The folder. */
  readonly lake: string
}

export interface SummaryPorts {
  readonly state: StateTable
  readonly vendors: ReadonlyMap<string, Vendor>
}

/** Summarises connectors from the state table. A stream counts from the time when it was first collected, not from this start. */
export async function summarise(
  { state, vendors }: SummaryPorts,
  connectorIds: readonly string[],
  now: Instant,
): Promise<readonly ConnectorSummary[]> {
  const summaries: ConnectorSummary[] = []
  for (const connectorId of connectorIds) {
    const { accepted, status, streams } = await state.readRun(connectorId)
    const vendor = vendors.get(accepted?.connector.type ?? '')
    const lateMs = (accepted?.connector.lateArrivalMinutes ?? 0) * minute
    const ids = accepted === undefined || vendor === undefined ? [] : vendor.streams(accepted.connector)
    summaries.push({
      connectorId,
      state: status?.state ?? 'starting',
      reason: localWords(status?.reason ?? ''),
      streams: ids.flatMap((id) => {
        const stream = streams.get(id)
        return stream === undefined || vendor === undefined ? [] : [{ ...vendor.describe(id), ...summariseStream(stream, lateMs, now) }]
      }),
    })
  }
  return summaries
}

function summariseStream(stream: StreamState, lateMs: number, now: Instant): Omit<StreamSummary, 'service' | 'event'> {
  const { delivered, filtered, alreadySeen, changed, requests, throttled } = stream.counts
  return {
    delivered,
    filtered,
    alreadySeen,
    changed,
    requests,
    throttled,
    coveredTo: iso(ledger.coveredTo(stream, now)),
    lostRanges: stream.lostRanges.map(({ from, to, reason }) => ({ from: iso(from), to: iso(to), reason })),
    gaps: gapsOf(stream, lateMs, now).map(({ from, to }) => ({ from: iso(from), to: iso(to) })),
  }
}

/** A stream that is read on time is never covered up to now, so its newest part is a gap only when it has become unusually long. */
function gapsOf(stream: StreamState, lateMs: number, now: Instant): readonly { readonly from: Instant; readonly to: Instant }[] {
  const gaps = ledger.missing(stream, now).filter(({ to }) => to < now)
  const coveredTo = ledger.coveredTo(stream, now)
  const isFarBehind = now - coveredTo > 2 * lateMs + 10 * minute
  return gaps.length === 0 && isFarBehind ? [{ from: coveredTo, to: now - lateMs }] : gaps
}

/** Something that keeps a connector from being complete. */
export interface Missing {
  /** Or, for an item that was refused for its id, its place in the file, `item 2`. */
  readonly connectorId: string
  /** Says what is missing and why, and what to do if a person has to act. */
  readonly reason: string
  /** Waiting does not help. */
  readonly isPermanent: boolean
}

/** Finds everything that keeps the connectors' streams from being complete up to `start`. */
export async function findMissing(
  { state, vendors }: SummaryPorts,
  connectorIds: readonly string[],
  start: Instant,
): Promise<readonly Missing[]> {
  const missing: Missing[] = []
  for (const connectorId of connectorIds) {
    const { accepted, status, streams } = await state.readRun(connectorId)
    // A status from an earlier start does not count: its cause may have been fixed since.
    const hasRun = status?.lastRunAt !== undefined && status.lastRunAt >= start
    const add = (reason: string, isPermanent: boolean) => missing.push({ connectorId, reason: localWords(reason), isPermanent })
    if (status?.state === 'refused' || (accepted === undefined && status !== undefined)) {
      add(status.reason, true)
      continue
    }
    if (accepted === undefined) {
      add('It has not been accepted yet.', false)
      continue
    }
    const { connector } = accepted
    if (!connector.enabled) continue
    for (const { path, message } of status?.problems ?? []) add(`The item was refused: ${path}: ${message}`, true)
    if (hasRun && status?.trouble !== undefined) {
      add(status.reason, isHopeless(status.trouble))
      continue
    }
    // A vendor whose clock is behind ours shows its events under earlier times.
    const target = floorToSecond(start) + Math.min(0, status?.vendorClockMs ?? 0) - connector.lateArrivalMinutes * minute - 2 * second
    for (const id of vendors.get(connector.type)?.streams(connector) ?? []) {
      const found = missingOfStream(streams.get(id), { start, target, hasRun })
      if (found !== undefined) add(`${id} ${found.reason}`, found.isPermanent)
    }
  }
  return missing
}

/** The reason continues a sentence that begins with the name of the stream. */
function missingOfStream(
  stream: StreamState | undefined,
  { start, target, hasRun }: { readonly start: Instant; readonly target: Instant; readonly hasRun: boolean },
): Omit<Missing, 'connectorId'> | undefined {
  if (stream === undefined) return { reason: `has not been read yet, but must be complete up to ${iso(start)}.`, isPermanent: false }
  const { trouble, lostRanges } = stream
  const readTo = ledger.readTo(stream)
  const coveredTo = ledger.coveredTo(stream, start)
  if (coveredTo < target || readTo < floorToSecond(start)) {
    const why = trouble === undefined ? '.' : `: ${trouble.failure.detail}`
    return {
      reason: `is complete to ${iso(coveredTo)} and read to ${iso(readTo)}, but must be complete up to ${iso(start)}${why}`,
      isPermanent: hasRun && trouble !== undefined && isLasting(trouble.failure.code, trouble.attempts) && isHopeless(trouble),
    }
  }
  if (lostRanges.length === 0) return undefined
  const lost = lostRanges.map(({ from, to, reason }) => `from ${iso(from)} to ${iso(to)}, because ${lossCauses[reason]}`)
  return { reason: `lost events ${lost.join('; ')}. Nothing can bring them back; newer events are still collected.`, isPermanent: true }
}

const lossCauses: Readonly<Record<LostRange['reason'], string>> = {
  'retention-limit': 'the vendor no longer had them',
  paused: 'the vendor no longer had them when the connector was enabled again',
  unreadable: 'every attempt to read them failed',
}

/** After so many failures in a row waiting no longer helps: --once then says what to do. */
function isHopeless({ failure, attempts }: { readonly failure: Failure; readonly attempts: number }): boolean {
  return attempts >= failures[failure.code].triesMax
}
