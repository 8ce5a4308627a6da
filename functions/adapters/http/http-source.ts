import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Failure, failure } from '../../domain/failures.ts'
import type { Clock, Source } from '../../domain/ports.ts'
import { valuesMax } from '../../domain/record/json-text.ts'
import { failed, type Result } from '../../domain/result.ts'
import { cutText } from '../../domain/text.ts'
import { hour, type Instant, second } from '../../domain/time.ts'
import { requestTimeoutMs } from '../../domain/token-bucket.ts'
import type { VendorResponse } from '../../domain/vendor.ts'
import { AddressRefused, checkTarget } from './address-guard.ts'
import { connectionPools } from './connection-pools.ts'
import { ProxyFailed, type VendorProxy } from './proxy.ts'
import { readResponse } from './response.ts'
import { type Body, readBody } from './response-body.ts'

const userAgent = 'tributary'
/** A value of JSON takes about as much memory as so much of a text, so fewer values are parsed where bodies must be small (bytes). An event has a value for each 20. */
const bytesOfValue = 12
/** An error response is read up to here (bytes): the beginning holds all that a person needs. */
const errorBodyBytesMax = 64 * 1024
const keyCharactersMax = 4_096
const reasonCharactersMax = 200

export interface HttpSourceOptions {
  /** `HOST` (any port) or `HOST:PORT`, for one tenant with `@TENANT` after it. http, other ports than 443 and private addresses are allowed for these only. */
  readonly allowedHosts: readonly string[]
  /** The hosts of a vendor, by the type of its connectors. */
  readonly vendorHosts: (type: string) => readonly string[]
  /** Absent: requests go to the vendors directly. */
  readonly proxy?: VendorProxy | undefined
  /** False: every certificate is verified, even if a connector says otherwise. */
  readonly tlsVerificationOptional: boolean
  readonly clock: Clock
  /** For connecting, head and body together (ms). By default the time that the limiter assumes for a request. */
  readonly timeoutMs?: number
  /** The largest body, decompressed (bytes). */
  readonly bodyBytesMax: number
  /** Returns a new UUID for each request. */
  readonly newTraceId: () => string
}

/** A connection that is not there after this time is the host's fault (ms). Sooner, the permit was nearly used up when the request began. */
const connectSlowMs = 5 * second
/** A timer that fires so much too late shows that the process was frozen (ms). */
const timerLateMs = second

/** Nothing was sent, because the process was frozen until the permit had ended. */
class TooLate extends Error {}

/** The vendor over HTTP/1.1. Connectors share connections only if their origin and their TLS settings are the same. */
export function httpSource(options: HttpSourceOptions): Source {
  const { allowedHosts, vendorHosts, tlsVerificationOptional, clock, newTraceId, timeoutMs = requestTimeoutMs, bodyBytesMax } = options
  const poolFor = connectionPools(clock, options.proxy)

  /** Throws when the connection fails before the head of the response. */
  async function exchange(url: URL, apiKey: string, agent: Agent, limits: Limits, traceId: string): Promise<Result<VendorResponse>> {
    const sentAt = clock.now()
    const { signal, bytesMax } = limits
    const response = await get(url, requestHeaders(apiKey, traceId), agent, limits)
    const headersAt = clock.now()
    const status = response.statusCode ?? 0
    const body = await readBody(response, status === 200 ? bytesMax : errorBodyBytesMax)
    if (status === 200 && body.end !== 'whole') {
      if (signal.aborted) return failed(timedOut(url, timeoutMs, traceId))
      return failed(body.end === 'too-large' ? tooLarge(url, bytesMax, traceId) : incomplete(url, body, traceId))
    }
    return readResponse(status, response.headers, body.bytes, clock.now(), {
      sentAt,
      headersAt,
      traceId,
      valuesMax: Math.min(valuesMax, Math.floor(bytesMax / bytesOfValue)),
      isCut: body.end !== 'whole',
    })
  }

  return {
    async fetch(request, apiKey, connector, sendBy, memoryShare = 1) {
      const { tlsCaPem, disableTlsVerification } = connector
      const target = checkTarget(request.url, connector, { vendorHosts: vendorHosts(connector.type), allowedHosts })
      if (!target.ok) return target
      if (!/^[\x21-\x7e]+$/.test(apiKey) || apiKey.length > keyCharactersMax) {
        const detail = `The API key is empty, longer than ${keyCharactersMax} characters, or not all visible ASCII`
        return failed(failure('secret-malformed', detail))
      }
      const pool = poolFor(target.value, {
        ...(tlsCaPem === undefined ? {} : { tlsCaPem }),
        disableTlsVerification: disableTlsVerification && tlsVerificationOptional,
      })
      if (!pool.ok) return pool

      const { url } = target.value
      const traceId = newTraceId()
      const deadline = new AbortController()
      const timer = setTimeout(() => deadline.abort(), timeoutMs)
      try {
        const bytesMax = Math.floor(bodyBytesMax * memoryShare)
        return await exchange(url, apiKey, pool.value.agent, { clock, sendBy, signal: deadline.signal, bytesMax }, traceId)
      } catch (error) {
        if (error instanceof TooLate) return 'too-late'
        return failed(deadline.signal.aborted ? timedOut(url, timeoutMs, traceId) : connectionFailure(error, url))
      } finally {
        clearTimeout(timer)
        pool.value.usedAt = clock.now()
      }
    },
  }
}

function requestHeaders(apiKey: string, traceId: string): Record<string, string> {
  return {
    authorization: `Bearer ${apiKey}`,
    traceid: traceId,
    accept: 'application/json',
    'accept-encoding': 'gzip',
    'user-agent': userAgent,
  }
}

/** The bounds of one request in time, and of its response. */
interface Limits {
  readonly clock: Clock
  readonly sendBy: Instant
  /** Aborted when the request has taken too long. */
  readonly signal: AbortSignal
  /** The largest body, decompressed. */
  readonly bytesMax: number
}

/**
 * Resolves with the head of the response. Nothing is sent before the connection is ready, and the clock is read right before: between a
 * permit and its request a process can be frozen, and the vendor counts the request when it comes. node:http follows no redirect.
 */
function get(
  url: URL,
  headers: Record<string, string>,
  agent: Agent,
  { clock, sendBy, signal }: Omit<Limits, 'bytesMax'>,
): Promise<IncomingMessage> {
  const isHttps = url.protocol === 'https:'
  const request = isHttps ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const begunAt = clock.now()
    const unsent = request(url, { method: 'GET', headers, agent, signal })
    const timer = setTimeout(() => unsent.destroy(whyNotConnected(url, clock.now(), { begunAt, sendBy })), timerMs(sendBy - begunAt))
    const send = () => {
      clearTimeout(timer)
      if (clock.now() > sendBy) unsent.destroy(new TooLate())
      else unsent.end()
    }
    unsent.once('socket', (socket) => {
      if (unsent.reusedSocket) send()
      // The socket of a tunnel is connected already.
      else if (!isHttps && !socket.connecting) send()
      else socket.once(isHttps ? 'secureConnect' : 'connect', send)
    })
    unsent.once('response', resolve)
    unsent.on('error', reject)
    unsent.once('close', () => {
      clearTimeout(timer)
      reject(new Error('the connection was closed without a response'))
    })
  })
}

function whyNotConnected(url: URL, now: Instant, { begunAt, sendBy }: { readonly begunAt: Instant; readonly sendBy: Instant }): Error {
  if (now - sendBy > timerLateMs || sendBy - begunAt < connectSlowMs) return new TooLate()
  return new Error(`none with ${url.host} within ${Math.round((sendBy - begunAt) / second)} s`)
}

/** A timer of more than 2^31 ms would fire at once. */
function timerMs(ms: number): number {
  return Math.min(Math.max(0, ms), hour)
}

function timedOut(url: URL, timeoutMs: number, traceId: string): Failure {
  return failure('timed-out', `${url.host} did not answer in full within ${timeoutMs / second} s`, { traceId })
}

function tooLarge(url: URL, bytesMax: number, traceId: string): Failure {
  return failure('too-large', `The response of ${url.host} is larger than ${bytesMax} bytes`, { status: 200, traceId })
}

function incomplete(url: URL, { bytes, end }: Body, traceId: string): Failure {
  const problem = end === 'encoding' ? 'in an encoding that was not asked for' : `cut off or corrupt after ${bytes.length} bytes`
  return failure('malformed-response', `The response of ${url.host} is ${problem}`, { status: 200, traceId })
}

/** The error codes of OpenSSL's verification and of Node's TLS. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const tlsCode = /CERT|CRL|^ERR_(TLS|SSL)_|^EPROTO$|^UNABLE_TO_|^(INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/

/** Node's messages hold no word of the vendor, but for the names in a certificate of another host. */
function connectionFailure(error: unknown, url: URL): Failure {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const message = error instanceof Error && error.message !== '' ? error.message : code
  const reason = code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? 'its certificate is for other hosts' : cutText(message, reasonCharactersMax)
  if (error instanceof ProxyFailed) return failure('proxy-failed', reason)
  if (error instanceof AddressRefused) return failure('address-refused', `${reason}, which is not a public address`)
  if (code.startsWith('HPE_')) return failure('malformed-response', `The response of ${url.host} is not HTTP: ${reason}`)
  if (tlsCode.test(code)) return failure('tls-failed', `No trusted connection to ${url.host}: ${reason}`)
  return failure('unreachable', `No connection to ${url.host}: ${reason}`)
}
