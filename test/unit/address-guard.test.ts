import type { LookupAddress } from 'node:dns'
import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AddressRefused, checkTarget, isPublicAddress, publicLookup } from '../../functions/adapters/http/address-guard.ts'

/** IANA's special-purpose registry for IPv4, multicast and reserved space: written out here to check the library against it. https://www.iana.org/assignments/iana-ipv4-special-registry */
const special = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  special.addSubnet(net, bits, 'ipv4')
}

const hexPair = (a: number, b: number) => ((a << 8) | b).toString(16)

describe('a public address', () => {
  it.each([
    ['metadata of the cloud', '169.254.169.254'],
    ['metadata over IPv6', 'fd00:ec2::254'],
    ['loopback', '127.0.0.1'],
    ['loopback, elsewhere in its net', '127.8.9.10'],
    ['IPv6 loopback', '::1'],
    ['unspecified', '0.0.0.0'],
    ['IPv6 unspecified', '::'],
    ['private', '172.31.255.255'],
    ['carrier-grade NAT', '100.127.0.1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['unique local', 'fd12:3456::1'],
    ['multicast', '224.0.0.1'],
    ['IPv6 multicast', 'ff02::1'],
    ['broadcast', '255.255.255.255'],
    ['documentation', '2001:db8::1'],
    ['mapped loopback', '::ffff:127.0.0.1'],
    ['mapped loopback in hex', '::ffff:7f00:1'],
    ['IPv4-compatible loopback in hex', '::7f00:1'],
    ['IPv4-compatible loopback', '::127.0.0.1'],
    ['translated loopback', '::ffff:0:127.0.0.1'],
    ['NAT64 of a private address', '64:ff9b::a00:1'],
    ['NAT64 of local use', '64:ff9b:1::808:808'],
    ['6to4 of loopback', '2002:7f00:1::'],
    ['6to4 of a public address', '2002:808:808::'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['space not given out', '4000::1'],
    ['a name', 'localhost'],
    ['nothing', ''],
  ])('is not %s (%s)', (_, address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700:4700::1111',
    '2a00:1450:4001::8a',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ])('is %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it('is each IPv4 address that no special-purpose registry lists, also when it is mapped or behind NAT64', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(octet, octet, octet, octet, (a, b, c, d) => {
        const address = `${a}.${b}.${c}.${d}`
        const expected = !special.check(address, 'ipv4')
        expect([address, isPublicAddress(address)]).toEqual([address, expected])
        expect(isPublicAddress(`::ffff:${address}`)).toBe(expected)
        expect(isPublicAddress(`::ffff:${hexPair(a, b)}:${hexPair(c, d)}`)).toBe(expected)
        expect(isPublicAddress(`64:ff9b::${hexPair(a, b)}:${hexPair(c, d)}`)).toBe(expected)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the target of a request', () => {
  const base = 'https://api.vendor.example'
  const codeOf = (url: string, baseUrl = base, allowed: string[] = [], connectorId = 'acme.cas') => {
    const target = checkTarget(url, { connectorId, baseUrl }, { vendorHosts: ['api.vendor.example'], allowedHosts: allowed })
    return target.ok ? 'ok' : target.failure.code
  }

  it.each([
    ['acme.cas', 'ok'],
    ['acme.other', 'ok'],
    ['globex.cas', 'host-refused'],
    ['acme-cas', 'host-refused'],
  ])('has a host that is bound to the tenant acme, and the connector %s: the check says %s', (connectorId, code) => {
    for (const allowed of ['proxy.example@acme', 'proxy.example:8080@acme']) {
      expect(codeOf('http://proxy.example:8080/v1', 'http://proxy.example:8080', [allowed], connectorId)).toBe(code)
    }
    expect(codeOf('http://proxy.example:8080/v1', 'http://proxy.example:8080', ['proxy.example'], connectorId)).toBe('ok')
  })

  it.each([
    ['https://api.vendor.example/v1?x=1', 'ok'],
    ['https://API.vendor.example:443/v1', 'ok'],
    ['https://api.vendor.example./v1', 'link-refused'],
    ['https://api.vendor.example.evil.example/v1', 'link-refused'],
    ['https://evil.example/https://api.vendor.example/', 'link-refused'],
    ['https://api.vendor.example@evil.example/v1', 'link-refused'],
    ['https://evil.example\\@api.vendor.example/v1', 'link-refused'],
    ['https://user:pass@api.vendor.example/v1', 'link-refused'],
    ['https://api.vendor.example:8443/v1', 'link-refused'],
    ['http://api.vendor.example/v1', 'link-refused'],
    ['//api.vendor.example/v1', 'link-refused'],
    ['file:///etc/passwd', 'link-refused'],
    ['', 'link-refused'],
  ])('has the address %s: the check says %s', (url, code) => {
    expect(codeOf(url)).toBe(code)
  })

  it.each([
    'http://api.vendor.example',
    'https://api.vendor.example:8443',
    'https://user@api.vendor.example',
    'ftp://api.vendor.example',
    'rubbish',
  ])('is refused if the base URL is %s', (baseUrl) => {
    expect(codeOf(`${baseUrl}/v1`, baseUrl)).toBe('host-refused')
  })

  it.each([
    'https://127.0.0.1',
    'https://2130706433',
    'https://0x7f.1',
    'https://[::1]',
    'https://[::ffff:7f00:1]',
    'https://169.254.169.254',
  ])('is refused if it is a private address, in whatever form: %s', (baseUrl) => {
    expect(codeOf(`${baseUrl}/v1`, baseUrl)).toBe('address-refused')
  })

  it('may be http, on any port and private for an allowed host, and for no other', () => {
    expect(codeOf('http://127.0.0.1:8080/v1', 'http://127.0.0.1:8080', ['127.0.0.1:8080'])).toBe('ok')
    expect(codeOf('http://127.0.0.1:8080/v1', 'http://127.0.0.1:8080', ['127.0.0.1'])).toBe('ok')
    expect(codeOf('http://[::1]:8080/v1', 'http://[::1]:8080', ['[::1]:8080'])).toBe('ok')
    expect(codeOf('https://lab.example/v1', 'https://lab.example', ['LAB.example:443'])).toBe('ok')
    expect(codeOf('http://127.0.0.1:8081/v1', 'http://127.0.0.1:8081', ['127.0.0.1:8080'])).toBe('host-refused')
    expect(codeOf('http://lab.example/v1', 'http://lab.example', ['example', 'b.example', ''])).toBe('host-refused')
  })

  it('has a host of the vendor, or one that is allowed to the tenant now', () => {
    const atCollector = (allowed: string[]) => codeOf('https://collector.example/v1', 'https://collector.example', allowed)
    expect(atCollector([])).toBe('host-refused')
    expect(atCollector(['collector.example@globex'])).toBe('host-refused')
    expect(atCollector(['collector.example@acme'])).toBe('ok')
    expect(atCollector(['collector.example'])).toBe('ok')
  })

  it('stays on the origin of the connector, also for an allowed host', () => {
    expect(codeOf('http://127.0.0.1:9/v1', 'http://127.0.0.1:8080', ['127.0.0.1'])).toBe('link-refused')
  })
})

describe('the look-up of a host name', () => {
  const resolving = (addresses: readonly LookupAddress[] | Error) =>
    publicLookup(((_: string, __: unknown, callback: (error: Error | null, addresses: unknown) => void) =>
      addresses instanceof Error ? callback(addresses, []) : callback(null, addresses)) as never)
  const ask = (addresses: readonly LookupAddress[] | Error, all: boolean) =>
    new Promise<unknown>((resolve) =>
      resolving(addresses)('vendor.example', { all }, (error, found, family) => resolve(error ?? { found, family })),
    )
  const publicAddress = { address: '8.8.8.8', family: 4 }
  const privateAddress = { address: '10.0.0.1', family: 4 }

  it('returns public addresses in the form that was asked for', async () => {
    expect(await ask([publicAddress], true)).toEqual({ found: [publicAddress], family: undefined })
    expect(await ask([publicAddress], false)).toEqual({ found: '8.8.8.8', family: 4 })
  })

  it('refuses a name that has one private address among public ones', async () => {
    expect(await ask([publicAddress, privateAddress], true)).toBeInstanceOf(AddressRefused)
    expect(await ask([publicAddress, privateAddress], false)).toBeInstanceOf(AddressRefused)
  })

  it('fails with ENOTFOUND if the name has no address', async () => {
    expect(await ask([], true)).toMatchObject({ code: 'ENOTFOUND' })
  })

  it("passes on the resolver's own error", async () => {
    const error = Object.assign(new Error('no'), { code: 'EAI_AGAIN' })
    expect(await ask(error, true)).toBe(error)
  })
})
