import { isVendorsOwn } from '../failures.ts'
import type { FleetMetric } from '../metrics.ts'
import { day, hour, type Instant, minute } from '../time.ts'
import { connectorStates, traitsOfState } from './connector-state.ts'
import { type ConnectorStatus, hasDroppedOff } from './status.ts'
import { keyOldMs, retentionPageMs, retentionWarnMs } from './thresholds.ts'

const stateMetrics = connectorStates.flatMap((state) => traitsOfState(state).metric ?? [])

const summed = [
  'Connectors',
  'ConnectorsDroppedOff',
  'StreamsBehind',
  'LostRangesOnRecord',
  'KeysRejected',
] as const satisfies FleetMetric[]

/** Left out when they are 0: CloudWatch bills a metric for each hour in which it has a value. */
const newlyCounted = ['NewlyWithin48h', 'NewlyWithin24h', 'KeysNewlyRejected', 'KeysNewlyOld'] as const satisfies FleetMetric[]

/** A trouble is new for this long (ms). If the fleet is unmeasured for as long, an alarm tells that. */
const newMs = 30 * minute
/** An old key counts as new again after this time (ms). */
const keyReminderMs = 7 * day
/** A connector that dropped off counts for this part of the day (ms), so that one of the next day counts anew. */
const droppedOffCountsMs = 12 * hour
/** The trouble of a single connector is its own (count): its notification tells it, or the time to its retention limit. */
const togetherMin = 2
/** `LagP90` is the lag of this share of the connectors. */
const laggingShare = 0.1

/** Sums up the statuses of one vendor's connectors as metrics. */
export class FleetTally {
  private readonly sums = new Map<FleetMetric, number>()
  private lagMax = 0
  /** The lags of the connectors that do not fail. */
  private readonly lags: number[] = []
  private retentionLeftMin = Number.POSITIVE_INFINITY
  private oldestKeyAt = Number.POSITIVE_INFINITY
  private clockErrorMax = 0
  private dueAgeMax = 0
  private failingOfItself = 0

  /** Adds a status that was read at `now`. A connector that has not run since lags further behind than its status says. */
  add(status: ConnectorStatus, now: Instant): void {
    const { metric, collects } = traitsOfState(status.state)
    if (metric !== undefined) this.count(metric, 1)
    if (!collects) return
    this.count('Connectors', 1)
    this.count('ConnectorsDroppedOff', status.state === 'ok' && hasDroppedOff(status, now) && now % day < droppedOffCountsMs ? 1 : 0)
    this.count('StreamsBehind', status.streamsBehind ?? 0)
    this.count('LostRangesOnRecord', status.lostRanges ?? 0)
    this.addKeys(status, now)
    const isFailing = status.state === 'failing'
    if (isFailing && !(status.cause !== undefined && isVendorsOwn(status.cause))) this.failingOfItself += 1
    const sinceRun = status.lastRunAt === undefined ? 0 : now - status.lastRunAt
    const lag = (status.lagMs ?? 0) + sinceRun
    this.lagMax = Math.max(this.lagMax, lag)
    if (!isFailing) this.lags.push(lag)
    if (status.retentionLeftMs !== undefined) this.addRetentionLeft(status.retentionLeftMs - sinceRun, isFailing)
    this.clockErrorMax = Math.max(this.clockErrorMax, Math.abs(status.vendorClockMs ?? 0))
  }

  /** Adds a connector that has been due for so long without a run (ms); 0: it is not due. */
  addDue(ageMs: number): void {
    this.dueAgeMax = Math.max(this.dueAgeMax, ageMs)
  }

  /**
   * The metrics of the tally. Unknown values are left out: `RetentionLeftMin` before the first run, `KeyAgeMax` if no key has a date,
   * `DueAgeMax` if no connector waits. So are
   * zeros of the metrics that count new troubles.
   */
  metrics(outages: number, now: Instant): Partial<Record<FleetMetric, number>> {
    const lags = this.lags.sort((a, b) => b - a)
    const lagging = Math.min(lags.length, Math.max(togetherMin, Math.ceil(lags.length * laggingShare)))
    const newTroubles = newlyCounted.map((metric) => [metric, this.sums.get(metric) ?? 0] as const).filter(([, count]) => count > 0)
    const failingShare = (100 * this.failingOfItself) / (this.sums.get('Connectors') ?? 1)
    return {
      ...Object.fromEntries([...stateMetrics, ...summed].map((metric) => [metric, this.sums.get(metric) ?? 0])),
      VendorOutages: outages,
      VendorClockErrorMax: this.clockErrorMax,
      LagMax: this.lagMax,
      LagP90: lags[lagging - 1] ?? 0,
      ...Object.fromEntries(newTroubles),
      ...(this.failingOfItself < togetherMin ? {} : { FailingShare: failingShare }),
      ...(this.dueAgeMax === 0 ? {} : { DueAgeMax: this.dueAgeMax }),
      ...(Number.isFinite(this.retentionLeftMin) ? { RetentionLeftMin: this.retentionLeftMin } : {}),
      ...(Number.isFinite(this.oldestKeyAt) ? { KeyAgeMax: now - this.oldestKeyAt } : {}),
    }
  }

  private addKeys({ rejectedKeys, state, oldestKeyAt }: ConnectorStatus, now: Instant): void {
    const rejected = Object.values(rejectedKeys)
    this.count('KeysRejected', rejected.filter(({ until }) => until > now).length)
    const isNew = ({ at, attempts }: { readonly at: Instant; readonly attempts: number }) => attempts === 1 && at > now - newMs
    if (state !== 'failing') this.count('KeysNewlyRejected', rejected.filter(isNew).length)
    if (oldestKeyAt === undefined) return
    this.oldestKeyAt = Math.min(this.oldestKeyAt, oldestKeyAt)
    const oldFor = now - oldestKeyAt - keyOldMs
    if (oldFor >= 0 && oldFor % keyReminderMs < newMs) this.count('KeysNewlyOld', 1)
  }

  private addRetentionLeft(leftMs: number, isFailing: boolean): void {
    this.retentionLeftMin = Math.min(this.retentionLeftMin, leftMs)
    const isNewlyWithin = (limitMs: number) => leftMs <= limitMs && leftMs > limitMs - newMs
    if (isNewlyWithin(retentionWarnMs) && !isFailing) this.count('NewlyWithin48h', 1)
    if (isNewlyWithin(retentionPageMs)) this.count('NewlyWithin24h', 1)
  }

  private count(metric: FleetMetric, more: number): void {
    this.sums.set(metric, (this.sums.get(metric) ?? 0) + more)
  }
}
