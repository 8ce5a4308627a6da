import { isComparisonDue } from '../domain/dispatch.ts'
import type { DueStore } from '../domain/ports.ts'
import type { Instant } from '../domain/time.ts'
import type { AcceptPolicy } from './accept-connector.ts'
import type { ConnectorItem } from './item-digest.ts'
import { type ReconcilePorts, reconcileConnectors } from './reconcile-connectors.ts'

/**
 * Compares the tables if that is due at this tick: once an hour, and at once after an upgrade. A comparison that fails is made again by the
 * next tick, and one whose process died when its function is timed out. `tickAt`: the time of the tick. Throws when the comparison does.
 */
export async function compareTables(
  ports: ReconcilePorts & { readonly state: Pick<DueStore, 'readComparison' | 'writeComparison'> },
  policy: AcceptPolicy,
  items: AsyncIterable<ConnectorItem>,
  tickAt: Instant,
): Promise<void> {
  const { state, clock } = ports
  const now = clock.now()
  const last = await state.readComparison()
  if (!isComparisonDue(last, tickAt, now)) return
  await state.writeComparison({ ...last, begunAt: now })
  let completed = {}
  try {
    await reconcileConnectors(ports, policy, items)
    completed = { completedAt: now }
  } finally {
    const { begunAt: _, ...reached } = (await state.readComparison()) ?? {}
    await state.writeComparison({ ...reached, ...completed })
  }
}
