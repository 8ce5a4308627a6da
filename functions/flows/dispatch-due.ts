import type { Clock, DueStore, Log, Queue } from '../domain/ports.ts'
import { claimMs } from '../domain/stream/schedule.ts'
import { minute, second } from '../domain/time.ts'

export interface DispatchPorts {
  readonly clock: Clock
  readonly state: Pick<DueStore, 'dueBefore' | 'claimDue'>
  readonly queue: Queue
  readonly log: Log
}

/** Ticks come this far apart (ms); each claims what is due before the next. */
const tickMs = minute
/** Claims under way at once (count). */
const claimsAtOnce = 16

/**
 * Claims every connector that is due before the next tick and sends it one work message for the time it is due at. A claim that
 * somebody else made is left alone; a message that gets lost is made good by the claim's own end.
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
      log({ level: 'error', event: 'claim-failed', connectorId: due.connectorId, message: 'the others go on', error }),
    )
    underWay.add(claiming)
    void claiming.finally(() => underWay.delete(claiming))
    if (underWay.size >= claimsAtOnce) await Promise.race(underWay)
  }
  await Promise.all(underWay)
  return claimed
}
