import type { FleetHealth } from '../domain/fleet.ts'
import type { Clock, State } from '../domain/ports.ts'
import type { ConnectorState } from '../domain/status.ts'

/** Reads the status of every connector; what is paused, refused or retired neither lags nor loses. */
export async function measureFleet({ state, clock }: { readonly state: State; readonly clock: Clock }): Promise<FleetHealth> {
  const now = clock.now()
  const byState: Partial<Record<ConnectorState, number>> = {}
  let connectors = 0
  let lagMostMs = 0
  let horizonLeastMs: number | undefined
  for await (const { status } of state.fleet()) {
    connectors += 1
    byState[status.state] = (byState[status.state] ?? 0) + 1
    if (status.state === 'paused' || status.state === 'refused' || status.state === 'retired') continue
    const since = status.lastRunAt === undefined ? 0 : now - status.lastRunAt
    lagMostMs = Math.max(lagMostMs, (status.lagMs ?? 0) + since)
    if (status.horizonInMs !== undefined) horizonLeastMs = Math.min(horizonLeastMs ?? Number.POSITIVE_INFINITY, status.horizonInMs - since)
  }
  return { connectors, byState, lagMostMs, ...(horizonLeastMs === undefined ? {} : { horizonLeastMs }) }
}
