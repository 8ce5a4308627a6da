import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { isAllowedHost } from '../../domain/connector/allowed-hosts.ts'
import type { Connector } from '../../domain/connector/connector.ts'
import { tenantOfId } from '../../domain/connector/tenant.ts'
import { failure } from '../../domain/failures.ts'
import { failed, ok, type Result } from '../../domain/result.ts'

/** The address of a request, after it was checked. */
export interface Target {
  readonly url: URL
  /** The operator allows this host, so http, any port and private addresses may be used. */
  readonly allowed: boolean
}

export interface HostRules {
  readonly vendorHosts: readonly string[]
  /** `HOST` for any port, or `HOST:PORT`, each with `@TENANT` after it if it holds for the connectors of that tenant only. */
  readonly allowedHosts: readonly string[]
}

/**
 * Checks a URL against the connector's origin and the rules for hosts, before anything connects. A host that the operator no longer allows
 * gets no request any more, although the connector was accepted with it.
 *
 * Fails with
 * - `link-refused` if the URL leads to another origin or has a user name,
 * - `host-refused` if the base URL is not an address, or its host is not allowed and is none of the vendor's or not https on port 443,
 * - `address-refused` if the host is not allowed and the URL names a private address.
 */
export function checkTarget(
  requestUrl: string,
  { connectorId, baseUrl }: Pick<Connector, 'connectorId' | 'baseUrl'>,
  { vendorHosts, allowedHosts }: HostRules,
): Result<Target> {
  const base = URL.parse(baseUrl)
  if (base === null || !['https:', 'http:'].includes(base.protocol) || base.username !== '' || base.password !== '') {
    return failed(failure('host-refused', 'baseUrl is not an address of the form https://host'))
  }
  const url = URL.parse(requestUrl)
  if (url === null || url.origin !== base.origin) {
    return failed(failure('link-refused', `The link leads to ${url === null ? 'no valid address' : url.origin} instead of ${base.origin}`))
  }
  if (url.username !== '' || url.password !== '') {
    return failed(failure('link-refused', `The link to ${url.host} carries a user name or password`))
  }
  if (isAllowedHost(url, allowedHosts, tenantOfId(connectorId))) return ok({ url, allowed: true })
  if (url.protocol !== 'https:' || url.port !== '') {
    return failed(failure('host-refused', `${url.origin} is not https on port 443`))
  }
  const literal = ipLiteral(url.hostname)
  if (literal !== undefined && !isPublicAddress(literal)) {
    return failed(failure('address-refused', `${url.host} is not a public address`))
  }
  if (!vendorHosts.includes(url.hostname)) {
    return failed(failure('host-refused', `${url.hostname} is none of the vendor's hosts, and the operator does not allow it`))
  }
  return ok({ url, allowed: false })
}

function ipLiteral(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  return ipaddr.isValid(bare) ? bare : undefined
}

/** The well-known prefix of NAT64. Such an address reaches exactly the IPv4 address inside it, so that one is checked, as for mapped addresses. */
const nat64 = ipaddr.IPv6.parse('64:ff9b::')
/** The only block that was allocated for global unicast so far. Other addresses that the library calls unicast are IPv4-compatible or not in use. */
const globalUnicast = ipaddr.IPv6.parse('2000::')

/** Whether an address belongs to the public internet: it is unicast, and not private, local, shared, reserved or of a tunnel. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.parse(text)
  if (address instanceof ipaddr.IPv4) return address.range() === 'unicast'
  if (address.isIPv4MappedAddress()) return isPublicAddress(address.toIPv4Address().toString())
  if (address.match(nat64, 96)) return isPublicAddress(address.toByteArray().slice(-4).join('.'))
  return address.range() === 'unicast' && address.match(globalUnicast, 3)
}

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

/**
 * A `lookup` for `net.connect`. The connection uses an address that this function has checked, so a name that resolves to another address
 * a moment later cannot get around the check. If one of several addresses is private, all are refused with `AddressRefused`.
 */
export function publicLookup(lookup: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, '')
      const refused = addresses.find(({ address }) => !isPublicAddress(address))
      if (refused !== undefined) return callback(new AddressRefused(`${hostname} resolves to ${refused.address}`), '')
      const [first] = addresses
      if (first === undefined) return callback(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), '')
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family)
    })
  }
}
