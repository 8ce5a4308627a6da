import type { IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anyTime, apiKey, connectorId, fetchFrom, listening, source, type, vendor } from './http-servers.ts'

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

  it.each([' ', '\r\n', '\n    ', '\t'])('trusts it also if its lines end with %j', async (lineEnd) => {
    const { baseUrl } = await tlsVendor(signed)
    expect(await fetchFrom(baseUrl, { tlsCaPem: ca.cert.replaceAll('\n', lineEnd) })).toMatchObject({ ok: true })
  })

  it.each([
    ['a CA that nobody knows', () => signed, undefined, /UNABLE_TO|unable to/],
    ['a self-signed certificate', () => selfSigned, undefined, /self-signed/],
    ["another CA than the connector's", () => signed, () => selfSigned.cert, /unable to/],
    ['an expired certificate', () => expired, () => ca.cert, /expired/],
    ['the certificate of another host', () => otherHost, () => ca.cert, /: its certificate is for other hosts$/],
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
      both.fetch({ url: `${baseUrl}/${disableTlsVerification}` }, apiKey, { connectorId, type, baseUrl, disableTlsVerification }, anyTime)
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
    expect(
      await both.fetch(
        { url: `${baseUrl}/` },
        apiKey,
        { connectorId, type, baseUrl, disableTlsVerification: false, tlsCaPem: ca.cert },
        anyTime,
      ),
    ).toMatchObject({
      ok: true,
    })
    expect(
      await both.fetch({ url: `${baseUrl}/` }, apiKey, { connectorId, type, baseUrl, disableTlsVerification: false }, anyTime),
    ).toMatchObject({
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
  const slow = many.fetch({ url: `${baseUrl}/slow` }, apiKey, { connectorId, type, baseUrl, disableTlsVerification: false }, anyTime)
  for (let i = 0; i < 200; i++) {
    const result = await many.fetch(
      { url: `${baseUrl}/` },
      apiKey,
      { connectorId, type, baseUrl, disableTlsVerification: false, tlsCaPem: `ca ${i}` },
      anyTime,
    )
    expect(result).toMatchObject({ ok: true })
  }
  release()
  expect(await slow).toMatchObject({ ok: true })
})
