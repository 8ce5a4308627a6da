import type { Instant } from './time.ts'

/** One request in flight or one that still counts at the vendor. A token that is free is not kept. */
export interface Token {
  /** Free again at this instant; while it is not settled, at the latest then. */
  readonly at: Instant
  /** `process:number`: who took it. The part before the colon names the clock that `at` was read on. */
  readonly by: string
  readonly settled: boolean
}

/** The rate limiter of one API key: one item of the state table. */
export interface TokenBucket {
  /** Goes up by one with each write; 0: never written. */
  readonly version: number
  /** What the key may do a minute, as its connectors say. */
  readonly limit: number
  /** What it may do a minute as learnt; 1 ≤ n ≤ limit. */
  readonly n: number
  readonly closedUntil: Instant
  /** When `n` was last cut; a token remembers it, so that one closure cuts once. */
  readonly cutAt: Instant
  /** How long the last closure at n = 1 was (ms). */
  readonly closureMs: number
  /** The level that the vendor refused, absent when none is known; it is probed at `probeAt`. */
  readonly refusedLevel?: number
  readonly probeAt: Instant
  readonly probeAfterMs: number
  /** When `n` may next go up by one. */
  readonly raiseAt: Instant
  readonly tokens: readonly Token[]
  /** Requests by hour since the epoch, the last 25: what `requestsPerDay` is held against. */
  readonly hours: Readonly<Record<string, number>>
}
