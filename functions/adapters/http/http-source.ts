import { X509Certificate } from 'node:crypto'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { pipeline, type Readable } from 'node:stream'
import { createSecureContext, getCACertificates } from 'node:tls'
import { createGunzip } from 'node:zlib'
import { type Failure, failure } from '../../domain/failures.ts'
import type { Clock, Source } from '../../domain/ports.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { type Instant, second } from '../../domain/time.ts'
import { requestTimeoutMs } from '../../domain/token-bucket.ts'
import { digest } from '../digest.ts'
import { AddressRefused, checkTarget, publicLookup, type Target } from './address-guard.ts'
import { oneLine, readResponse } from './response.ts'

const userAgent = 'tributary'
/** Of an answer that is an error only the beginning is of interest. */
const errorBodyBytesMax = 64 * 1024
const keyLengthMax = 4_096
const reasonLengthMax = 200
/** Origins whose connections are kept open (count). */
const poolsMax = 64
/** A connection is not used again after it has idled this long (ms): the server, or a balancer before it, may have dropped it unseen while this process was frozen. */
const idleMaxMs = 15 * second

type TlsSettings = Omit<Parameters<Source['fetch']>[2], 'baseUrl'>

export interface HttpSourceOptions {
  /** `HOST` (any port) or `HOST:PORT`: http, other ports than 443 and private addresses are allowed for exactly these. */
  readonly allowedHosts: readonly string[]
  /** False: every certificate is verified, whatever a connector says. */
  readonly tlsVerificationOptional: boolean
  readonly clock: Clock
  /** For connecting, head and body together (ms); without it what the limiter reckons with. */
  readonly timeoutMs?: number
  /** Held against the body as decompressed (bytes). */
  readonly bodyBytesMax: number
  /** A fresh UUID for each request. */
  readonly newTraceId: () => string
}

/** The vendor over HTTP/1.1, each connector's origin on connections of its own, opened as that connector's TLS settings say. */
export function httpSource(options: HttpSourceOptions): Source {
  const { allowedHosts, tlsVerificationOptional, clock, newTraceId, timeoutMs = requestTimeoutMs, bodyBytesMax } = options
  const poolFor = connectionPools(clock)

  return {
    async fetch(request, apiKey, connector) {
      const target = checkTarget(request.url, connector.baseUrl, allowedHosts)
      if (!target.ok) return target
      if (!/^[\x21-\x7e]+$/.test(apiKey) || apiKey.length > keyLengthMax) {
        return failed(failure('secret-malformed', `The API key is empty, longer than ${keyLengthMax} characters, or not all visible ASCII`))
      }
      const { tlsCaPem, disableTlsVerification } = connector
      const pool = poolFor(target.value, {
        ...(tlsCaPem === undefined ? {} : { tlsCaPem }),
        disableTlsVerification: disableTlsVerification && tlsVerificationOptional,
      })
      if (!pool.ok) return pool

      const { url } = target.value
      const traceId = newTraceId()
      const deadline = new AbortController()
      const timer = setTimeout(() => deadline.abort(), timeoutMs)
      const timedOut = () => failed(failure('timed-out', `${url.host} did not answer in full within ${timeoutMs / second} s`, { traceId }))
      try {
        const sentAt = clock.now()
        const response = await get(url, requestHeaders(apiKey, traceId), pool.value.agent, deadline.signal)
        const headersAt = clock.now()
        const status = response.statusCode ?? 0
        const body = await readBody(response, status === 200 ? bodyBytesMax : errorBodyBytesMax)
        if (status === 200 && body.end !== 'whole') {
          if (deadline.signal.aborted) return timedOut()
          return failed(body.end === 'too-large' ? tooLarge(url, bodyBytesMax, traceId) : cutOff(url, body, traceId))
        }
        return readResponse(status, response.headers, body.bytes, clock.now(), { sentAt, headersAt, apiKey, traceId })
      } catch (error) {
        return deadline.signal.aborted ? timedOut() : failed(connectionFailure(error, url, apiKey))
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

/** The head of the answer; node:http follows no redirect. */
function get(url: URL, headers: Record<string, string>, agent: HttpAgent, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'GET', headers, agent, signal })
    sent.once('response', resolve)
    sent.on('error', reject)
    sent.once('close', () => reject(new Error('the connection was closed without an answer')))
    sent.end()
  })
}

interface Body {
  readonly bytes: Buffer
  readonly end: 'whole' | 'too-large' | 'cut' | 'encoding'
}

/** Never rejects: of an error the status counts, however little of its body came. */
async function readBody(response: IncomingMessage, bytesMax: number): Promise<Body> {
  response.on('error', () => {})
  const chunks: Buffer[] = []
  const until = (end: Body['end']): Body => ({ bytes: Buffer.concat(chunks), end })
  const stream = decoded(response)
  if (stream === undefined) {
    response.destroy()
    return until('encoding')
  }
  let size = 0
  try {
    // Leaving the loop early destroys the stream, and with it the connection.
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > bytesMax) return until('too-large')
      chunks.push(chunk)
    }
    return until(response.complete ? 'whole' : 'cut')
  } catch {
    return until('cut')
  }
}

function decoded(response: IncomingMessage): Readable | undefined {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? ''
  if (encoding === '' || encoding === 'identity') return response
  if (encoding !== 'gzip' && encoding !== 'x-gzip') return undefined
  return pipeline(response, createGunzip(), () => {})
}

function tooLarge(url: URL, bytesMax: number, traceId: string): Failure {
  return failure('too-large', `${url.host} answered with more than ${bytesMax} bytes`, { status: 200, traceId })
}

function cutOff(url: URL, { bytes, end }: Body, traceId: string): Failure {
  const seen = end === 'encoding' ? 'in an encoding that was not asked for' : `cut off or corrupt after ${bytes.length} bytes`
  return failure('malformed-response', `The answer of ${url.host} is ${seen}`, { status: 200, traceId })
}

/** Codes of OpenSSL's verification and of the TLS layer itself. */
const tlsCode = /CERT|CRL|^ERR_(TLS|SSL)_|^EPROTO$|^UNABLE_TO_|^(INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/

function connectionFailure(error: unknown, url: URL, apiKey: string): Failure {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const said = error instanceof Error && error.message !== '' ? error.message : code
  const reason = oneLine(said, reasonLengthMax, apiKey)
  if (error instanceof AddressRefused) return failure('address-refused', `${reason}, which is not a public address`)
  if (code.startsWith('HPE_')) return failure('malformed-response', `${url.host} does not answer in HTTP: ${reason}`)
  if (tlsCode.test(code)) return failure('tls-failed', `No trusted connection to ${url.host}: ${reason}`)
  return failure('unreachable', `No connection to ${url.host}: ${reason}`)
}

interface Pool {
  readonly agent: HttpAgent
  usedAt: Instant
}

/** One agent for each origin under each TLS setting: so what one connector does without is not taken from another. The least recently used make room. */
function connectionPools(clock: Clock): (target: Target, tls: TlsSettings) => Result<Pool> {
  const pools = new Map<string, Pool>()

  return (target, tls) => {
    const { tlsCaPem, disableTlsVerification } = tls
    const name = JSON.stringify([target.url.origin, disableTlsVerification, tlsCaPem === undefined ? '' : digest(tlsCaPem)])
    const known = pools.get(name)
    if (known !== undefined) {
      pools.delete(name)
      pools.set(name, known)
      if (clock.now() - known.usedAt > idleMaxMs) closeIdle(known.agent)
      return ok(known)
    }
    const agent = newAgent(target, tls)
    if (!agent.ok) return agent
    const pool = { agent: agent.value, usedAt: clock.now() }
    pools.set(name, pool)
    for (const [oldest, { agent: unused }] of pools) {
      if (pools.size <= poolsMax) break
      pools.delete(oldest)
      closeIdle(unused)
    }
    return ok(pool)
  }
}

/** What is under way on the other connections comes to its end; they then idle out. */
function closeIdle(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy()
  }
}

function newAgent({ url, allowed }: Target, { tlsCaPem, disableTlsVerification }: TlsSettings): Result<HttpAgent> {
  const guarded = allowed ? {} : { lookup: publicLookup() }
  const kept = { keepAlive: true, maxFreeSockets: 4, timeout: idleMaxMs, ...guarded }
  if (url.protocol === 'http:') return ok(new HttpAgent(kept))
  // Said outright, because the environment could otherwise switch verification off for everyone.
  const verified = { ...kept, rejectUnauthorized: !disableTlsVerification }
  if (tlsCaPem === undefined) return ok(new HttpsAgent(verified))
  const certificates = certificatesOf(tlsCaPem)
  if (certificates === undefined) return failed(failure('tls-failed', 'tlsCaPem holds no valid certificate in PEM form'))
  const secureContext = createSecureContext({ ca: [...getCACertificates('default'), ...certificates] })
  return ok(new HttpsAgent({ ...verified, secureContext }))
}

/** OpenSSL takes rubbish for an empty list without a word, so it is held against the form first. */
function certificatesOf(pem: string): readonly string[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  try {
    return blocks?.map((block) => new X509Certificate(block).toString())
  } catch {
    return undefined
  }
}
