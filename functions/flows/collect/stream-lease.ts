import type { Clock, StreamStore } from '../../domain/ports.ts'
import { keepSeenClass } from '../../domain/stream/ledger.ts'
import type { Range, StreamId, StreamState } from '../../domain/stream/stream.ts'
import { type Instant, minute, second } from '../../domain/time.ts'

/** The length of a lease, and so the longest wait for the stream of a run that died (ms). */
const leaseMs = 2 * minute
/** A lease that ends sooner than this after a wait is renewed before the wait (ms): one request and its delivery take this long. */
const spareMs = 45 * second

/**
 * The lease of one stream, and the only way to write the stream while it is read. Each write names the version it builds on, so a
 * run that was frozen cannot save over a later one: every write returns false if another run has written meanwhile.
 */
export interface StreamLease {
  /** The stream as last written. */
  readonly stream: StreamState
  readonly isHeld: boolean
  /**
   * Takes or renews the lease. It records the width class of `range` as well, before any of its seen ids: so a later run knows where
   * to look even if this one dies.
   */
  take(range: Range): Promise<boolean>
  /** Renews the lease if it would not outlast a wait until `until`. */
  outlast(until: Instant, range: Range): Promise<boolean>
  /** Saves the stream with `range` half read, and keeps the lease. */
  checkpoint(next: StreamState, range: Range): Promise<boolean>
  /** Saves the stream and gives the lease back. */
  release(next: StreamState): Promise<boolean>
  /** When a lease that another run has taken by now ends, at the latest. */
  heldUntil(): Instant
}

export function streamLease(
  { clock, state }: { readonly clock: Clock; readonly state: StreamStore },
  { connectorId, streamId, holder }: { readonly connectorId: string; readonly streamId: StreamId; readonly holder: string },
  begun: StreamState,
): StreamLease {
  let stream = begun

  async function write(next: StreamState): Promise<boolean> {
    const versioned = { ...next, version: stream.version + 1 }
    if (!(await state.writeStream(connectorId, streamId, versioned))) return false
    stream = versioned
    return true
  }

  function checkpoint(next: StreamState, range: Range): Promise<boolean> {
    const now = clock.now()
    return write({ ...keepSeenClass(next, range, now), lease: { holder, until: now + leaseMs } })
  }

  return {
    get stream() {
      return stream
    },
    get isHeld() {
      return stream.lease !== undefined
    },
    take: (range) => checkpoint(stream, range),
    async outlast(until, range) {
      return (stream.lease?.until ?? 0) >= until + spareMs || checkpoint(stream, range)
    },
    checkpoint,
    release: ({ lease: _, ...next }) => write(next),
    heldUntil: () => clock.now() + leaseMs,
  }
}

/** Until when another run holds the lease of the stream, if one does. */
export function heldByAnother({ lease }: StreamState, holder: string, now: Instant): Instant | undefined {
  return lease !== undefined && lease.until > now && lease.holder !== holder ? lease.until : undefined
}
