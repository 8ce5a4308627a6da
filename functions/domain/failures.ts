/**
 * Every way in which collecting can fail, on one screen: whom it concerns, what the reader is told to do, and how it is tried again.
 *
 * - `key`: this API key is of no use; the connector's other keys go on.
 * - `stream`: this stream waits; the others go on.
 * - `range`: the range in progress is given up and read anew, narrower.
 * - `origin`: nothing behind this base URL can be reached; the run ends and the connector waits.
 * - `connector`: the connector cannot run until somebody mends it.
 * - `sink`: the lake takes nothing more for now; the page stays undelivered and is read again.
 */
export type FailureScope = 'key' | 'stream' | 'range' | 'origin' | 'connector' | 'sink'

interface FailureKind {
  readonly scope: FailureScope
  /** First wait before the next try (ms); it doubles with each failure in a row up to `retryMaxMs`. */
  readonly retryFirstMs: number
  readonly retryMaxMs: number
  readonly todo: string
}

const seconds = 1_000
const minutes = 60 * seconds

function kind(scope: FailureScope, retryFirstMs: number, retryMaxMs: number, todo: string): FailureKind {
  return { scope, retryFirstMs, retryMaxMs, todo }
}

export const failureKinds = {
  'bad-request': kind(
    'stream',
    1 * minutes,
    60 * minutes,
    'The vendor calls the request malformed (400). Check contentTypes and eventTypes; give the trace id to the vendor if they are right.',
  ),
  unauthorized: kind(
    'key',
    30 * minutes,
    60 * minutes,
    'The vendor rejects the API key (401). Check that it has not expired and belongs to the site of baseUrl, then store a new one in the secret.',
  ),
  forbidden: kind(
    'stream',
    5 * minutes,
    60 * minutes,
    "The key has no permission for this content (403). Grant it in the vendor's console or remove the content type from the connector.",
  ),
  'not-found': kind(
    'origin',
    1 * minutes,
    15 * minutes,
    'There is no such API at this address (404). Check baseUrl: it is the root of the service, without a path.',
  ),
  throttled: kind(
    'key',
    1 * minutes,
    30 * minutes,
    'The vendor says the key asked too often (429), although the limit was kept: something else uses it. Use a key of its own, or lower requestsPerMinute.',
  ),
  'vendor-error': kind(
    'stream',
    5 * seconds,
    5 * minutes,
    'The vendor has an error of its own (5xx). It is tried again; give the trace id to the vendor if it lasts.',
  ),
  'vendor-overloaded': kind('stream', 15 * seconds, 5 * minutes, 'The vendor is overloaded or in maintenance (503). It is tried again.'),
  redirected: kind(
    'origin',
    5 * minutes,
    60 * minutes,
    'The address redirects elsewhere, which is never followed. Set baseUrl to the address the API is really at.',
  ),
  'unexpected-status': kind(
    'stream',
    1 * minutes,
    15 * minutes,
    'The vendor answered with a status it does not document. Check that baseUrl is the API and not a proxy.',
  ),
  'timed-out': kind('stream', 5 * seconds, 5 * minutes, 'The vendor did not answer in time. It is tried again.'),
  unreachable: kind(
    'origin',
    15 * seconds,
    5 * minutes,
    'The host cannot be reached. Check baseUrl, DNS and that the function may reach the internet.',
  ),
  'tls-failed': kind(
    'origin',
    1 * minutes,
    15 * minutes,
    'The certificate is not trusted. Set tlsCaPem to the CA that signed it; disableTlsVerification is the last resort.',
  ),
  'address-refused': kind(
    'origin',
    5 * minutes,
    60 * minutes,
    'The host resolves to a private address, which is never connected to. Check baseUrl and DNS.',
  ),
  'host-refused': kind(
    'connector',
    5 * minutes,
    60 * minutes,
    "This host is not one of the vendor's. Set baseUrl to one of them, or have the operator allow this host.",
  ),
  'too-large': kind('stream', 1 * minutes, 15 * minutes, 'The answer is larger than a page can be. Give the trace id to the vendor.'),
  'malformed-response': kind(
    'stream',
    5 * seconds,
    15 * minutes,
    'The answer is not what the vendor documents. Check that baseUrl is the API and not a proxy; give the trace id to the vendor.',
  ),
  'link-refused': kind(
    'range',
    5 * seconds,
    5 * minutes,
    'The link to the next page leads to another host, which is never followed. Give the trace id to the vendor.',
  ),
  'link-dead': kind('range', 0, 1 * minutes, 'The link to the next page had died. The range is read again, narrower.'),
  'link-repeats': kind('range', 0, 1 * minutes, 'The links of this range do not come to an end. It is read again, narrower.'),
  'secret-missing': kind('connector', 1 * minutes, 5 * minutes, 'The secret does not exist. Create it under exactly this name.'),
  'secret-unreadable': kind(
    'connector',
    1 * minutes,
    5 * minutes,
    'The secret cannot be read. Allow secretsmanager:GetSecretValue on it, and kms:Decrypt on its key.',
  ),
  'secret-malformed': kind(
    'connector',
    1 * minutes,
    5 * minutes,
    'The secret does not hold an API key: one line of visible ASCII, or a JSON object with the named key. Store it anew.',
  ),
  'key-shared': kind(
    'connector',
    5 * minutes,
    60 * minutes,
    'A connector of another tenant uses this API key; both would get the same events. Use a key of its own, or set sharedKey on both.',
  ),
  'sink-throttled': kind(
    'sink',
    2 * seconds,
    1 * minutes,
    'Firehose takes no more for now. It is tried again; ask for a higher quota if it lasts.',
  ),
  'sink-failed': kind(
    'connector',
    5 * seconds,
    5 * minutes,
    "Firehose refuses the records. Check the delivery stream and the function's permission to write to it.",
  ),
} as const satisfies Record<string, FailureKind>

export type FailureCode = keyof typeof failureKinds

export interface Failure {
  readonly code: FailureCode
  /** What was seen, in one sentence, with the value where it is no secret. */
  readonly detail: string
  readonly status?: number
  /** What the vendor's support asks for. */
  readonly traceId?: string
  /** The vendor's own wish, from `Retry-After` (ms). */
  readonly retryAfterMs?: number
}

/** Failures that are the vendor's, and so every connector's of the same site. */
const vendorsOwn: ReadonlySet<FailureCode> = new Set(['vendor-error', 'vendor-overloaded', 'timed-out', 'unreachable'])

export function isVendorsOwn(code: FailureCode): boolean {
  return vendorsOwn.has(code)
}

export function failure(code: FailureCode, detail: string, more: Omit<Failure, 'code' | 'detail'> = {}): Failure {
  return { code, detail, ...more }
}

export function failureScope(code: FailureCode): FailureScope {
  return failureKinds[code].scope
}

/** "what was seen (trace …). What to do." */
export function formatFailure({ code, detail, traceId }: Failure): string {
  return `${detail}${traceId === undefined ? '' : ` (trace ${traceId})`}. ${failureKinds[code].todo}`
}

/**
 * How long to wait (ms) after the `attempt`-th failure in a row (1 is the first). `random` in [0, 1) spreads it over
 * the upper half, so that what failed together does not come back together.
 */
export function retryDelay(code: FailureCode, attempt: number, random: number): number {
  const { retryFirstMs, retryMaxMs } = failureKinds[code]
  const full = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(attempt - 1, 20))
  return Math.round(full / 2 + (full / 2) * random)
}

/** Whether it is worth somebody's attention: it lasts, or it is of a kind that does not pass by itself. */
export function isLasting(code: FailureCode, attempts: number): boolean {
  return attempts >= attemptsPassing || failureKinds[code].retryFirstMs >= 1 * minutes
}

/** Failures in a row of what mostly passes, after which it is taken to last (count). */
const attemptsPassing = 3
