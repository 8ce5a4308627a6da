import type { Clock, DueStore, Log, Queue } from '../domain/ports.ts'
import { minute, second } from '../domain/time.ts'

export interface DispatchPorts {
  readonly clock: Clock
  readonly state: Pick<DueStore, 'dueBefore' | 'claimDue'>
  readonly queue: Queue
  readonly log: Log
}

/** The time between two ticks (ms). Each tick claims the connectors that are due before the next one. */
const tickMs = minute
/** A claimed connector whose message was lost is due again after this time (ms). */
const claimMs = 5 * minute
/** The most claims at the same time (count). */
const claimsAtOnce = 16

/**
 * Claims every connector that is due before the next tick, and sends one work message for each, delayed until it is due. Another
 * dispatcher's claim is left alone. A claim ends by itself, so a connector whose message is lost becomes due again. Returns the number of
 * claims. A claim that fails is logged, and the others go on. Throws when the listing of due connectors fails.
 */
export async function dispatchDue({ clock, state, queue, log }: DispatchPorts): Promise<number> {
  const now = clock.now()
  let claimed = 0
  const claim = async ({ connectorId, nextDueAt }: { connectorId: string; nextDueAt: number }) => {
    if (!(await state.claimDue(connectorId, nextDueAt, Math.max(nextDueAt, now) + claimMs))) return
    await queue.send(connectorId, Math.max(0, Math.ceil((nextDueAt - now) / second)))
    claimed += 1
  }
  const underWay = new Set<Promise<void>>()
  for await (const due of state.dueBefore(now + tickMs)) {
    const claiming = claim(due).catch((error: unknown) =>
      log({
        level: 'error',
        event: 'claim-failed',
        connectorId: due.connectorId,
        message: 'The connector was not claimed. The next tick tries again.',
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
