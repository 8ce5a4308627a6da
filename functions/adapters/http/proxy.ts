import { type ClientRequestArgs, Agent as HttpAgent, request } from 'node:http'
import { type AgentOptions, Agent as HttpsAgent } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { second } from '../../domain/time.ts'

/** The proxy that requests to vendors go through. */
export interface VendorProxy {
  /** `http://[USER:PASSWORD@]HOST[:PORT]`. */
  readonly url: URL
  /** Hosts that are reached without it, as in NO_PROXY: `HOST` with its subdomains, `HOST:PORT`, an address, or `*` for all. */
  readonly exceptions: readonly string[]
}

/** The proxy gave no tunnel. The message names no part of its URL but the host. */
export class ProxyFailed extends Error {
  override readonly name = 'ProxyFailed'
}

/** A proxy that has not opened the tunnel after this time has failed (ms). It is less than the time in which a permit must be used. */
const tunnelMaxMs = 5 * second

export function isThroughProxy({ hostname, port, protocol }: URL, { exceptions }: VendorProxy): boolean {
  const portOf = port === '' ? (protocol === 'https:' ? '443' : '80') : port
  return !exceptions.some((exception) => {
    if (exception === '*') return true
    const [, host = '', onlyPort = portOf] = /^(.*?)(?::(\d+))?$/.exec(exception.toLowerCase().replace(/^\*?\./, '')) ?? []
    return onlyPort === portOf && (hostname === host || hostname.endsWith(`.${host}`))
  })
}

/**
 * An agent whose connections are tunnels through the proxy, for http too: so the proxy sees no key of a vendor. The vendor's certificate is
 * verified as without a proxy. A connection fails with `ProxyFailed` if the proxy does not open the tunnel.
 */
export function tunnelAgent(proxy: VendorProxy, protocol: string, options: AgentOptions): HttpAgent {
  const isHttps = protocol === 'https:'
  const agent = isHttps ? new HttpsAgent(options) : new HttpAgent(options)
  agent.createConnection = (asked: ClientRequestArgs, connected: Connected) => {
    const connecting = openTunnel(proxy, asked).then((socket) => (isHttps ? connectTls({ ...(asked as object), socket }) : socket))
    connecting.then((socket) => connected(null, socket), connected)
    return undefined
  }
  return agent
}

type Connected = (error: Error | null, stream?: Duplex) => void

/** Throws `ProxyFailed` if the user name or the password has a percent sign that begins no escape. */
function authorizationOf(url: URL): { readonly 'proxy-authorization'?: string } {
  try {
    const credentials = [url.username, url.password].map(decodeURIComponent).join(':')
    return credentials === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }
  } catch {
    throw new ProxyFailed(`The user name or the password of the proxy ${url.host} has a % that begins no escape: write %25 for it`)
  }
}

async function openTunnel({ url }: VendorProxy, { host, port }: ClientRequestArgs): Promise<Duplex> {
  const target = `${host?.includes(':') === true ? `[${host}]` : host}:${port}`
  const authorization = authorizationOf(url)
  return new Promise((resolve, reject) => {
    const asked = request({
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? 80 : Number(url.port),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...authorization },
      agent: false,
    })
    const fail = (why: string) => {
      reject(new ProxyFailed(`The proxy ${url.host} ${why}`))
      asked.destroy()
    }
    const timer = setTimeout(() => fail(`did not connect to ${target} within ${tunnelMaxMs / second} s`), tunnelMaxMs)
    asked.once('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) return resolve(socket)
      socket.destroy()
      fail(`responded with status ${statusCode} when it was asked to connect to ${target}`)
    })
    asked.once('response', ({ statusCode }) => fail(`responded with status ${statusCode} when it was asked to connect to ${target}`))
    asked.on('error', (error: NodeJS.ErrnoException) => fail(`cannot be reached: ${error.code ?? 'no connection'}`))
    asked.once('close', () => clearTimeout(timer))
    asked.end()
  })
}
