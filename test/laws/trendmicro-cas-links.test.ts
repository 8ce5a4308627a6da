import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { baseUrlOf, nextRequest } from '../../functions/vendors/trendmicro-cas/links.ts'

const bases = fc.constantFrom('https://api.tmcas.trendmicro.com', 'https://host.example:8443', 'http://127.0.0.1:8080', 'https://[::1]:9')

/** Text made of parts of addresses, which random text alone would never contain. */
const addressLike = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'https:',
        'http:',
        '//',
        '/',
        '\\',
        '@',
        ':',
        '.',
        '?',
        '#',
        '%2f',
        '%00',
        '\t',
        '\n',
        ' ',
        '..',
        '443',
        '8443',
        '80',
        'javascript:',
      ),
      fc.constantFrom('api.tmcas.trendmicro.com', 'host.example', '127.0.0.1', '[::1]', 'evil.example', 'user:pw@', 'ａ', '。'),
      fc.string({ maxLength: 4, unit: 'binary' }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

it('the request for any link goes to the base URL’s origin, or the link is refused', () => {
  return fc.assert(
    fc.property(bases, fc.oneof(addressLike, fc.webUrl(), fc.string({ unit: 'binary' })), (base, link) => {
      const next = nextRequest(base, link)
      if (next.ok) {
        const url = new URL(next.value.url)
        expect(url.origin).toBe(new URL(base).origin)
        expect([url.username, url.password, url.hash]).toEqual(['', '', ''])
        expect(next.value.url).not.toMatch(/[\s\\]/)
      } else {
        expect(next.failure.code).toBe('link-refused')
      }
    }),
    { numRuns: 5_000 },
  )
})

it('a link to the base URL’s own origin is followed with its path and query unchanged', () => {
  return fc.assert(
    fc.property(bases, fc.webPath(), fc.webQueryParameters(), (base, path, query) => {
      const url = new URL(`${base}${path.startsWith('/') ? path : `/${path}`}?${query}`)
      expect(nextRequest(base, url.href)).toEqual({ ok: true, value: { url: `${url.origin}${url.pathname}${url.search}` } })
    }),
  )
})

it('a base URL that was cut down is not cut down further', () => {
  return fc.assert(
    fc.property(fc.oneof(addressLike, fc.webUrl()), (pasted) => {
      expect(baseUrlOf(baseUrlOf(pasted))).toBe(baseUrlOf(pasted))
    }),
    { numRuns: 1_000 },
  )
})
