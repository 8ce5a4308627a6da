import fc from 'fast-check'
import { expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { parseJson } from '../../functions/domain/record/json-text.ts'
import { withoutKeys } from '../../functions/domain/record/key-redaction.ts'
import { serialise, toRecord } from '../../functions/domain/record/record.ts'
import { identityOf, recordId } from '../../functions/domain/record/record-id.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'
import { parsePage } from '../../functions/vendors/trendmicro-cas/wire.ts'
import { connector } from '../../simulation/fakes/connector.ts'

const visible = Array.from({ length: 0x7e - 0x20 }, (_, index) => String.fromCharCode(0x21 + index))
const keys = fc.string({ unit: fc.constantFrom(...visible), minLength: 16, maxLength: 40 })
/** Texts and names, most of them with the key. */
const textsWith = (key: string) =>
  fc.tuple(fc.string({ maxLength: 5 }), fc.constantFrom(key, key, ''), fc.string({ maxLength: 5 })).map((parts) => parts.join(''))
const valuesWith = (key: string) =>
  fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, textsWith(key), fc.integer(), fc.boolean(), fc.constant(null), tie('list'), tie('object')),
    list: fc.array(tie('value'), { maxLength: 3 }),
    object: fc.dictionary(textsWith(key), tie('value'), { maxKeys: 3 }),
  })).object
const named = [
  'affected_user',
  'location',
  'file_name',
  'mail_message_id',
  'mail_message_subject',
  'risk_level',
  'action',
  'security_risk_name',
]
const items = keys.chain((key) =>
  fc.record({
    key: fc.constant(key),
    id: textsWith(key),
    message: fc.dictionary(fc.constantFrom(...named), textsWith(key)),
    rest: valuesWith(key),
    recipients: fc.array(textsWith(key), { maxLength: 3 }),
    escapes: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 7 }),
  }),
)

/** The same JSON, with some characters of its texts escaped in the ways that JSON allows. */
function escapedAs(json: string, escapes: readonly number[]): string {
  let count = 0
  return json.replaceAll(/\\.|[^\\"{}[\]:,\s]/gu, (token) => {
    if (token.startsWith('\\u')) return token
    const way = escapes[count++ % escapes.length]
    const character = token === '\\"' ? '"' : token === '\\\\' ? '\\' : token
    if (token.length > 1 && character === token) return token
    if (way === 1 && character === '/') return '\\/'
    return way === undefined || way < 2 ? token : unicodeEscape(character, way === 3)
  })
}

function unicodeEscape(character: string, isUpper: boolean): string {
  return [...Array(character.length).keys()]
    .map((unit) => character.charCodeAt(unit).toString(16).padStart(4, '0'))
    .map((hex) => `\\u${isUpper ? hex.toUpperCase() : hex}`)
    .join('')
}

/** Escapes inside the quotes of an item's texts, and nowhere else. */
function writtenWith(value: unknown, escapes: readonly number[]): string {
  return JSON.stringify(value).replaceAll(/"(?:[^"\\]|\\.)*"/gu, (quoted) => `"${escapedAs(quoted.slice(1, -1), escapes)}"`)
}

function itemOf(raw: string) {
  const text = `{"security_events":[${raw}]}`
  const page = parsePage({ body: parseJson(text)?.value, text, receivedAt: 0 })
  if (!page.ok || page.value.items[0] === undefined) throw new Error('no item')
  return page.value.items[0]
}

function recordOf(raw: string, key: string) {
  const received = itemOf(raw)
  const item = withoutKeys(received, [key])
  const identity = identityOf(received, digest, new Set())
  const record = toRecord(trendmicroCas.normalise(item, { stream: 'exchange/dlp', receivedAt: 0 }), {
    id: recordId(digest, 'acme.cas', 'exchange/dlp', identity),
    eventId: item.id ?? '',
    ingestedAt: 0,
    ingestMode: 'live',
    isRedacted: item !== received,
    connector: connector(),
  })
  return { item, record }
}

/** Every text in a value, names of members too. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [name, ...textsIn(inner)])
}

it('no record holds the key of its connector, however JSON or CEF escapes it, and its raw is JSON that is the same but for the key', () => {
  fc.assert(
    fc.property(items, ({ key, id, message, rest, recipients, escapes }) => {
      const value = { log_item_id: id, rest, message: { ...message, mail_message_recipient: recipients, rest } }
      const { item, record } = recordOf(writtenWith(value, escapes), key)
      const texts = textsIn([record, JSON.parse(record.raw), item.value])
      const undone = texts.flatMap((text) => [text, text.replaceAll(/\\([\\=|])/g, '$1')])
      expect(undone.filter((text) => text.includes(key))).toEqual([])
      const expected = textsIn(value).map((text) => text.replaceAll(key, '[redacted]'))
      expect(new Set(textsIn(JSON.parse(record.raw)))).toEqual(new Set(expected))
      expect(record.redacted).toBe(textsIn(value).some((text) => text.includes(key)) ? true : undefined)
      expect(item.value).toEqual(JSON.parse(record.raw))
      expect(JSON.parse(serialise(record))).toEqual(record)
    }),
    { numRuns: 500 },
  )
})

it('an item without a key is returned as it is', () => {
  fc.assert(
    fc.property(fc.json(), fc.array(keys, { maxLength: 3 }), (json, others) => {
      const item = { raw: json, value: JSON.parse(json) }
      expect(withoutKeys(item, others)).toBe(item)
    }),
  )
})

const digits = '1234567890123456'

it.each([
  ['a number', `{"message":{"n":${digits}}}`, digits, '{"message":{"n":"[redacted]"}}'],
  ['a part of a number', `{"message":{"n":-${digits}.5}}`, digits, '{"message":{"n":"-[redacted].5"}}'],
  ['the name of a member', `{"message":{"k${digits}":0}}`, digits, '{"message":{"k[redacted]":0}}'],
  [
    'a text that is a second JSON',
    '{"message":"{\\"k\\":\\"0123456789abcdef\\"}"}',
    '0123456789abcdef',
    '{"message":"{\\"k\\":\\"[redacted]\\"}"}',
  ],
  ['letters that are escaped in JSON in a text', '{"message":"\\\\u0061123456789ABCDEF"}', 'a123456789ABCDEF', '{"message":"[redacted]"}'],
  ['letters that are escaped', '{"message":"\\u0061123456789ABCDEF"}', 'a123456789ABCDEF', '{"message":"[redacted]"}'],
  ['a slash that is escaped', '{"message":"0123456789\\/abcdef"}', '0123456789/abcdef', '{"message":"[redacted]"}'],
])('a key that is %s is replaced', (_, raw, key, expected) => {
  expect(withoutKeys(itemOf(raw), [key])).toMatchObject({ raw: expected, value: JSON.parse(expected) })
})

it.each([
  ['a key of 15 characters', '{"message":"0123456789abcde"}', '0123456789abcde'],
  ['a key in another case', '{"message":"0123456789ABCDEF"}', '0123456789abcdef'],
  ['a key across two texts', '["01234567","89abcdef"]', '01234567","89abcdef'],
])('%s is no key', (_, raw, key) => {
  const item = itemOf(raw)
  expect(withoutKeys(item, [key])).toBe(item)
})

/** JSON in a text of JSON, so many times. */
function nested(text: string, count: number): string {
  return count === 0 ? text : nested(JSON.stringify({ inner: text }), count - 1)
}

function innermost(text: string): string {
  return text.startsWith('{') ? innermost(JSON.parse(text).inner) : text
}

it('a key with quotes and backslashes inside is replaced in JSON that is in a text, up to three times, and each text stays JSON', () => {
  const hard = fc.string({ unit: fc.constantFrom(...'ab"\\/7'), minLength: 14, maxLength: 30 }).map((inner) => `k${inner}7`)
  fc.assert(
    fc.property(hard, fc.integer({ min: 1, max: 3 }), fc.boolean(), (key, count, isEscaped) => {
      const plain = JSON.stringify({ inner: `<${key}>` })
      const text = isEscaped ? plain.replaceAll(/(?<=<.*)[a-z](?=.*>)/g, (letter) => unicodeEscape(letter, true)) : plain
      const { raw } = withoutKeys(itemOf(JSON.stringify({ message: nested(text, count - 1) })), [key])
      expect(innermost(JSON.parse(raw).message)).toBe('<[redacted]>')
    }),
    { numRuns: 500 },
  )
})

it('an item of millions of backslashes is looked through', () => {
  const key = '0123456789abcdef'
  const item = { raw: JSON.stringify({ m: '\\'.repeat(5_000_000) }), value: null }
  expect(withoutKeys(item, [key])).toBe(item)
  const { raw } = withoutKeys({ raw: JSON.stringify({ m: `${'\\'.repeat(1_000_000)}${key}` }), value: null }, [key])
  expect(raw.slice(-20)).toBe(`${'\\'.repeat(8)}[redacted]"}`)
})

it('of two keys that begin alike both are replaced', () => {
  const [short, long] = ['0123456789abcdef', '0123456789abcdefghij']
  expect(withoutKeys(itemOf(`["${short}","${long}"]`), [short, long]).raw).toBe('["[redacted]","[redacted]"]')
})

it('an item with a key and with a byte that is not of its charset has U+FFFD for the byte', () => {
  const text = '{"message":{"a":"0123456789abcdef","b":"\udcff"}}'
  const item = { id: 'n', raw: Buffer.from('as received').toString('base64'), rawEncoding: 'base64', text, value: undefined } as const
  expect(withoutKeys(item, ['0123456789abcdef'])).toEqual({
    id: 'n',
    raw: '{"message":{"a":"[redacted]","b":"\ufffd"}}',
    value: undefined,
  })
})
