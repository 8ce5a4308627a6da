import { failure } from '../../domain/failures.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { wholeCharacters } from '../../domain/text.ts'
import type { VendorRequest } from '../../domain/vendor.ts'
import { shownOrigin } from '../../domain/vendor-words.ts'

/** A link is stored until its page is read, and servers take no longer address (characters). */
const linkLengthMax = 8_000

/**
 * A link as it is stored: one that is too long keeps a little more than `nextRequest` takes, which refuses it by its length. A byte that
 * is not of the charset is U+FFFD.
 */
export function storableLink(link: string): string {
  return wholeCharacters(link, linkLengthMax + 2).toWellFormed()
}

const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i

/**
 * The root of the service at a pasted address: `api.example.com/v1/siem?x` becomes `https://api.example.com`. Text that is not a web
 * address, or has a user name in it, is returned unchanged, so that the connector's rules refuse it.
 */
export function baseUrlOf(pasted: string): string {
  const text = pasted.trim()
  const url = URL.parse(withScheme.test(text) ? text : `https://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return pasted
  return url.origin
}

/**
 * The request for the page that a `next_link` leads to. The vendor's links come with and without a scheme, and with another path than
 * that of the API. The link has all parameters, so none are added. Only its path and query are used, so the key goes to the origin of
 * `baseUrl` or nowhere. Fails with `link-refused` if the link leads to another origin or is not an address.
 */
export function nextRequest(baseUrl: string, link: string): Result<VendorRequest> {
  const base = new URL(baseUrl)
  if (link.length > linkLengthMax)
    return failed(failure('link-refused', `The link to the next page has more than ${linkLengthMax} characters`))
  const url = readLink(base, link.trim())
  if (url === undefined) {
    const target = shownOrigin(absolute(base, link.trim()))
    const where = target === undefined || target === base.origin ? 'is not an address on' : `leads to ${target}, not to`
    return failed(failure('link-refused', `The link to the next page, of ${link.length} characters, ${where} ${base.origin}`))
  }
  return ok({ url: `${base.origin}${url.pathname}${url.search}` })
}

function readLink(base: URL, link: string): URL | undefined {
  // URL drops tabs and newlines and reads a backslash as a slash. No genuine link has them.
  if (/[\\\p{Cc}]/u.test(link)) return undefined
  const url = URL.parse(absolute(base, link))
  return url !== null && leadsTo(base, url) ? url : undefined
}

function absolute(base: URL, link: string): string {
  if (withScheme.test(link)) return link
  if (link.startsWith('//')) return `${base.protocol}${link}`
  if (link.startsWith('/')) return `${base.origin}${link}`
  return `${base.protocol}//${link}`
}

function leadsTo(base: URL, url: URL): boolean {
  if (url.hostname !== base.hostname || url.username !== '' || url.password !== '') return false
  if (url.protocol === base.protocol) return url.port === base.port
  // A service behind a proxy that ends TLS may write http, with either port. The request uses https all the same.
  return base.protocol === 'https:' && url.protocol === 'http:' && ['', base.port || '443'].includes(url.port)
}
