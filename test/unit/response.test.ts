import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type Exchange, type ResponseHeaders, readResponse } from '../../functions/adapters/http/response.ts'
import { formatFailure } from '../../functions/domain/failures.ts'

const receivedAt = Date.UTC(2026, 10, 24, 20, 35, 26, 500)
const date = (offsetMs: number) => new Date(receivedAt + offsetMs).toUTCString()

function failureOf(status: number, headers: ResponseHeaders, body: string, exchange: Exchange = {}) {
  const answer = readResponse(status, headers, body, receivedAt, exchange)
  if (answer.ok) throw new Error('no failure')
  return answer.failure
}

function responseOf(headers: ResponseHeaders, body: string | Buffer, exchange: Exchange = {}) {
  const answer = readResponse(200, headers, body, receivedAt, exchange)
  if (!answer.ok) throw new Error(answer.failure.detail)
  return answer.value
}

describe('a response with status 200', () => {
  it('has its JSON, the time of its last byte and its trace id', () => {
    const body = { traceId: 'abc', security_events: [{ name: 'Zoë' }] }
    expect(responseOf({}, Buffer.from(JSON.stringify(body)))).toEqual({
      body,
      text: JSON.stringify(body),
      receivedAt,
      traceId: 'abc',
    })
  })

  it('has the trace id that was sent if it names none', () => {
    expect(responseOf({}, '{}', { traceId: 'sent' }).traceId).toBe('sent')
    expect(responseOf({}, '{"traceId":"own"}', { traceId: 'sent' }).traceId).toBe('own')
    expect(responseOf({}, '{"traceId":17}').traceId).toBeUndefined()
  })

  it('may begin with a byte order mark', () => {
    expect(responseOf({}, Buffer.from('\uFEFF{"a":1}'))).toMatchObject({ body: { a: 1 }, text: '{"a":1}' })
  })

  it('has no body with status 204', () => {
    expect(readResponse(204, {}, '', receivedAt)).toEqual({ ok: true, value: { body: undefined, text: '', receivedAt } })
  })

  it('has its body as it was parsed, so that members which nobody reads cost nothing', () => {
    const parse = vi.spyOn(Object, 'entries')
    responseOf({}, JSON.stringify(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`m${n}`, 'x'.repeat(100)]))))
    expect(parse).not.toHaveBeenCalled()
    parse.mockRestore()
  })

  it('has the wait that it asks for', () => {
    expect(responseOf({ 'retry-after': '7' }, '{}').retryAfterMs).toBe(7_000)
  })

  it.each([
    ['XSSI prefix', (json: string) => `)]}',\n${json}`],
    ['record separator', (json: string) => `\u001e${json}`],
    ['UTF-16 without a mark', (json: string) => Buffer.from(json, 'utf16le')],
    ['second value', (json: string) => `${json}${json}`],
    ['text around it', (json: string) => `PRIVATE ${json}`],
  ])('with a %s shows nothing of its events, whatever its status', (_, sent) => {
    const json = JSON.stringify({
      next_link: '',
      security_events: [{ message: { affected_user: 'user@example.com', file_name: 'PRIVATE' } }],
    })
    for (const status of [200, 400, 429, 500, 503]) {
      const answer = readResponse(status, { 'content-type': 'application/json' }, sent(json), receivedAt)
      expect(answer).toMatchObject({ ok: false })
      expect(JSON.stringify(answer)).not.toMatch(/user@|PRIVATE/)
    }
    expect(JSON.stringify(failureOf(500, {}, json))).not.toMatch(/user@|PRIVATE/)
  })

  it.each([
    ['nothing', '', 'an empty body'],
    ['white space', ' \r\n', 'an empty body'],
    ['HTML', '<!doctype html>\n<title>Sign in</title>', 'something that is not JSON (38 bytes, text/html, SHA-256 9da149b832742fe0)'],
    [
      'JSON that is cut off',
      '{"security_events":[{"user":"someone@example.com"',
      'other or broken JSON (49 bytes, text/html, SHA-256 776ef6975854d15f)',
    ],
  ])('is malformed if its body is %s, and the failure says so', (_, body, detail) => {
    expect(failureOf(200, { 'content-type': 'text/html' }, body)).toEqual({
      code: 'malformed-response',
      status: 200,
      detail: `The vendor responded with status 200 and ${detail}`,
    })
  })

  it.each([
    ['64 levels', `${'['.repeat(64)}${']'.repeat(64)}`, undefined],
    ['65 levels', `${'['.repeat(65)}${']'.repeat(65)}`, 'has more than 64 levels'],
    ['65 levels that do not end', '{"a":'.repeat(65), 'has more than 64 levels'],
    ['two million levels that do not end', '['.repeat(2_000_000), 'has more than 64 levels'],
    [
      '64 levels many times',
      `[${Array(1_000)
        .fill(`${'['.repeat(63)}${']'.repeat(63)}`)
        .join()}]`,
      undefined,
    ],
    ['brackets in a text', JSON.stringify({ t: '[{"'.repeat(1_000), '[[[': '\\' }), undefined],
    ['a million values', `[${'0,'.repeat(999_998)}0]`, undefined],
    ['a million values and one', `[${'0,'.repeat(999_999)}0]`, 'has more than 1,000,000 values'],
    ['members whose names are no values', `{${Array.from({ length: 333_333 }, (_, n) => `"${n}":[{}]`).join()}}`, undefined],
    ['a million texts and one', `[${'"",'.repeat(999_999)}""]`, 'has more than 1,000,000 values'],
  ])('with %s is parsed, or refused before it is parsed', (_, body, reason) => {
    const response = readResponse(200, {}, body, receivedAt)
    if (reason === undefined) expect(response.ok).toBe(true)
    else {
      const detail = `The vendor responded with status 200 and a body that ${reason}`
      expect(response).toMatchObject({ ok: false, failure: { code: 'malformed-response', detail } })
    }
  })

  it('is malformed wherever it is cut off', () => {
    const whole = JSON.stringify({ traceId: 'abc', security_events: [{ name: 'Zoë', n: 1 }, null] })
    const bytes = Buffer.from(whole)
    for (let length = 0; length < bytes.length; length++) {
      expect(readResponse(200, {}, bytes.subarray(0, length), receivedAt)).toMatchObject({
        ok: false,
        failure: { code: 'malformed-response' },
      })
    }
  })
})

describe("the vendor's clock", () => {
  it.each([
    ['counts as right within a second', -499, 0],
    ['counts as right one second ahead', 1_000, 0],
    ['is found to be ahead', 5_500, 5_500],
    ['is found to be behind', -60_500, -60_500],
  ])('%s', (_, offsetMs, expected) => {
    expect(responseOf({ date: date(offsetMs) }, '{}').clockErrorMs).toBe(
      expected === 0 ? 0 : Math.floor((receivedAt + offsetMs) / 1_000) * 1_000 + 500 - receivedAt,
    )
  })

  it('is compared with the middle between the request and the head of the response', () => {
    expect(responseOf({ date: date(-10_000) }, '{}', { sentAt: receivedAt - 20_000, headersAt: receivedAt }).clockErrorMs).toBe(0)
    expect(responseOf({ date: date(-25_000) }, '{}', { sentAt: receivedAt - 26_000, headersAt: receivedAt - 25_000 }).clockErrorMs).toBe(0)
  })

  it.each([
    '',
    'yesterday',
    '2026-11-24T20:35:26Z',
    'Tue, 99 Nov 2026 20:35:26 GMT',
    '5',
    'Tue, 24 Nov 2026 20:35:26 GMT, Tue, 24 Nov 2026 20:35:27 GMT',
  ])('is unknown if the Date header is "%s"', (text) => {
    expect(responseOf({ date: text }, '{}')).not.toHaveProperty('clockErrorMs')
  })
})

describe('a response with another status', () => {
  it.each([
    [400, 'bad-request'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [405, 'unexpected-status'],
    [418, 'unexpected-status'],
    [429, 'throttled'],
    [500, 'vendor-error'],
    [502, 'vendor-error'],
    [503, 'vendor-overloaded'],
    [504, 'vendor-error'],
    [301, 'redirected'],
    [307, 'redirected'],
    [201, 'unexpected-status'],
    [0, 'unexpected-status'],
    [999, 'unexpected-status'],
  ])('fails for %i with %s', (status, code) => {
    expect(failureOf(status, {}, '')).toEqual({ code, status, detail: `The vendor responded with status ${status}` })
  })

  it('shows the code, the message and the trace id of the vendor', () => {
    const throttled = failureOf(429, {}, '{"code":-4290001,"traceId":"7f","msg":"Maximum allowed requests exceeded"}')
    expect(throttled).toEqual({
      code: 'throttled',
      status: 429,
      traceId: '7f',
      detail: 'The vendor responded with status 429, code -4290001: "Maximum allowed requests exceeded"',
    })
    expect(formatFailure(throttled)).toContain('(trace 7f)')
  })

  it("shows the vendor's message on one line", () => {
    const { detail } = failureOf(502, {}, JSON.stringify({ code: -5_020_001, msg: 'Bad\r\n\tgateway\u2028' }))
    expect(detail).toBe('The vendor responded with status 502, code -5020001: "Bad gateway"')
  })

  it.each([
    ['longer than 200 characters', 'x😀'.repeat(50_000), '150000 characters, left out because it is longer than 200'],
    ['an address', 'No mailbox ann@example.com', '26 characters, left out because it may hold an event'],
    ['control characters', 'Bad \u001b[31m gateway', '17 characters, left out because it may hold an event'],
  ])('says which message was left out, and why, if it has %s', (_, msg, expected) => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }
    const body = JSON.stringify({ code: 1, msg })
    const sha256 = createHash('sha256').update(body).digest('hex').slice(0, 16)
    expect(failureOf(502, headers, body).detail).toBe(
      `The vendor responded with status 502, code 1: a message of ${expected} (${Buffer.byteLength(body)} bytes, application/json, SHA-256 ${sha256})`,
    )
  })

  it('says that only the beginning of its body was read', () => {
    expect(failureOf(502, {}, '<html>', { isCut: true }).detail).toContain('(the first 6 bytes, no content type, SHA-256 ')
  })

  it.each(['text/html5f0c7f0e2b43', 'ann/example', 'text/<b>', 'text', '', 'text/plain ann'])(
    'does not show the content type "%s"',
    (contentType) => {
      expect(failureOf(500, { 'content-type': contentType }, '<html>').detail).toContain('(6 bytes, an odd content type, SHA-256 ')
    },
  )

  it.each(['ann@example.com', 'a b', '', 'x'.repeat(65), 'YW5uLWxpbmRxdmlzdA', '616e6e2d6c696e647176697374'])(
    'has the trace id that was sent if its own is "%s"',
    (traceId) => {
      expect(failureOf(500, {}, JSON.stringify({ code: 1, traceId }), { traceId: 'sent' }).traceId).toBe('sent')
    },
  )

  it('shows where a redirect points, without its path and query', () => {
    expect(failureOf(302, { location: 'https://login.example/?next=secret' }, 'Found').detail).toBe(
      'The vendor responded with status 302 and points to https://login.example',
    )
    expect(failureOf(302, { location: '/login' }, 'Found').detail).toBe('The vendor responded with status 302 and points to another path')
  })
})

describe('Retry-After', () => {
  it.each([
    ['seconds', '7', 7_000],
    ['no time at all', '0', 0],
    ['more than an hour', '86400', 3_600_000],
    ['eleven digits', '99999999999', 3_600_000],
    ['hundreds of digits', '9'.repeat(400), 3_600_000],
    ['a fraction', '0.493', 493],
    ['a fraction of a millisecond', '1.0001', 1_001],
    ['a date', date(30_000), 29_500],
    ['a date that has passed', date(-30_000), 0],
    ['a date next year', date(365 * 86_400_000), 3_600_000],
  ])('may be %s', (_, header, ms) => {
    expect(failureOf(429, { 'retry-after': header }, '').retryAfterMs).toBe(ms)
    expect(failureOf(503, { 'retry-after': header }, '').retryAfterMs).toBe(ms)
  })

  it('is compared with the clock of the vendor if it is a date', () => {
    expect(failureOf(429, { 'retry-after': date(3_630_000), date: date(3_600_000) }, '').retryAfterMs).toBe(30_000)
  })

  it.each(['', '-1', '-5', '.5', '5.', 'soon', '1e3', 'Infinity', '2026-11-24'])('is ignored if it is "%s"', (header) => {
    expect(failureOf(429, { 'retry-after': header }, '')).not.toHaveProperty('retryAfterMs')
  })

  it('counts with status 429 and 503 only', () => {
    expect(failureOf(500, { 'retry-after': '7' }, '')).not.toHaveProperty('retryAfterMs')
  })
})

it('every response is read without an exception', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.dictionary(fc.constantFrom('date', 'retry-after', 'location', 'content-type'), fc.string()),
      fc.oneof(fc.string(), fc.json()),
      (status, headers, body) => {
        readResponse(status, headers, body, receivedAt)
      },
    ),
  )
})
