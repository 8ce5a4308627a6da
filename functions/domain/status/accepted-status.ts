import type { AcceptedConnector, Due } from '../ports.ts'
import type { Instant } from '../time.ts'
import { isSwitchedOff } from './connector-state.ts'
import { type ConnectorStatus, newStatus, withState } from './status.ts'

/**
 * Decides the status and the due time that follow from an acceptance. Both carry the version that they were made from: `acceptedAt`.
 * An item of an earlier release carries none; it is of this acceptance if a run has written the status since.
 */

type Accepted = Pick<AcceptedConnector, 'connector' | 'acceptedAt' | 'retiredAt'>

/** The version of an accepted connector, or of its tombstone. A later one is greater. */
export function versionOf({ acceptedAt, retiredAt }: Pick<AcceptedConnector, 'acceptedAt' | 'retiredAt'>): Instant {
  return retiredAt ?? acceptedAt
}

/** Whether the status was made from this acceptance. */
function isStatusOf(status: ConnectorStatus | undefined, accepted: Accepted): boolean {
  if (status === undefined) return false
  return status.acceptedAt === undefined ? hasRunSince(status, accepted.acceptedAt) : status.acceptedAt === versionOf(accepted)
}

/** Whether the status was made from a later acceptance, so that this one may not write it. */
export function isStatusOfLater(status: ConnectorStatus | undefined, version: Instant): boolean {
  return (status?.acceptedAt ?? 0) > version
}

function hasRunSince(status: ConnectorStatus | undefined, acceptedAt: Instant): boolean {
  return (status?.lastRunAt ?? 0) >= acceptedAt
}

/**
 * The status of an acceptance. One that was made from an earlier acceptance starts over: the edit may have removed the cause of every
 * failure, so all backoffs, refused keys and problems end. `isItemRight`: the item that the user sees is the accepted one, so it has no
 * problems. Returns the stored status itself if nothing changes.
 */
export function acceptedStatus(
  stored: ConnectorStatus | undefined,
  accepted: Accepted,
  now: Instant,
  { isItemRight }: { readonly isItemRight: boolean },
): ConnectorStatus {
  const { connector, retiredAt } = accepted
  const version = versionOf(accepted)
  const { tenantName, type: vendor, baseUrl: origin, enabled } = connector
  if (stored !== undefined && isStatusOfLater(stored, version)) return stored
  const { trouble, ...rest } = stored ?? newStatus(now, tenantName)
  const isOfThis = isStatusOf(stored, accepted)
  const backoffs = isOfThis && trouble !== undefined ? { trouble } : {}
  const rejectedKeys = isOfThis ? rest.rejectedKeys : {}
  const problems = isOfThis && !isItemRight && retiredAt === undefined ? rest.problems : []
  const next = { ...rest, ...backoffs, rejectedKeys, problems, acceptedAt: version, tenantName, vendor, origin }
  if (retiredAt !== undefined) {
    const reason = 'The item was deleted. An item with the same id, written within 4 days, resumes where this one stopped.'
    return withState(next, { state: 'retired', reason }, now)
  }
  if (!enabled) return withState(next, { state: 'paused', reason: 'enabled is false, so nothing is collected.' }, now)
  if (isOfThis && !isSwitchedOff(next.state) && next.state !== 'refused') return next
  return withState(next, { state: 'starting', reason: '' }, now)
}

/** Whether the due time has to be removed, or to be made anew because it was made from another acceptance, or stays. */
export function dueAfter(due: Due | undefined, accepted: Accepted, status: ConnectorStatus | undefined): 'remove' | 'make' | 'stay' {
  if (accepted.retiredAt !== undefined || !accepted.connector.enabled) return due === undefined ? 'stay' : 'remove'
  if (due === undefined) return 'make'
  const isOfThis = due.acceptedAt === undefined ? hasRunSince(status, accepted.acceptedAt) : due.acceptedAt >= versionOf(accepted)
  return isOfThis ? 'stay' : 'make'
}

/**
 * Whether the acceptance has been carried out to its end by this release. The status is written last, so it shows that everything before
 * it was done: secrets, keys and due time.
 */
export function isConverged(accepted: Accepted, status: ConnectorStatus | undefined, isDue: boolean): boolean {
  const { connector, retiredAt } = accepted
  if (status === undefined) return false
  // A status of an earlier release names no acceptance: what only this release does with one is not done yet.
  if (status.acceptedAt !== versionOf(accepted)) return false
  if (retiredAt !== undefined) return status.state === 'retired' && !isDue
  if (!connector.enabled) return status.state === 'paused' && !isDue
  return !isSwitchedOff(status.state) && status.state !== 'refused' && isDue
}
