import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutText, wholeCharacters } from '../../functions/domain/text.ts'

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
