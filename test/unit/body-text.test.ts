import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bodyText } from '../../functions/adapters/http/body-text.ts'
import { elementSpans } from '../../functions/domain/record/json-text.ts'

const charsets = [
  ...['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-7', 'windows-874'],
  ...['gbk', 'gb18030', 'big5', 'shift_jis', 'euc-jp', 'euc-kr', 'iso-2022-jp'],
]
const utf16 = (text: string) => Buffer.from(text, 'utf16le')

describe('a body', () => {
  it.each([
    ['its byte order mark, whatever it names', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16('Zoë')]), 'text/plain; charset=utf-8'],
    ['the charset that it names', utf16('Zoë'), 'application/json; charset=utf-16le'],
    ['the charset that it names in quotes', Buffer.from('Zoë', 'latin1'), 'application/json;CHARSET="iso-8859-1"'],
    ['UTF-8 if it names none', Buffer.from('Zoë'), 'application/json'],
    ['UTF-8 if nobody knows the charset', Buffer.from('Zoë'), 'application/json; charset=klingon'],
    ['UTF-8 without its byte order mark', Buffer.from('\ufeffZoë'), undefined],
  ])('is decoded by %s', (_, bytes, contentType) => {
    expect(bodyText(bytes, contentType)).toEqual({ text: 'Zoë' })
  })

  it.each([
    ['utf-8', [Buffer.from('["ä😀",'), Buffer.from('"b'), Buffer.from([0xc3]), Buffer.from('"'), Buffer.from(',"\ufffd"]')]],
    [
      'shift_jis',
      [Buffer.from('["'), Buffer.from([0x83, 0x5c]), Buffer.from('",'), Buffer.from('"b'), Buffer.from([0xfd]), Buffer.from('","c"]')],
    ],
    ['utf-16le', [utf16('["ä😀",'), utf16('"b'), Buffer.from([0x3d, 0xd8]), utf16('"'), utf16(',"\ufffd"]')]],
  ])('of %s says which of its parts have bytes that are not of the charset', (charset, parts) => {
    const bytes = Buffer.concat(parts)
    const { text, undecodable } = bodyText(bytes, `application/json; charset=${charset}`)
    const [first, second, third] = [text.indexOf(',') - 1, text.indexOf(',', text.indexOf(',') + 1) - 1, text.length - 2]
    const at = [1, first + 2, second + 2]
    const ends = [first + 1, second + 1, third + 1]
    const parted = at.map((from, index) => ({ part: text.slice(from, ends[index]), bytes: undecodable?.({ from, to: ends[index]! }) }))
    expect(JSON.parse(text)).toHaveLength(3)
    expect(parted.map((each) => each.bytes === undefined)).toEqual([true, false, true])
    const bad = Buffer.from(parted[1]!.bytes!, 'base64')
    expect(bytes.includes(bad)).toBe(true)
    expect(bad.toString('latin1')).toContain('b')
  })

  it.each([
    ['gb2312', [0x94, 0x36]],
    ['gb18030', [0xf5, 0x34]],
    ['euc-jp', [0x8f, 0xef]],
    ['iso-2022-jp', [0x1b, 0x26]],
  ])('of %s with bytes at which its decoder throws is a text all the same', (charset, bytes) => {
    const { text, undecodable } = bodyText(Buffer.from([0x22, ...bytes, 0x22]), `text/plain; charset=${charset}`)
    expect(text).toMatch(/^".*"$/)
    expect(undecodable?.({ from: 0, to: text.length })).toBe(Buffer.from([0x22, ...bytes, 0x22]).toString('base64'))
  })

  it.each(charsets)('of %s keeps every byte of an item, and no byte of one item touches another', (charset) => {
    const ascii = (text: string) =>
      charset === 'utf-16le' ? utf16(text) : charset === 'utf-16be' ? utf16(text).swap16() : Buffer.from(text)
    const bytes = fc.array(fc.oneof(fc.integer({ min: 0x80, max: 0xff }), fc.integer({ min: 0x61, max: 0x7a })), { maxLength: 12 })
    // A byte more or less in UTF-16 makes other units of all that follows.
    const anyBytes = charset.startsWith('utf-16') ? bytes.map((each) => (each.length % 2 === 0 ? each : each.slice(1))) : bytes
    return fc.assert(
      fc.property(fc.array(anyBytes, { maxLength: 60, size: 'max' }), (items) => {
        const written = items.map((each) => Buffer.concat([ascii('{"a":"'), Buffer.from(each), ascii('","b": [1, 2]}')]))
        const separated = written.flatMap((each, index) => (index === 0 ? [each] : [ascii(', '), each]))
        const { text, undecodable } = bodyText(Buffer.concat([ascii('{"list":['), ...separated, ascii(']}')]), `a/b; charset=${charset}`)
        const spans = elementSpans(text, 'list') ?? []
        expect(spans).toHaveLength(items.length)
        for (const [index, span] of spans.entries()) {
          const exact = decoded(written[index]!, charset)
          if (exact === undefined) expect(undecodable?.(span)).toBe(written[index]!.toString('base64'))
          else expect([text.slice(span.from, span.to), undecodable?.(span)]).toEqual([exact, undefined])
        }
      }),
      { numRuns: 100 },
    )
  })
})

function decoded(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
