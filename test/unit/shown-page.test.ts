import { describe, expect, it } from 'vitest'
import { type ResponseHeaders, readResponse } from '../../functions/adapters/http/response.ts'
import { withoutEchoes } from '../../functions/domain/redaction/shown-page.ts'
import { pageRequest } from '../../functions/flows/collect/deliver-page.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'
import { connector } from '../../simulation/fakes/connector.ts'

const apiKey = '5f0c7f0e-2b43-4c3b-9a0e-0123456789ab'
/** Another key of the pool. */
const otherKey = 'quitealongwordasakey'
const apiKeys = new Set([apiKey, otherKey])

function shown(status: number, headers: ResponseHeaders, body: unknown, keys: ReadonlySet<string> = apiKeys) {
  const response = readResponse(status, headers, JSON.stringify(body), 0, { traceId: 'sent' })
  return withoutEchoes(response.ok ? trendmicroCas.parsePage(response.value) : response, keys)
}

describe.each([
  ['the key of the request', apiKey],
  ['another key of the pool', otherKey],
])('of a response that holds %s', (_, key) => {
  const percent = [...key].map((each) => `%${each.charCodeAt(0).toString(16)}`).join('')

  it.each([
    ['message', { code: 1, msg: `Key ${key} is bad` }],
    ['message in base64', { code: 1, msg: Buffer.from(`user:${key}`).toString('base64') }],
    ['message that is cut off inside it', { code: 1, msg: `your key ${key.slice(0, 12)}` }],
  ])('the %s is not shown', (_, body) => {
    for (const status of [200, 401]) {
      const text = JSON.stringify(shown(status, {}, body))
      expect(text).toContain('left out because it may hold')
      expect(text).not.toContain(key.slice(0, 8))
    }
  })

  it('the trace id is not shown', () => {
    for (const traceId of [key, `x-${key}`]) {
      expect(shown(200, {}, { security_events: [], traceId })).toEqual({ ok: true, value: { items: [] } })
      expect(JSON.stringify(shown(401, {}, { code: 1, msg: 'no', traceId }))).not.toMatch(/traceId|sent/)
    }
  })

  it('the host of a redirect is not shown', () => {
    expect(JSON.stringify(shown(302, { location: `https://${key}.example/` }, ''))).not.toContain(key)
  })

  it.each([
    ['as it is', key],
    ['in upper case', key.toUpperCase()],
    ['in base64', Buffer.from(`Bearer ${key}`).toString('base64url')],
    ['percent-encoded', percent],
    ['percent-encoded twice', encodeURIComponent(percent)],
  ])('the link is neither stored nor followed: %s', (_, written) => {
    const nextLink = `/v1/siem/security_events?page_id=${written}`
    const page = shown(200, {}, { security_events: [], next_link: nextLink })
    expect(JSON.stringify(page)).not.toContain(written)
    const link = page.ok ? page.value.nextLink : undefined
    const context = { connector: connector(), vendor: trendmicroCas, filters: [], stream: 'sharepoint/dlp', apiKeys } as never
    expect(pageRequest(context, { nextLink: link } as never)).toMatchObject({ ok: false, failure: { code: 'link-refused' } })
  })
})

it('a key of digits that is echoed as the code of an error is not shown', () => {
  expect(shown(401, {}, { code: 8_271_640_055, msg: 'no' }, new Set(['8271640055']))).toMatchObject({
    failure: { detail: 'The vendor responded with status 401, code [redacted]: "no"' },
  })
})

it('a page without a key is as the vendor sent it', () => {
  const nextLink = '/v1/siem/security_events?page_id=8b2c%2F1'
  expect(shown(200, {}, { security_events: [], next_link: nextLink, traceId: 'own' })).toEqual({
    ok: true,
    value: { items: [], nextLink, traceId: 'own' },
  })
})

it('a link with a byte that is not of the charset has U+FFFD in its place', () => {
  const response = { body: { security_events: [], next_link: '/v1?p=\udcff' }, text: '', receivedAt: 0 }
  expect(trendmicroCas.parsePage(response)).toMatchObject({ value: { nextLink: '/v1?p=\ufffd' } })
})
