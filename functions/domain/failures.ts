import { cutText } from './text.ts'
import { hour, minute, second } from './time.ts'

/**
 * Every way in which collecting can fail, with all its traits. No other file lists their traits: a new code is one row here, and
 * it does not compile without each trait.
 */
interface FailureTraits {
  readonly scope: FailureScope
  /**
   * The wait before the next try: the first one, and the longest one that it doubles up to with each failure in a row (ms). After
   * `throttled` the token bucket decides instead, and a range is read again at once.
   */
  readonly retryMs: readonly [first: number, max: number]
  /**
   * From so many in a row on a failure of a stream or of its links lasts, so the connector is failing (count). 1: only a person can mend
   * it. 2: one may pass, as when a proxy or a part of the vendor errs once. 3: it mostly passes.
   */
  readonly lastsFrom: 1 | 2 | 3
  /**
   * With `--once`, waiting stops after this many failures in a row (count), and for one stream not before its failure lasts. 1: waiting
   * never helps. `passes`: it mostly passes by itself, so `--patience` decides.
   */
  readonly triesMax: number
  readonly request: RequestFate
  /** A link that fails like this is dead: the vendor no longer knows it, or it must not be followed. */
  readonly killsLink: boolean
  /** The range may be the reason: too wide for the vendor, or with an event that the vendor cannot show. A narrower one may pass. */
  readonly blamesRange: boolean
  /** The vendor's own fault, and so that of every connector at this origin: one outage, not one problem for each connector. */
  readonly isVendors: boolean
  /** The cause in words, and the next step of the reader. */
  readonly remedy: string
}

/**
 * The part of collecting that a failure stops. `effects` says how.
 *
 * - `limit`: the limiter of the key waits; nothing else does.
 * - `key`: this API key cannot be used, if it works for no other stream; the other keys of the connector go on.
 * - `stream`: this stream waits; the others go on.
 * - `range`: the range is given up and read again, narrower.
 * - `origin`: nothing behind this base URL can be reached, if another stream fails so as well. Until then this stream waits.
 * - `connector`: the connector cannot run until somebody corrects it.
 * - `sink`: the lake takes no more records for now; the page stays undelivered and is read again.
 * - `record`: the lake refuses a record. Its stream waits, and after some refusals delivers it cut if it must; the others go on.
 */
type FailureScope = 'limit' | 'key' | 'stream' | 'range' | 'origin' | 'connector' | 'sink' | 'record'

interface Effects {
  /** `waits-if-key-works`: it goes last at once, and waits only if the key works for another stream. */
  readonly stream: 'goes-on' | 'waits' | 'waits-if-key-works'
  /** The consequence when it happens, and when it happens on a second stream in a row (or on all that the connector has). */
  readonly once: Consequence
  readonly again: Consequence
}

/** The consequence of a failed step beyond its stream. After `run-ends` the connector comes back soon; after `connector-fails` it backs off. */
export type Consequence = 'run-goes-on' | 'run-ends' | 'key-rejected' | 'connector-fails'

/** The effects of a failure on its stream, the key, the connector and the run. `blamesRange` and `killsLink` say it for the range. */
export const effects = {
  limit: { stream: 'goes-on', once: 'run-goes-on', again: 'run-goes-on' },
  key: { stream: 'waits-if-key-works', once: 'run-goes-on', again: 'key-rejected' },
  stream: { stream: 'waits', once: 'run-goes-on', again: 'run-goes-on' },
  range: { stream: 'goes-on', once: 'run-goes-on', again: 'run-goes-on' },
  record: { stream: 'waits', once: 'run-goes-on', again: 'run-goes-on' },
  origin: { stream: 'waits', once: 'run-goes-on', again: 'connector-fails' },
  connector: { stream: 'goes-on', once: 'connector-fails', again: 'connector-fails' },
  sink: { stream: 'goes-on', once: 'run-ends', again: 'run-ends' },
} as const satisfies Record<FailureScope, Effects>

/**
 * The fate of the request, and so of its token:
 *
 * - `responded`: the vendor responded, so the request counts from then.
 * - `throttled`: the vendor refused it as one too many.
 * - `unsent`: the request never left, so its token is free again.
 * - `unknown`: nobody knows whether it arrived, so its token stays blocked for as long as it might.
 */
type RequestFate = 'responded' | 'throttled' | 'unsent' | 'unknown'

type Retry = 'scope' | 'retryMs' | 'lastsFrom' | 'triesMax'

function kind(retry: Pick<FailureTraits, Retry>, traits: Omit<FailureTraits, Retry | 'remedy'>, remedy: string): FailureTraits {
  return { ...retry, ...traits, remedy }
}

/** Waiting helps, however many failures in a row there were. */
const passes = Number.POSITIVE_INFINITY

export const failures = {
  'bad-request': kind(
    { scope: 'stream', retryMs: [minute, hour], lastsFrom: 2, triesMax: 1 },
    { request: 'responded', killsLink: true, blamesRange: true, isVendors: false },
    'The vendor calls the request malformed (400). Check contentTypes and eventTypes; give the trace id to the vendor if they are right.',
  ),
  unauthorized: kind(
    { scope: 'key', retryMs: [30 * minute, hour], lastsFrom: 2, triesMax: 1 },
    { request: 'responded', killsLink: false, blamesRange: false, isVendors: false },
    'The vendor rejects the API key (401). Check that it has not expired and belongs to the origin in baseUrl, then store a new one in the secret.',
  ),
  forbidden: kind(
    { scope: 'stream', retryMs: [5 * minute, hour], lastsFrom: 2, triesMax: 1 },
    { request: 'responded', killsLink: true, blamesRange: false, isVendors: false },
    "The key has no permission for this content (403). Grant it in the vendor's console or remove the content type from the connector.",
  ),
  'not-found': kind(
    { scope: 'origin', retryMs: [minute, 15 * minute], lastsFrom: 2, triesMax: 2 },
    { request: 'responded', killsLink: true, blamesRange: false, isVendors: false },
    'There is no such API at this address (404). Check baseUrl: it is the root of the service, without a path.',
  ),
  throttled: kind(
    { scope: 'limit', retryMs: [minute, 30 * minute], lastsFrom: 3, triesMax: passes },
    { request: 'throttled', killsLink: false, blamesRange: false, isVendors: false },
    'The vendor refuses a request as one too many (429), although the limit was kept: something else uses the key. Use a key of its own, or lower requestsPerMinute.',
  ),
  'vendor-error': kind(
    { scope: 'stream', retryMs: [5 * second, 5 * minute], lastsFrom: 3, triesMax: passes },
    { request: 'responded', killsLink: false, blamesRange: true, isVendors: true },
    'The vendor has an error of its own (5xx). Tributary tries again; give the trace id to the vendor if it lasts.',
  ),
  'vendor-overloaded': kind(
    { scope: 'stream', retryMs: [15 * second, 5 * minute], lastsFrom: 3, triesMax: passes },
    { request: 'responded', killsLink: false, blamesRange: false, isVendors: true },
    'The vendor is overloaded or in maintenance (503). Tributary tries again.',
  ),
  redirected: kind(
    { scope: 'origin', retryMs: [5 * minute, hour], lastsFrom: 2, triesMax: 2 },
    { request: 'responded', killsLink: false, blamesRange: false, isVendors: false },
    'The address redirects to another one, and redirects are never followed. Set baseUrl to the real address of the API.',
  ),
  'unexpected-status': kind(
    { scope: 'stream', retryMs: [minute, 15 * minute], lastsFrom: 2, triesMax: 1 },
    { request: 'responded', killsLink: true, blamesRange: false, isVendors: false },
    'The vendor responded with a status that it does not document. Check that baseUrl is the API and not a proxy.',
  ),
  'timed-out': kind(
    { scope: 'origin', retryMs: [5 * second, 5 * minute], lastsFrom: 3, triesMax: passes },
    { request: 'unknown', killsLink: false, blamesRange: true, isVendors: true },
    'The vendor did not respond in time. Tributary tries again.',
  ),
  unreachable: kind(
    { scope: 'origin', retryMs: [15 * second, 5 * minute], lastsFrom: 3, triesMax: passes },
    { request: 'unknown', killsLink: false, blamesRange: false, isVendors: true },
    'The host cannot be reached. Check baseUrl, DNS and that the function may reach the internet.',
  ),
  'tls-failed': kind(
    { scope: 'origin', retryMs: [minute, 15 * minute], lastsFrom: 2, triesMax: 2 },
    { request: 'unknown', killsLink: false, blamesRange: false, isVendors: false },
    'The certificate is not trusted. Set tlsCaPem to the CA that signed it; disableTlsVerification is the last resort.',
  ),
  'address-refused': kind(
    { scope: 'origin', retryMs: [5 * minute, hour], lastsFrom: 2, triesMax: 1 },
    { request: 'unsent', killsLink: false, blamesRange: false, isVendors: false },
    'The host resolves to a private address, which is never connected to. Check baseUrl and DNS.',
  ),
  'proxy-failed': kind(
    { scope: 'origin', retryMs: [15 * second, 5 * minute], lastsFrom: 3, triesMax: 2 },
    { request: 'unsent', killsLink: false, blamesRange: false, isVendors: false },
    'The proxy of this deployment opens no connection to the vendor. Check its address (the setting httpsProxy; on one machine HTTPS_PROXY), and that it allows the host.',
  ),
  'host-refused': kind(
    { scope: 'connector', retryMs: [5 * minute, hour], lastsFrom: 1, triesMax: 1 },
    { request: 'unsent', killsLink: false, blamesRange: false, isVendors: false },
    "This host is not one of the vendor's. Set baseUrl to one of them, or ask the operator to allow this host.",
  ),
  'too-large': kind(
    { scope: 'stream', retryMs: [minute, 15 * minute], lastsFrom: 2, triesMax: 4 },
    { request: 'responded', killsLink: false, blamesRange: true, isVendors: false },
    'The response is larger than this deployment takes. Tributary reads a narrower range; raise the setting collectMemoryMb if it lasts.',
  ),
  'malformed-response': kind(
    { scope: 'stream', retryMs: [5 * second, 15 * minute], lastsFrom: 3, triesMax: 3 },
    { request: 'responded', killsLink: false, blamesRange: true, isVendors: false },
    'The response is not what the vendor documents. Check that baseUrl is the API and not a proxy; give the trace id to the vendor.',
  ),
  'link-refused': kind(
    { scope: 'range', retryMs: [5 * second, 5 * minute], lastsFrom: 3, triesMax: 1 },
    { request: 'unsent', killsLink: true, blamesRange: false, isVendors: false },
    'The link to the next page leads to another host or holds a key, so it is not followed. Give the trace id to the vendor.',
  ),
  'link-dead': kind(
    { scope: 'range', retryMs: [0, minute], lastsFrom: 3, triesMax: 4 },
    { request: 'responded', killsLink: false, blamesRange: false, isVendors: false },
    'The link to the next page no longer works. Tributary reads the range again, narrower.',
  ),
  'link-repeats': kind(
    { scope: 'range', retryMs: [0, minute], lastsFrom: 3, triesMax: 4 },
    { request: 'responded', killsLink: false, blamesRange: false, isVendors: false },
    'The links of this range do not come to an end. Tributary reads the range again, narrower.',
  ),
  'secret-missing': kind(
    { scope: 'connector', retryMs: [minute, 5 * minute], lastsFrom: 1, triesMax: 1 },
    { request: 'unsent', killsLink: false, blamesRange: false, isVendors: false },
    'The secret does not exist. Create it under exactly this name.',
  ),
  'secret-unreadable': kind(
    { scope: 'connector', retryMs: [minute, 5 * minute], lastsFrom: 1, triesMax: 1 },
    { request: 'unsent', killsLink: false, blamesRange: false, isVendors: false },
    'The secret cannot be read. Allow secretsmanager:GetSecretValue on it, and kms:Decrypt on its key.',
  ),
  'secret-malformed': kind(
    { scope: 'connector', retryMs: [minute, 5 * minute], lastsFrom: 1, triesMax: 1 },
    { request: 'unsent', killsLink: false, blamesRange: false, isVendors: false },
    'The secret does not hold an API key: one line of visible ASCII, or a JSON object with the named key. Store it again.',
  ),
  'key-shared': kind(
    { scope: 'connector', retryMs: [5 * minute, hour], lastsFrom: 1, triesMax: 1 },
    { request: 'unsent', killsLink: false, blamesRange: false, isVendors: false },
    'A key belongs to one tenant, and to a limited number of connectors. Use a key of its own, or let each of the two tenants name the other in sharedWith.',
  ),
  'sink-throttled': kind(
    { scope: 'sink', retryMs: [2 * second, minute], lastsFrom: 3, triesMax: passes },
    { request: 'responded', killsLink: false, blamesRange: false, isVendors: false },
    'Firehose accepts no more records for now. Tributary tries again; ask AWS for a higher quota if it lasts.',
  ),
  'sink-failed': kind(
    { scope: 'connector', retryMs: [5 * second, 5 * minute], lastsFrom: 3, triesMax: 1 },
    { request: 'responded', killsLink: false, blamesRange: false, isVendors: false },
    "Firehose refuses the records. Check the delivery stream and the function's permission to write to it.",
  ),
  'record-refused': kind(
    { scope: 'record', retryMs: [5 * second, 5 * minute], lastsFrom: 3, triesMax: 8 },
    { request: 'responded', killsLink: false, blamesRange: false, isVendors: false },
    'Firehose refuses a record, or has a fault of its own. Tributary tries again; after three refusals it cuts a record that Firehose takes in no other form.',
  ),
  unknown: kind(
    { scope: 'stream', retryMs: [minute, 15 * minute], lastsFrom: 2, triesMax: 1 },
    { request: 'responded', killsLink: false, blamesRange: false, isVendors: false },
    'A newer release of Tributary met this failure, and this release does not know it. Tributary tries again; deploy the newer release to see more.',
  ),
} as const satisfies Record<string, FailureTraits>

export type FailureCode = keyof typeof failures

export const failureCodes = Object.keys(failures) as readonly FailureCode[]

/** One failure that happened. */
export interface Failure {
  readonly code: FailureCode
  /** One sentence about what happened, with the value seen unless it is a secret. */
  readonly detail: string
  /** HTTP status of the response. */
  readonly status?: number
  /** The vendor's id of the request: its support asks for it. */
  readonly traceId?: string
  /** The wait that the vendor asked for in `Retry-After` (ms). */
  readonly retryAfterMs?: number
}

/** A failure is stored and shown, so its texts are bounded (characters). */
const detailLengthMax = 1_000
const traceIdLengthMax = 100

export function failure(code: FailureCode, detail: string, more: Omit<Failure, 'code' | 'detail'> = {}): Failure {
  const trace = more.traceId === undefined ? {} : { traceId: cutText(more.traceId.replaceAll(/[\p{C}\p{Z}]+/gu, ' '), traceIdLengthMax) }
  return { code, detail: cutText(detail, detailLengthMax), ...more, ...trace }
}

/** Whether the fault is the vendor's own, and so concerns every connector at this origin. */
export function isVendorsOwn(code: FailureCode): boolean {
  return failures[code].isVendors
}

/** Formats a failure: "detail (trace …). Remedy." */
export function formatFailure({ code, detail, traceId }: Failure): string {
  return `${detail}${traceId === undefined ? '' : ` (trace ${traceId})`}. ${failures[code].remedy}`
}

/**
 * The wait (ms) after the `attempt`-th failure in a row (1 is the first). It is at least as long as the vendor asked for. `random` in
 * [0, 1) spreads it over its upper half, so that connectors that failed together do not come back together.
 */
export function backoffMs({ code, retryAfterMs = 0 }: Pick<Failure, 'code' | 'retryAfterMs'>, attempt: number, random: number): number {
  const [firstMs, maxMs] = failures[code].retryMs
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, doublingsMax))
  return Math.max(retryAfterMs, Math.round(full / 2 + (full / 2) * random))
}

/**
 * The wait (ms) of a stream. As long as its failure may pass, it is at most a minute, if the vendor asked for no longer one: the next try
 * shows whether it lasts.
 */
export function streamBackoffMs(why: Pick<Failure, 'code' | 'retryAfterMs'>, attempt: number, random: number): number {
  const fullMs = backoffMs(why, attempt, random)
  if (isLasting(why.code, attempt)) return fullMs
  return Math.min(fullMs, Math.max(why.retryAfterMs ?? 0, soonMs / 2 + (soonMs / 2) * random))
}

/** A failure that may pass is tried again within this time (ms). */
const soonMs = minute

/** Keeps the power of two a whole number that no clock overflows (count). */
const doublingsMax = 20

/** Whether the failure of a stream, or of its links, deserves attention after `attempts` in a row. */
export function isLasting(code: FailureCode, attempts: number): boolean {
  return attempts >= failures[code].lastsFrom
}
