import { claimEnd, isClaimed, isClaimOver, knownUntil } from '../domain/dispatch.ts'
import type { DueStore } from '../domain/ports.ts'
import type { Instant } from '../domain/time.ts'

/**
 * How long each connector has been due without a run that has begun (ms). Only those that a tick has left waiting are listed, so there are
 * none while the places suffice. Throws when the state table fails.
 */
export async function* dueAges(
  state: Pick<DueStore, 'dueBefore' | 'readDue'>,
  now: Instant,
): AsyncIterable<{ readonly connectorId: string; readonly ageMs: number }> {
  for await (const { connectorId, nextDueAt } of state.dueBefore(knownUntil(now))) {
    const entry = { connectorId, nextDueAt }
    if (nextDueAt > now && !isClaimed(entry, now)) continue
    // The claims of this minute wait for their messages. Of the others the index does not show since when they are due.
    if (nextDueAt === claimEnd(now)) continue
    const isClaim = isClaimed(entry, now) || isClaimOver(entry, now)
    const dueSince = isClaim ? ((await state.readDue(connectorId))?.dueSince ?? now) : nextDueAt
    if (dueSince < now) yield { connectorId, ageMs: now - dueSince }
  }
}
