import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutText, visible, visibleJson, visibleLines, wholeCharacters } from '../../functions/domain/text.ts'

describe('a text that is cut', () => {
  it('has whole characters, at most as many units as allowed, and its beginning', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, max) => {
        const cut = cutText(text, max)
        expect(cut.isWellFormed()).toBe(true)
        expect(cut.length).toBeLessThanOrEqual(max)
        expect(cut === text || text.startsWith(cut.slice(0, -1))).toBe(true)
        expect(wholeCharacters(text, max).isWellFormed()).toBe(true)
      }),
    )
  })

  it('ends with … in place of the rest, and never with half a character', () => {
    expect(cutText('x😀😀', 4)).toBe('x😀…')
    expect(cutText('x😀😀', 3)).toBe('x…')
    expect(cutText('short', 5)).toBe('short')
    expect(wholeCharacters('😀', 1)).toBe('')
  })
})

describe('a text for a terminal', () => {
  it.each([
    ['C0', 'a\u0000b\tc\u001b[31md\re\nf\u007f', 'a·b·c·[31md·e·f·'],
    ['C1', '\u009b31m \u0085', '·31m ·'],
    ['OSC', '\u001b]52;c;cm0=\u0007', '·]52;c;cm0=·'],
    ['bidi', '\u202e\u2066\u200f\u061cexe', '····exe'],
    ['line and paragraph separators', 'a\u2028b\u2029', 'a·b·'],
    ['invisible', 'a\u200bb\u00adc\ufeffd\u{e0041}\u3164\u115f\u034f\u{e0100}', 'a·b·c·d·····'],
    ['half', '\ud83d!', '·!'],
  ])('shows each character of the kind %s as a dot', (_, text, shown) => {
    expect(visible(text)).toBe(shown)
    expect(visible(shown)).toBe(shown)
  })

  it('keeps letters of every script, their accents, and emoji', () => {
    const text = 'Zoë 東京 ไทย e\u0301 😀 ✔\ufe0f'
    expect(visible(text)).toBe(text)
  })

  it('has them escaped where it is JSON, so that a program reads the same value', () => {
    const value = { 'na\u202eme': ['\u001b]0;x\u0007', '\u009b31m', '\u2028', '\u{e0041}', '\ud83d', '東京\n'] }
    for (const indent of [0, 2]) {
      const json = visibleJson(value, indent)
      expect(visibleLines(json)).toBe(json)
      expect(JSON.parse(json)).toEqual(value)
    }
    expect(visibleJson(value, 2).split('\n').length).toBeGreaterThan(5)
  })

  it('keeps its line breaks if it is meant to have them', () => {
    expect(visibleLines('a\u001b\r\nb\u202e')).toBe('a··\nb·')
  })
})
