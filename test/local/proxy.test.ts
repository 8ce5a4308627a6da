import { createServer } from 'node:http'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { VendorModel } from '../../local/simulator/model.ts'
import { temporaryFolder } from '../local-services.ts'
import { connectorItem, ownConnectors, start, summaryOf } from './program.ts'

const apiKey = 'proxied-key-0123456789abcdef'
const extensions: Parameters<typeof generate>[1] = {
  keyType: 'ec',
  algorithm: 'sha256',
  extensions: [
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ],
}

/** Listens on a port of this machine until the end of the test, and returns the port. */
async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A vendor over https. `keys` has the key of each request. */
async function tlsVendor(tls: ServerOptions) {
  const model = new VendorModel({ requestsPerMinute: 6_000, keys: [{ key: apiKey }] })
  const keys: string[] = []
  const server = createHttpsServer(tls, ({ url, headers: { authorization, host } }, response) => {
    const { pathname, search } = new URL(url ?? '', 'https://localhost')
    keys.push(authorization ?? '')
    const { status, headers, body } = model.respond({ path: pathname, query: search, authorization, origin: `https://${host}` }, Date.now())
    response.writeHead(status, headers).end(body)
  })
  return { keys, port: await listening(server) }
}

/** A proxy that opens a tunnel for each CONNECT. `received` has every byte that a client sent, as latin1. */
async function tunnelProxy() {
  const connects: string[] = []
  let received = ''
  const server = createServer((request, response) => {
    received += `${request.url}\n${request.rawHeaders.join('\n')}\n`
    response.writeHead(405).end()
  })
  server.on('connect', (request, client: Socket, head: Buffer) => {
    connects.push(request.url ?? '')
    received += `${request.rawHeaders.join('\n')}\n${head.toString('latin1')}`
    const target = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.write(head)
      client.on('data', (bytes: Buffer) => {
        received += bytes.toString('latin1')
      })
      client.pipe(target).pipe(client)
    })
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const)
      one.on('error', () => other.destroy())
  })
  return { connects, received: () => received, port: await listening(server) }
}

describe('a program whose environment names a proxy, with one host as an exception', () => {
  let tls: { readonly key: string; readonly cert: string }
  beforeAll(async () => {
    const pair = await generate([{ name: 'commonName', value: 'localhost' }], extensions)
    tls = { key: pair.private, cert: pair.cert }
  })

  /** Collects once from a vendor behind the proxy and from one that is the exception. */
  async function collected() {
    const [proxy, vendor, exception] = await Promise.all([tunnelProxy(), tlsVendor(tls), tlsVendor(tls)])
    const hosts = { vendor: `localhost:${vendor.port}`, exception: `127.0.0.1:${exception.port}` }
    const limits = { requestsPerMinute: 6_000, eventTypes: ['dlp'], tlsCaPem: tls.cert }
    const items = [
      connectorItem('acme.proxied', `https://${hosts.vendor}`, limits),
      connectorItem('acme.direct', `https://${hosts.exception}`, limits),
    ]
    const dir = temporaryFolder()
    const args = ownConnectors(dir, items, { 'tributary/acme/key': apiKey }, Object.values(hosts))
    const program = start([...args, '--data', join(dir, 'data'), '--once', '--json'], undefined, {
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      NO_PROXY: '127.0.0.1',
      NODE_USE_ENV_PROXY: '1',
    })
    expect(await program.ended).toBe(0)
    for (const { state, reason } of summaryOf({ out: program.out(), err: program.err() }).connectors)
      expect({ state, reason }).toEqual({ state: 'ok', reason: '' })
    return { proxy, vendor, exception, hosts }
  }

  it('reaches the vendor through the proxy', async () => {
    const { proxy, hosts } = await collected()
    expect(new Set(proxy.connects)).toEqual(new Set([hosts.vendor]))
  })

  it('reaches the exception without the proxy, and shows the key to the two vendors alone', async () => {
    const { proxy, vendor, exception, hosts } = await collected()
    expect(proxy.connects).not.toContain(hosts.exception)
    for (const { keys } of [vendor, exception]) expect(new Set(keys)).toEqual(new Set([`Bearer ${apiKey}`]))
    expect(proxy.received()).not.toContain(apiKey)
  })
})
