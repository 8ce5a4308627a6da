import { hash } from 'node:crypto'
import { type FailureCode, failure } from '../../domain/failures.ts'
import { parseJson, tooComplex } from '../../domain/record/json-text.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { hour, type Instant, second } from '../../domain/time.ts'
import type { VendorResponse } from '../../domain/vendor.ts'
import { shownCode, shownMediaType, shownMessage, shownOrigin, shownTraceId } from '../../domain/vendor-words.ts'
import { bodyText } from './body-text.ts'

const retryAfterMaxMs = hour

/** By lower-case name, as node:http gives them. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Exchange {
  /** When the request was sent, and when the head of its response came; both default to `receivedAt`. */
  readonly sentAt?: Instant
  readonly headersAt?: Instant
  /** The most values of a body that is parsed; 1 million by default. */
  readonly valuesMax?: number
  /** The body has more bytes than were read. */
  readonly isCut?: boolean
  /** The trace id that was sent. It is used if the response has none. */
  readonly traceId?: string
}

/**
 * Reads a response: JSON with status 200, nothing with status 204, or a failure with the status, the trace id, the code, and the vendor's
 * own message if `vendor-words` shows it. No other part of a body gets into a failure, because it may hold events. Its length and the
 * first 16 digits of its SHA-256 do, so that the vendor's support can tell which body it was. Whoever knows the keys of the connector takes
 * them out (`withoutEchoes`).
 * Pure, so that the response of a simulated vendor is read exactly as that of the real one.
 */
export function readResponse(
  status: number,
  headers: ResponseHeaders,
  body: Buffer | string,
  receivedAt: Instant,
  exchange: Exchange = {},
): Result<VendorResponse> {
  const contentType = headerOf(headers, 'content-type')
  const decoded = typeof body === 'string' ? { text: body } : bodyText(body, contentType)
  const { text } = decoded
  const complexity = tooComplex(text, exchange.valuesMax)
  const json = complexity === undefined ? parseJson(text) : undefined
  const traceId = traceIdOf(json) ?? exchange.traceId
  const trace = traceId === undefined ? {} : { traceId }
  const wait = retryAfter(headers, receivedAt)
  const received = { receivedAt, ...clockError(headers, receivedAt, exchange), ...trace, ...wait }
  const fail = (code: FailureCode, what: string, more = {}) =>
    failed(failure(code, `The vendor responded with status ${status}${what}`, { status, ...trace, ...more }))
  const about = () => bodyOf(body, contentType, exchange)
  const whole = () => (text.trim() === '' ? 'an empty body' : `${kindOf(text)} (${about()})`)

  if (status === 204) return ok({ body: undefined, text: '', ...received })
  if (status !== 200) {
    const code = codeOf(status)
    const words = code === 'redirected' ? target(headers) : text.trim() === '' ? '' : (vendorsWords(json, about) ?? ` and ${whole()}`)
    return fail(code, words, status === 429 || status === 503 ? wait : {})
  }
  if (complexity !== undefined) return fail('malformed-response', ` and a body that ${complexity}`)
  if (json === undefined) return fail('malformed-response', ` and ${whole()}`)
  return ok({ body: json.value, ...decoded, ...received })
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

function traceIdOf(json: { readonly value: unknown } | undefined): string | undefined {
  const { traceId } = fieldsOf(json)
  return typeof traceId === 'string' ? shownTraceId(traceId) : undefined
}

function fieldsOf(json: { readonly value: unknown } | undefined): {
  readonly code?: unknown
  readonly msg?: unknown
  readonly traceId?: unknown
} {
  const value = json?.value
  return typeof value === 'object' && value !== null ? value : {}
}

function target(headers: ResponseHeaders): string {
  const location = headerOf(headers, 'location')
  if (location === undefined) return ''
  return ` and points to ${shownOrigin(location) ?? (/^\/(?!\/)/.test(location) ? 'another path' : 'no web address')}`
}

/** Nothing if the body is not an error as the vendor documents it. `about`: which body it is, if the message is left out. */
function vendorsWords(json: { readonly value: unknown } | undefined, about: () => string): string | undefined {
  const { code, msg } = fieldsOf(json)
  if (typeof code !== 'number' || !Number.isInteger(code)) return undefined
  const message = typeof msg === 'string' ? shownMessage(msg) : ''
  if (message === '') return `, ${shownCode(code)}`
  return `, ${shownCode(code)}: ${message.startsWith('"') ? message : `${message} (${about()})`}`
}

function kindOf(text: string): string {
  return /^\s*[[{"]/.test(text) ? 'other or broken JSON' : 'something that is not JSON'
}

/** Describes a body without a word of it. */
function bodyOf(body: Buffer | string, contentType: string | undefined, { isCut = false }: Exchange): string {
  const size = `${isCut ? 'the first ' : ''}${Buffer.byteLength(body)} bytes`
  return `${size}, ${shownMediaType(contentType)}, SHA-256 ${hash('sha256', body, 'hex').slice(0, 16)}`
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
