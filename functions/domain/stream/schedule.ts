import { type Instant, minute, second } from '../time.ts'
import type { ReadingPolicy } from './ledger.ts'
import { liveIsDue, planHole, planLive, planReread, settledGaps } from './ledger.ts'
import type { Slice, StreamId, StreamState } from './stream.ts'

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
 * A stream whose slices do not come to an end leaves every other hole turn to those whose slices do.
 */
export function nextTurn(
  streams: ReadonlyMap<StreamId, StreamState>,
  turns: number,
  now: Instant,
  policy: ReadingPolicy,
): Turn | undefined {
  const ready = [...streams].filter(([, stream]) => stream.trouble === undefined || stream.trouble.until <= now)
  const edge = best(ready, (stream) => (liveIsDue(stream, now, policy) ? lastServedAt(stream) : undefined))
  const live = turnOf(edge, (stream) => planLive(stream, now, policy), liveWaitMostMs)
  const unpaced = ready.filter(([, { paced }]) => !paced)
  const oldest = (of: typeof ready) => best(of, (stream) => holeStart(stream, now, policy))
  const hole = turnOf(
    (turns % 2 === 0 ? oldest(unpaced) : undefined) ?? oldest(ready),
    (stream) => planHole(stream, now, policy),
    holeWaitMostMs,
  )
  const again = best(ready, (stream) => (stream.slice?.kind === 'reread' ? stream.slice.from : planReread(stream)?.from))
  const first = turns % holeTurnEvery === holeTurnEvery - 1 ? (hole ?? live) : (live ?? hole)
  return first ?? turnOf(again, planReread, holeWaitMostMs)
}

/** The slice that is half read, else the one that `plan` finds. That of a paced stream may not live until another run: it is worth a longer wait. */
function turnOf(
  chosen: readonly [StreamId, StreamState] | undefined,
  plan: (stream: StreamState) => Slice | undefined,
  waitMostMs: number,
): Turn | undefined {
  if (chosen === undefined) return undefined
  const [id, stream] = chosen
  const slice = stream.slice ?? plan(stream)
  return slice === undefined ? undefined : { stream: id, slice, waitMostMs: stream.paced ? liveWaitMostMs : waitMostMs }
}

/** A paced stream may never come to the end of a slice: how fresh it is must not make it first for ever. */
function lastServedAt({ paced, freshTo, lastReadAt = 0 }: StreamState): Instant {
  return paced ? Math.max(freshTo, lastReadAt) : freshTo
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
