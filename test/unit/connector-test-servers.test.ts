import { createServer as createHttpsServer } from 'node:https'
import { generate } from 'selfsigned'
import { describe, expect, it } from 'vitest'
import type { HttpSourceOptions } from '../../functions/adapters/http/http-source.ts'
import { connectorItem, key, policy, World } from '../../simulation/world.ts'
import { Tester } from '../simulation/tester.ts'
import { listening, rawVendor, source, vendor } from './http-servers.ts'

const page = '{"security_events":[]}'

/** Step 3 and what came of it, of a Test that asks a real server. */
async function addressOf(baseUrl: string, item: object = {}, options: Partial<HttpSourceOptions> = {}) {
  const world = new World({ ticking: false })
  const allowedHosts = [new URL(baseUrl).host]
  const { vendors } = world.ports(0)
  const tester = new Tester(world, {
    source: source(allowedHosts, { clock: world.clock, ...options }),
    policy: { ...policy, vendors, allowedHosts },
  })
  const begun = await tester.begin('acme.cas', connectorItem({ baseUrl, ...item }))
  expect(begun).toMatchObject({ ok: true })
  await tester.going
  expect(tester.written.filter((text) => text.includes(key))).toEqual([])
  const result = await tester.result()
  return { result, address: result.steps[2], fault: result.steps[2]?.faults[0] }
}

describe('step 3 of a Test, against a real server', () => {
  it('passes, and so does the rest, where the vendor answers', async () => {
    const { baseUrl, seen } = await vendor((_, response) => response.end(page))
    const { result } = await addressOf(baseUrl)
    expect(result).toMatchObject({ state: 'passed' })
    expect(seen).toHaveLength(1)
  })

  it('fails where the name does not resolve', async () => {
    const { fault } = await addressOf('http://no-such-host.invalid')
    expect(fault).toMatchObject({
      name: 'No connection',
      field: 'baseUrl',
      recommendation: expect.stringContaining('Does its name resolve?'),
    })
  })

  it('fails where the connection is refused', async () => {
    const { fault } = await addressOf('http://127.0.0.1:1')
    expect(fault).toMatchObject({ name: 'No connection', seen: expect.stringContaining('ECONNREFUSED') })
  })

  it('fails where the connection breaks', async () => {
    const host = await rawVendor((socket) => socket.destroy())
    expect((await addressOf(`http://${host}`)).fault).toMatchObject({ name: 'No connection' })
  })

  it('fails where the certificate is not trusted, and the key is not sent', async () => {
    const pair = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec', algorithm: 'sha256' })
    let requests = 0
    const server = createHttpsServer({ key: pair.private, cert: pair.cert }, (_, response) => {
      requests += 1
      response.end(page)
    })
    server.on('tlsClientError', () => {})
    const baseUrl = `https://${await listening(server)}`
    const { fault } = await addressOf(baseUrl)
    expect(fault).toMatchObject({ name: 'Certificate not trusted', field: 'tlsCaPem' })
    expect(requests).toBe(0)
    expect((await addressOf(baseUrl, { disableTlsVerification: true })).result).toMatchObject({ state: 'passed' })
  })

  it('fails at a redirect, which it does not follow', async () => {
    const other = await vendor((_, response) => response.end(page))
    const { baseUrl } = await vendor((_, response) => response.writeHead(301, { location: other.baseUrl }).end())
    const { fault } = await addressOf(baseUrl)
    expect(fault).toMatchObject({ status: 301, name: 'Moved Permanently', field: 'baseUrl' })
    expect(other.seen).toHaveLength(0)
  })

  it('fails where the response does not come in time', async () => {
    const { baseUrl } = await vendor(() => {})
    const { fault } = await addressOf(baseUrl, {}, { timeoutMs: 50 })
    expect(fault).toMatchObject({ name: 'Time-out', field: 'baseUrl' })
  })

  it('fails where the proxy opens no connection', async () => {
    const host = await rawVendor((socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'))
    const { fault } = await addressOf('http://vendor.invalid', {}, { proxy: { url: new URL(`http://${host}`), exceptions: [] } })
    expect(fault).toMatchObject({ name: 'Proxy failed' })
  })

  it('passes where a page of a proxy answers, and step 4 says that it is not the API', async () => {
    const { baseUrl } = await vendor((_, response) => response.end('<html>Sign in</html>'))
    const { result, address } = await addressOf(baseUrl)
    expect(address?.state).toBe('passed')
    expect(result.steps[3]).toMatchObject({ state: 'failed', faults: [{ name: 'Wrong body', field: 'baseUrl' }] })
  })
})
