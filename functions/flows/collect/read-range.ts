import { type Failure, failure, failureScope, retryDelay, sayFailure } from '../../domain/failures.ts'
import type { Log } from '../../domain/ports.ts'
import type { Result } from '../../domain/result.ts'
import { addCounts } from '../../domain/stream/counts.ts'
import * as ledger from '../../domain/stream/ledger.ts'
import type { Turn } from '../../domain/stream/schedule.ts'
import type { SeenHash } from '../../domain/stream/seen-ids.ts'
import type { Slice, StreamState } from '../../domain/stream/stream.ts'
import { day, type Instant, iso, minute, second } from '../../domain/time.ts'
import type { VendorAnswer } from '../../domain/vendor.ts'
import type { OpenKey } from '../open-keys.ts'
import { deliverPage, type PageContext, type PagePorts, pageRequest, parsePage } from './deliver-page.ts'
import type { Limiter, Outcome } from './rate-limiter.ts'

/** A killed run costs its stream no more than this (ms). */
const leaseMs = 2 * minute
/** A lease must outlast a wait by a request and its delivery (ms), else it is renewed before the wait. */
const leaseSpareMs = 45 * second

export interface TurnPorts extends PagePorts {
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
  /** Aborted when the process is told to end: the turn ends with the page in hand. */
  readonly stop: AbortSignal
}

export interface TurnContext extends Omit<PageContext, 'stream'> {
  /** Names the run in its leases. */
  readonly holder: string
  readonly policy: ledger.ReadingPolicy
  readonly limiter: Limiter
  /** No page is begun after this: the run must end in its time. */
  readonly lastPageBy: Instant
}

export type TurnEnd =
  /** Pages were read, or the slice was given up for a narrower one: either way the ledger is ahead of where it was. */
  | { readonly kind: 'progress'; readonly clockErrorMs?: number }
  | { readonly kind: 'no-token'; readonly freeAt: Instant }
  /** Another run reads this connector. */
  | { readonly kind: 'lease-held'; readonly until: Instant }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** One turn: one slice of one stream, a few pages of it. Answers the stream as it was last written. */
export async function readTurn(
  ports: TurnPorts,
  context: TurnContext,
  turn: Turn,
  before: StreamState,
  key: OpenKey,
): Promise<{ readonly end: TurnEnd; readonly stream: StreamState }> {
  const { clock, state, source, log, random } = ports
  const { connector, vendor, holder, limiter, policy } = context
  const connectorId = connector.connectorId
  const page: PageContext = { ...context, stream: turn.stream }
  const about = { connectorId, stream: turn.stream }

  const { lease: held, slice: begun, ...unleased } = before
  const now = clock.now()
  if (held !== undefined && held.until > now && held.holder !== holder)
    return { end: { kind: 'lease-held', until: held.until }, stream: before }
  // Page ids may be bound to a key: what another key began is begun again. A slice not begun is not kept: the next turn plans anew.
  let slice = turn.slice
  if (slice.key !== undefined && slice.key !== key.fingerprint)
    slice = { kind: slice.kind, from: slice.from, to: slice.to, page: 0, items: 0 }
  let stream: StreamState = { ...unleased, ...(begun === undefined || slice.page === 0 ? {} : { slice: begun }) }
  let seen: Set<SeenHash> | undefined
  const links = new Set<string>()

  async function write(next: StreamState): Promise<boolean> {
    const versioned = { ...next, version: stream.version + 1 }
    if (!(await state.writeStream(connectorId, turn.stream, versioned))) return false
    stream = versioned
    return true
  }
  const leased = (next: StreamState): StreamState => ({ ...next, lease: { holder, until: clock.now() + leaseMs } })
  const released = ({ lease: _, ...next }: StreamState): StreamState => next
  // The class of what its pages leave to be remembered is known before any of them is: no run, whatever becomes of this one, misses them.
  const takeLease = (): Promise<boolean> => write(leased(ledger.keepSeenClass(stream, slice, clock.now())))
  const heldByOther = (): TurnEnd => ({ kind: 'lease-held', until: clock.now() + leaseMs })

  async function end(next: StreamState, how: TurnEnd): Promise<{ end: TurnEnd; stream: StreamState }> {
    return (await write(released(next))) ? { end: how, stream } : { end: heldByOther(), stream }
  }

  function sayGivenUp(from: StreamState, narrower: StreamState, why: Failure): void {
    const setAside = narrower.setAside !== from.setAside
    log({
      ...about,
      level: setAside ? 'error' : 'warn',
      event: setAside ? 'slice-set-aside' : 'slice-given-up',
      message: sayFailure(why),
      from: iso(slice.from),
      to: iso(slice.to),
      page: slice.page,
      nextWidthMs: narrower.hard?.at(-1)?.widthMs,
    })
  }

  function giveUp(from: StreamState, why: Failure): Promise<{ end: TurnEnd; stream: StreamState }> {
    const narrower = ledger.giveUpSlice(from, slice, clock.now())
    sayGivenUp(from, narrower, why)
    return end(narrower, { kind: 'progress' })
  }

  function fail(from: StreamState, why: Failure): Promise<{ end: TurnEnd; stream: StreamState }> {
    log({ ...about, level: 'warn', event: 'page-failed', message: sayFailure(why), code: why.code, ...traceOf(why) })
    const linked = slice.nextLink !== undefined
    if (linked && (linkIsDead(why) || (from.trouble?.attempts ?? 0) + 1 >= ledger.linkTriesMost)) {
      const { trouble: _, ...rest } = from
      return giveUp(rest, failure('link-dead', `The link to page ${slice.page + 1} answers: ${why.detail}`))
    }
    const scope = failureScope(why.code)
    // What seems to concern the whole origin may be this stream's alone: it waits as well, so that the next run begins with another.
    if (scope !== 'stream' && scope !== 'origin') return end(from, { kind: 'failed', failure: why })
    const attempts = (from.trouble?.attempts ?? 0) + 1
    const now = clock.now()
    const until = now + Math.max(why.retryAfterMs ?? 0, retryDelay(why.code, attempts, random()))
    const troubled = { ...from, trouble: { failure: why, attempts, until, since: from.trouble?.since ?? now } }
    const suspect = attempts >= ledger.sliceTriesMost || ledger.isHard(from, slice)
    if (linked || !suspect || !sliceMayBeToBlame(why)) return end(troubled, { kind: 'failed', failure: why })
    const narrower = ledger.narrowSlice(troubled, slice, now)
    sayGivenUp(troubled, narrower, why)
    return end(narrower, { kind: 'failed', failure: why })
  }

  const pagesMost = stream.paced ? ledger.pacedTurnPagesMost : ledger.turnPagesMost
  let lastRequestAt = stream.lastReadAt ?? 0
  for (let pages = 1; ; pages++) {
    const request = pageRequest(page, slice)
    if (!request.ok) return giveUp(stream, request.failure)

    const apartMs = stream.paced ? Math.ceil(minute / Math.min(...key.gates.map(({ limit }) => limit))) : 0
    let lost = false
    const admission = await limiter.admit(key.gates, {
      waitMostMs: turn.waitMostMs,
      notBefore: lastRequestAt + apartMs,
      beforeWaiting: async (until) => {
        lost = (stream.lease?.until ?? 0) < until + leaseSpareMs && !(await takeLease())
        return !lost
      },
    })
    if (lost) return { end: heldByOther(), stream }
    if (admission.kind === 'wait') {
      const noToken: TurnEnd = { kind: 'no-token', freeAt: admission.freeAt }
      return stream.version === before.version ? { end: noToken, stream: before } : end(stream, noToken)
    }

    const requestedAt = clock.now()
    lastRequestAt = requestedAt
    const answer = await source.fetch(request.value, key.apiKey, connector)
    const outcome = outcomeOf(answer, clock.now(), random())
    if (outcome !== undefined) limiter.settle(admission.permit, outcome)
    const throttled = !answer.ok && answer.failure.code === 'throttled'
    const counted = (): StreamState => ({ ...stream, counts: addCounts(stream.counts, { requests: 1, throttled: throttled ? 1 : 0 }) })
    if (!answer.ok) return fail(counted(), answer.failure)
    const parsed = parsePage(vendor, answer.value, requestedAt)
    if (!parsed.ok) return fail(counted(), parsed.failure)
    const received = parsed.value

    // What brings nothing needs no lease: of two runs that read it, the version lets one put it down.
    if (received.items.length > 0 && stream.lease === undefined && !(await takeLease())) return { end: heldByOther(), stream }
    const asked = counted()
    if (seen === undefined && received.items.length > 0) seen = await loadSeen(ports, connectorId, turn.stream, slice, stream)
    const delivered = await deliverPage(ports, page, slice, received, seen ?? new Set())
    if (!delivered.ok) return fail(asked, delivered.failure)
    const { fresh, counts } = delivered.value
    const next: StreamState = { ...asked, counts: addCounts(asked.counts, counts), lastReadAt: received.receivedAt }
    if (fresh.length > 0) {
      // After the lake has them, before the checkpoint: a crash in between repeats this page at most, and forgets none.
      await state.writeSeen(connectorId, turn.stream, {
        slice: { from: slice.from, to: slice.to },
        version: stream.version,
        ids: fresh,
        expiresAt: slice.to + policy.horizonMs + day,
      })
      for (const { hash } of fresh) seen?.add(hash)
    }
    const { trouble: _, ...untroubled } = next
    const level = received.items.length > 0 ? 'info' : 'debug'
    const message = `${fresh.length} new of ${received.items.length}`
    log({ ...about, level, event: 'page-read', message, ...pageDetails(slice, counts) })

    const read: Slice = {
      kind: slice.kind,
      from: slice.from,
      to: slice.to,
      key: key.fingerprint,
      readSince: slice.readSince ?? requestedAt,
      page: slice.page + 1,
      items: slice.items + received.items.length,
      ...(received.nextLink === undefined ? {} : { nextLink: received.nextLink }),
    }
    const clockErrorMs = received.clockErrorMs === undefined ? {} : { clockErrorMs: received.clockErrorMs }
    if (received.nextLink === undefined) {
      const exact = { ...policy, ...clockErrorMs }
      return end(ledger.completeSlice(untroubled, read, received.receivedAt, exact), { kind: 'progress', ...clockErrorMs })
    }
    const repeats = received.nextLink === slice.nextLink || links.has(received.nextLink)
    slice = read
    if (repeats) return giveUp(untroubled, failure('link-repeats', `The link to page ${read.page + 1} was there before`))
    if (ledger.sliceIsEndless(read)) return giveUp(untroubled, failure('link-repeats', `The slice has more than ${read.page} pages`))
    links.add(received.nextLink)
    const checkpoint = { ...untroubled, slice }
    if (pages >= pagesMost || ports.stop.aborted || clock.now() > context.lastPageBy)
      return end(checkpoint, { kind: 'progress', ...clockErrorMs })
    // Its class as well: where the pages so far brought nothing, this is the first lease.
    if (!(await write(leased(ledger.keepSeenClass(checkpoint, slice, clock.now()))))) return { end: heldByOther(), stream }
  }
}

/** The ids of every kept page whose slice the vendor may answer from as well. */
async function loadSeen(
  ports: PagePorts,
  connectorId: string,
  stream: string,
  slice: Slice,
  { seenClasses }: StreamState,
): Promise<Set<SeenHash>> {
  const seen = new Set<SeenHash>()
  const { from, to } = ledger.askedRange(slice)
  const classes = Object.keys(seenClasses).map(Number)
  await ports.state.readSeen(connectorId, stream, { from: from - 1, to: to + 1 }, classes, (hash) => seen.add(hash))
  return seen
}

/** A request that was never sent gives its token back; one without an answer leaves it blocked for as long as it might still arrive. */
function outcomeOf(answer: Result<VendorAnswer>, now: Instant, random: number): Outcome | undefined {
  if (answer.ok) return { outcome: 'answered', receivedAt: answer.value.receivedAt }
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
      return { outcome: 'answered', receivedAt: now }
  }
}

function linkIsDead({ code }: Failure): boolean {
  return code === 'bad-request' || code === 'not-found' || code === 'forbidden' || code === 'unexpected-status' || code === 'link-refused'
}

function sliceMayBeToBlame({ code }: Failure): boolean {
  return code === 'vendor-error' || code === 'timed-out' || code === 'too-large' || code === 'malformed-answer' || code === 'bad-request'
}

function traceOf({ traceId }: Failure): { traceId?: string } {
  return traceId === undefined ? {} : { traceId }
}

function pageDetails(slice: Slice, counts: object): Record<string, unknown> {
  return { kind: slice.kind, from: iso(slice.from), to: iso(slice.to), page: slice.page + 1, ...counts }
}
