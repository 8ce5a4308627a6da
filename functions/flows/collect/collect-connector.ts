import { loadFilters } from '../../domain/connector/log-filters.ts'
import type { Digest } from '../../domain/digest.ts'
import { dueIfRunDies, runMaxMs, unclaimedTime } from '../../domain/dispatch.ts'
import { backoffMs, type Consequence, type Failure } from '../../domain/failures.ts'
import { isSilence, probeWaitMaxMs } from '../../domain/origin.ts'
import type { AcceptedConnector, DueStore, OriginStore, OwnClock, RunState, RunStore } from '../../domain/ports.ts'
import { dueAfter, isConverged } from '../../domain/status/accepted-status.ts'
import * as ledger from '../../domain/stream/ledger.ts'
import { readableSince } from '../../domain/stream/proof.ts'
import { readBy } from '../../domain/stream/reader.ts'
import { lastPageBefore, nextPhaseTime, nextStep, type ReadStep, waitInRun } from '../../domain/stream/schedule.ts'
import type { StreamId, StreamState } from '../../domain/stream/stream.ts'
import { hour, type Instant, iso, minute, second } from '../../domain/time.ts'
import type { Vendor } from '../../domain/vendor.ts'
import { type ConvergePorts, convergeConnector } from '../converge-connector.ts'
import type { OpenKey } from '../open-keys.ts'
import { type BegunStep, FirstRequests } from './first-requests.ts'
import { OriginGate } from './origin-gate.ts'
import { type LimiterPorts, RateLimiter } from './rate-limiter.ts'
import { type BegunRequest, readRange, type StepContext, type StepPorts } from './read-range.ts'
import { RunFailures } from './run-failures.ts'
import { RunKeys, type RunKeysPorts } from './run-keys.ts'
import { type ReportPorts, RunReport } from './run-report.ts'

export interface CollectPorts extends StepPorts, RunKeysPorts, LimiterPorts, ReportPorts, ConvergePorts {
  readonly state: StepPorts['state'] &
    RunKeysPorts['state'] &
    LimiterPorts['state'] &
    ReportPorts['state'] &
    ConvergePorts['state'] &
    RunStore &
    OriginStore &
    Pick<DueStore, 'beginDue' | 'setDue'>
  readonly vendors: ReadonlyMap<string, Vendor>
  readonly ownClock: OwnClock
}

/** A page takes this long at most (ms): a wait, a request and its delivery. No page begins later than this before the deadline. */
const pageMaxMs = 110 * second
/** The longest time until the next run of a connector that waits for something (ms). */
const backoffMaxMs = hour

/** A run under way. Its streams and its policy change with each step. */
interface Run {
  readonly ports: CollectPorts
  readonly accepted: AcceptedConnector
  readonly context: Omit<StepContext, 'policy' | 'keyWorks'>
  readonly streams: Map<StreamId, StreamState>
  /** The streams as they are stored. */
  readonly saved: Map<StreamId, StreamState>
  policy: ledger.ReadingPolicy
  readonly keys: RunKeys
  readonly limiter: RateLimiter
  readonly failures: RunFailures
  readonly firstRequests: FirstRequests
  readonly gate: OriginGate
  readonly report: RunReport
}

type RunEnd =
  /** Everything is read for now, or the run has no time or tokens left, or it failed. `dueAt`: the next run; absent: at the usual time. */
  | { readonly kind: 'finished'; readonly dueAt?: Instant | undefined }
  /** Another run reads this connector. */
  | { readonly kind: 'lease-held'; readonly dueAt: Instant }
  /** The connector was disabled or deleted meanwhile. */
  | { readonly kind: 'switched-off' }
  /** The clock of this process is wrong, so nothing that depends on it is done or written. */
  | { readonly kind: 'clock-off' }

/**
 * A run: reads the streams of one connector step by step until they are up to date, out of tokens or out of time, and decides when
 * the next run is due. Failures of the vendor, the secrets and the lake become state. `claim`: that of the run's message; if it is gone, the
 * run does nothing. It throws only when the state table fails.
 */
export async function collectConnector(ports: CollectPorts, connectorId: string, deadline: Instant, claim?: Instant): Promise<void> {
  const { state, log, clock } = ports
  const stored = await state.readRun(connectorId)
  const { accepted } = stored
  if (accepted === undefined || (claim !== undefined && stored.due?.nextDueAt !== claim)) return
  const isOff = isClockOff(ports)
  const { status, due } = isOff ? stored : await asAccepted(ports, accepted, stored)
  if (accepted.retiredAt !== undefined || !accepted.connector.enabled) return
  const vendor = ports.vendors.get(accepted.connector.type)
  if (vendor === undefined)
    throw new Error(`Connector ${connectorId} was accepted with the type ${accepted.connector.type}, which this release does not know.`)

  const streams = streamsOf(accepted, vendor, stored, clock.now())
  const saved = new Map([...stored.streams, ...(stored.saved ?? [])])
  const report = new RunReport(ports, accepted, vendor, status, streams)
  const begin = async (dueAt: Instant) => due === undefined || (await state.beginDue(connectorId, due.nextDueAt, dueAt))
  if (isOff) {
    // The run has begun, and is repeated as if it had died, perhaps in another process.
    const errorMs = ports.ownClock.errorMs()
    if (await begin(unclaimedTime(clock.now() - errorMs + runMaxMs))) await report.clockIsOff(errorMs)
    return
  }
  const usualAt = (after: Instant) => usualTime(ports.digest, accepted, after)
  const backoffUntil = report.status.trouble?.until ?? 0
  if (backoffUntil > clock.now()) return void (await begin(unclaimedTime(backoffUntil)))

  const policy = policyOf(ports, accepted, vendor, due?.wantedTo ?? 0)
  const holder = `${ports.process}:${ports.nextNumber()}`
  const gate = await OriginGate.open(ports, accepted.connector, holder)
  const { isShut } = gate
  const repeatedAt = isShut ? await afterShutGate(gate, report, usualAt(clock.now())) : dueIfRunDies(clock.now(), usualAt)
  if (!(await begin(repeatedAt))) return
  if (isShut) return void (await report.write({ streams, saved, policy, gate }))
  const run = await beginRun({ ports, accepted, vendor, streams, saved, policy, gate, report, deadline, holder }, stored.heldKeys)
  let end = await readAll(run)
  await run.firstRequests.settle()
  await run.limiter.flush(end.kind === 'finished' ? nextDue(run, end.dueAt) : 0)
  if (end.kind === 'finished') {
    await report.write(run)
    end = { kind: 'finished', dueAt: nextDue(run, end.dueAt) }
  }
  if (end.kind === 'switched-off' || end.kind === 'clock-off' || end.dueAt === undefined) return
  const dueAt = unclaimedTime(end.dueAt)
  if (due === undefined || dueAt !== repeatedAt)
    await state.setDue(connectorId, due === undefined ? undefined : repeatedAt, dueAt, accepted.acceptedAt)
  const { state: reached, reason } = report.status
  log({ level: 'info', event: 'run-ended', connectorId, message: `next due ${iso(dueAt)}`, state: reached, reason })
}

/**
 * The status and the due time, which are brought to what follows from the acceptance if it was not carried out to its end. The keys follow
 * when they are opened.
 */
async function asAccepted(ports: CollectPorts, accepted: AcceptedConnector, stored: RunState): Promise<Pick<RunState, 'status' | 'due'>> {
  if (isStored(accepted, stored)) return stored
  await convergeConnector(ports, accepted, { isItemRight: false })
  const { connectorId } = accepted.connector
  const [status, due] = await Promise.all([ports.state.readStatus(connectorId), ports.state.readDue(connectorId)])
  return { ...(status === undefined ? {} : { status }), ...(due === undefined ? {} : { due }) }
}

function isStored(accepted: AcceptedConnector, { status, due }: RunState): boolean {
  return isConverged(accepted, status, due !== undefined) && dueAfter(due, accepted, status) === 'stay'
}

/** The limiter keeps the limit with clocks that are off by half a second. This much more is never right (ms). */
const ownClockErrorMaxMs = 2 * second

function isClockOff({ ownClock }: Pick<CollectPorts, 'ownClock'>): boolean {
  return Math.abs(ownClock.errorMs()) > ownClockErrorMaxMs
}

function streamsOf(accepted: AcceptedConnector, vendor: Vendor, stored: RunState, now: Instant): Map<StreamId, StreamState> {
  return new Map(
    vendor.streams(accepted.connector).map((id) => [id, stored.streams.get(id) ?? ledger.newStream(responsibleSince(accepted, id), now)]),
  )
}

/** The connector answers for events of the stream from this instant on. */
export function responsibleSince({ connector, streamsSince, acceptedAt }: AcceptedConnector, id: StreamId): Instant {
  return (streamsSince[id] ?? acceptedAt) - connector.initialBackfillMinutes * minute
}

function policyOf(ports: CollectPorts, accepted: AcceptedConnector, vendor: Vendor, wantedTo: Instant): ledger.ReadingPolicy {
  const { connector } = accepted
  return {
    retentionMs: vendor.retentionMs,
    pageItemsMax: vendor.pageItemsMax,
    lateMs: connector.lateArrivalMinutes * minute,
    intervalMs: connector.intervalMinutes * minute,
    paceMs: minute / connector.requestsPerMinute,
    clock: ports.vendorClocks.of(connector.baseUrl),
    wantedTo,
    usualTime: lastUsualTime(ports, accepted),
  }
}

async function beginRun(
  {
    vendor,
    deadline,
    holder,
    ...given
  }: Omit<Run, 'context' | 'keys' | 'limiter' | 'failures' | 'firstRequests'> & {
    readonly vendor: Vendor
    readonly deadline: Instant
    readonly holder: string
  },
  heldKeys: RunState['heldKeys'],
): Promise<Run> {
  const { accepted, streams, saved, policy, gate, report } = given
  const { connector } = accepted
  const limiter = new RateLimiter(given.ports)
  const keys = await RunKeys.open(given.ports, accepted, report.status, limiter, heldKeys)
  const source = gate.watched(given.ports.source, (apiKey) => keys.pool.all.find((key) => key.apiKey === apiKey)?.fingerprint)
  const ports = { ...given.ports, source }
  for (const [id, stream] of streams) {
    const since = Math.max(responsibleSince(accepted, id), readableSince(ports.clock.now(), policy))
    const fingerprints = keys.pool.all.map(({ fingerprint }) => fingerprint)
    const reader = { origin: connector.baseUrl, keys: fingerprints, since, acceptedAt: accepted.acceptedAt }
    streams.set(id, readBy(stream, reader, ports.clock.now()))
  }
  const filters = await loadFilters(connector.logFilters)
  const { pool } = keys
  const context = {
    connector,
    vendor,
    saved,
    filters,
    holder,
    limiter,
    keys: pool,
    apiKeys: keys.apiKeys,
    lastPageBy: lastPageBefore(deadline - pageMaxMs, ports.clock.now()),
  }
  return { ...given, ports, context, keys, limiter, failures: new RunFailures(), firstRequests: new FirstRequests(ports) }
}

async function readAll(run: Run): Promise<RunEnd> {
  const { keys, report } = run
  if (keys.pool.all.length === 0) return { kind: 'finished', dueAt: report.connectorFailed(keys.whyEmpty(report.status.lastFailure)) }
  for (;;) {
    prepareStreams(run)
    const end = await takeStep(run)
    if (end !== undefined) return end
    if (report.isDue() && !(await report.write(run))) return { kind: 'switched-off' }
  }
}

/** Records what the retention limit has passed, and begins the daily re-read where it is due. */
function prepareStreams({ ports, accepted, streams, policy, report }: Run): void {
  const now = ports.clock.now()
  const { lastPause } = accepted
  const pause = lastPause?.to === undefined ? undefined : { from: lastPause.from, to: lastPause.to }
  for (const [id, stream] of streams) {
    const extended = ledger.extendBack(stream, responsibleSince(accepted, id), now, policy)
    const kept = ledger.expire(extended, now, policy, pause)
    const lost = ledger.newlyLost(stream, kept)
    if (lost !== undefined) report.rangeLost(id, lost)
    streams.set(id, ledger.beginReread(kept, now, policy))
  }
}

/** Takes the next read step, if there is one. Returns how the run ends, or nothing if it goes on. */
async function takeStep(run: Run): Promise<RunEnd | undefined> {
  const { ports, context, streams, keys, failures, gate, report, policy } = run
  const { clock } = ports
  if (isClockOff(ports)) {
    await report.clockIsOff(ports.ownClock.errorMs())
    return { kind: 'clock-off' }
  }
  if (gate.isShut) return leaveOrigin(run)
  const step = await beginStep(run)
  if ('kind' in step) return step
  const { stream: id, before, first } = step
  const keyWorks = ({ fingerprint: key }: OpenKey) =>
    failures.keyWorks({ stream: id, key, streams }, keys.pool.all.length === 1, clock.now())
  const { outcome, stream, key } = await readRange(ports, { ...context, policy, keyWorks }, step, before, first)
  streams.set(id, stream)
  if (stream.version !== before.version) run.saved.set(id, stream)
  report.stepTaken(before, stream)
  run.policy = { ...policy, clock: ports.vendorClocks.of(context.connector.baseUrl), usualTime: lastUsualTime(ports, run.accepted) }
  if (outcome.kind === 'lease-held') return { kind: 'lease-held', dueAt: outcome.until }
  // No request was made.
  if (outcome.kind === 'no-token' || key === undefined) return undefined
  if (outcome.kind === 'progress') {
    keys.accept(key)
    failures.pageRead(key.fingerprint)
    report.noLongerFailing()
    return undefined
  }
  report.stepFailed(outcome.failure, id)
  if (gate.isShut) return leaveOrigin(run)
  const failed = { stream: id, key: key.fingerprint, streams }
  return afterFailedStep(run, outcome.failure, key, failures.stepFailed(failed, outcome.failure, keyWorks(key)))
}

type StepToTake = ReadStep & { readonly before: StreamState; readonly first?: BegunRequest }

/** The next step, with its first request if that is under way. The first requests of quiet streams are sent together. */
async function beginStep(run: Run): Promise<StepToTake | RunEnd> {
  const { context, streams, keys, gate, report, policy, firstRequests } = run
  const begun = firstRequests.next(keys.pool)
  if (begun !== undefined) return withStream(begun, streams)
  const step = chooseStep(run)
  if ('kind' in step) return step
  if (!(await gate.enter())) return leaveOrigin(run)
  if (gate.outage === undefined && report.status.trouble === undefined) {
    await firstRequests.begin({ ...context, policy }, { streams, readSteps: report.status.readSteps })
  }
  const first = firstRequests.next(keys.pool)
  return first === undefined ? step : withStream(first, streams)
}

function withStream({ step, request }: BegunStep, streams: Run['streams']): StepToTake {
  const before = streams.get(step.stream)
  if (before === undefined) throw new Error(`The run does not have the stream ${step.stream}.`)
  return { ...step, before, first: request }
}

/** The next step and its stream, or how the run ends because there is none. */
function chooseStep({ ports, context, streams, keys, gate, report, policy }: Run): StepToTake | RunEnd {
  const now = ports.clock.now()
  const firstFreeAt = keys.pool.freeAt()
  const ready = new Map<StreamId, StreamState>()
  /** When the keys of the other streams are free. */
  const later: Instant[] = []
  for (const [id, stream] of streams) {
    const freeAt = keys.pool.freeAt(stream.range?.key)
    if (freeAt > firstFreeAt) later.push(freeAt)
    else ready.set(id, gate.outage === undefined ? stream : withoutSilence(stream))
  }
  const step = nextStep(ready, report.status.readSteps, now, policy)
  const before = step && streams.get(step.stream)
  if (step === undefined || before === undefined) return { kind: 'finished', dueAt: later.length === 0 ? undefined : Math.min(...later) }
  if (ports.stop.aborted || now > context.lastPageBy) return { kind: 'finished', dueAt: now }
  const waitMaxMs = gate.outage === undefined ? step.waitMaxMs : Math.min(step.waitMaxMs, probeWaitMaxMs)
  if (firstFreeAt > now + waitInRun(waitMaxMs, now, context.lastPageBy)) return { kind: 'finished', dueAt: firstFreeAt }
  return { ...step, waitMaxMs, before }
}

/** The origin is down, and this run is not the one that asks it, or has asked it. */
function leaveOrigin({ ports, accepted, gate }: Run): RunEnd {
  return { kind: 'finished', dueAt: gate.probeAgainAt ?? usualTime(ports.digest, accepted, ports.clock.now()) }
}

/** When a connector that may not ask comes back: for its turn, or at its usual time. */
async function afterShutGate(gate: OriginGate, { status }: RunReport, usualAt: Instant): Promise<Instant> {
  const turnAt = await gate.takeTurn(status.lastFailure)
  return turnAt === undefined ? usualAt : unclaimedTime(turnAt)
}

/** The backoff of a stream does not keep a probe from asking with it. */
function withoutSilence({ trouble, ...stream }: StreamState): StreamState {
  return trouble === undefined || isSilence(trouble.failure) ? stream : { ...stream, trouble }
}

async function afterFailedStep(
  { ports, keys, report }: Run,
  why: Failure,
  key: OpenKey,
  consequence: Consequence,
): Promise<RunEnd | undefined> {
  switch (consequence) {
    case 'run-goes-on':
      return undefined
    case 'key-rejected': {
      const until = await keys.reject(key, why)
      return until === undefined ? undefined : { kind: 'finished', dueAt: report.connectorFailed(why, until) }
    }
    case 'connector-fails':
      return { kind: 'finished', dueAt: report.connectorFailed(why) }
    case 'run-ends':
      return { kind: 'finished', dueAt: ports.clock.now() + backoffMs(why, 1, ports.random()) }
  }
}

/** At the given time, if the run left something to do. Otherwise at the connector's usual time, or sooner if a stream's backoff ends sooner. */
function nextDue({ ports, accepted, streams }: Run, dueAt: Instant | undefined): Instant {
  const now = ports.clock.now()
  if (dueAt !== undefined) return Math.min(Math.max(dueAt, now), now + backoffMaxMs)
  const backoffs = [...streams.values()].flatMap(({ trouble }) => (trouble === undefined ? [] : [trouble.until]))
  return Math.min(usualTime(ports.digest, accepted, now), ...backoffs.map((until) => Math.max(until, now + second)))
}

function usualTime(digest: Digest, { connector }: AcceptedConnector, after: Instant): Instant {
  return unclaimedTime(nextPhaseTime(phaseOf(digest, connector.connectorId), connector.intervalMinutes * minute, after))
}

/** The last of the connector's usual times that is past. */
function lastUsualTime({ digest, clock }: Pick<CollectPorts, 'digest' | 'clock'>, accepted: AcceptedConnector): Instant {
  return usualTime(digest, accepted, clock.now() - accepted.connector.intervalMinutes * minute)
}

/** In [0, 1): connectors with one interval run at different times. */
function phaseOf(digest: Digest, connectorId: string): number {
  return Number.parseInt(digest(connectorId).slice(0, 8), 16) / 2 ** 32
}
