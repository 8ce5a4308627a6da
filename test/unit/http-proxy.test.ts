import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { generate } from 'selfsigned'
import { describe, expect, it } from 'vitest'
import { isThroughProxy } from '../../functions/adapters/http/proxy.ts'
import { anyTime, apiKey, connectorId, fetchFrom, listening, rawVendor, source, type, vendor } from './http-servers.ts'

const credentials = 'proxy-user:proxy-p%40ss'

/** A proxy that opens tunnels, or responds with `status`. `received` has every byte that it was sent. */
async function proxy(status = 200) {
  const asked: IncomingMessage[] = []
  let received = ''
  const server = createServer((request, response) => {
    asked.push(request)
    response.writeHead(405).end()
  })
  server.on('connect', (request, client: Socket) => {
    asked.push(request)
    if (status !== 200) return void client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
    const target = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      client.on('data', (bytes: Buffer) => {
        received += bytes.toString('latin1')
      })
      client.pipe(target).pipe(client)
    })
    for (const socket of [client, target]) socket.on('error', () => {})
  })
  const url = new URL(`http://${credentials}@${await listening(server)}`)
  return { asked, received: () => received, settings: { url, exceptions: [] as readonly string[] } }
}

async function tlsVendor() {
  const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip: '127.0.0.1' }] }]
  const pair = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec', algorithm: 'sha256', extensions })
  const keys: (string | undefined)[] = []
  const server = createHttpsServer({ key: pair.private, cert: pair.cert }, ({ headers }, response) => {
    keys.push(headers.authorization)
    response.end('{"a":1}')
  })
  server.on('tlsClientError', () => {})
  return { baseUrl: `https://${await listening(server)}`, tlsCaPem: pair.cert, keys }
}

describe('a request through a proxy', () => {
  it('is a tunnel to the vendor, whose certificate is verified, and the proxy sees no key', async () => {
    const [{ asked, received, settings }, { baseUrl, tlsCaPem, keys }] = await Promise.all([proxy(), tlsVendor()])
    expect(await fetchFrom(baseUrl, { proxy: settings, tlsCaPem })).toMatchObject({ ok: true, value: { body: { a: 1 } } })
    expect(asked.map(({ method, url }) => [method, url])).toEqual([['CONNECT', new URL(baseUrl).host]])
    expect(keys).toEqual([`Bearer ${apiKey}`])
    expect(JSON.stringify(asked.map(({ rawHeaders }) => rawHeaders)) + received()).not.toContain(apiKey)
    expect(await fetchFrom(baseUrl, { proxy: settings })).toMatchObject({ ok: false, failure: { code: 'tls-failed' } })
  })

  it('is a tunnel for http as well', async () => {
    const [{ asked, settings }, { baseUrl, host, seen }] = await Promise.all([proxy(), vendor()])
    expect(await fetchFrom(baseUrl, { proxy: settings })).toMatchObject({ ok: true })
    expect(asked.map(({ method, url }) => [method, url])).toEqual([['CONNECT', host]])
    expect(seen).toHaveLength(1)
  })

  it('names the user and the password of the proxy to the proxy alone', async () => {
    const [{ asked, settings }, { baseUrl, seen }] = await Promise.all([proxy(), vendor()])
    await fetchFrom(baseUrl, { proxy: settings })
    const basic = `Basic ${Buffer.from('proxy-user:proxy-p@ss').toString('base64')}`
    expect(asked[0]?.headers['proxy-authorization']).toBe(basic)
    expect(JSON.stringify(seen.map(({ headers }) => headers))).not.toContain('proxy-')
  })

  it('fails with proxy-failed if the proxy opens no tunnel, and shows nothing but its host', async () => {
    const [{ settings }, { baseUrl, host, seen }] = await Promise.all([proxy(407), vendor()])
    const result = await fetchFrom(baseUrl, { proxy: settings })
    const detail = `The proxy ${settings.url.host} responded with status 407 when it was asked to connect to ${host}`
    expect(result).toEqual({ ok: false, failure: { code: 'proxy-failed', detail } })
    expect(seen).toHaveLength(0)
  })

  it('fails with proxy-failed if the proxy cannot be reached, or is none', async () => {
    const { baseUrl } = await vendor()
    const closed = { url: new URL('http://127.0.0.1:9'), exceptions: [] }
    expect(await fetchFrom(baseUrl, { proxy: closed })).toMatchObject({
      failure: { code: 'proxy-failed', detail: 'The proxy 127.0.0.1:9 cannot be reached: ECONNREFUSED' },
    })
    const other = { url: new URL(`http://${await rawVendor((socket) => socket.end('SSH-2.0-OpenSSH\r\n'))}`), exceptions: [] }
    expect(await fetchFrom(baseUrl, { proxy: other })).toMatchObject({ failure: { code: 'proxy-failed' } })
  })

  it('fails with proxy-failed if the password of the proxy has a percent sign that begins no escape, and does not show it', async () => {
    const { baseUrl, seen } = await vendor()
    const odd = { url: new URL('http://user:a%zz@proxy.example:3128'), exceptions: [] }
    const detail = 'The user name or the password of the proxy proxy.example:3128 has a % that begins no escape: write %25 for it'
    expect(await fetchFrom(baseUrl, { proxy: odd })).toEqual({ ok: false, failure: { code: 'proxy-failed', detail } })
    expect(seen).toEqual([])
  })

  it('goes to no private address, which the proxy may reach', async () => {
    const { asked, settings } = await proxy()
    const connector = { connectorId, type, baseUrl: 'https://10.0.0.1', disableTlsVerification: false }
    const result = await source([], { proxy: settings }).fetch({ url: 'https://10.0.0.1/v1' }, apiKey, connector, anyTime)
    expect(result).toMatchObject({ failure: { code: 'address-refused' } })
    expect(asked).toEqual([])
  })
})

describe('the hosts that are reached without a proxy', () => {
  it.each([
    ['', true],
    ['api.example.com', false],
    ['API.example.com', false],
    ['example.com', false],
    ['.example.com', false],
    ['*.example.com', false],
    ['*', false],
    ['api.example.com:443', false],
    ['api.example.com:8443', true],
    ['pi.example.com', true],
    ['api.example', true],
    ['other.example.com', true],
  ])('are named by %s: a request to https://api.example.com goes through the proxy: %s', (exception, expected) => {
    const settings = { url: new URL('http://proxy.example.com'), exceptions: exception === '' ? [] : [exception] }
    expect(isThroughProxy(new URL('https://api.example.com/v1'), settings)).toBe(expected)
  })
})
