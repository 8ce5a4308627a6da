import { unclaimedTime } from '../../../domain/dispatch.ts'
import { statusAfterTest, streamAfterTest } from '../../../domain/operate/test/after-test.ts'
import { afterResponse } from '../../../domain/origin.ts'
import type { AcceptedConnector, Clock, DueStore, OriginStore, Queue, RunStore, StreamStore } from '../../../domain/ports.ts'
import { versionOf } from '../../../domain/status/accepted-status.ts'
import { floorToSecond } from '../../../domain/time.ts'
import { type NotifyPorts, notifyChanges } from '../../notify-changes.ts'

export interface ClearPorts extends NotifyPorts {
  readonly clock: Clock
  readonly queue: Queue
  readonly state: NotifyPorts['state'] & RunStore & StreamStore & OriginStore & Pick<DueStore, 'makeDue'>
}

/**
 * Ends the waits of a connector whose Test has passed, and makes it due: if the fault is still there, the next run finds it at once. It ends
 * no loss, no refusal and no pause. `accepted`: the fingerprints of the keys that the vendor accepts. A part that another process has
 * written meanwhile stays as that one left it.
 */
export async function clearFailed(ports: ClearPorts, connector: AcceptedConnector, accepted: readonly string[]): Promise<void> {
  const { state, clock, queue } = ports
  const { connectorId, type, baseUrl, enabled } = connector.connector
  const [key] = accepted
  const health = await state.readOrigin(type, baseUrl)
  const healthy = key === undefined ? undefined : afterResponse(health, key, clock.now())
  if (healthy !== undefined) await state.writeOrigin(type, baseUrl, healthy)
  const { streams } = await state.readRun(connectorId)
  for (const [id, stream] of streams) {
    const eased = streamAfterTest(stream, clock.now())
    if (eased !== undefined) await state.writeStream(connectorId, id, eased)
  }
  const updated = await state.updateStatus(connectorId, (status) =>
    status === undefined ? undefined : statusAfterTest(status, accepted, clock.now()),
  )
  await notifyChanges(ports, connectorId, updated)
  if (!enabled || connector.retiredAt !== undefined) return
  const now = clock.now()
  if (await state.makeDue(connectorId, unclaimedTime(now), floorToSecond(now), versionOf(connector))) await queue.send(connectorId, 0)
}
