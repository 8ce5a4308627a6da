import { describe, expect, it } from 'vitest'
import { bodyText } from '../../functions/adapters/http/body-text.ts'

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
})
