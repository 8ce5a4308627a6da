import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { linesOf, packed } from '../../functions/adapters/firehose/packs.ts'

const bytesMax = 900 * 1024
const text = fc.oneof(
  { weight: 20, arbitrary: fc.string({ unit: 'grapheme' }) },
  { weight: 2, arbitrary: fc.nat(bytesMax / 2 - 2).map((length) => 'é'.repeat(length)) },
)
const anyLines = fc.array(
  text.map((each) => JSON.stringify(each)),
  { maxLength: 1_200, size: 'max' },
)

it('packs hold all lines in their order, numbered, and none is larger than Firehose takes apart', () => {
  return fc.assert(
    fc.property(anyLines, (lines) => {
      const packs = packed(lines)
      expect(Buffer.concat(packs.map(({ data }) => data)).toString()).toBe(lines.map((line) => `${line}\n`).join(''))
      expect(packs.flatMap(({ first, count }) => Array.from({ length: count }, (_, n) => first + n))).toEqual([...lines.keys()])
      for (const { data, count } of packs) expect([data.length <= bytesMax, count <= 500]).toEqual([true, true])
    }),
    { numRuns: 30 },
  )
})

it('the lines of a pack, each as a pack of its own, keep their numbers', () => {
  return fc.assert(
    fc.property(anyLines, (lines) => {
      const alone = packed(lines).flatMap(linesOf)
      expect(alone.map(({ data }) => data.toString())).toEqual(lines.map((line) => `${line}\n`))
      expect(alone.map(({ first, count }) => [first, count])).toEqual([...lines.keys()].map((n) => [n, 1]))
    }),
    { numRuns: 30 },
  )
})
