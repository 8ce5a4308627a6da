import type { Connector } from '../../domain/connector/connector.ts'
import { backoffMs, type Failure, formatFailure } from '../../domain/failures.ts'
import type { AcceptedConnector, Clock, Log, PublishMetrics, StatusStore } from '../../domain/ports.ts'
import { isStatusOfLater } from '../../domain/status/accepted-status.ts'
import { isSwitchedOff } from '../../domain/status/connector-state.ts'
import { type ConnectorStatus, newStatus, statusAfterRun, withState } from '../../domain/status/status.ts'
import { type Counted, countsSince, eventValues, sumOfCounts } from '../../domain/stream/counts.ts'
import { emptyReadsOf } from '../../domain/stream/empty-reads.ts'
import type { ReadingPolicy } from '../../domain/stream/ledger.ts'
import type { LostRange, StreamId, StreamState } from '../../domain/stream/stream.ts'
import { type Instant, iso, second } from '../../domain/time.ts'
import { takenByOtherConsumers } from '../../domain/token-bucket.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { type NotifyPorts, notifyChanges } from '../notify-changes.ts'
import type { OriginGate } from './origin-gate.ts'
import type { RateLimiter } from './rate-limiter.ts'
import type { RunKeys } from './run-keys.ts'

/** The status is written at least this often while a run goes on (ms). */
const writeEveryMs = 30 * second

export interface ReportPorts extends NotifyPorts {
  readonly clock: Clock
  readonly state: NotifyPorts['state'] & StatusStore
  readonly log: Log
  readonly publish: PublishMetrics
  /** In [0, 1). */
  readonly random: () => number
}

/** The parts of the run that the report is made from. */
interface Reported {
  readonly streams: ReadonlyMap<StreamId, StreamState>
  /** The streams as they are stored. */
  readonly saved: ReadonlyMap<StreamId, StreamState>
  readonly policy: ReadingPolicy
  /** Absent, and so is the limiter, if the run did not open its keys. */
  readonly keys?: RunKeys
  readonly limiter?: RateLimiter
  readonly gate: Pick<OriginGate, 'outage'>
}

/** Reports a run: in the connector's status, by notifications of its changes, in the metrics, and in the log. */
export class RunReport {
  /** The status as last written, with the changes of this run since. */
  private current: ConnectorStatus
  private readonly ports: ReportPorts
  private readonly accepted: Pick<AcceptedConnector, 'connector' | 'acceptedAt'>
  private readonly vendor: Vendor
  private writtenAt: Instant
  /** The streams as they were when the status was last written. */
  private reported: ReadonlyMap<StreamId, StreamState>
  /** Streams that lose events in this run. */
  private readonly losing = new Set<StreamId>()
  private readonly sinceWrite = { rangesLost: 0, rangesSetAside: 0, waitedMsBefore: 0 }

  constructor(
    ports: ReportPorts,
    accepted: Pick<AcceptedConnector, 'connector' | 'acceptedAt'>,
    vendor: Vendor,
    stored: ConnectorStatus | undefined,
    streams: ReadonlyMap<StreamId, StreamState>,
  ) {
    this.ports = ports
    this.accepted = accepted
    this.vendor = vendor
    this.writtenAt = ports.clock.now()
    this.current = stored ?? newStatus(this.writtenAt, accepted.connector.tenantName)
    this.reported = new Map(streams)
  }

  private get connector(): Connector {
    return this.accepted.connector
  }

  get status(): ConnectorStatus {
    return this.current
  }

  stepTaken(before: StreamState, after: StreamState): void {
    const isNew = ({ from }: { readonly from: Instant }) => !before.setAside.some((range) => range.from === from)
    this.sinceWrite.rangesSetAside += after.setAside.filter(isNew).length
    if (after.counts.requests > before.counts.requests) this.current = { ...this.current, readSteps: this.current.readSteps + 1 }
  }

  noLongerFailing(): void {
    const { trouble: _, ...status } = this.current
    this.current = status
  }

  stepFailed(why: Failure, stream: StreamId): void {
    this.current = { ...this.current, lastFailure: { ...why, at: this.ports.clock.now(), stream } }
  }

  /** The whole connector must back off: until the given instant, or as long as the failure asks for. Returns the end of the backoff. */
  connectorFailed(why: Failure, backoffUntil?: Instant): Instant {
    const { clock, random, log } = this.ports
    const now = clock.now()
    const attempts = (this.current.trouble?.attempts ?? 0) + 1
    const until = backoffUntil ?? now + backoffMs(why, attempts, random())
    const { code, detail, status, traceId } = why
    const failure = { code, detail, ...(status === undefined ? {} : { status }), ...(traceId === undefined ? {} : { traceId }) }
    this.current = { ...this.current, trouble: { failure, attempts, until }, lastFailure: { ...failure, at: now } }
    const { connectorId } = this.connector
    log({ level: 'error', event: 'connector-failing', connectorId, code, message: formatFailure(why) })
    return until
  }

  /** Logs each stream once a run, because a lost range grows with every step. */
  rangeLost(stream: StreamId, lost: LostRange): void {
    if (this.losing.has(stream)) return
    this.losing.add(stream)
    // A range that an earlier run reported grows until its cause is mended, and its beginning was told.
    const isNew = !this.reported.get(stream)?.lostRanges.some(({ from }) => from === lost.from)
    if (isNew) this.sinceWrite.rangesLost += 1
    this.ports.log({
      level: 'error',
      event: 'range-lost',
      connectorId: this.connector.connectorId,
      stream,
      message: `Events were not read before the vendor dropped them (${lost.reason})`,
      from: iso(lost.from),
      to: iso(lost.to),
    })
  }

  /** Says that this process asks the vendor nothing, because its clock is wrong. Of the status it writes the state alone. */
  async clockIsOff(errorMs: number): Promise<void> {
    const { ports, connector } = this
    const seconds = Math.round(Math.abs(errorMs) / second)
    const reason = `The clock of the process that collects is ${seconds} s ${errorMs > 0 ? 'ahead of' : 'behind'} that of DynamoDB, so it asks the vendor nothing. Set the clock of its machine; another process goes on.`
    ports.log({ level: 'error', event: 'clock-off', connectorId: connector.connectorId, message: reason })
    const updated = await ports.state.updateStatus(connector.connectorId, (stored = this.current) =>
      this.isOver(stored) ? undefined : withState(stored, { state: 'failing', reason }, ports.clock.now() - errorMs),
    )
    await notifyChanges(ports, connector.connectorId, updated)
  }

  /** A run of an earlier acceptance than that of the status writes nothing more. */
  private isOver(stored: ConnectorStatus): boolean {
    return isSwitchedOff(stored.state) || isStatusOfLater(stored, this.accepted.acceptedAt)
  }

  isDue(): boolean {
    return this.ports.clock.now() - this.writtenAt >= writeEveryMs
  }

  /** Returns false if the connector was edited, disabled or deleted meanwhile. Then nothing was written, and the run must end. */
  async write({ streams, saved, policy, keys, limiter, gate }: Reported): Promise<boolean> {
    const { ports, connector } = this
    const now = ports.clock.now()
    const read = new Map([...streams].map(([id, { counts }]) => [id, countsSince(this.reported.get(id)?.counts, counts)]))
    this.reported = new Map(streams)
    const delivered = sumOfCounts([...read.values()])
    const { lastFailure, trouble, readSteps, rejectedKeys, keys: keysBefore, oldestKeyAt, keysStoredAt } = this.current
    const keysAsBefore = {
      rejectedKeys,
      ...(keysBefore === undefined ? {} : { keys: keysBefore }),
      ...(oldestKeyAt === undefined ? {} : { oldestKeyAt }),
      ...(keysStoredAt === undefined ? {} : { keysStoredAt }),
    }
    const run = {
      ...(keys?.status ?? keysAsBefore),
      readSteps,
      ...(lastFailure === undefined ? {} : { lastFailure }),
      ...(trouble === undefined ? {} : { trouble }),
    }
    const ofKeys = {
      unusableKeys: keys?.notes() ?? [],
      ...(keys === undefined || limiter === undefined ? {} : { otherConsumers: shareOfOthers(keys, limiter) }),
      ...(gate.outage === undefined ? {} : { outage: gate.outage }),
    }
    const report = { now, streams, emptyReads: emptyReadsOf(streams, saved), policy, connector, delivered, ...ofKeys }
    const updated = await ports.state.updateStatus(connector.connectorId, (stored = this.current) =>
      this.isOver(stored) ? undefined : { ...statusAfterRun(stored, run, report), acceptedAt: this.accepted.acceptedAt },
    )
    this.publish(read, delivered, limiter?.waitedMs ?? 0)
    this.writtenAt = now
    if (updated === undefined) return false
    this.current = updated.after
    await notifyChanges(ports, connector.connectorId, updated)
    return true
  }

  /** Zeros are not published: CloudWatch bills a metric for each hour in which it has a value, and the dashboard reads no value as zero. */
  private publish(read: ReadonlyMap<StreamId, Counted>, all: Counted, waitedMs: number): void {
    const { publish } = this.ports
    const { connectorId, type: vendor } = this.connector
    const byEvent = Map.groupBy(read, ([stream]) => this.vendor.describe(stream).event)
    for (const [event, streams] of byEvent) {
      const sum = sumOfCounts(streams.map(([, counted]) => counted))
      if (sum.fetched > 0) publish({ vendor, event, connectorId, values: withoutZeros(eventValues(sum)) })
    }
    const values = withoutZeros({
      Requests: all.requests,
      RequestsThrottled: all.throttled,
      PagesRead: all.pages,
      TokenWait: waitedMs - this.sinceWrite.waitedMsBefore,
      RangesLost: this.sinceWrite.rangesLost,
      RangesSetAside: this.sinceWrite.rangesSetAside,
    })
    if (Object.keys(values).length > 0) publish({ vendor, connectorId, values })
    Object.assign(this.sinceWrite, { rangesLost: 0, rangesSetAside: 0, waitedMsBefore: waitedMs })
  }
}

/** How many of the requests a minute that the keys allow (`limit`) other consumers of the keys seem to take (`taken`). */
function shareOfOthers({ pool }: RunKeys, limiter: RateLimiter): { readonly taken: number; readonly limit: number } {
  const buckets = pool.all.flatMap(({ fingerprint }) => limiter.lastSeen(fingerprint) ?? [])
  return {
    taken: buckets.reduce((sum, bucket) => sum + takenByOtherConsumers(bucket), 0),
    limit: buckets.reduce((sum, bucket) => sum + bucket.limit, 0),
  }
}

function withoutZeros<Name extends string>(values: Readonly<Record<Name, number>>): Partial<Record<Name, number>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0)) as Partial<Record<Name, number>>
}
