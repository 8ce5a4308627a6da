import type { FleetMetric } from '../metrics.ts'
import type { Instant } from '../time.ts'
import { connectorStates, traitsOfState } from './connector-state.ts'
import { type ConnectorStatus, hasDroppedOff } from './status.ts'

const stateMetrics = connectorStates.flatMap((state) => traitsOfState(state).metric ?? [])

const summed = [
  'Connectors',
  'ConnectorsDroppedOff',
  'StreamsBehind',
  'LostRangesOnRecord',
  'KeysRejected',
] as const satisfies FleetMetric[]

/** Sums up the statuses of one vendor's connectors as metrics. */
export class FleetTally {
  private readonly sums = new Map<FleetMetric, number>()
  private readonly lags: number[] = []
  private retentionLeftMin = Number.POSITIVE_INFINITY
  private oldestKeyAt = Number.POSITIVE_INFINITY
  private clockErrorMax = 0
  private dueAgeMax = 0

  /** Adds a status that was read at `now`. A connector that has not run since lags further behind than its status says. */
  add(status: ConnectorStatus, now: Instant): void {
    const { metric, collects } = traitsOfState(status.state)
    if (metric !== undefined) this.count(metric, 1)
    if (!collects) return
    this.count('Connectors', 1)
    this.count('ConnectorsDroppedOff', status.state === 'ok' && hasDroppedOff(status, now) ? 1 : 0)
    this.count('StreamsBehind', status.streamsBehind ?? 0)
    this.count('LostRangesOnRecord', status.lostRanges ?? 0)
    this.count('KeysRejected', Object.values(status.rejectedKeys).filter(({ until }) => until > now).length)
    const sinceRun = status.lastRunAt === undefined ? 0 : now - status.lastRunAt
    this.lags.push((status.lagMs ?? 0) + sinceRun)
    if (status.retentionLeftMs !== undefined) this.retentionLeftMin = Math.min(this.retentionLeftMin, status.retentionLeftMs - sinceRun)
    this.clockErrorMax = Math.max(this.clockErrorMax, Math.abs(status.vendorClockMs ?? 0))
    if (status.oldestKeyAt !== undefined) this.oldestKeyAt = Math.min(this.oldestKeyAt, status.oldestKeyAt)
  }

  /** Adds a connector that has been due for so long without a run (ms); 0: it is not due. */
  addDue(ageMs: number): void {
    this.dueAgeMax = Math.max(this.dueAgeMax, ageMs)
  }

  /**
   * The metrics of the tally. Unknown values are left out: `RetentionLeftMin` before the first run, `KeyAgeMax` if no key has a date,
   * `DueAgeMax` if no connector waits.
   */
  metrics(outages: number, now: Instant): Partial<Record<FleetMetric, number>> {
    const lags = this.lags.sort((a, b) => a - b)
    return {
      ...Object.fromEntries([...stateMetrics, ...summed].map((metric) => [metric, this.sums.get(metric) ?? 0])),
      VendorOutages: outages,
      VendorClockErrorMax: this.clockErrorMax,
      LagMax: lags.at(-1) ?? 0,
      LagP99: lags[Math.ceil(lags.length * 0.99) - 1] ?? 0,
      ...(this.dueAgeMax === 0 ? {} : { DueAgeMax: this.dueAgeMax }),
      ...(Number.isFinite(this.retentionLeftMin) ? { RetentionLeftMin: this.retentionLeftMin } : {}),
      ...(Number.isFinite(this.oldestKeyAt) ? { KeyAgeMax: now - this.oldestKeyAt } : {}),
    }
  }

  private count(metric: FleetMetric, more: number): void {
    this.sums.set(metric, (this.sums.get(metric) ?? 0) + more)
  }
}
