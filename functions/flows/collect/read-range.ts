import { type Failure, failure, failureScope, formatFailure, retryDelay } from '../../domain/failures.ts'
import type { Log } from '../../domain/ports.ts'
import type { Result } from '../../domain/result.ts'
import { addCounts } from '../../domain/stream/counts.ts'
import * as ledger from '../../domain/stream/ledger.ts'
import type { ReadStep } from '../../domain/stream/schedule.ts'
import type { SeenHash } from '../../domain/stream/seen-ids.ts'
import type { Range, StreamState } from '../../domain/stream/stream.ts'
import { day, type Instant, iso, minute, second } from '../../domain/time.ts'
import type { VendorResponse } from '../../domain/vendor.ts'
import type { OpenKey } from '../open-keys.ts'
import { deliverPage, type PageContext, type PagePorts, pageRequest, parsePage } from './deliver-page.ts'
import type { Limiter, Outcome } from './rate-limiter.ts'

/** A killed run costs its stream no more than this (ms). */
const leaseMs = 2 * minute
/** A lease must outlast a wait by a request and its delivery (ms), else it is renewed before the wait. */
const leaseSpareMs = 45 * second

export interface StepPorts extends PagePorts {
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
  /** Aborted when the process is told to end: the step ends with the page in hand. */
  readonly stop: AbortSignal
}

export interface StepContext extends Omit<PageContext, 'stream'> {
  /** Names the run in its leases. */
  readonly holder: string
  readonly policy: ledger.ReadingPolicy
  readonly limiter: Limiter
  /** No page is begun after this: the run must end in its time. */
  readonly lastPageBy: Instant
}

export type StepOutcome =
  /** Pages were read, or the range was given up for a narrower one: either way the ledger is ahead of where it was. */
  | { readonly kind: 'progress'; readonly clockErrorMs?: number }
  | { readonly kind: 'no-token'; readonly freeAt: Instant }
  /** Another run reads this connector. */
  | { readonly kind: 'lease-held'; readonly until: Instant }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** One step: one range of one stream, a few pages of it. Answers the stream as it was last written. */
export async function readRange(
  ports: StepPorts,
  context: StepContext,
  step: ReadStep,
  before: StreamState,
  key: OpenKey,
): Promise<{ readonly end: StepOutcome; readonly stream: StreamState }> {
  const { clock, state, source, log, random } = ports
  const { connector, vendor, holder, limiter, policy } = context
  const connectorId = connector.connectorId
  const page: PageContext = { ...context, stream: step.stream }
  const about = { connectorId, stream: step.stream }

  const { lease: held, range: begun, ...unleased } = before
  const now = clock.now()
  if (held !== undefined && held.until > now && held.holder !== holder)
    return { end: { kind: 'lease-held', until: held.until }, stream: before }
  // Page ids may be bound to a key: what another key began is begun again. A range not begun is not kept: the next step plans anew.
  let range = step.range
  if (range.key !== undefined && range.key !== key.fingerprint)
    range = { kind: range.kind, from: range.from, to: range.to, page: 0, items: 0 }
  let stream: StreamState = { ...unleased, ...(begun === undefined || range.page === 0 ? {} : { range: begun }) }
  let seen: Set<SeenHash> | undefined
  const links = new Set<string>()

  async function write(next: StreamState): Promise<boolean> {
    const versioned = { ...next, version: stream.version + 1 }
    if (!(await state.writeStream(connectorId, step.stream, versioned))) return false
    stream = versioned
    return true
  }
  const leased = (next: StreamState): StreamState => ({ ...next, lease: { holder, until: clock.now() + leaseMs } })
  const released = ({ lease: _, ...next }: StreamState): StreamState => next
  // The class of what its pages leave to be remembered is known before any of them is: no run, whatever becomes of this one, misses them.
  const takeLease = (): Promise<boolean> => write(leased(ledger.keepSeenClass(stream, range, clock.now())))
  const heldByOther = (): StepOutcome => ({ kind: 'lease-held', until: clock.now() + leaseMs })

  async function end(next: StreamState, how: StepOutcome): Promise<{ end: StepOutcome; stream: StreamState }> {
    return (await write(released(next))) ? { end: how, stream } : { end: heldByOther(), stream }
  }

  function logGivenUp(from: StreamState, narrower: StreamState, why: Failure): void {
    const setAside = narrower.setAside !== from.setAside
    log({
      ...about,
      level: setAside ? 'error' : 'warn',
      event: setAside ? 'range-set-aside' : 'range-given-up',
      message: formatFailure(why),
      from: iso(range.from),
      to: iso(range.to),
      page: range.page,
      nextWidthMs: narrower.hard?.at(-1)?.widthMs,
    })
  }

  function giveUp(from: StreamState, why: Failure): Promise<{ end: StepOutcome; stream: StreamState }> {
    const narrower = ledger.giveUpRange(from, range, clock.now())
    logGivenUp(from, narrower, why)
    return end(narrower, { kind: 'progress' })
  }

  function fail(from: StreamState, why: Failure): Promise<{ end: StepOutcome; stream: StreamState }> {
    log({ ...about, level: 'warn', event: 'page-failed', message: formatFailure(why), code: why.code, ...traceOf(why) })
    const linked = range.nextLink !== undefined
    if (linked && (linkIsDead(why) || (from.trouble?.attempts ?? 0) + 1 >= ledger.linkTriesMax)) {
      const { trouble: _, ...rest } = from
      return giveUp(rest, failure('link-dead', `The link to page ${range.page + 1} answers: ${why.detail}`))
    }
    const scope = failureScope(why.code)
    // What seems to concern the whole origin may be this stream's alone: it waits as well, so that the next run begins with another.
    if (scope !== 'stream' && scope !== 'origin') return end(from, { kind: 'failed', failure: why })
    const attempts = (from.trouble?.attempts ?? 0) + 1
    const now = clock.now()
    const until = now + Math.max(why.retryAfterMs ?? 0, retryDelay(why.code, attempts, random()))
    const troubled = { ...from, trouble: { failure: why, attempts, until, since: from.trouble?.since ?? now } }
    const suspect = attempts >= ledger.rangeTriesMax || ledger.isHard(from, range)
    if (linked || !suspect || !rangeMayBeToBlame(why)) return end(troubled, { kind: 'failed', failure: why })
    const narrower = ledger.narrowRange(troubled, range, now)
    logGivenUp(troubled, narrower, why)
    return end(narrower, { kind: 'failed', failure: why })
  }

  const pagesMax = stream.paced ? ledger.pacedStepPagesMax : ledger.stepPagesMax
  let lastRequestAt = stream.lastReadAt ?? 0
  for (let pages = 1; ; pages++) {
    const request = pageRequest(page, range)
    if (!request.ok) return giveUp(stream, request.failure)

    const apartMs = stream.paced ? Math.ceil(minute / Math.min(...key.limiters.map(({ limit }) => limit))) : 0
    let lost = false
    const admission = await limiter.admit(key.limiters, {
      waitMaxMs: step.waitMaxMs,
      notBefore: lastRequestAt + apartMs,
      beforeWaiting: async (until) => {
        lost = (stream.lease?.until ?? 0) < until + leaseSpareMs && !(await takeLease())
        return !lost
      },
    })
    if (lost) return { end: heldByOther(), stream }
    if (admission.kind === 'wait') {
      const noToken: StepOutcome = { kind: 'no-token', freeAt: admission.freeAt }
      return stream.version === before.version ? { end: noToken, stream: before } : end(stream, noToken)
    }

    const requestedAt = clock.now()
    lastRequestAt = requestedAt
    const answer = await source.fetch(request.value, key.apiKey, connector)
    const outcome = outcomeOf(answer, clock.now(), random())
    if (outcome !== undefined) limiter.release(admission.permit, outcome)
    const throttled = !answer.ok && answer.failure.code === 'throttled'
    const counted = (): StreamState => ({ ...stream, counts: addCounts(stream.counts, { requests: 1, throttled: throttled ? 1 : 0 }) })
    if (!answer.ok) return fail(counted(), answer.failure)
    const parsed = parsePage(vendor, answer.value, requestedAt)
    if (!parsed.ok) return fail(counted(), parsed.failure)
    const received = parsed.value

    // What brings nothing needs no lease: of two runs that read it, the version lets one put it down.
    if (received.items.length > 0 && stream.lease === undefined && !(await takeLease())) return { end: heldByOther(), stream }
    const asked = counted()
    if (seen === undefined && received.items.length > 0) seen = await loadSeen(ports, connectorId, step.stream, range, stream)
    const delivered = await deliverPage(ports, page, range, received, seen ?? new Set())
    if (!delivered.ok) return fail(asked, delivered.failure)
    const { newIds, counts } = delivered.value
    const next: StreamState = { ...asked, counts: addCounts(asked.counts, counts), lastReadAt: received.receivedAt }
    if (newIds.length > 0) {
      // After the lake has them, before the checkpoint: a crash in between repeats this page at most, and forgets none.
      await state.writeSeen(connectorId, step.stream, {
        range: { from: range.from, to: range.to },
        version: stream.version,
        ids: newIds,
        expiresAt: range.to + policy.retentionMs + day,
      })
      for (const { hash } of newIds) seen?.add(hash)
    }
    const { trouble: _, ...untroubled } = next
    const level = received.items.length > 0 ? 'info' : 'debug'
    const message = `${newIds.length} new of ${received.items.length}`
    log({ ...about, level, event: 'page-read', message, ...pageDetails(range, counts) })

    const read: Range = {
      kind: range.kind,
      from: range.from,
      to: range.to,
      key: key.fingerprint,
      readSince: range.readSince ?? requestedAt,
      page: range.page + 1,
      items: range.items + received.items.length,
      ...(received.nextLink === undefined ? {} : { nextLink: received.nextLink }),
    }
    const clockErrorMs = received.clockErrorMs === undefined ? {} : { clockErrorMs: received.clockErrorMs }
    if (received.nextLink === undefined) {
      const exact = { ...policy, ...clockErrorMs }
      return end(ledger.completeRange(untroubled, read, received.receivedAt, exact), { kind: 'progress', ...clockErrorMs })
    }
    const repeats = received.nextLink === range.nextLink || links.has(received.nextLink)
    range = read
    if (repeats) return giveUp(untroubled, failure('link-repeats', `The link to page ${read.page + 1} was there before`))
    if (ledger.rangeIsEndless(read)) return giveUp(untroubled, failure('link-repeats', `The range has more than ${read.page} pages`))
    links.add(received.nextLink)
    const checkpoint = { ...untroubled, range }
    if (pages >= pagesMax || ports.stop.aborted || clock.now() > context.lastPageBy)
      return end(checkpoint, { kind: 'progress', ...clockErrorMs })
    // Its class as well: where the pages so far brought nothing, this is the first lease.
    if (!(await write(leased(ledger.keepSeenClass(checkpoint, range, clock.now()))))) return { end: heldByOther(), stream }
  }
}

/** The ids of every kept page whose range the vendor may answer from as well. */
async function loadSeen(
  ports: PagePorts,
  connectorId: string,
  stream: string,
  range: Range,
  { seenClasses }: StreamState,
): Promise<Set<SeenHash>> {
  const seen = new Set<SeenHash>()
  const { from, to } = ledger.askedRange(range)
  const classes = Object.keys(seenClasses).map(Number)
  await ports.state.readSeen(connectorId, stream, { from: from - 1, to: to + 1 }, classes, (hash) => seen.add(hash))
  return seen
}

/** A request that was never sent gives its token back; one without an answer leaves it blocked for as long as it might still arrive. */
function outcomeOf(answer: Result<VendorResponse>, now: Instant, random: number): Outcome | undefined {
  if (answer.ok) return { outcome: 'responded', receivedAt: answer.value.receivedAt }
  const { code, retryAfterMs } = answer.failure
  switch (code) {
    case 'throttled':
      return { outcome: 'throttled', receivedAt: now, random, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
    case 'address-refused':
    case 'host-refused':
    case 'link-refused':
    case 'secret-malformed':
      return { outcome: 'unsent' }
    case 'timed-out':
    case 'unreachable':
    case 'tls-failed':
      return undefined
    default:
      return { outcome: 'responded', receivedAt: now }
  }
}

function linkIsDead({ code }: Failure): boolean {
  return code === 'bad-request' || code === 'not-found' || code === 'forbidden' || code === 'unexpected-status' || code === 'link-refused'
}

function rangeMayBeToBlame({ code }: Failure): boolean {
  return code === 'vendor-error' || code === 'timed-out' || code === 'too-large' || code === 'malformed-response' || code === 'bad-request'
}

function traceOf({ traceId }: Failure): { traceId?: string } {
  return traceId === undefined ? {} : { traceId }
}

function pageDetails(range: Range, counts: object): Record<string, unknown> {
  return { kind: range.kind, from: iso(range.from), to: iso(range.to), page: range.page + 1, ...counts }
}
