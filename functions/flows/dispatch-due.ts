import { claimEnd, type DueEntry, isClaimOver, knownUntil, planTick } from '../domain/dispatch.ts'
import type { Clock, DueStore, Log, Queue } from '../domain/ports.ts'
import { second } from '../domain/time.ts'

export interface DispatchPorts {
  readonly clock: Clock
  readonly state: Pick<DueStore, 'dueBefore' | 'claimDue' | 'readTick' | 'writeTick'>
  readonly queue: Queue
  readonly log: Log
}

/** The most claims at the same time (count). */
const claimsAtOnce = 16

/**
 * Claims connectors that are due before the next tick, as many as the queue serves, and sends one work message for each, delayed until it
 * is due. `places`: runs at the same time, at most (count). Another dispatcher's claim is left alone. A claim ends when its run begins, or
 * with its message. Returns the number of claims. A claim that fails is logged, and the others go on. Throws when the listing of due
 * connectors fails, or the tick cannot be read or written.
 */
export async function dispatchDue({ clock, state, queue, log }: DispatchPorts, places: number): Promise<number> {
  const now = clock.now()
  const last = await state.readTick()
  const entries: DueEntry[] = []
  for await (const entry of state.dueBefore(knownUntil(now))) entries.push(entry)
  const { claims, tick } = planTick(entries, { now, places, last })
  // Before the claims: if this process dies among them, the next tick takes too few for a minute, and never too many.
  await state.writeTick(tick)
  const until = claimEnd(now)
  let claimed = 0
  const claim = async (entry: DueEntry) => {
    const { connectorId, nextDueAt } = entry
    const dueSince = isClaimOver(entry, now) ? undefined : nextDueAt
    if (!(await state.claimDue(connectorId, nextDueAt, until, dueSince))) return
    await queue.send(connectorId, Math.max(0, Math.ceil((nextDueAt - now) / second)), until)
    claimed += 1
  }
  const underWay = new Set<Promise<void>>()
  for (const due of claims) {
    const claiming = claim(due).catch((error: unknown) =>
      log({
        level: 'error',
        event: 'claim-failed',
        connectorId: due.connectorId,
        message: 'The connector was not claimed. A later tick tries again.',
        error,
      }),
    )
    underWay.add(claiming)
    void claiming.finally(() => underWay.delete(claiming))
    if (underWay.size >= claimsAtOnce) await Promise.race(underWay)
  }
  await Promise.all(underWay)
  return claimed
}
