import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { generate } from 'selfsigned'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../functions/adapters/clock.ts'
import { type HttpSourceOptions, httpSource } from '../../functions/adapters/http/http-source.ts'

const apiKey = '5f0c7f0e-2b43-4c3b-9a0e-0123456789ab'
/** Short, so that the tests are quick (ms). A request has 30 s in production. */
const shortTimeoutMs = 150
/** A request that ignored its deadline would take many seconds, and a busy machine delays one that keeps it by far less (ms). */
const endsWithinMs = 2_000

const MiB = 1024 * 1024
/** Inflated, the bomb has four times as many bytes as a client may hold meanwhile. */
const bombBytes = 256 * MiB
const heldBytesMax = 64 * MiB

const open: { readonly server: Server; readonly sockets: Set<Socket> }[] = []

afterEach(async () => {
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  open.push({ server, sockets })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A vendor over http that responds as `listener` does, and keeps the requests. */
async function vendor(listener: RequestListener = (_, response) => response.end('{"security_events":[]}')) {
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
async function rawVendor(respond: (socket: Socket) => void): Promise<string> {
  return listening(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => respond(socket))
    }),
  )
}

function source(allowedHosts: readonly string[], options: Partial<HttpSourceOptions> = {}) {
  let count = 0
  return httpSource({
    allowedHosts,
    tlsVerificationOptional: true,
    bodyBytesMax: 12 * MiB,
    clock: systemClock,
    newTraceId: () => `trace-${++count}`,
    ...options,
  })
}

/** One request to a base URL. It checks that the key is nowhere in the result. */
async function fetchFrom(
  baseUrl: string,
  options: Partial<HttpSourceOptions> & {
    readonly url?: string
    readonly key?: string
    readonly tlsCaPem?: string
    readonly disableTlsVerification?: boolean
  } = {},
) {
  const { url = `${baseUrl}/v1/events?x=1`, key = apiKey, tlsCaPem, disableTlsVerification = false, ...rest } = options
  const endpoint = { baseUrl, disableTlsVerification, ...(tlsCaPem === undefined ? {} : { tlsCaPem }) }
  const result = await source([new URL(baseUrl).host], rest).fetch({ url }, key, endpoint)
  expect(JSON.stringify(result)).not.toContain(key)
  return result
}

describe('a request', () => {
  it('has the key, a trace id of its own and the accepted encodings', async () => {
    const { baseUrl, seen } = await vendor()
    expect(await fetchFrom(baseUrl)).toMatchObject({
      ok: true,
      value: { body: { security_events: [] }, clockErrorMs: 0, traceId: 'trace-1' },
    })
    expect(seen[0]?.method).toBe('GET')
    expect(seen[0]?.url).toBe('/v1/events?x=1')
    expect(seen[0]?.headers).toMatchObject({
      authorization: `Bearer ${apiKey}`,
      traceid: 'trace-1',
      accept: 'application/json',
      'accept-encoding': 'gzip',
      'user-agent': 'tributary',
    })
  })

  it('has a new trace id each time and uses the same connection', async () => {
    const { baseUrl, host, seen } = await vendor()
    const vendorSource = source([host])
    await vendorSource.fetch({ url: `${baseUrl}/a` }, apiKey, { baseUrl, disableTlsVerification: false })
    await vendorSource.fetch({ url: `${baseUrl}/b` }, apiKey, { baseUrl, disableTlsVerification: false })
    expect(seen.map(({ headers }) => headers['traceid'])).toEqual(['trace-1', 'trace-2'])
    expect(seen[1]?.socket).toBe(seen[0]?.socket)
  })

  it('opens a new connection if the old one was idle too long, as in a frozen process', async () => {
    const { baseUrl, host, seen } = await vendor()
    let now = 1_000_000
    const vendorSource = source([host], { clock: { now: () => now, sleepUntil: async () => {} } })
    await vendorSource.fetch({ url: `${baseUrl}/a` }, apiKey, { baseUrl, disableTlsVerification: false })
    now += 300_000
    await vendorSource.fetch({ url: `${baseUrl}/b` }, apiKey, { baseUrl, disableTlsVerification: false })
    expect(seen[1]?.socket).not.toBe(seen[0]?.socket)
  })

  it('never goes to another origin, and opens no connection to it', async () => {
    const here = await vendor()
    const there = await vendor()
    const result = await source([here.host, there.host]).fetch({ url: `${there.baseUrl}/v1` }, apiKey, {
      baseUrl: here.baseUrl,
      disableTlsVerification: false,
    })
    expect(result).toMatchObject({ ok: false, failure: { code: 'link-refused' } })
    expect([...here.seen, ...there.seen]).toEqual([])
  })

  it.each(['', 'two\nlines', 'with space', 'naïve', 'nul\0', 'x'.repeat(5_000)])('is not sent with a malformed key: %j', async (key) => {
    const { baseUrl, host, seen } = await vendor()
    const result = await source([host]).fetch({ url: `${baseUrl}/` }, key, { baseUrl, disableTlsVerification: false })
    expect(result).toMatchObject({ ok: false, failure: { code: 'secret-malformed' } })
    if (key !== '') expect(JSON.stringify(result)).not.toContain(JSON.stringify(key).slice(1, -1))
    expect(seen).toEqual([])
  })
})

describe('an address', () => {
  const refused = (baseUrl: string, allowedHosts: readonly string[] = []) =>
    source(allowedHosts).fetch({ url: `${baseUrl}/v1` }, apiKey, { baseUrl, disableTlsVerification: true })

  it('is refused if it is private and a name resolves to it', async () => {
    expect(await refused('https://localhost')).toEqual({
      ok: false,
      failure: {
        code: 'address-refused',
        detail: expect.stringMatching(/^localhost resolves to (127\.0\.0\.1|::1), which is not a public address$/),
      },
    })
  })

  it('is refused if it is private and written out', async () => {
    expect(await refused('https://169.254.169.254')).toMatchObject({ ok: false, failure: { code: 'address-refused' } })
    expect(await refused('https://[::ffff:127.0.0.1]')).toMatchObject({ ok: false, failure: { code: 'address-refused' } })
  })

  it('is never reached over http or on another port, unless its host is allowed', async () => {
    const { baseUrl, seen } = await vendor()
    expect(await refused(baseUrl, ['127.0.0.1:1', 'localhost'])).toMatchObject({ ok: false, failure: { code: 'host-refused' } })
    expect(seen).toEqual([])
  })

  it('is reached over http if its name is allowed', async () => {
    const { host } = await vendor()
    const baseUrl = `http://localhost:${host.split(':')[1]}`
    expect(await fetchFrom(baseUrl)).toMatchObject({ ok: true })
  })

  it('is unreachable if nobody listens there', async () => {
    const server = createTcpServer()
    const host = await listening(server)
    await new Promise((resolve) => server.close(resolve))
    open.pop()
    expect(await fetchFrom(`http://${host}`)).toMatchObject({
      ok: false,
      failure: { code: 'unreachable', detail: expect.stringContaining('ECONNREFUSED') },
    })
  })

  it('is unreachable if its name does not exist', async () => {
    expect(await fetchFrom('https://vendor.invalid')).toMatchObject({
      ok: false,
      failure: { code: 'unreachable', detail: expect.stringContaining('vendor.invalid') },
    })
  })
})

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('with status %i is not followed, and its target never sees the key', async (status) => {
    const target = await vendor()
    const { baseUrl } = await vendor((_, response) =>
      response.writeHead(status, { location: `${target.baseUrl}/steal?key=${apiKey}` }).end('Moved'),
    )
    expect(await fetchFrom(baseUrl)).toMatchObject({
      ok: false,
      failure: { code: 'redirected', status, detail: `The vendor responded with status ${status} and points to ${target.baseUrl}` },
    })
    expect(target.seen).toEqual([])
  })
})

describe('a response', () => {
  it('is decompressed', async () => {
    const { baseUrl } = await vendor((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"traceId":"zip"}')),
    )
    expect(await fetchFrom(baseUrl)).toMatchObject({ ok: true, value: { traceId: 'zip' } })
  })

  it('with an error status becomes a failure with its status, trace id and Retry-After', async () => {
    const { baseUrl } = await vendor((_, response) =>
      response.writeHead(429, { 'retry-after': '30' }).end(JSON.stringify({ code: -4290001, traceId: 't', msg: `Too many for ${apiKey}` })),
    )
    expect(await fetchFrom(baseUrl)).toEqual({
      ok: false,
      failure: {
        code: 'throttled',
        status: 429,
        traceId: 't',
        retryAfterMs: 30_000,
        detail: 'The vendor responded with status 429, code -4290001: "Too many for [redacted]"',
      },
    })
  })

  it('with an error status counts by that status, even if its body is endless, cut off or in an unknown encoding', async () => {
    const endless = await rawVendor((socket) => socket.write(`HTTP/1.1 401 No\r\ncontent-type: text/html\r\n\r\n${'x'.repeat(200_000)}`))
    const cut = await rawVendor((socket) => socket.end('HTTP/1.1 401 No\r\ncontent-length: 500\r\n\r\n{"msg":"no"'))
    const encoded = await vendor((_, response) => response.writeHead(401, { 'content-encoding': 'br' }).end('x'))
    for (const baseUrl of [`http://${endless}`, `http://${cut}`, encoded.baseUrl]) {
      expect(await fetchFrom(baseUrl)).toMatchObject({ ok: false, failure: { code: 'unauthorized', status: 401 } })
    }
  })

  it('is too large above the limit, whether it announces its size or not', async () => {
    const { baseUrl } = await vendor((_, response) => response.end(`"${'x'.repeat(2_000)}"`))
    expect(await fetchFrom(baseUrl, { bodyBytesMax: 2_001 })).toMatchObject({
      ok: false,
      failure: { code: 'too-large', traceId: 'trace-1' },
    })
    expect(await fetchFrom(baseUrl, { bodyBytesMax: 2_002 })).toMatchObject({ ok: true })
  })

  it('is given up at the limit if it is a gzip bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(bombBytes))
    const { baseUrl } = await vendor((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
    const before = process.memoryUsage().arrayBuffers
    expect(await fetchFrom(baseUrl, { bodyBytesMax: MiB })).toMatchObject({ ok: false, failure: { code: 'too-large' } })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(heldBytesMax)
  })

  it.each([
    ['shorter than its content-length', 'content-length: 500\r\n\r\n{"a":1}'],
    ['an incomplete chunk', 'transfer-encoding: chunked\r\n\r\nff\r\n{"a":1}'],
    ['chunked without an end', 'transfer-encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n'],
    ['a broken chunk', 'transfer-encoding: chunked\r\n\r\nzz\r\n{"a":1}\r\n0\r\n\r\n'],
    ['JSON cut off, ended by the connection', 'connection: close\r\n\r\n{"a":'],
    ['gzip cut off', `content-encoding: gzip\r\ncontent-length: 12\r\n\r\n${gzipSync('{"a":1}').subarray(0, 12).toString('latin1')}`],
    ['not gzip', 'content-encoding: gzip\r\ncontent-length: 7\r\n\r\n{"a":1}'],
    ['an encoding that was not asked for', 'content-encoding: br\r\ncontent-length: 7\r\n\r\n{"a":1}'],
    ['empty', 'content-length: 0\r\n\r\n'],
  ])('is malformed if it is %s', async (_, rest) => {
    const host = await rawVendor((socket) => socket.end(Buffer.from(`HTTP/1.1 200 OK\r\n${rest}`, 'latin1')))
    expect(await fetchFrom(`http://${host}`)).toMatchObject({ ok: false, failure: { code: 'malformed-response', traceId: 'trace-1' } })
  })

  it('is read if the end of the connection ends it', async () => {
    const host = await rawVendor((socket) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"a":1}'))
    expect(await fetchFrom(`http://${host}`)).toMatchObject({ ok: true, value: { body: { a: 1 } } })
  })

  it('is read even if it offers another protocol', async () => {
    const host = await rawVendor((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nupgrade: h2\r\nconnection: Upgrade\r\ncontent-length: 7\r\n\r\n{"a":1}'),
    )
    expect(await fetchFrom(`http://${host}`)).toMatchObject({ ok: true, value: { body: { a: 1 } } })
  })

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9\r\n', 'malformed-response'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: Upgrade\r\n\r\n', 'unreachable'],
    ['a head that is too long', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, 'malformed-response'],
    ['nothing', '', 'unreachable'],
  ])('fails if it is %s', async (_, bytes, code) => {
    const host = await rawVendor((socket) => socket.end(bytes))
    expect(await fetchFrom(`http://${host}`)).toMatchObject({ ok: false, failure: { code } })
  })
})

describe('the deadline of a request', () => {
  it.each([
    ['the head does not come', () => {}],
    ['the body drips', (socket: Socket) => drip(socket, 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n')],
    ['the chunks drip', (socket: Socket) => drip(socket, 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\n \r\n')],
    ['the head drips', (socket: Socket) => drip(socket, 'HTTP/1.1 200 OK\r\nx: ')],
    ['hints come without end', (socket: Socket) => drip(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n')],
    [
      'the compressed body stalls',
      (socket: Socket) =>
        socket.write(
          Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n'), gzipSync('{"a":1}').subarray(0, 12)]),
        ),
    ],
  ])('holds when %s', async (_, respond) => {
    const closed: Promise<unknown>[] = []
    const host = await rawVendor((socket) => {
      // Not `once` of node:events: it rejects when a reset comes before the close.
      closed.push(new Promise((resolve) => socket.once('close', resolve)))
      respond(socket)
    })
    const before = performance.now()
    expect(await fetchFrom(`http://${host}`, { timeoutMs: shortTimeoutMs })).toEqual({
      ok: false,
      failure: { code: 'timed-out', traceId: 'trace-1', detail: `${host} did not answer in full within 0.15 s` },
    })
    expect(performance.now() - before).toBeLessThan(endsWithinMs)
    await Promise.all(closed)
  })

  it('does not hide an error status if only the body stalls', async () => {
    const host = await rawVendor((socket) => socket.write('HTTP/1.1 403 No\r\ncontent-length: 9\r\n\r\n{'))
    expect(await fetchFrom(`http://${host}`, { timeoutMs: shortTimeoutMs })).toMatchObject({ ok: false, failure: { code: 'forbidden' } })
  })

  function drip(socket: Socket, head: string, drop = ' '): void {
    socket.write(head)
    const timer = setInterval(() => socket.write(drop), 10)
    socket.once('close', () => clearInterval(timer))
  }
})

describe('a TLS connection', () => {
  const names = [{ name: 'commonName', value: 'localhost' }]
  const day = 86_400_000
  const forHost = (altNames: { type: 2 | 7; value?: string; ip?: string }[]) => [{ name: 'subjectAltName' as const, altNames }]
  const local = forHost([
    { type: 2, value: 'localhost' },
    { type: 7, ip: '127.0.0.1' },
  ])
  const made = { keyType: 'ec', algorithm: 'sha256' } as const
  type Pair = Awaited<ReturnType<typeof generate>>
  let ca: Pair
  let signed: Pair
  let expired: Pair
  let otherHost: Pair
  let selfSigned: Pair

  beforeAll(async () => {
    ca = await generate([{ name: 'commonName', value: 'Test CA' }], {
      ...made,
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, digitalSignature: true, critical: true },
      ],
    })
    const by = { ca: { key: ca.private, cert: ca.cert } }
    signed = await generate(names, { ...made, ...by, extensions: local })
    expired = await generate(names, {
      ...made,
      ...by,
      extensions: local,
      notBeforeDate: new Date(Date.now() - 3 * day),
      notAfterDate: new Date(Date.now() - day),
    })
    otherHost = await generate(names, { ...made, ...by, extensions: forHost([{ type: 2, value: 'other.example' }]) })
    selfSigned = await generate(names, { ...made, extensions: local })
  })

  /** A vendor over https; `seen` counts the requests that got through. */
  async function tlsVendor(pair: Pair) {
    const seen: IncomingMessage[] = []
    const server = createHttpsServer({ key: pair.private, cert: pair.cert }, (request, response) => {
      seen.push(request)
      response.end('{"a":1}')
    })
    server.on('tlsClientError', () => {})
    const host = await listening(server)
    return { host, baseUrl: `https://${host}`, seen }
  }

  it("trusts the connector's own CA", async () => {
    const { baseUrl } = await tlsVendor(signed)
    expect(await fetchFrom(baseUrl, { tlsCaPem: `A comment\n${ca.cert}\n` })).toMatchObject({ ok: true, value: { body: { a: 1 } } })
  })

  it.each([
    ['a CA that nobody knows', () => signed, undefined, /UNABLE_TO|unable to/],
    ['a self-signed certificate', () => selfSigned, undefined, /self-signed/],
    ["another CA than the connector's", () => signed, () => selfSigned.cert, /unable to/],
    ['an expired certificate', () => expired, () => ca.cert, /expired/],
    ['the certificate of another host', () => otherHost, () => ca.cert, /altnames/],
  ])('fails at %s, before the key is sent', async (_, pair, caPem, reason) => {
    const { baseUrl, seen } = await tlsVendor(pair())
    const result = await fetchFrom(baseUrl, caPem === undefined ? {} : { tlsCaPem: caPem() })
    expect(result).toMatchObject({ ok: false, failure: { code: 'tls-failed', detail: expect.stringMatching(reason) } })
    expect(seen).toEqual([])
  })

  it('fails if the server does not speak TLS', async () => {
    const { host } = await vendor()
    expect(await fetchFrom(`https://${host}`)).toMatchObject({ ok: false, failure: { code: 'tls-failed' } })
  })

  it.each(['rubbish', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', ''])(
    'refuses a tlsCaPem that is no certificate: %j',
    async (tlsCaPem) => {
      const { baseUrl, seen } = await tlsVendor(signed)
      expect(await fetchFrom(baseUrl, { tlsCaPem })).toMatchObject({
        ok: false,
        failure: { code: 'tls-failed', detail: expect.stringContaining('tlsCaPem') },
      })
      expect(seen).toEqual([])
    },
  )

  it('is unverified for the connector that says so, and verified for another one with the same host', async () => {
    const { host, baseUrl, seen } = await tlsVendor(selfSigned)
    const both = source([host])
    const fetchWith = (disableTlsVerification: boolean) =>
      both.fetch({ url: `${baseUrl}/${disableTlsVerification}` }, apiKey, { baseUrl, disableTlsVerification })
    for (let round = 0; round < 3; round++) {
      const [unverified, verified] = await Promise.all([fetchWith(true), fetchWith(false)])
      expect(unverified).toMatchObject({ ok: true })
      expect(verified).toMatchObject({ ok: false, failure: { code: 'tls-failed' } })
    }
    expect(seen.map(({ url }) => url)).toEqual(['/true', '/true', '/true'])
  })

  it("never trusts another connector's CA", async () => {
    const { host, baseUrl } = await tlsVendor(signed)
    const both = source([host])
    expect(await both.fetch({ url: `${baseUrl}/` }, apiKey, { baseUrl, disableTlsVerification: false, tlsCaPem: ca.cert })).toMatchObject({
      ok: true,
    })
    expect(await both.fetch({ url: `${baseUrl}/` }, apiKey, { baseUrl, disableTlsVerification: false })).toMatchObject({
      ok: false,
      failure: { code: 'tls-failed' },
    })
  })

  describe('in an environment that switches verification off', () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    beforeAll(() => {
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    })
    afterAll(() => {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    })

    it('is verified nevertheless', async () => {
      const { baseUrl } = await tlsVendor(selfSigned)
      expect(await fetchFrom(baseUrl)).toMatchObject({ ok: false, failure: { code: 'tls-failed' } })
    })
  })
})

it('more connectors than kept connections are all served, and a request under way is not disturbed', async () => {
  let release = () => {}
  const { host, baseUrl } = await vendor((request, response) => {
    const respond = () => response.end('{"a":1}')
    if (request.url === '/slow') release = respond
    else respond()
  })
  const port = host.split(':')[1]
  const many = source([`127.0.0.1:${port}`])
  const slow = many.fetch({ url: `${baseUrl}/slow` }, apiKey, { baseUrl, disableTlsVerification: false })
  for (let i = 0; i < 200; i++) {
    const result = await many.fetch({ url: `${baseUrl}/` }, apiKey, { baseUrl, disableTlsVerification: false, tlsCaPem: `ca ${i}` })
    expect(result.ok).toBe(true)
  }
  release()
  expect(await slow).toMatchObject({ ok: true })
})
