import type { ReadingPolicy } from './ledger.ts'
import { liveIsDue, planHole, planLive, planReread, settledGaps } from './ledger.ts'
import type { Slice, StreamState } from './stream.ts'
import { type Instant, minute, second } from './time.ts'
import type { StreamId } from './vendor.ts'

/** Whose turn it is: one slice of one stream. */
export interface Turn {
  readonly stream: StreamId
  readonly slice: Slice
  /** How long it is worth waiting for a token in place (ms). */
  readonly waitMostMs: number
}

const holeTurnEvery = 5
const liveWaitMostMs = 65 * second
const holeWaitMostMs = 15 * second

/**
 * Due live edges come first, the one least fresh before the others; every fifth turn goes to the hole that is nearest to
 * the horizon. Strictly the stalest first lets one backlog starve every other stream; strictly live first loses holes.
 */
export function nextTurn(
  streams: ReadonlyMap<StreamId, StreamState>,
  turns: number,
  now: Instant,
  policy: ReadingPolicy,
): Turn | undefined {
  const ready = [...streams].filter(([, stream]) => stream.trouble === undefined || stream.trouble.until <= now)
  const live = best(ready, (stream) => (liveIsDue(stream, now, policy) ? stream.freshTo : undefined))
  const hole = best(ready, (stream) => holeStart(stream, now, policy))
  const order = turns % holeTurnEvery === holeTurnEvery - 1 ? [hole, live] : [live, hole]
  const again = best(ready, (stream) => (stream.slice?.kind === 'reread' ? stream.slice.from : planReread(stream)?.from))
  for (const chosen of [...order, again]) {
    if (chosen === undefined) continue
    const [id, stream] = chosen
    const slice =
      stream.slice ??
      (chosen === live ? planLive(stream, now, policy) : chosen === hole ? planHole(stream, now, policy) : planReread(stream))
    if (slice !== undefined) return { stream: id, slice, waitMostMs: chosen === live ? liveWaitMostMs : holeWaitMostMs }
  }
  return undefined
}

/** Where the oldest hole begins that this stream could read now; nothing while a live slice is half read. */
function holeStart(stream: StreamState, now: Instant, policy: ReadingPolicy): Instant | undefined {
  if (stream.slice !== undefined) return stream.slice.kind === 'settling' ? stream.slice.from : undefined
  return settledGaps(stream, now, policy)[0]?.from
}

function best<T>(entries: readonly (readonly [StreamId, T])[], rank: (value: T) => number | undefined): readonly [StreamId, T] | undefined {
  let least = Number.POSITIVE_INFINITY
  let chosen: readonly [StreamId, T] | undefined
  for (const entry of entries) {
    const value = rank(entry[1])
    if (value !== undefined && value < least) {
      least = value
      chosen = entry
    }
  }
  return chosen
}

/** The next time after `now` that falls on the connector's own phase of its interval. `phase` in [0, 1). */
export function nextTickOf(phase: number, intervalMs: number, now: Instant): Instant {
  const offset = Math.floor(phase * intervalMs)
  return Math.floor((now - offset) / intervalMs + 1) * intervalMs + offset
}

/** A claimed connector whose message is lost comes up again after this (ms). */
export const claimMs = 5 * minute
