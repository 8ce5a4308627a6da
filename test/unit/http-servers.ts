import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { afterEach, expect } from 'vitest'
import { systemClock } from '../../functions/adapters/clock.ts'
import { type HttpSourceOptions, httpSource } from '../../functions/adapters/http/http-source.ts'

/** Servers for the tests of the HTTP source, closed after each test, and the source that asks them. */

export const connectorId = 'acme.cas'
export const type = 'acme-mail'
export const apiKey = '5f0c7f0e-2b43-4c3b-9a0e-0123456789ab'
/** The instant after which a request must not be sent, for one that may be sent at any time. */
export const anyTime = Number.POSITIVE_INFINITY
export const MiB = 1024 * 1024
const open: { readonly server: Server; readonly sockets: Set<Socket> }[] = []

afterEach(async () => {
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
})

export async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  open.push({ server, sockets })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A vendor over http that responds as `listener` does, and keeps the requests. */
export async function vendor(listener: RequestListener = (_, response) => response.end('{"security_events":[]}')) {
  const seen: IncomingMessage[] = []
  const host = await listening(
    createHttpServer((request, response) => {
      seen.push(request)
      listener(request, response)
    }),
  )
  return { host, baseUrl: `http://${host}`, seen }
}

/** A server that speaks raw bytes. */
export async function rawVendor(respond: (socket: Socket) => void): Promise<string> {
  return listening(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => respond(socket))
    }),
  )
}

export function source(allowedHosts: readonly string[], options: Partial<HttpSourceOptions> = {}) {
  let count = 0
  return httpSource({
    allowedHosts,
    vendorHosts: () => [],
    tlsVerificationOptional: true,
    bodyBytesMax: 12 * MiB,
    clock: systemClock,
    newTraceId: () => `trace-${++count}`,
    ...options,
  })
}

/** One request to a base URL. It checks that the key is nowhere in the result. */
export async function fetchFrom(
  baseUrl: string,
  options: Partial<HttpSourceOptions> & {
    readonly url?: string
    readonly key?: string
    readonly tlsCaPem?: string
    readonly disableTlsVerification?: boolean
    readonly sendBy?: number
    readonly memoryShare?: number
  } = {},
) {
  const {
    url = `${baseUrl}/v1/events?x=1`,
    key = apiKey,
    tlsCaPem,
    disableTlsVerification = false,
    sendBy = anyTime,
    memoryShare,
    ...rest
  } = options
  const endpoint = { connectorId, type, baseUrl, disableTlsVerification, ...(tlsCaPem === undefined ? {} : { tlsCaPem }) }
  const result = await source([new URL(baseUrl).host], rest).fetch({ url }, key, endpoint, sendBy, memoryShare)
  expect(JSON.stringify(result)).not.toContain(key)
  return result
}
