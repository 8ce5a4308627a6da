import fc from 'fast-check'
import { expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { type ResponseHeaders, readResponse } from '../../functions/adapters/http/response.ts'
import { differingFields } from '../../functions/domain/record/field-prints.ts'
import { withoutEchoes } from '../../functions/domain/redaction/shown-page.ts'
import { shownCode, shownField, shownMessage, shownTraceId } from '../../functions/domain/vendor-words.ts'
import { nextRequest } from '../../functions/vendors/trendmicro-cas/links.ts'
import { parsePage } from '../../functions/vendors/trendmicro-cas/wire.ts'
import { streamNames } from '../../local/simulator/catalogue.ts'
import { itemOf } from '../../local/simulator/messages.ts'

type Recode = (text: string) => string

const hexOf: Recode = (text) => Buffer.from(text).toString('hex')
const encodings: readonly Recode[] = [
  (text) => JSON.stringify(text),
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => [...text].map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  (text) => encodeURIComponent(text.toWellFormed()),
  (text) => hexOf(text).replaceAll(/../g, '%$&'),
  (text) => hexOf(text).replaceAll(/../g, '\\x$&'),
  (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
  (text) => [...text].map((each) => `&#${each.codePointAt(0)};`).join(''),
  (text) => Buffer.from(text).toString('base64'),
  (text) => Buffer.from(text).toString('base64url'),
  hexOf,
  (text) => hexOf(text).toUpperCase(),
  (text) => hexOf(text).replaceAll(/../g, '$& ').trim(),
  (text) => hexOf(text).replaceAll(/../g, '0x$&, '),
  (text) => hexOf(text).replaceAll(/../g, '($&) '),
  (text) => hexOf(text).replaceAll(/../g, '$&; '),
  (text) => Buffer.from(text, 'utf16le').toString('hex').replaceAll(/../g, '$&. '),
  (text) => [...text].map((each) => each.codePointAt(0)).join(', '),
  (text) => Buffer.from(text).toString('base64').replaceAll(/.{8}/g, '$& '),
]

/** Each decoding of every part of a text. */
function decodings(text: string): readonly string[] {
  const bytes = (pattern: RegExp, encoding: 'base64' | 'hex', steps: number) =>
    (text.match(pattern) ?? []).flatMap((run) =>
      Array.from({ length: steps }, (_, from) =>
        Buffer.from(run.replaceAll(/0x|u00|[ ,;.:()-]/gi, '').slice(from), encoding).toString('latin1'),
      ),
    )
  return [
    text,
    text.replaceAll(/(?:\\u00|\\x|%)([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    text.replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))),
    text.replaceAll(/\d+[, ]*/g, (code) => String.fromCharCode(Number.parseInt(code, 10))),
    ...bytes(/[\w+/-]{8,}/g, 'base64', 4),
    ...bytes(/(?:[\w+/-]+ ){2,}/g, 'base64', 1),
    ...bytes(/(?:[0-9a-f][ :-]?){8,}/gi, 'hex', 2),
    ...bytes(/(?:[(]?(?:0x|u00)?[0-9a-f]{2}[)]?[ ,;.:-]*){8,}/gi, 'hex', 1),
  ]
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const keys = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...letters, ...'0123456789', ...'-_.~+/=!'), minLength: 14, maxLength: 60 }),
    fc.constantFrom(...letters),
    fc.constantFrom(...'0123456789'),
  )
  .map(([middle, letter, digit]) => `${letter}${middle}${digit}`)
const nestings = fc.array(fc.constantFrom(...encodings), { maxLength: 4 })
const words = fc.constantFrom('', 'Bearer ', 'Invalid token: ', 'user', 'The key of ann, ', '(', 'token=', ' is wrong.')

/** The text between words, both within the encodings and without. */
const embedded = (texts: fc.Arbitrary<string>) =>
  fc.tuple(texts, nestings, words, words, words).map(([text, nesting, before, after, outside]) => ({
    text,
    sent: `${outside}${nesting.reduce((inner, encode) => encode(inner), `${before}${text}${after}`)}`,
  }))

/** The text wherever a vendor can put it. */
function allShown(sent: string, ...apiKeys: readonly string[]): string {
  const read = (status: number, headers: ResponseHeaders, body: string) => {
    const response = readResponse(status, headers, body, 0)
    return withoutEchoes(response.ok ? parsePage(response.value) : response, new Set(apiKeys))
  }
  return JSON.stringify([
    read(200, {}, JSON.stringify({ code: 5, msg: sent, traceId: sent })),
    read(200, {}, JSON.stringify({ security_events: [], next_link: '', traceId: sent })),
    read(500, { 'content-type': sent }, JSON.stringify({ code: 5, msg: sent, traceId: sent })),
    read(500, {}, JSON.stringify({ code: sent, msg: sent })),
    read(500, { 'content-type': `text/${sent}` }, sent),
    read(302, { location: sent }, ''),
    read(302, { location: `https://${sent}/` }, ''),
    read(200, {}, JSON.stringify([sent])),
    nextRequest('https://api.example', `https://evil.example/${sent}`),
    shownMessage(sent),
    differingFields(new Uint8Array(), { message: { [sent]: 1 } }, digest, new Set()),
  ])
}

it('no key that a vendor echoes is shown, in any encoding and in no decoding of it', () => {
  fc.assert(
    fc.property(embedded(keys), ({ text, sent }) => {
      const shown = allShown(sent, text)
      for (const decoded of decodings(shown)) expect(decoded.toLowerCase()).not.toContain(text.toLowerCase())
    }),
    { numRuns: 500 },
  )
})

it('no key that only the vendor knows is shown in a message', () => {
  fc.assert(
    fc.property(embedded(keys), ({ text, sent }) => {
      for (const decoded of decodings(shownMessage(sent))) expect(decoded).not.toContain(text)
    }),
    { numRuns: 500 },
  )
})

const events = fc
  .record({
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
    stream: fc.constantFrom(...streamNames),
    customer: fc.constantFrom('contoso', 'fabrikam'),
    id: fc.uuid(),
    detection: fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) }),
  })
  .map((event) =>
    itemOf({ ...event, generation: event.detection, selected: event.detection, visibleAt: event.detection, malformed: undefined }),
  )

it('no event that a vendor puts into an error is shown, in any encoding and in no decoding of it', () => {
  const texts = events.map((event) => JSON.stringify(event))
  fc.assert(
    fc.property(embedded(texts), ({ text, sent }) => {
      const shown = allShown(sent)
      const { affected_user, location } = JSON.parse(text).message
      for (const decoded of decodings(shown)) {
        expect(decoded).not.toContain(affected_user)
        expect(decoded).not.toContain(location)
      }
    }),
    { numRuns: 300 },
  )
})

it('no user, address, place or file of an event is shown in a message', () => {
  const names = ['affected_user', 'location', 'file_name', 'mail_message_file_name', 'mail_message_sender', 'mail_message_id', 'file_sha1']
  const texts = events.chain((event) => {
    const { message } = event as { readonly message: Readonly<Record<string, unknown>> }
    return fc.constantFrom(...names.map((name) => message[name]).filter((each) => typeof each === 'string' && /[.@/=]/.test(each)))
  }) as fc.Arbitrary<string>
  fc.assert(
    fc.property(embedded(texts), ({ text, sent }) => {
      for (const decoded of decodings(shownMessage(sent))) expect(decoded).not.toContain(text)
    }),
    { numRuns: 500 },
  )
})

it.each([
  'Maximum allowed requests exceeded',
  'An unexpected situation has occurred. Please try again later!',
  'Invalid parameter: start',
  "The end can't be earlier than the start (in UTC)",
  'Le jeton a expiré',
  "L'accès à OneDrive est refusé - réessayez",
  'At most 20 requests in 60 seconds, and 14400 a day.',
  'リクエストが多すぎます',
])('a plain sentence is shown: %s', (sentence) => {
  expect(shownMessage(sentence)).toBe(`"${sentence}"`)
})

const hidden = 'kY9-Иван, ann@x.de'
const bytesOf = (encoding: 'utf8' | 'utf16le') => [...Buffer.from(hidden, encoding)].map((each) => each.toString(16).padStart(2, '0'))
it.each([
  ['hex with commas', bytesOf('utf8').join(', ')],
  ['hex with semicolons', bytesOf('utf8').join('; ')],
  ['hex with full stops', bytesOf('utf8').join('. ')],
  ['hex in brackets', `(${bytesOf('utf8').join(') (')})`],
  ['hex with 0x', `0x${bytesOf('utf8').join(' 0x')}`],
  ['hex as of JSON, without backslashes', `u00${bytesOf('utf8').join(' u00')}`],
  ['hex of UTF-16', bytesOf('utf16le').join(' ')],
  ['hex without blanks', bytesOf('utf8').join('')],
  ['hex of seven characters', '613D622E7A6970'],
  ['decimal codes', [...hidden].map((each) => each.codePointAt(0)).join(', ')],
  ['decimal codes with a word between', 'The codes are 65 and 66 and 67 and 68'],
  ['base64 in groups', 'YW5uQGV4 YW1wbGUu Y29t'],
  ['base64 of letters alone', 'YWJjZGVm'],
  ['a number of eleven digits', 'Call 12345678901'],
  ['a long word', 'abcdefghijklmnopqrstuvwx'],
])('a message with %s is left out', (_, message) => {
  expect(shownMessage(message)).toMatch(/^a message of \d+ characters, left out because it may hold /)
})

it.each([
  ['hex of Cyrillic', 'd098d0b2d0b0d0bd'],
  ['hex of UTF-16', '61006e006e0040007800'],
  ['hex of seven characters', '613D622E7A6970'],
  ['base64 of Cyrillic', '0JjQstCw0L0'],
])('a trace id that is %s is not shown', (_, id) => {
  expect(shownTraceId(id)).toBeUndefined()
})

it.each(['634810de-2b43-4c3b-9a0e-0123456789ab', '7f', 'abc', 'req-12345678', '01ARZ3NDEKTSV4RRFFQ69G5FAV'])(
  'the trace id %s is shown',
  (id) => {
    expect(shownTraceId(id)).toBe(id)
  },
)

it.each([
  ['message.file_sha256', 'message.file_sha256'],
  ['message.mail_message_delivery_time', 'message.mail_message_delivery_time'],
  ['log_item_id', 'log_item_id'],
  ['message.Ann-Smith', 'message.…'],
  ['message.a.aaaaaaaaaaaaaa0', 'message.…'],
  ['message.abcdef.ghijkl.mnopq1', 'message.…'],
  ['message.abcdefghijklmno1', 'message.…'],
  ['message.a_616e6e403132', 'message.…'],
])('of the path %s is shown %s', (path, shown) => {
  expect(shownField(path)).toBe(shown)
})

it.each([
  [1_234_567_890, 'code 1234567890'],
  [-4_290_001, 'code -4290001'],
  [12_345_678_901, 'an odd code'],
  [1e300, 'an odd code'],
])('of the code %s is shown: %s', (code, shown) => {
  expect(shownCode(code)).toBe(shown)
})
