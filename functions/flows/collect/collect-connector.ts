import type { Connector } from '../../domain/connector/connector.ts'
import { type CompiledFilters, compileFilters } from '../../domain/connector/log-filters.ts'
import { type Failure, failureScope, formatFailure, retryDelay } from '../../domain/failures.ts'
import type { AcceptedConnector, PublishMetrics } from '../../domain/ports.ts'
import { type ConnectorStatus, newStatus, type RunStatus, statusAfterRun } from '../../domain/status/status.ts'
import { type Counted, countsSince, eventValues, sumOfCounts } from '../../domain/stream/counts.ts'
import * as ledger from '../../domain/stream/ledger.ts'
import { nextStep, nextTickOf } from '../../domain/stream/schedule.ts'
import type { StreamId, StreamState } from '../../domain/stream/stream.ts'
import { hour, type Instant, iso, minute, second } from '../../domain/time.ts'
import { takenByOtherConsumers } from '../../domain/token-bucket.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { type NotifyPorts, notifyChanges } from '../notify-changes.ts'
import { type KeyPorts, type OpenKey, openKey, openKeys, secretText } from '../open-keys.ts'
import { KeyPool } from './key-pool.ts'
import { type Limiter, type LimiterPorts, limiter } from './rate-limiter.ts'
import { readRange, type StepPorts } from './read-range.ts'

export interface CollectPorts extends StepPorts, KeyPorts, LimiterPorts, NotifyPorts {
  readonly vendors: ReadonlyMap<string, Vendor>
  readonly publish: PublishMetrics
}

/** A page needs this long at most (ms): a wait, a request and its delivery. None is begun later than this before the deadline. */
const pageMaxMs = 110 * second
/** The status is written at least this often while a run goes on (ms). */
const statusEveryMs = 30 * second
/** A connector that waits for something is looked at again after this at the latest (ms). */
const backoffMaxMs = hour

/**
 * A run: reads the streams of one connector in readSteps until they are up to date, out of tokens or out of time, and says
 * when it should run next. What the vendor, the secrets or the lake answer is state; it throws only when the state table fails.
 */
export async function collectConnector(ports: CollectPorts, connectorId: string, deadline: Instant): Promise<void> {
  const { state, log } = ports
  const stored = await state.readRun(connectorId)
  const { accepted } = stored
  if (accepted === undefined || accepted.retiredAt !== undefined || !accepted.connector.enabled) return
  const vendor = ports.vendors.get(accepted.connector.type)
  if (vendor === undefined)
    throw new Error(`Connector ${connectorId} was accepted with the type ${accepted.connector.type}, which this release does not know.`)

  const run = new Run(ports, accepted, vendor, stored.status, stored.streams, stored.due?.wantedTo ?? 0)
  const nextDueAt = await run.collect(deadline)
  if (nextDueAt === undefined) return
  if (nextDueAt !== stored.due?.nextDueAt) await state.setDue(connectorId, stored.due?.nextDueAt, nextDueAt)
  log({
    level: 'info',
    event: 'run-ended',
    connectorId,
    message: `next due ${iso(nextDueAt)}`,
    state: run.status.state,
    reason: run.status.reason,
  })
}

class Run {
  status: ConnectorStatus
  private readonly ports: CollectPorts
  private readonly accepted: AcceptedConnector
  private readonly connector: Connector
  private readonly vendor: Vendor
  private readonly streams: Map<StreamId, StreamState>
  /** As they were when the status was last written. */
  private counted: ReadonlyMap<StreamId, StreamState>
  private policy: ledger.ReadingPolicy
  private readonly filters: CompiledFilters
  private keys = new KeyPool([])
  private keyFailures: readonly Failure[] = []
  /** Secrets that were read afresh. */
  private readonly refreshed = new Set<string>()
  private statusAt: Instant
  private readonly tokens: Limiter
  /** Streams that were found to lose events in this run. */
  private readonly losing = new Set<StreamId>()
  private readonly sinceStatus = { rangesLost: 0, rangesSetAside: 0, waitedMs: 0 }

  constructor(
    ports: CollectPorts,
    accepted: AcceptedConnector,
    vendor: Vendor,
    status: ConnectorStatus | undefined,
    stored: ReadonlyMap<StreamId, StreamState>,
    wantedTo: Instant,
  ) {
    const { connector } = accepted
    const now = ports.clock.now()
    this.ports = ports
    this.accepted = accepted
    this.connector = connector
    this.vendor = vendor
    this.filters = compileFilters(connector.logFilters)
    this.status = status ?? newStatus(now, connector.tenantName)
    this.statusAt = now
    this.tokens = limiter(ports)
    this.policy = {
      retentionMs: vendor.retentionMs,
      pageItemsMax: vendor.pageItemsMax,
      lateMs: connector.lateArrivalMinutes * minute,
      intervalMs: connector.intervalMinutes * minute,
      clockErrorMs: 0,
      wantedTo,
    }
    this.streams = new Map(
      vendor.streams(connector).map((id) => {
        const since = (accepted.streamsSince[id] ?? accepted.acceptedAt) - connector.initialBackfillMinutes * minute
        return [id, stored.get(id) ?? ledger.newStream(since, now)]
      }),
    )
    this.counted = new Map(this.streams)
  }

  /** Answers when the next run is due, or nothing when the connector was switched off or deleted meanwhile. */
  async collect(deadline: Instant): Promise<Instant | undefined> {
    const { clock } = this.ports
    const rest = this.status.trouble?.until ?? 0
    if (rest > clock.now()) return rest
    await this.openKeys()
    const { tokens } = this
    const lastPageBy = deadline - pageMaxMs
    let nextDueAt = this.keys.all.length === 0 ? this.connectorFails(this.keyFailures[0] ?? this.allRejected()) : undefined
    const holder = `${this.ports.process}:${this.ports.nextNumber()}`
    while (nextDueAt === undefined) {
      this.prepareStreams()
      const now = clock.now()
      const step = nextStep(this.readable(now), this.status.readSteps, now, this.policy)
      if (step === undefined) {
        nextDueAt = this.keys.firstFreeAt(now)
        break
      }
      if (this.ports.stop.aborted || now > lastPageBy) {
        nextDueAt = now
        break
      }
      const stream = this.streams.get(step.stream)
      const key = this.keys.choose(step.range.key, this.status.readSteps, now)
      if (stream === undefined || key === undefined) {
        nextDueAt = this.keys.firstFreeAt(now)
        break
      }
      // With another key to go on with, nobody waits for this one; but the links of a paced range do not live long.
      const patient = this.keys.hasAnother(key, now) && !stream.paced ? { ...step, waitMaxMs: 0 } : step
      const context = {
        connector: this.connector,
        vendor: this.vendor,
        filters: this.filters,
        holder,
        policy: this.policy,
        limiter: tokens,
        lastPageBy,
      }
      const { end, stream: after } = await readRange(this.ports, context, patient, stream, key)
      this.streams.set(step.stream, after)
      this.sinceStatus.rangesSetAside += after.setAside.filter(({ from }) => !stream.setAside.some((known) => known.from === from)).length
      this.status = { ...this.status, readSteps: this.status.readSteps + 1 }
      if (end.kind === 'lease-held') {
        await tokens.flush()
        return end.until
      }
      if (end.kind === 'no-token') nextDueAt = await this.keyIsBusy(key, end.freeAt, step.waitMaxMs)
      if (end.kind === 'progress') this.stepSucceeded(key, end.clockErrorMs)
      if (end.kind === 'failed') nextDueAt = await this.stepFailed(end.failure, step.stream, key)
      if (clock.now() - this.statusAt >= statusEveryMs && !(await this.writeStatus())) {
        await tokens.flush()
        return undefined
      }
    }
    await tokens.flush()
    await this.writeStatus()
    return this.nextDue(nextDueAt)
  }

  private prepareStreams(): void {
    const now = this.ports.clock.now()
    const { lastPause } = this.accepted
    const pause = lastPause?.to === undefined ? undefined : { from: lastPause.from, to: lastPause.to }
    for (const [id, stream] of this.streams) {
      const kept = ledger.expire(stream, now, this.policy, pause)
      // What goes on being lost makes the last lost longer with every step: once a run is enough.
      if (kept.lostRanges.at(-1)?.to !== stream.lostRanges.at(-1)?.to && !this.losing.has(id)) {
        this.losing.add(id)
        this.sinceStatus.rangesLost += 1
        const lost = kept.lostRanges.at(-1)
        this.ports.log({
          level: 'error',
          event: 'range-lost',
          connectorId: this.connector.connectorId,
          stream: id,
          message: `Events were not read before the vendor dropped them (${lost?.reason})`,
          from: iso(lost?.from ?? now),
          to: iso(lost?.to ?? now),
        })
      }
      this.streams.set(id, ledger.beginReread(kept, now, this.policy))
    }
  }

  private async openKeys(): Promise<void> {
    const now = this.ports.clock.now()
    const { keys, failures } = await openKeys(this.ports, this.connector, now)
    this.keyFailures = failures
    // Of a key that is no longer in its secret there is nothing more to say.
    const read = new Set(keys.map(({ fingerprint }) => fingerprint))
    const rejectedKeys = Object.fromEntries(Object.entries(this.status.rejectedKeys).filter(([fingerprint]) => read.has(fingerprint)))
    this.status = { ...this.status, rejectedKeys }
    this.keys = new KeyPool(keys.filter(({ fingerprint }) => (this.status.rejectedKeys[fingerprint]?.until ?? 0) <= now))
    const { oldestKeyAt: _, ...status } = this.status
    const storedAt = keys.flatMap((key) => key.storedAt ?? [])
    this.status = {
      ...status,
      keys: this.keys.all.map(({ fingerprint }) => fingerprint),
      ...(storedAt.length === 0 ? {} : { oldestKeyAt: Math.min(...storedAt) }),
    }
  }

  /** The streams whose half-read range does not wait for a busy key. */
  private readable(now: Instant): ReadonlyMap<StreamId, StreamState> {
    return new Map([...this.streams].filter(([, { range }]) => range?.key === undefined || !this.keys.isBusy(range.key, now)))
  }

  /** The run ends when no key of the pool has a token to spare before long. */
  private async keyIsBusy(key: OpenKey, freeAt: Instant, waitMaxMs: number): Promise<Instant | undefined> {
    const now = this.ports.clock.now()
    this.keys.markBusy(key, freeAt)
    const allBusyTo = this.keys.busyTo(now)
    if (allBusyTo === undefined || this.keys.all.length === 1 || allBusyTo > now + waitMaxMs) return allBusyTo
    await this.tokens.wait(allBusyTo)
    return undefined
  }

  private stepSucceeded(key: OpenKey, clockErrorMs: number | undefined): void {
    if (clockErrorMs !== undefined) this.policy = { ...this.policy, clockErrorMs }
    const { trouble: _, ...status } = this.status
    const { [key.fingerprint]: __, ...rejectedKeys } = status.rejectedKeys
    this.status = { ...status, rejectedKeys }
  }

  /** Answers when to come back if the whole run must end. */
  private async stepFailed(why: Failure, stream: StreamId, key: OpenKey): Promise<Instant | undefined> {
    const { clock, random } = this.ports
    const now = clock.now()
    this.status = { ...this.status, lastFailure: { ...why, at: now, stream } }
    switch (failureScope(why.code)) {
      case 'key':
        return why.code === 'throttled' ? undefined : this.keyRejected(why, key)
      case 'origin':
      case 'connector':
        return this.connectorFails(why)
      case 'sink':
        return now + retryDelay(why.code, 1, random())
      case 'stream':
      case 'range':
        return undefined
    }
  }

  /** The secret may hold a new key already; if not, the key rests, and the others of the pool go on. */
  private async keyRejected(why: Failure, key: OpenKey): Promise<Instant | undefined> {
    const now = this.ports.clock.now()
    const secret = secretText(key.reference)
    const anew = this.refreshed.has(secret)
      ? undefined
      : await openKey(this.ports, this.connector, key.reference, now, { bypassCache: true })
    this.refreshed.add(secret)
    if (anew?.ok && anew.value.fingerprint !== key.fingerprint) {
      this.keys.replace(key, anew.value)
      return undefined
    }
    const attempts = (this.status.rejectedKeys[key.fingerprint]?.attempts ?? 0) + 1
    const until = now + retryDelay(why.code, attempts, this.ports.random())
    this.status = { ...this.status, rejectedKeys: { ...this.status.rejectedKeys, [key.fingerprint]: { at: now, until, attempts } } }
    this.ports.log({
      level: 'error',
      event: 'key-rejected',
      connectorId: this.connector.connectorId,
      message: `${secret}: ${formatFailure(why)}`,
    })
    this.keys.replace(key)
    return this.keys.all.length > 0 ? undefined : this.connectorFails(why, until)
  }

  private allRejected(): Failure {
    const before = this.status.lastFailure
    return before !== undefined && before.code === 'unauthorized'
      ? before
      : { code: 'unauthorized', detail: 'The vendor rejected every key of this connector' }
  }

  private connectorFails(why: Failure, until?: Instant): Instant {
    const { clock, random, log } = this.ports
    const now = clock.now()
    const attempts = (this.status.trouble?.attempts ?? 0) + 1
    const rest = until ?? now + Math.max(why.retryAfterMs ?? 0, retryDelay(why.code, attempts, random()))
    const { code, detail, status, traceId } = why
    const failure = { code, detail, ...(status === undefined ? {} : { status }), ...(traceId === undefined ? {} : { traceId }) }
    this.status = { ...this.status, trouble: { failure, attempts, until: rest }, lastFailure: { ...failure, at: now } }
    log({ level: 'error', event: 'connector-failing', connectorId: this.connector.connectorId, code, message: formatFailure(why) })
    return rest
  }

  /** Answers false when the connector is not to run any more: only acceptance brings back what was switched off or deleted. */
  private async writeStatus(): Promise<boolean> {
    const { ports, connector, streams, policy } = this
    const now = ports.clock.now()
    const learnt = this.keys.all.flatMap(({ fingerprint }) => this.tokens.known(fingerprint) ?? [])
    const otherConsumers = {
      taken: learnt.reduce((sum, bucket) => sum + takenByOtherConsumers(bucket), 0),
      limit: learnt.reduce((sum, bucket) => sum + bucket.limit, 0),
    }
    const read = this.readSinceStatus()
    const delivered = sumOfCounts([...read.values()])
    const report = { now, streams, policy, connector, unusableKeys: this.unusableKeys(), otherConsumers, delivered }
    const own = runPart(this.status)
    const amended = await ports.state.updateStatus(connector.connectorId, (stored = this.status) =>
      stored.state === 'paused' || stored.state === 'retired' ? undefined : statusAfterRun(stored, own, report),
    )
    this.publish(read, delivered)
    this.statusAt = now
    if (amended === undefined) return false
    this.status = amended.after
    await notifyChanges(ports, connector.connectorId, amended)
    return true
  }

  /** What each stream has counted since the status was last written. */
  private readSinceStatus(): ReadonlyMap<StreamId, Counted> {
    const read = new Map([...this.streams].map(([id, { counts }]) => [id, countsSince(this.counted.get(id)?.counts, counts)]))
    this.counted = new Map(this.streams)
    return read
  }

  /** Of what did not happen there is no figure: CloudWatch bills a metric for each hour in which it has one, and reads none as zero. */
  private publish(read: ReadonlyMap<StreamId, Counted>, all: Counted): void {
    const { publish } = this.ports
    const { connectorId, type: vendor } = this.connector
    const byEvent = Map.groupBy(read, ([stream]) => this.vendor.describe(stream).event)
    for (const [event, streams] of byEvent) {
      const sum = sumOfCounts(streams.map(([, counted]) => counted))
      if (sum.fetched > 0) publish({ vendor, event, connectorId, values: withoutZeros(eventValues(sum)) })
    }
    const { rangesLost, rangesSetAside, waitedMs } = this.sinceStatus
    const values = withoutZeros({
      Requests: all.requests,
      RequestsThrottled: all.throttled,
      PagesRead: all.pages,
      TokenWait: this.tokens.waitedMs - waitedMs,
      RangesLost: rangesLost,
      RangesSetAside: rangesSetAside,
    })
    if (Object.keys(values).length > 0) publish({ vendor, connectorId, values })
    Object.assign(this.sinceStatus, { rangesLost: 0, rangesSetAside: 0, waitedMs: this.tokens.waitedMs })
  }

  private unusableKeys(): string[] {
    const all = this.connector.apiKeySecrets.length
    const rejected = Object.keys(this.status.rejectedKeys).length
    return [
      ...(rejected > 0 && all > 1
        ? [`${Math.min(rejected, all)} of ${all} keys rejected by the vendor (401): store a new one in its secret.`]
        : []),
      ...(this.keys.all.length > 0 ? this.keyFailures.map((failure) => formatFailure(failure)) : []),
    ]
  }

  /** The next tick of the connector's own phase; sooner where a stream's wait ends sooner, later where nothing can be done before. */
  private nextDue(endedBecause: Instant | undefined): Instant {
    const now = this.ports.clock.now()
    if (endedBecause !== undefined) return Math.min(Math.max(endedBecause, now), now + backoffMaxMs)
    const phase = Number.parseInt(this.ports.digest(this.connector.connectorId).slice(0, 8), 16) / 2 ** 32
    const waits = [...this.streams.values()].flatMap(({ trouble }) => (trouble === undefined ? [] : [trouble.until]))
    return Math.min(nextTickOf(phase, this.policy.intervalMs, now), ...waits.map((until) => Math.max(until, now + second)))
  }
}

function withoutZeros<Name extends string>(values: Readonly<Record<Name, number>>): Partial<Record<Name, number>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0)) as Partial<Record<Name, number>>
}

function runPart({ lastFailure, trouble, keys, oldestKeyAt, rejectedKeys, readSteps }: ConnectorStatus): RunStatus {
  return {
    rejectedKeys,
    readSteps,
    ...(lastFailure === undefined ? {} : { lastFailure }),
    ...(trouble === undefined ? {} : { trouble }),
    ...(keys === undefined ? {} : { keys }),
    ...(oldestKeyAt === undefined ? {} : { oldestKeyAt }),
  }
}
