import { effects, failures } from '../failures.ts'
import type { Instant } from '../time.ts'
import { missing, newStream } from './ledger.ts'
import type { StreamState } from './stream.ts'

/** Keys that a stream remembers (count). A connector has at most 20 at a time. */
const keysMax = 40

/** The connector that reads a stream from now on: its origin and its keys. */
export interface Reader {
  /** The origin that the connector names. */
  readonly origin: string
  /** The fingerprints of its keys. */
  readonly keys: readonly string[]
  /** The connector answers for events from this instant on, as far as they can still be read. */
  readonly since: Instant
  /** When its item was last accepted: an edit may have mended what failed before. */
  readonly acceptedAt: Instant
}

/**
 * The stream as this reader may continue it. What was read from another origin proves nothing here, so the stream begins anew; what was
 * still unread there is counted as lost. A key that never read the stream may be another customer's, so all that is covered is read
 * again, after everything else. A gap inside may be read twice, but no gap hides what is covered behind it. A failure that began before the
 * last edit is forgotten. Without an origin a release before 0.4.0 wrote the stream: it counts as read by this reader.
 */
export function readBy(stored: StreamState, { origin, keys, since, acceptedAt }: Reader, now: Instant): StreamState {
  const stream = withoutTroubleBefore(stored, acceptedAt)
  const { origin: before = origin, keys: known = keys } = stream
  if (before !== origin) return anew(stream, { origin, keys, since }, now)
  const isNew = keys.some((key) => !known.includes(key))
  const remembered = isNew ? [...new Set([...known, ...keys])].slice(-keysMax) : known
  const read = { ...(isNew ? withoutKeyTrouble(stream) : stream), origin, keys: remembered }
  const to = stream.covered.at(-1)?.to ?? stream.since
  if (!isNew || to <= stream.since) return read
  // All of it is read again, so a request under way is part of it, and one that sends events again waits for its turn.
  const { rereadAsked, reread, ...rest } = read
  const waiting = rereadAsked === 'redeliver' && reread !== undefined ? [{ ...reread, redeliver: true as const }] : []
  const requestedRereads = [...waiting, ...(read.requestedRereads ?? [])]
  return {
    ...rest,
    ...(requestedRereads.length === 0 ? {} : { requestedRereads }),
    reread: { from: stream.since, to },
    rereadForKey: true,
  }
}

/** So the first run after an edit reads the stream, and what still fails is counted from there. */
function withoutTroubleBefore({ trouble, givenUp, ...rest }: StreamState, edit: Instant): StreamState {
  return {
    ...rest,
    ...(trouble === undefined || trouble.since < edit ? {} : { trouble }),
    ...(givenUp === undefined || (givenUp.since ?? 0) < edit ? {} : { givenUp }),
  }
}

/** A stream that waits because its key was rejected need not wait for another key. */
function withoutKeyTrouble(stream: StreamState): StreamState {
  const { trouble, ...rest } = stream
  return trouble !== undefined && effects[failures[trouble.failure.code].scope].stream === 'waits-if-key-works' ? rest : stream
}

function anew(stream: StreamState, { origin, keys, since }: Omit<Reader, 'acceptedAt'>, now: Instant): StreamState {
  const { version, seenClasses, counts, lostBefore = { count: 0, ms: 0 }, lostRanges, lease } = stream
  const unread = missing(stream, now)
  const lost = [...lostRanges, ...unread]
  return {
    ...newStream(since, now),
    version,
    seenClasses,
    counts,
    ...(lease === undefined ? {} : { lease }),
    origin,
    keys,
    lostBefore: { count: lostBefore.count + lost.length, ms: lost.reduce((ms, { from, to }) => ms + to - from, lostBefore.ms) },
  }
}
