import { createServer as createTcpServer, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { anyTime, apiKey, connectorId, fetchFrom, listening, MiB, rawVendor, source, type, vendor } from './http-servers.ts'

/** Short, so that the tests are quick (ms). A request has 30 s in production. */
const shortTimeoutMs = 150
/** A request that ignored its deadline would take many seconds, and a busy machine delays one that keeps it by far less (ms). */
const endsWithinMs = 2_000

/** Inflated, the bomb has four times as many bytes as a client may hold meanwhile. */
const bombBytes = 256 * MiB
const heldBytesMax = 64 * MiB

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
    await vendorSource.fetch({ url: `${baseUrl}/a` }, apiKey, { connectorId, type, baseUrl, disableTlsVerification: false }, anyTime)
    await vendorSource.fetch({ url: `${baseUrl}/b` }, apiKey, { connectorId, type, baseUrl, disableTlsVerification: false }, anyTime)
    expect(seen.map(({ headers }) => headers['traceid'])).toEqual(['trace-1', 'trace-2'])
    expect(seen[1]?.socket).toBe(seen[0]?.socket)
  })

  it('opens a new connection if the old one was idle too long, as in a frozen process', async () => {
    const { baseUrl, host, seen } = await vendor()
    let now = 1_000_000
    const vendorSource = source([host], { clock: { now: () => now, sleepUntil: async () => {} } })
    await vendorSource.fetch({ url: `${baseUrl}/a` }, apiKey, { connectorId, type, baseUrl, disableTlsVerification: false }, anyTime)
    now += 300_000
    await vendorSource.fetch({ url: `${baseUrl}/b` }, apiKey, { connectorId, type, baseUrl, disableTlsVerification: false }, anyTime)
    expect(seen[1]?.socket).not.toBe(seen[0]?.socket)
  })

  it('never goes to another origin, and opens no connection to it', async () => {
    const here = await vendor()
    const there = await vendor()
    const result = await source([here.host, there.host]).fetch(
      { url: `${there.baseUrl}/v1` },
      apiKey,
      { connectorId, type, baseUrl: here.baseUrl, disableTlsVerification: false },
      anyTime,
    )
    expect(result).toMatchObject({ ok: false, failure: { code: 'link-refused' } })
    expect([...here.seen, ...there.seen]).toEqual([])
  })

  it.each(['', 'two\nlines', 'with space', 'naïve', 'nul\0', 'x'.repeat(5_000)])('is not sent with a malformed key: %j', async (key) => {
    const { baseUrl, host, seen } = await vendor()
    const result = await source([host]).fetch(
      { url: `${baseUrl}/` },
      key,
      { connectorId, type, baseUrl, disableTlsVerification: false },
      anyTime,
    )
    expect(result).toMatchObject({ ok: false, failure: { code: 'secret-malformed' } })
    if (key !== '') expect(JSON.stringify(result)).not.toContain(JSON.stringify(key).slice(1, -1))
    expect(seen).toEqual([])
  })
})

describe('an address', () => {
  const refused = (baseUrl: string, allowedHosts: readonly string[] = []) =>
    source(allowedHosts, { vendorHosts: () => ['localhost'] }).fetch(
      { url: `${baseUrl}/v1` },
      apiKey,
      { connectorId, type, baseUrl, disableTlsVerification: true },
      anyTime,
    )

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
        detail:
          'The vendor responded with status 429, code -4290001: a message of 49 characters, left out because it may hold a key (89 bytes, no content type, SHA-256 b3c8fe85270e7901)',
      },
    })
  })

  it('has fewer values where its body must be small: one for each 12 bytes of the largest body', async () => {
    const { baseUrl } = await vendor((_, response) => response.end(`{"security_events":[${Array(98).fill(0).join()}]}`))
    expect(await fetchFrom(baseUrl, { bodyBytesMax: 1_200 })).toMatchObject({ ok: true })
    expect(await fetchFrom(baseUrl, { bodyBytesMax: 1_199 })).toMatchObject({
      ok: false,
      failure: { code: 'malformed-response', detail: 'The vendor responded with status 200 and a body that has more than 99 values' },
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

  it('is too large above its share of the limit, if other responses come at the same time', async () => {
    const { baseUrl } = await vendor((_, response) => response.end(`"${'x'.repeat(2_000)}"`))
    expect(await fetchFrom(baseUrl, { bodyBytesMax: 8_004, memoryShare: 1 / 4 })).toMatchObject({
      ok: false,
      failure: { code: 'too-large' },
    })
    expect(await fetchFrom(baseUrl, { bodyBytesMax: 8_008, memoryShare: 1 / 4 })).toMatchObject({ ok: true })
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
