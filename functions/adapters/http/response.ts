import { type Failure, type FailureCode, failure } from '../../domain/failures.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { hour, type Instant, second } from '../../domain/time.ts'
import type { VendorResponse } from '../../domain/vendor.ts'
import { redact, secretPattern } from '../redact.ts'

const excerptLengthMax = 200
const traceIdLengthMax = 100
/** How much of a text is searched for the key (characters); what is shown comes from its first sixteenth, far from where it was cut. */
const cleanedLengthMax = 65_536
const retryAfterMaxMs = hour
/** A key that was cut off in an echo is still recognised by this many of its first characters. */
const keyPrefixLengthMin = 4

/** By lower-case name, as node:http gives them. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Exchange {
  /** When the request was sent, and when the head of its answer came; `receivedAt` where absent. */
  readonly sentAt?: Instant
  readonly headersAt?: Instant
  /** Taken out of every text that an answer contributes to a failure. */
  readonly apiKey?: string
  /** The trace id that was sent: used where the answer names none. */
  readonly traceId?: string
}

/**
 * What an answer means: JSON under status 200, else a failure of the catalogue with the status, the trace id, and what the
 * vendor says in at most 200 characters. Pure, so that a simulated vendor is read exactly as the real one.
 */
export function readResponse(
  status: number,
  headers: ResponseHeaders,
  body: Buffer | string,
  receivedAt: Instant,
  exchange: Exchange = {},
): Result<VendorResponse> {
  const text = typeof body === 'string' ? body : body.toString('utf8')
  const json = parseJson(text)
  const fromBody = traceIdOf(json, exchange.apiKey)
  const traced = fromBody ?? exchange.traceId
  const trace = traced === undefined ? {} : { traceId: traced }
  if (status !== 200) {
    const detail = `The vendor answered ${status}${whatItSays(status, headers, json, text, exchange.apiKey)}`
    return failed(failure(codeOf(status), detail, { status, ...trace, ...retryAfter(status, headers, receivedAt) }))
  }
  if (json === undefined) return failed(notJson(text, headers, exchange.apiKey, trace))
  return ok({ body: withoutEcho(json.value, exchange.apiKey), receivedAt, ...clockError(headers, receivedAt, exchange), ...trace })
}

const codes: Readonly<Record<number, FailureCode>> = {
  400: 'bad-request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  429: 'throttled',
  503: 'vendor-overloaded',
}

function codeOf(status: number): FailureCode {
  const code = codes[status]
  if (code !== undefined) return code
  if (status >= 300 && status < 400) return 'redirected'
  return status >= 500 && status < 600 ? 'vendor-error' : 'unexpected-status'
}

/** In a wrapper, because `null` is JSON too. */
function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, '')) }
  } catch {
    return undefined
  }
}

function traceIdOf(json: { readonly value: unknown } | undefined, apiKey: string | undefined): string | undefined {
  const traceId = fieldsOf(json)['traceId']
  if (typeof traceId !== 'string') return undefined
  const clean = oneLine(traceId, traceIdLengthMax, apiKey)
  return clean === '' ? undefined : clean
}

function fieldsOf(json: { readonly value: unknown } | undefined): Readonly<Record<string, unknown>> {
  const value = json?.value
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function whatItSays(
  status: number,
  headers: ResponseHeaders,
  json: { readonly value: unknown } | undefined,
  text: string,
  apiKey?: string,
): string {
  if (codeOf(status) === 'redirected') {
    const location = headerOf(headers, 'location')
    if (location === undefined) return ''
    const origin = URL.parse(location)?.origin ?? 'null'
    return ` and points to ${oneLine(origin === 'null' ? location : origin, excerptLengthMax, apiKey)}`
  }
  const { code, msg } = fieldsOf(json)
  const numbered = typeof code === 'number' ? `, code ${oneLine(String(code), 20, apiKey)}` : ''
  const said = oneLine(typeof msg === 'string' ? msg : text, excerptLengthMax, apiKey)
  return said === '' ? numbered : `${numbered}: "${said}"`
}

/** What begins as JSON holds events: none of it gets into a message. */
function notJson(text: string, headers: ResponseHeaders, apiKey: string | undefined, trace: { readonly traceId?: string }): Failure {
  const type = oneLine(headerOf(headers, 'content-type') ?? 'no content type', traceIdLengthMax, apiKey)
  const seen =
    text.trim() === ''
      ? 'an empty body'
      : /^\s*[[{"]/.test(text)
        ? `JSON that is cut off or broken (${text.length} characters)`
        : `something that is not JSON (${type}): "${oneLine(text, excerptLengthMax, apiKey)}"`
  return failure('malformed-response', `The vendor answered 200 with ${seen}`, { status: 200, ...trace })
}

/** Text from outside on one printable line, without the key: redacted before it is cut, so that no part of the key is left. */
export function oneLine(text: string, lengthMax: number, apiKey: string | undefined): string {
  const beginning = text.slice(0, cleanedLengthMax)
  const clean = apiKey === undefined ? beginning : withoutKey(beginning, apiKey)
  const line = clean
    .slice(0, cleanedLengthMax / 16)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .replaceAll('"', "'")
  const characters = [...line]
  return characters.length <= lengthMax ? line : `${characters.slice(0, lengthMax - 1).join('')}…`
}

/** Links and ids of an answer are kept in the state and shown in failures: a key that the vendor echoes in them is taken out. The items are data and stay as they are. */
function withoutEcho(body: unknown, apiKey: string | undefined): unknown {
  if (apiKey === undefined || typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const pattern = secretPattern([apiKey])
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, typeof value === 'string' ? redact(value, pattern) : value]))
}

function withoutKey(text: string, apiKey: string): string {
  const clean = redact(text, secretPattern([apiKey]))
  for (let length = apiKey.length - 1; length >= keyPrefixLengthMin; length--) {
    if (clean.endsWith(apiKey.slice(0, length))) return `${clean.slice(0, -length)}[redacted]`
  }
  return clean
}

/** The vendor's clock less ours. `Date` is cut to the second and was set between request and answer, so a second is no error. */
function clockError(headers: ResponseHeaders, receivedAt: Instant, exchange: Exchange): { readonly clockErrorMs?: number } {
  const date = httpDate(headerOf(headers, 'date'))
  if (date === undefined) return {}
  const { sentAt = receivedAt, headersAt = receivedAt } = exchange
  const errorMs = Math.round(date + second / 2 - (sentAt + headersAt) / 2)
  return { clockErrorMs: Math.abs(errorMs) <= second ? 0 : errorMs }
}

/** Seconds or an HTTP date; a date is held against the vendor's own clock where it tells it. Anything else is no wish. */
function retryAfter(status: number, headers: ResponseHeaders, receivedAt: Instant): { readonly retryAfterMs?: number } {
  const wish = headerOf(headers, 'retry-after')?.trim()
  if (wish === undefined || (status !== 429 && status !== 503)) return {}
  const until = httpDate(wish)
  const ms = /^\d{1,10}$/.test(wish)
    ? Number(wish) * second
    : until === undefined
      ? undefined
      : until - (httpDate(headerOf(headers, 'date')) ?? receivedAt)
  return ms === undefined ? {} : { retryAfterMs: Math.min(retryAfterMaxMs, Math.max(0, ms)) }
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that may be sent. */
function httpDate(text: string | undefined): Instant | undefined {
  if (text === undefined || !/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

function headerOf(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name]
  return value === undefined || typeof value === 'string' ? value : value[0]
}
