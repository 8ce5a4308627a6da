import { claimEnd, type DueEntry, isClaimOver, knownUntil, planTick } from '../domain/dispatch.ts'
import type { Clock, DueStore, Log, Queue } from '../domain/ports.ts'
import { type Instant, second } from '../domain/time.ts'

export interface DispatchPorts {
  readonly clock: Clock
  readonly state: Pick<DueStore, 'dueBefore' | 'claimDue' | 'readTick' | 'writeTick'>
  readonly queue: Queue
  readonly log: Log
}

/** The most messages that are sent at the same time (count). */
const sendsAtOnce = 16

/**
 * Sends a work message for each connector that is due before the next tick, as many as the queue serves, delayed until it is due. `places`:
 * runs at the same time, at most (count). A tick that comes twice at once sends nothing the second time. Returns the number of messages. A
 * connector that fails is logged, and the others go on. Throws when the listing of due connectors fails, or the tick cannot be read or written.
 */
export async function dispatchDue({ clock, state, queue, log }: DispatchPorts, places: number): Promise<number> {
  const now = clock.now()
  const last = await state.readTick()
  const entries: DueEntry[] = []
  for await (const entry of state.dueBefore(knownUntil(now))) entries.push(entry)
  const { sends, claims, tick } = planTick(entries, { now, places, last })
  // Before the messages: if this process dies among them, the next tick sends too few for a minute, and never too many.
  if (!(await state.writeTick(tick, last?.at))) return 0
  let sent = 0
  const send = async ({ connectorId, nextDueAt }: DueEntry, claim: Instant) => {
    await queue.send(connectorId, Math.max(0, Math.ceil((nextDueAt - now) / second)), claim)
    sent += 1
  }
  const claimAndSend = async (entry: DueEntry) => {
    const { connectorId, nextDueAt } = entry
    const until = claimEnd(now)
    const dueSince = isClaimOver(entry, now) ? undefined : nextDueAt
    if (await state.claimDue(connectorId, nextDueAt, until, dueSince)) await send(entry, until)
  }
  const all = [
    ...sends.map((entry) => ({ entry, work: () => send(entry, entry.nextDueAt) })),
    ...claims.map((entry) => ({ entry, work: () => claimAndSend(entry) })),
  ]
  const underWay = new Set<Promise<void>>()
  for (const { entry, work } of all) {
    const working = work().catch((error: unknown) =>
      log({
        level: 'error',
        event: 'claim-failed',
        connectorId: entry.connectorId,
        message: 'The connector got no message. A later tick tries again.',
        error,
      }),
    )
    underWay.add(working)
    void working.finally(() => underWay.delete(working))
    if (underWay.size >= sendsAtOnce) await Promise.race(underWay)
  }
  await Promise.all(underWay)
  return sent
}
