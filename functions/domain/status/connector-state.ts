import type { FailureCode } from '../failures.ts'
import type { Instant } from '../time.ts'

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
export const connectorStates = [
  'starting',
  'ok',
  'catching-up',
  'throttled',
  'losing-data',
  'failing',
  'refused',
  'paused',
  'retired',
] as const

export type ConnectorState = (typeof connectorStates)[number]

/** A change that has not been told yet: it stays in the status until it has. */
export interface StateChange {
  readonly from: ConnectorState
  readonly to: ConnectorState
  readonly reason: string
  readonly since: Instant
  /** Why it is failing, and why it was. */
  readonly cause?: FailureCode
  readonly causeBefore?: FailureCode
  /** The state is as it was, but an edit of the item was refused. */
  readonly refusedEdit?: true
}
