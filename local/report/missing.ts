import { type Failure, failures, formatFailure, isLasting } from '../../functions/domain/failures.ts'
import * as ledger from '../../functions/domain/stream/ledger.ts'
import type { LostRange, StreamId, StreamState } from '../../functions/domain/stream/stream.ts'
import { floorToSecond, type Instant, iso, minute, second } from '../../functions/domain/time.ts'
import { localWords } from '../local-words.ts'
import { type ConnectorRun, streamsOf, type Vendors } from './runs.ts'
import { withTimes } from './words.ts'

/** Something that keeps a connector from being complete. */
export interface Missing {
  /** Or, for an item that was refused for its id, its place in the file, `item 2`. */
  readonly connectorId: string
  /** Says what is missing and why, and what to do if a person has to act. */
  readonly reason: string
  /** Waiting does not help. */
  readonly isPermanent: boolean
  /** The failure that may pass, in a row since then, and when it is tried again. */
  readonly failing?: { readonly detail: string; readonly since: Instant; readonly nextTryAt: Instant }
}

type Found = Omit<Missing, 'connectorId'>

/** Finds everything that keeps the connectors' streams from being complete up to `start`. */
export function findMissing(runs: readonly ConnectorRun[], vendors: Vendors, start: Instant): readonly Missing[] {
  return runs.flatMap((each) => missingOf(each, vendors, start).map((found) => ({ connectorId: each.connectorId, ...here(found, start) })))
}

function here({ reason, failing, ...others }: Found, start: Instant): Found {
  const words = (text: string) => withTimes(localWords(text), start)
  const text = failing === undefined ? {} : { failing: { ...failing, detail: words(failing.detail) } }
  return { ...others, ...text, reason: words(reason) }
}

function missingOf(each: ConnectorRun, vendors: Vendors, start: Instant): readonly Found[] {
  const { accepted, status } = each.run
  // A status from an earlier start does not count: its cause may have been fixed since.
  const hasRun = status?.lastRunAt !== undefined && status.lastRunAt >= start
  if (status?.state === 'refused' || (accepted === undefined && status !== undefined)) return [{ reason: status.reason, isPermanent: true }]
  if (accepted === undefined) return [{ reason: 'It has not been accepted yet.', isPermanent: false }]
  const { connector } = accepted
  if (!connector.enabled) return []
  const refusedEdit = (status?.problems ?? []).map(({ path, message }) => ({
    reason: `The item was refused: ${path}: ${message}`,
    isPermanent: true,
  }))
  if (hasRun && status?.trouble !== undefined) {
    const { failure, until } = status.trouble
    // The first of its streams failed before the connector did.
    const sinces = [...each.run.streams.values()].flatMap(({ trouble }) => trouble?.since ?? [])
    const failing = { detail: failure.detail, since: Math.max(start, Math.min(status.since, ...sinces)), nextTryAt: until }
    return [...refusedEdit, { reason: status.reason, isPermanent: isHopeless(status.trouble), failing }]
  }
  // A vendor whose clock is behind ours shows its events under earlier times.
  const target = floorToSecond(start) + Math.min(0, status?.vendorClockMs ?? 0) - connector.lateArrivalMinutes * minute - 2 * second
  const ofStreams = streamsOf(each, vendors).flatMap(({ id, stream }) => missingOfStream(id, stream, { start, target, hasRun }))
  return [...refusedEdit, ...ofStreams.map((found) => ({ ...outageOf(each, start), ...found }))]
}

/** Why a connector that does not fail itself is not read: it leaves an origin alone that is down. */
function outageOf({ run: { status, streams, due } }: ConnectorRun, start: Instant): Pick<Found, 'failing'> {
  const isWaiting = status?.state === 'failing' && (status.lastRunAt ?? 0) >= start && status.cause !== undefined
  if (!isWaiting || [...streams.values()].some(({ trouble }) => trouble !== undefined)) return {}
  return { failing: { detail: status.reason, since: Math.max(start, status.since), nextTryAt: due?.nextDueAt ?? start } }
}

function missingOfStream(
  id: StreamId,
  stream: StreamState | undefined,
  { start, target, hasRun }: { readonly start: Instant; readonly target: Instant; readonly hasRun: boolean },
): readonly Found[] {
  if (stream === undefined) return [{ reason: `${id} has not been read yet, but must be read up to ${iso(start)}.`, isPermanent: false }]
  const { trouble, lostRanges } = stream
  const readTo = ledger.readTo(stream)
  const coveredTo = ledger.coveredTo(stream, start)
  if (coveredTo < target || readTo < floorToSecond(start) || hasPassedOver(stream, start)) {
    const done =
      stream.lastReadAt === undefined
        ? 'has not been read yet, but'
        : `is complete from ${iso(stream.since)} to ${iso(coveredTo)} and read to ${iso(readTo)}, but`
    const why = trouble === undefined ? '.' : `: ${formatFailure(trouble.failure)}`
    const found = { reason: `${id} ${done} must be read up to ${iso(start)}${why}`, isPermanent: false }
    if (trouble === undefined) return [found]
    const { failure, attempts, since, until } = trouble
    const isPermanent = hasRun && isLasting(failure.code, attempts) && isHopeless(trouble)
    return [{ ...found, isPermanent, failing: { detail: `${id}: ${failure.detail}`, since: Math.max(start, since), nextTryAt: until } }]
  }
  if (lostRanges.length === 0) return []
  const lost = lostRanges.map(({ from, to, reason }) => `from ${iso(from)} to ${iso(to)}, because ${lossCauses[reason]}`)
  const reason = `${id} lost events ${lost.join('; ')}. Nothing can bring them back; newer events are still collected.`
  return [{ reason, isPermanent: true }]
}

/** Whether the live edge went past time before the start that it could not read: it is neither covered nor read, and tried again later. */
function hasPassedOver(stream: StreamState, start: Instant): boolean {
  const { lastReadAt, trouble, jumpedTo = 0 } = stream
  const neverRead = lastReadAt === undefined || (trouble !== undefined && lastReadAt < start)
  return neverRead || ledger.coveredTo(stream, start) < Math.min(jumpedTo, start)
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
