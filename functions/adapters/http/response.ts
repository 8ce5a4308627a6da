import { type FailureCode, failure } from '../../domain/failures.ts'
import { parseJson, tooComplex } from '../../domain/record/json-text.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { cutText } from '../../domain/text.ts'
import { hour, type Instant, second } from '../../domain/time.ts'
import type { VendorResponse } from '../../domain/vendor.ts'
import { Redactor } from '../redact.ts'
import { bodyText } from './body-text.ts'

/** The longest texts of a response in a message (characters). */
const excerptLengthMax = 200
const traceIdLengthMax = 100
const codeLengthMax = 20
/** A text is searched for the key up to here (characters). Only its first sixteenth is shown, far from the place where a key may be cut. */
const cleanedLengthMax = 65_536
const retryAfterMaxMs = hour
/** A key that was cut off at the end of a text is recognised by this many of its first characters. */
const keyPrefixLengthMin = 4

/** By lower-case name, as node:http gives them. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Exchange {
  /** When the request was sent, and when the head of its response came; both default to `receivedAt`. */
  readonly sentAt?: Instant
  readonly headersAt?: Instant
  /** It is removed from every text of the response that a failure shows. */
  readonly apiKey?: string
  /** The trace id that was sent. It is used if the response has none. */
  readonly traceId?: string
}

/**
 * Reads a response: JSON with status 200, nothing with status 204, or a failure with the status, the trace id and at most 200 characters
 * of the vendor's own message. No other part of a body gets into a failure, because it may hold events.
 * Pure, so that the response of a simulated vendor is read exactly as that of the real one.
 */
export function readResponse(
  status: number,
  headers: ResponseHeaders,
  body: Buffer | string,
  receivedAt: Instant,
  exchange: Exchange = {},
): Result<VendorResponse> {
  const decoded = typeof body === 'string' ? { text: body } : bodyText(body, headerOf(headers, 'content-type'))
  const { text } = decoded
  const complexity = tooComplex(text)
  const json = complexity === undefined ? parseJson(text) : undefined
  const traceId = traceIdOf(json, exchange.apiKey) ?? exchange.traceId
  const trace = traceId === undefined ? {} : { traceId }
  const wait = retryAfter(headers, receivedAt)
  const received = { receivedAt, ...clockError(headers, receivedAt, exchange), ...trace, ...wait }
  if (status === 204) return ok({ body: undefined, text: '', ...received })
  if (status !== 200) {
    const detail = `The vendor responded with status ${status}${vendorsMessage(status, headers, json, text, exchange.apiKey)}`
    return failed(failure(codeOf(status), detail, { status, ...trace, ...(status === 429 || status === 503 ? wait : {}) }))
  }
  if (complexity !== undefined) {
    const detail = `The vendor responded with status 200 and a body that ${complexity}`
    return failed(failure('malformed-response', detail, { status, ...trace }))
  }
  if (json === undefined) {
    const detail = `The vendor responded with status 200 and ${contentText(text, headers, exchange.apiKey)}`
    return failed(failure('malformed-response', detail, { status, ...trace }))
  }
  return ok({ body: storable(json.value, exchange.apiKey), ...decoded, ...received })
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

function vendorsMessage(
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
  if (text.trim() === '') return ''
  if (!Number.isInteger(code)) return ` and ${contentText(text, headers, apiKey)}`
  const message = typeof msg === 'string' ? oneLine(msg, excerptLengthMax, apiKey) : ''
  return `, code ${oneLine(String(code), codeLengthMax, apiKey)}${message === '' ? '' : `: "${message}"`}`
}

/** Describes a body that is not what the vendor documents, without a word of it: it may hold events. */
function contentText(text: string, headers: ResponseHeaders, apiKey: string | undefined): string {
  if (text.trim() === '') return 'an empty body'
  const type = oneLine(headerOf(headers, 'content-type') ?? 'no content type', traceIdLengthMax, apiKey)
  const kind = /^\s*[[{"]/.test(text) ? 'other or broken JSON' : 'something that is not JSON'
  return `${kind} (${text.length} characters, ${type})`
}

/** Text from outside on one printable line. The key is redacted before the text is cut, so that no part of the key is left. */
export function oneLine(text: string, lengthMax: number, apiKey: string | undefined): string {
  const beginning = text.slice(0, cleanedLengthMax)
  const clean = apiKey === undefined ? beginning : withoutKey(beginning, apiKey)
  const line = clean
    .slice(0, cleanedLengthMax / 16)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .replaceAll('"', "'")
  return cutText(line, lengthMax)
}

/**
 * Links and ids of a response are stored and shown, so a key that the vendor echoes in them is redacted, and a byte that is not of the
 * charset is U+FFFD. The items are data and stay as they are.
 */
function storable(body: unknown, apiKey: string | undefined): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const redactor = new Redactor(...(apiKey === undefined ? [] : [apiKey]))
  const clean = (text: string) => redactor.redact(text).toWellFormed()
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, typeof value === 'string' ? clean(value) : value]))
}

function withoutKey(text: string, apiKey: string): string {
  const clean = new Redactor(apiKey).redact(text)
  for (let length = apiKey.length - 1; length >= keyPrefixLengthMin; length--) {
    if (clean.endsWith(apiKey.slice(0, length))) return `${clean.slice(0, -length)}[redacted]`
  }
  return clean
}

/** The vendor's clock minus ours. `Date` has whole seconds and was set between request and response, so a difference of a second is no error. */
function clockError(
  headers: ResponseHeaders,
  receivedAt: Instant,
  exchange: Exchange,
): { readonly date?: Instant; readonly clockErrorMs?: number } {
  const date = httpDate(headerOf(headers, 'date'))
  if (date === undefined) return {}
  const { sentAt = receivedAt, headersAt = receivedAt } = exchange
  const errorMs = Math.round(date + second / 2 - (sentAt + headersAt) / 2)
  return { date, clockErrorMs: Math.abs(errorMs) <= second ? 0 : errorMs }
}

/**
 * `Retry-After` in seconds, also with a fraction, or as an HTTP date. A date is compared with the vendor's own clock if the response has
 * it. Any other text is ignored. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
function retryAfter(headers: ResponseHeaders, receivedAt: Instant): { readonly retryAfterMs?: number } {
  const text = headerOf(headers, 'retry-after')?.trim()
  if (text === undefined) return {}
  const until = httpDate(text)
  const ms = /^\d+(\.\d+)?$/.test(text)
    ? Math.ceil(Number(text) * second)
    : until === undefined
      ? undefined
      : until - (httpDate(headerOf(headers, 'date')) ?? receivedAt)
  return ms === undefined ? {} : { retryAfterMs: Math.min(retryAfterMaxMs, Math.max(0, ms)) }
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that a server may send. https://www.rfc-editor.org/rfc/rfc9110#http.date */
function httpDate(text: string | undefined): Instant | undefined {
  if (text === undefined || !/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

function headerOf(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name]
  return value === undefined || typeof value === 'string' ? value : value[0]
}
