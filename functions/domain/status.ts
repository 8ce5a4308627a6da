import type { Problem } from './connector.ts'
import type { Failure } from './failures.ts'
import type { StreamId } from './vendor.ts'
import type { Instant } from './time.ts'

/**
 * - `starting`: accepted, nothing read yet.
 * - `ok`: up to date.
 * - `catching-up`: older events are still being read.
 * - `throttled`: the vendor allows less than was said.
 * - `losing-data`: what has not been read is about to pass the horizon, or has.
 * - `failing`: something must be mended.
 * - `refused`: the item was never accepted.
 * - `paused`: `enabled` is false.
 * - `retired`: the item was deleted.
 */
export type ConnectorState = 'starting' | 'ok' | 'catching-up' | 'throttled' | 'losing-data' | 'failing' | 'refused' | 'paused' | 'retired'

export interface DayCounts {
  readonly delivered: number
  readonly filtered: number
  readonly requests: number
  readonly throttled: number
}

export interface ConnectorStatus {
  readonly state: ConnectorState
  /** What is wrong and what to do, in words; empty where all is well. */
  readonly reason: string
  readonly since: Instant
  readonly tenantName?: string
  readonly lastRunAt?: Instant
  /** When a page was last read. */
  readonly lastSuccessAt?: Instant
  /** How far the stalest stream's proof lags behind now (ms), at `lastRunAt`. */
  readonly lagMs?: number
  /** Until the first unread event passes the horizon (ms), at `lastRunAt`. */
  readonly horizonInMs?: number
  readonly lastFailure?: Failure & { readonly at: Instant; readonly stream?: StreamId }
  /** Failures in a row that concern the whole connector; it waits until `until`. */
  readonly trouble?: { readonly failure: Failure; readonly attempts: number; readonly until: Instant }
  /** Keys (by fingerprint) that the vendor rejected, and until when they rest. */
  readonly rejectedKeys: Readonly<Record<string, { readonly at: Instant; readonly until: Instant; readonly attempts: number }>>
  /** Why the item as it stands was not accepted; the last accepted version goes on. */
  readonly problems: readonly Problem[]
  /** By UTC day, the last 8. */
  readonly days: Readonly<Record<string, DayCounts>>
  /** Turns taken, so that every fifth goes to a hole whatever run it falls into. */
  readonly turns: number
}
