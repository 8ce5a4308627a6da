import { type Failure, type FailureCode, failures } from '../../domain/failures.ts'
import type { Clock, Log, SeenIdStore, Source, StreamStore } from '../../domain/ports.ts'
import { withoutEchoes } from '../../domain/redaction/shown-page.ts'
import type { Result } from '../../domain/result.ts'
import { isWorthSaving } from '../../domain/stream/empty-reads.ts'
import { pacedStepPagesMax, type ReadingPolicy, stepPagesMax } from '../../domain/stream/ledger.ts'
import { askedRange, pagesLeft } from '../../domain/stream/plan.ts'
import * as reading from '../../domain/stream/reading.ts'
import { type ReadStep, waitInRun } from '../../domain/stream/schedule.ts'
import { SeenItems, type SeenPage } from '../../domain/stream/seen-ids.ts'
import type { Range, StreamCounts, StreamId, StreamState } from '../../domain/stream/stream.ts'
import { day, type Instant } from '../../domain/time.ts'
import type { VendorRequest } from '../../domain/vendor.ts'
import type { VendorClocks } from '../../domain/vendor-clock.ts'
import type { OpenKey } from '../open-keys.ts'
import { type DeliverPorts, deliverPage, type FetchedPage, identityRule, type PageContext, pageRequest, parsePage } from './deliver-page.ts'
import type { KeyAnswer, KeyNeed, KeyPool } from './key-pool.ts'
import type { Limiter, Permit, RequestOutcome } from './rate-limiter.ts'
import { heldByAnother, type StreamLease, streamLease } from './stream-lease.ts'

export interface StepPorts extends DeliverPorts {
  readonly clock: Clock
  readonly source: Source
  readonly state: StreamStore & SeenIdStore
  readonly log: Log
  /** As this process has seen them. */
  readonly vendorClocks: VendorClocks
  /** In [0, 1). */
  readonly random: () => number
  /** Aborted when the process must end: the step then ends after the current page. */
  readonly stop: AbortSignal
}

export interface StepContext extends Omit<PageContext, 'stream'> {
  /** Names the run in its leases. */
  readonly holder: string
  readonly policy: ReadingPolicy
  /** The streams as they are stored. */
  readonly saved: ReadonlyMap<StreamId, StreamState>
  readonly limiter: Pick<Limiter, 'release'>
  readonly keys: KeyPool
  /** Whether the key works for another stream. */
  readonly keyWorks: (key: OpenKey) => boolean
  /** No page begins after this, so that the run ends before its deadline. */
  readonly lastPageBy: Instant
}

export interface StepResult {
  readonly outcome: reading.StepOutcome
  /** The stream as last written. */
  readonly stream: StreamState
  /** The key of its last request; absent if it made none. */
  readonly key?: OpenKey | undefined
}

/** The first request of a step, if it is under way already. */
export interface BegunRequest {
  readonly key: OpenKey
  readonly requestedAt: Instant
  readonly page: Promise<Result<FetchedPage> | 'too-late'>
}

/** The parts of one step that its functions share. */
interface Step {
  readonly ports: StepPorts
  readonly context: StepContext
  readonly page: PageContext
  readonly lease: StreamLease
}

/**
 * Takes one read step: it reads a few pages of one range of one stream. Each page goes one way: admit, fetch, parse, deliver, remember,
 * checkpoint. `domain/stream/reading` decides what follows from a page and what from a failure. `first`: its first request, if it was sent.
 */
export async function readRange(
  ports: StepPorts,
  context: StepContext,
  { stream: streamId, range: planned, waitMaxMs, yieldAt, pagesMin }: ReadStep,
  before: StreamState,
  first?: BegunRequest,
): Promise<StepResult> {
  const { clock, stop } = ports
  const { connector, keys, holder, policy, lastPageBy } = context
  const filters = connector.logFilters.map(({ name }) => name)
  const heldUntil = heldByAnother(before, holder, clock.now())
  if (heldUntil !== undefined) return { outcome: { kind: 'lease-held', until: heldUntil }, stream: before }

  const begun = reading.beginReading(before, planned, (key) => keys.has(key))
  const lease = streamLease(ports, { connectorId: connector.connectorId, streamId, holder }, begun.stream)
  const step: Step = { ports, context, page: { ...context, stream: streamId }, lease }
  const { paced = false } = begun.stream
  // A paced stream may read more pages in one step.
  const pagesMax = paced ? pacedStepPagesMax : stepPagesMax
  const linksRead = new Set<string>()
  let { range } = begun
  let seen: SeenItems | undefined
  const detail = reading.detailAfter(begun.stream)
  let lastRequestAt = begun.stream.lastReadAt ?? 0
  let key: OpenKey | undefined

  for (let pages = 1; ; pages++) {
    const request = pageRequest(step.page, range)
    if (!request.ok) return end(step, reading.afterRefusedLink(lease.stream, range, request.failure, clock.now()), key)
    const isUnderWay = pages === 1 && first !== undefined
    const answered = isUnderWay ? await begunPage(first) : undefined
    // The time of the run may have passed since the request was sent. Then the next run asks again.
    if (isUnderWay && answered === undefined && clock.now() > lastPageBy) return withoutToken(step, before, clock.now())
    const asked =
      answered ??
      (await askForPage(step, range, request.value, {
        waitMaxMs: waitInRun(waitMaxMs, clock.now(), lastPageBy),
        pacedAfter: paced ? lastRequestAt : undefined,
      }))
    if (asked.kind === 'called-off') return leaseLost(lease)
    if (asked.kind === 'wait') return withoutToken(step, before, asked.freeAt)
    const { fetched } = asked
    key = asked.key
    lastRequestAt = asked.requestedAt
    // The process was frozen. Nothing was sent, so the stream has no trouble and asks again.
    if (fetched === 'too-late') return withoutToken(step, before, clock.now())
    if (!fetched.ok) return fail(step, range, key, fetched.failure)
    const { items, ...received } = fetched.value
    // An empty page needs no lease: if two runs read it, the version check lets only one save.
    if (items.length > 0 && !lease.isHeld && !(await lease.take(range))) return leaseLost(lease)
    if (items.length > 0) seen ??= isRedelivered(lease.stream, range) ? noneSeen(step) : await loadSeen(step, range)
    const { delivered, failure } = await deliverPage(ports, step.page, range, fetched.value, {
      seen: seen ?? noneSeen(step),
      detail,
      countsLate: range.kind === 'reread' && lease.stream.rereadForKey === undefined && lease.stream.rereadAsked === undefined,
    })
    const { newIds, counts, changes, filtersOff } = delivered
    await remember(step, range, newIds, seen)
    if (failure !== undefined) return fail(step, range, key, failure, counts)
    const read = { ...received, key: key.fingerprint, items: items.length, newIds: newIds.length, counts, filters, filtersOff, changes }
    const next = reading.afterPage(reading.countRequest(lease.stream), range, read, { policy, linksRead, now: clock.now() })
    const isOver = pages >= pagesMax || (pages >= pagesMin && clock.now() >= yieldAt) || clock.now() > lastPageBy
    if (next.range === undefined && items.length === 0 && range.kind === 'tail' && !lease.isHeld) return endEmpty(step, next, key)
    if (next.range === undefined || isOver || stop.aborted) return end(step, next, key)
    logAll(step, next)
    if (!(await lease.checkpoint(next.stream, next.range))) return leaseLost(lease)
    range = next.range
    if (range.nextLink !== undefined) linksRead.add(range.nextLink)
  }
}

type Asked =
  | { readonly kind: 'asked'; readonly key: OpenKey; readonly requestedAt: Instant; readonly fetched: Result<FetchedPage> | 'too-late' }
  | Exclude<KeyAnswer, { kind: 'go' }>

/** Waits for a token, and asks for the next page of the range. */
async function askForPage(
  step: Step,
  range: Range,
  request: VendorRequest,
  need: Pick<KeyNeed, 'waitMaxMs' | 'pacedAfter'>,
): Promise<Asked> {
  const { ports, context, lease } = step
  const answer = await context.keys.admit({
    ...need,
    key: range.key,
    together: need.pacedAfter === undefined ? pagesLeft(lease.stream, range) : 1,
    isEstimate: true,
    beforeWaiting: (until) => lease.outlast(until, range),
  })
  if (answer.kind !== 'go') return answer
  const requestedAt = ports.clock.now()
  return { kind: 'asked', key: answer.key, requestedAt, fetched: await fetchPage(step, request, answer) }
}

/** Failures of a response that may have been too large for its part of the memory. */
const failuresOfSize: readonly FailureCode[] = ['too-large', 'malformed-response']

/** A page that was too large for its part of the memory is asked for again, alone. So is one whose request was not sent. */
async function begunPage({ key, requestedAt, page }: BegunRequest): Promise<Asked | undefined> {
  const fetched = await page
  if (fetched === 'too-late' || (!fetched.ok && failuresOfSize.includes(fetched.failure.code))) return undefined
  return { kind: 'asked', key, requestedAt, fetched }
}

/** Asks for a page with a permit, and settles its tokens. `memoryShare`: the part that its response may have of the memory for one response. */
export async function fetchPage(
  { ports, context }: { readonly ports: StepPorts; readonly context: Omit<StepContext, 'keyWorks'> },
  request: VendorRequest,
  { key, permit }: { readonly key: OpenKey; readonly permit: Permit },
  memoryShare = 1,
): Promise<Result<FetchedPage> | 'too-late'> {
  const { clock, source, random } = ports
  const requestedAt = clock.now()
  const response = await source.fetch(request, key.apiKey, context.connector, permit.sendBy, memoryShare)
  if (response === 'too-late') {
    context.limiter.release(permit, { outcome: 'unsent' })
    return response
  }
  const received = response.ok ? parsePage(context.vendor, response.value, requestedAt) : response
  const page = withoutEchoes(received, context.apiKeys)
  const outcome = requestOutcome(page, clock.now(), random)
  if (outcome !== undefined) context.limiter.release(permit, outcome)
  if (page.ok) ports.vendorClocks.observe(context.connector.baseUrl, page.value.clockErrorMs)
  return page
}

/** A request that was never sent gives its token back. One without a response keeps its token blocked for as long as it might arrive. */
export function requestOutcome(page: Result<FetchedPage>, now: Instant, random: () => number): RequestOutcome | undefined {
  if (page.ok) return { outcome: 'responded', receivedAt: page.value.receivedAt }
  const { code, retryAfterMs } = page.failure
  switch (failures[code].request) {
    case 'throttled':
      return { outcome: 'throttled', receivedAt: now, random: random(), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
    case 'unsent':
      return { outcome: 'unsent' }
    case 'responded':
      return { outcome: 'responded', receivedAt: now }
    case 'unknown':
      return undefined
  }
}

/** The seen ids of every stored page whose range overlaps this one, or touches it: the vendor may respond with the same event for both. */
async function loadSeen(step: Step, range: Range): Promise<SeenItems> {
  const { ports, context, page, lease } = step
  const seen = noneSeen(step)
  const { from, to } = askedRange(range)
  const classes = Object.keys(lease.stream.seenClasses).map(Number)
  const { connectorId } = context.connector
  await ports.state.readSeen(connectorId, page.stream, { from: from - 1, to: to + 1 }, classes, (hash, _, content) =>
    seen.add(hash, content),
  )
  return seen
}

/** Somebody asked for all events of this time again, those that the lake has as well. */
function isRedelivered({ rereadAsked }: StreamState, { kind }: Range): boolean {
  return kind === 'reread' && rereadAsked === 'redeliver'
}

function noneSeen({ ports, context }: Step): SeenItems {
  return new SeenItems(identityRule(context.connector, ports.digest))
}

/** Stores the new ids after the delivery and before the checkpoint: a crash in between repeats this page, and loses no event. */
async function remember(
  { ports, context, page, lease }: Step,
  { from, to }: Range,
  newIds: SeenPage['ids'],
  seen: SeenItems | undefined,
): Promise<void> {
  if (newIds.length === 0) return
  const { connector, policy } = context
  await ports.state.writeSeen(connector.connectorId, page.stream, {
    range: { from, to },
    version: lease.stream.version,
    ids: newIds,
    expiresAt: to + policy.retentionMs + day,
  })
  for (const { hash, content } of newIds) seen?.add(hash, content)
}

/** `counts`: of the part of the page that the lake took. */
function fail(step: Step, range: Range, key: OpenKey, why: Failure, counts: Partial<StreamCounts> = {}): Promise<StepResult> {
  const { ports, context, lease } = step
  const counted = reading.countRequest(lease.stream, { why, counts })
  const keyWorks = context.keyWorks(key)
  return end(step, reading.afterFailure(counted, range, why, { now: ports.clock.now(), random: ports.random, keyWorks }), key)
}

async function end(step: Step, next: reading.Reading, key: OpenKey | undefined): Promise<StepResult> {
  const { lease } = step
  logAll(step, next)
  return (await lease.release(next.stream)) ? { outcome: next.outcome, stream: lease.stream, key } : leaseLost(lease)
}

/** A whole tail was read, and it is empty. */
async function endEmpty(step: Step, next: reading.Reading, key: OpenKey): Promise<StepResult> {
  const { ports, context, page, lease } = step
  if (isWorthSaving(context.saved.get(page.stream), next.stream, ports.clock.now())) return end(step, next, key)
  logAll(step, next)
  return { outcome: next.outcome, stream: { ...next.stream, version: lease.stream.version }, key }
}

/** No page was read. If the lease was taken, it is given back. */
async function withoutToken({ lease }: Step, before: StreamState, freeAt: Instant): Promise<StepResult> {
  const outcome = { kind: 'no-token', freeAt } as const
  if (lease.stream.version === before.version) return { outcome, stream: before }
  return (await lease.release(lease.stream)) ? { outcome, stream: lease.stream } : leaseLost(lease)
}

function leaseLost(lease: StreamLease): StepResult {
  return { outcome: { kind: 'lease-held', until: lease.heldUntil() }, stream: lease.stream }
}

function logAll({ ports, context, page }: Step, { log }: reading.Reading): void {
  for (const line of log) ports.log({ ...line, connectorId: context.connector.connectorId, stream: page.stream })
}
