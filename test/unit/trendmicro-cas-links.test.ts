import { describe, expect, it } from 'vitest'
import { baseUrlOf, nextRequest } from '../../functions/vendors/trendmicro-cas/links.ts'

const base = 'https://api.tmcas.trendmicro.com'
const page = '/siem/v1/security_events?service=box&event=dlp&page_id=a%2Bb%3D'

describe('a pasted base URL', () => {
  it.each([
    'https://api.tmcas.trendmicro.com',
    'https://api.tmcas.trendmicro.com/',
    'https://api.tmcas.trendmicro.com/v1/siem/security_events?service=box&event=dlp',
    'api.tmcas.trendmicro.com',
    'api.tmcas.trendmicro.com/v1/siem/security_events',
    ' HTTPS://API.tmcas.trendmicro.com:443/v1#top\n',
  ])('becomes the root of the service: %j', (pasted) => {
    expect(baseUrlOf(pasted)).toBe(base)
  })

  it('keeps an unusual scheme and port', () => {
    expect(baseUrlOf('http://127.0.0.1:8080/v1/siem')).toBe('http://127.0.0.1:8080')
    expect(baseUrlOf('localhost:8080/v1')).toBe('https://localhost:8080')
  })

  it.each([
    '',
    'not a url',
    'https://',
    'ftp://api.tmcas.trendmicro.com/',
    'javascript:alert(1)',
    'https://user:pw@api.tmcas.trendmicro.com/v1',
  ])('stays unchanged, to be refused later, if it is %j', (pasted) => {
    expect(baseUrlOf(pasted)).toBe(pasted)
  })
})

describe('the link to the next page', () => {
  it.each([
    ['a whole address', `${base}${page}`],
    ['an address without a scheme', `api.tmcas.trendmicro.com${page}`],
    ['an address without a scheme, after two slashes', `//api.tmcas.trendmicro.com${page}`],
    ['a path', page],
    ['an address with http', `http://api.tmcas.trendmicro.com${page}`],
    ['an address with http and the port of https', `http://api.tmcas.trendmicro.com:443${page}`],
    ['an address that names the usual port', `https://api.tmcas.trendmicro.com:443${page}`],
    ['an address with capitals', `HTTPS://Api.TMCAS.trendmicro.com${page}`],
    ['an address with spaces around it', `  ${base}${page} `],
    ['an address with a fragment', `${base}${page}#top`],
  ])('may be %s', (_, link) => {
    expect(nextRequest(base, link)).toEqual({ ok: true, value: { url: `${base}${page}` } })
  })

  it('may have the path of the API or the other path', () => {
    const other = page.replace('/siem/v1/', '/v1/siem/')
    expect(nextRequest(base, other)).toEqual({ ok: true, value: { url: `${base}${other}` } })
  })

  it('leads to the port of the base URL', () => {
    expect(nextRequest('https://host.example:8443', `http://host.example${page}`)).toEqual({
      ok: true,
      value: { url: `https://host.example:8443${page}` },
    })
    expect(nextRequest('http://127.0.0.1:8080', `127.0.0.1:8080${page}`)).toEqual({
      ok: true,
      value: { url: `http://127.0.0.1:8080${page}` },
    })
    expect(nextRequest('http://localhost:8080', `localhost:8080${page}`)).toEqual({
      ok: true,
      value: { url: `http://localhost:8080${page}` },
    })
  })

  it.each([
    ['another host', `https://evil.example${page}`],
    ['another host without a scheme', `evil.example${page}`],
    ['another host after two slashes', `//evil.example${page}`],
    ['another site of the vendor', `https://api-eu.tmcas.trendmicro.com${page}`],
    ['a host that begins alike', `https://api.tmcas.trendmicro.com.evil.example${page}`],
    ['a host that ends alike', `https://evil-api.tmcas.trendmicro.com${page}`],
    ['a subdomain', `https://x.api.tmcas.trendmicro.com${page}`],
    ['the host with a final dot', `https://api.tmcas.trendmicro.com.${page}`],
    ['the host as a user name', `https://api.tmcas.trendmicro.com@evil.example${page}`],
    ['the host as a user name without a scheme', `api.tmcas.trendmicro.com:x@evil.example${page}`],
    ['a user name', `https://user@api.tmcas.trendmicro.com${page}`],
    ['a user name and password', `https://user:pw@api.tmcas.trendmicro.com${page}`],
    ['another port', `https://api.tmcas.trendmicro.com:8443${page}`],
    ['another port over http', `http://api.tmcas.trendmicro.com:8080${page}`],
    ['backslashes', 'https:\\\\api.tmcas.trendmicro.com\\siem'],
    ['a backslash before another host', `https://evil.example\\@api.tmcas.trendmicro.com${page}`],
    ['a backslash after a slash', '/\\evil.example/siem'],
    ['a line break', `https://api.tmcas.trendmicro.com${page}\r\nHost: evil.example`],
    ['a tab in the host', `https://api.tm\tcas.trendmicro.com${page}`],
    ['a zero byte', `https://api.tmcas.trendmicro.com\u0000.evil.example${page}`],
    ['a script', 'javascript:alert(1)'],
    ['a script that looks like an address', `javascript://api.tmcas.trendmicro.com${page}`],
    ['data', 'data:text/html,x'],
    ['a file', `file://api.tmcas.trendmicro.com${page}`],
    ['another scheme', `ftp://api.tmcas.trendmicro.com${page}`],
    ['a web socket', `wss://api.tmcas.trendmicro.com${page}`],
    ['a Cyrillic look-alike', `https://\u0430pi.tmcas.trendmicro.com${page}`],
    ['a query alone', '?page_id=1'],
    ['a relative path', 'siem/v1/security_events?page_id=1'],
    ['nothing', ''],
    ['no text of an address', 'null'],
  ])('is refused if it is %s', (_, link) => {
    expect(nextRequest(base, link)).toMatchObject({ ok: false, failure: { code: 'link-refused' } })
  })

  it('is refused if it is https and the base URL is http', () => {
    expect(nextRequest('http://127.0.0.1:8080', `https://127.0.0.1:8080${page}`)).toMatchObject({ ok: false })
  })

  it('is not shown in the failure, but for its length and its origin', () => {
    const detailOf = (link: string) => {
      const refused = nextRequest(base, link)
      return refused.ok ? undefined : refused.failure.detail
    }
    expect(detailOf(`https://evil.example/PRIVATE${'x'.repeat(5_000)}`)).toBe(
      `The link to the next page, of 5028 characters, leads to https://evil.example, not to ${base}`,
    )
    expect(detailOf('https://5f0c7f0e-2b43-4c3b-9a0e-0123456789ab.example/')).toContain('leads to https://….example, not to')
    expect(detailOf('javascript:PRIVATE')).toBe(`The link to the next page, of 18 characters, is not an address on ${base}`)
  })
})
