import { describe, expect, it } from 'vitest'
import { durationText } from '../../functions/domain/time.ts'

describe('a duration', () => {
  it.each([
    [0, '0 s'],
    [99_000, '99 s'],
    [600_000, '10 min'],
    [72 * 3_600_000, '72 h'],
    [-300, '0 s'],
  ])('of %i ms is written as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text)
  })
})
