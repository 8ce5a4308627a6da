import { effects, type Failure, failure, failures, formatFailure, streamBackoffMs } from '../failures.ts'
import type { RecordDetail } from '../ports.ts'
import { type Instant, iso } from '../time.ts'
import { addChanges, type Changes } from './changes.ts'
import { addCounts } from './counts.ts'
import * as ledger from './ledger.ts'
import type { Range, StreamCounts, StreamState } from './stream.ts'

/**
 * Decides what follows from a page and from a failure. Both return the new state of the stream, the range to continue with, the outcome
 * of the read step, and the lines to log. Giving up, narrowing, backing off and endless links are decided here, and nowhere else.
 */

/** A link that fails this often in a row (count) counts as dead. */
const linkTriesMax = 5
/** A range whose first page fails this often in a row (count) may be to blame itself. */
const rangeTriesMax = 3
/** A range of this many pages (count) is much too wide: it is read again, narrower, before its seen ids grow without bound. */
const rangePagesMax = 100
/** The same for a range of one millisecond, which cannot be narrower (count). */
const narrowestRangePagesMax = 2_000

/** The way in which a read step ended. */
export type StepOutcome =
  /** Pages were read, or the range was given up for a narrower one: either way the ledger has changed. */
  | { readonly kind: 'progress' }
  | { readonly kind: 'no-token'; readonly freeAt: Instant }
  /** Another run reads this stream. */
  | { readonly kind: 'lease-held'; readonly until: Instant }
  | { readonly kind: 'failed'; readonly failure: Failure }

/** A line of the log, without the connector and the stream. */
interface ReadingLog {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly event: 'page-read' | 'page-failed' | 'range-given-up' | 'range-set-aside' | 'filters-off'
  readonly message: string
  readonly [detail: string]: unknown
}

/** The decision after a page or a failure. */
export interface Reading {
  readonly stream: StreamState
  /** The range with its next page, where the step may go on. Absent: the step ends. */
  readonly range?: Range
  readonly outcome: StepOutcome
  readonly log: readonly ReadingLog[]
}

/** A page that the lake has acknowledged. */
export interface PageRead {
  /** The fingerprint of the key that read it. */
  readonly key: string
  readonly requestedAt: Instant
  readonly receivedAt: Instant
  readonly items: number
  readonly newIds: number
  readonly nextLink?: string
  /** The vendor's `Date` of the response, and its clock minus ours (ms). */
  readonly date?: Instant
  readonly clockErrorMs?: number
  readonly counts: Partial<StreamCounts>
  /** The names of the connector's log filters. */
  readonly filters: readonly string[]
  /** Those of them that took too many steps on the page. */
  readonly filtersOff: readonly string[]
  readonly changes: Changes
}

/**
 * The range as this run may read it, and the stream before its first page. Page ids may be bound to a key, so a range whose key is gone
 * starts again. A range without a page is not kept: the next step plans anew. `isOpen`: whether the run has the key.
 */
export function beginReading(
  before: StreamState,
  planned: Range,
  isOpen: (key: string) => boolean,
): { readonly stream: StreamState; readonly range: Range } {
  const { lease: _, range: begun, ...stream } = before
  const { kind, from, to } = planned
  const range = planned.key === undefined || isOpen(planned.key) ? planned : { kind, from, to, page: 0, items: 0 }
  return { range, stream: begun === undefined || range.page === 0 ? stream : { ...stream, range: begun } }
}

/** Counts one more request. `why`: the failure that it ended with; `counts`: of the part of its page that the lake took all the same. */
export function countRequest(
  stream: StreamState,
  { why, counts = {} }: { readonly why?: Failure; readonly counts?: Partial<StreamCounts> } = {},
): StreamState {
  const isThrottled = why !== undefined && failures[why.code].request === 'throttled'
  return { ...stream, counts: addCounts(stream.counts, { ...counts, requests: 1, throttled: isThrottled ? 1 : 0 }) }
}

/**
 * A record that the lake refuses may be delivered cut after this many refusals (count), and then bare, so nothing waits for it for ever.
 * The sink still tries it whole first: the refusals may have been a fault of the lake.
 */
const refusalsUntilCut = 3
const refusalsUntilBare = 6

/** How little of a refused record the next page of the stream may deliver. */
export function detailAfter({ refusals = 0 }: StreamState): RecordDetail {
  if (refusals >= refusalsUntilBare) return 'bare'
  return refusals >= refusalsUntilCut ? 'cut' : 'whole'
}

function filtersOffLog({ filtersOff }: PageRead): readonly ReadingLog[] {
  if (filtersOff.length === 0) return []
  return [{ level: 'warn', event: 'filters-off', message: filtersOff.join(', ') }]
}

/** Decides what follows from a page. `linksRead`: the links that this step has followed so far. */
export function afterPage(
  stream: StreamState,
  range: Range,
  page: PageRead,
  { policy, linksRead, now }: { readonly policy: ledger.ReadingPolicy; readonly linksRead: ReadonlySet<string>; readonly now: Instant },
): Reading {
  const { receivedAt, nextLink, key } = page
  const clockErrorMs = page.clockErrorMs === undefined ? {} : { clockErrorMs: page.clockErrorMs }
  const { trouble: _, refusals: __, changes: earlier, filtersOff: offBefore = [], ...before } = stream
  // A page without new items says nothing about them.
  const filtersOff = (page.newIds > 0 ? page.filtersOff : offBefore).filter((name) => page.filters.includes(name))
  const changes = addChanges(earlier, page.changes)
  const counted = {
    ...before,
    ...(changes === undefined ? {} : { changes }),
    ...(filtersOff.length === 0 ? {} : { filtersOff }),
    counts: addCounts(before.counts, page.counts, page.filters),
    lastReadAt: receivedAt,
  }
  const { kind, from, to } = range
  const link = nextLink === undefined ? {} : { nextLink }
  const read: Range = {
    kind,
    from,
    to,
    key,
    readSince: readSince(range, page),
    page: range.page + 1,
    items: range.items + page.items,
    ...link,
  }
  const log = [pageRead(range, page), ...filtersOffLog(page)]
  const progress = { kind: 'progress' } as const

  if (nextLink === undefined) {
    return {
      stream: ledger.completeRange(counted, read, { readSince: readSince(range, page), receivedAt, ...clockErrorMs }, policy),
      outcome: progress,
      log,
    }
  }
  const endless = endlessLinks(read, nextLink === range.nextLink || linksRead.has(nextLink))
  if (endless !== undefined) return giveUp(counted, read, endless, now, log)
  return { stream: { ...counted, range: read }, range: read, outcome: progress, log }
}

/**
 * The instant that the pages of a range show, by the earlier of the two clocks. The vendor may have looked for the events when the request
 * came, and set its `Date` when it answered.
 */
function readSince(range: Range, { requestedAt, receivedAt, date }: PageRead): Instant {
  const first = range.readSince ?? requestedAt
  return date === undefined ? first : Math.min(first, date - (receivedAt - requestedAt))
}

/**
 * Decides what follows when a page could not be fetched, read or delivered. `random`: a value in [0, 1) that spreads the backoff.
 * `keyWorks`: the key works for another stream, so its rejection here is this stream's alone.
 */
export function afterFailure(
  stream: StreamState,
  range: Range,
  why: Failure,
  { now, random, keyWorks }: { readonly now: Instant; readonly random: () => number; readonly keyWorks: boolean },
): Reading {
  const { scope, killsLink, blamesRange } = failures[why.code]
  const attempts = (stream.trouble?.attempts ?? 0) + 1
  const log = [pageFailed(why)]
  if (range.nextLink !== undefined && (killsLink || attempts >= linkTriesMax)) {
    const { trouble: _, ...untroubled } = stream
    return giveUp(untroubled, range, failure('link-dead', `The link to page ${range.page + 1} failed: ${why.detail}`), now, log)
  }
  const failed = { kind: 'failed', failure: why } as const
  const effect = effects[scope].stream
  if (effect === 'goes-on') return { stream, outcome: failed, log }
  const waits = effect === 'waits' || keyWorks
  const until = waits ? now + streamBackoffMs(why, attempts, random()) : now
  const refusals = scope === 'record' ? { refusals: (stream.refusals ?? 0) + 1 } : {}
  const troubled = { ...stream, ...refusals, trouble: { failure: why, attempts, until, since: stream.trouble?.since ?? now } }
  // In an outage every range fails. So a hard place becomes no narrower until something else of the stream was read.
  const isSuspect = ledger.isHard(stream, range) ? attempts <= rangeTriesMax : attempts % rangeTriesMax === 0
  const suspect = blamesRange && isSuspect
  if (range.nextLink !== undefined || !suspect) return { stream: troubled, outcome: failed, log }
  const narrower = ledger.narrowRange(troubled, range, now)
  return { stream: narrower, outcome: failed, log: [...log, rangeGivenUp(troubled, narrower, range, why)] }
}

/** Decides what follows when the link to the next page must not be followed. The page was never requested. */
export function afterRefusedLink(stream: StreamState, range: Range, why: Failure, now: Instant): Reading {
  return giveUp(stream, range, why, now, [])
}

function giveUp(stream: StreamState, range: Range, why: Failure, now: Instant, log: readonly ReadingLog[]): Reading {
  const givenUp = { failure: why, count: (stream.givenUp?.count ?? 0) + 1, since: stream.givenUp?.since ?? now }
  const narrower = { ...ledger.giveUpRange(stream, range, now), givenUp }
  return { stream: narrower, outcome: { kind: 'progress' }, log: [...log, rangeGivenUp(stream, narrower, range, why)] }
}

function endlessLinks({ from, to, page }: Range, repeats: boolean): Failure | undefined {
  if (repeats) return failure('link-repeats', `The link to page ${page + 1} repeats an earlier link`)
  const pagesMax = to - from > 1 ? rangePagesMax : narrowestRangePagesMax
  return page >= pagesMax ? failure('link-repeats', `The range has more than ${page} pages`) : undefined
}

function pageRead(range: Range, { items, newIds, counts }: PageRead): ReadingLog {
  return {
    level: items > 0 ? 'info' : 'debug',
    event: 'page-read',
    message: `${newIds} new of ${items}`,
    kind: range.kind,
    from: iso(range.from),
    to: iso(range.to),
    page: range.page + 1,
    ...counts,
  }
}

function pageFailed(why: Failure): ReadingLog {
  const trace = why.traceId === undefined ? {} : { traceId: why.traceId }
  return { level: 'warn', event: 'page-failed', message: formatFailure(why), code: why.code, ...trace }
}

function rangeGivenUp(before: StreamState, narrower: StreamState, { from, to, page }: Range, why: Failure): ReadingLog {
  const isSetAside = narrower.setAside !== before.setAside
  return {
    level: isSetAside ? 'error' : 'warn',
    event: isSetAside ? 'range-set-aside' : 'range-given-up',
    message: formatFailure(why),
    from: iso(from),
    to: iso(to),
    page,
    nextWidthMs: narrower.hard?.at(-1)?.widthMs,
  }
}
