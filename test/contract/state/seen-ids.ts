import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seenClass } from '../../../functions/domain/stream/seen-ids.ts'
import type { Interval } from '../../../functions/domain/stream/stream.ts'
import { day } from '../../../functions/domain/time.ts'
import type { Given } from './given.ts'
import { id, page, start } from './values.ts'

export function seenIdContract(given: Given): void {
  describe('seen ids', () => {
    const width = 4 ** 9
    const classes = [seenClass({ from: 0, to: width })]
    const read = async (range: Interval, of = classes, streamId = 'x') => {
      const seen: [string, string][] = []
      await given.state.readSeen('a', streamId, range, of, (hash, mark) => seen.push([hash, mark]))
      return seen
    }

    it('are read with their marks', async () => {
      const range = { from: start, to: start + width }
      await given.state.writeSeen('a', 'x', { ...page(range, 5), ids: [id(1), { hash: 'ffffffffffffffff', mark: 'filtered' }] })
      expect(await read(range)).toEqual([
        ['0000000000000001', 'delivered'],
        ['ffffffffffffffff', 'filtered'],
      ])
    })

    it.each([
      ['the range itself', 0, width, true],
      ['one millisecond inside its start', 0, 1, true],
      ['one millisecond inside its end', width - 1, width, true],
      ['one that ends where it begins', -5, 0, false],
      ['one that begins where it ends', width, width + 5, false],
      ['one around it', -width, 2 * width, true],
      ['one far before', -9 * width, -8 * width, false],
      ['one far after', 8 * width, 9 * width, false],
    ])('are read for %s only if the ranges overlap', async (_, from, to, found) => {
      await given.state.writeSeen('a', 'x', page({ from: start, to: start + width }, 1))
      expect(await read({ from: start + from, to: start + to })).toHaveLength(found ? 1 : 0)
    })

    it('are read for the given classes only', async () => {
      const range = { from: start, to: start + width }
      await given.state.writeSeen('a', 'x', page(range, 1))
      expect(await read(range, [classes[0]! - 1, classes[0]! + 1])).toEqual([])
      expect(await read(range, [])).toEqual([])
    })

    it('are read for their own stream only', async () => {
      const range = { from: start, to: start + width }
      await given.state.writeSeen('a', 'x', page(range, 1))
      await given.state.writeSeen('b', 'x', page(range, 1))
      expect(await read(range, classes, 'y')).toEqual([])
      expect(await read(range, classes, 'x')).toHaveLength(1)
    })

    it('are never overwritten', async () => {
      const range = { from: start, to: start + width }
      await given.state.writeSeen('a', 'x', { ...page(range, 1), ids: [id(1)] })
      await given.state.writeSeen('a', 'x', { ...page(range, 1), ids: [id(2)] })
      expect(await read(range)).toEqual([['0000000000000001', 'delivered']])
    })

    it('come in the order of the start of their range, then of the version', async () => {
      const early = { from: start, to: start + width }
      const late = { from: start + 5, to: start + width }
      await given.state.writeSeen('a', 'x', { ...page(late, 3), ids: [id(3)] })
      await given.state.writeSeen('a', 'x', { ...page(early, 10), ids: [id(2)] })
      await given.state.writeSeen('a', 'x', { ...page(early, 9), ids: [id(1)] })
      expect((await read(late)).map(([hash]) => Number(hash))).toEqual([1, 2, 3])
    })

    it('are absent after they have expired', async () => {
      const range = { from: start, to: start + width }
      await given.state.writeSeen('a', 'x', { ...page(range, 1), expiresAt: start + day })
      given.now = start + day - 1
      expect(await read(range)).toHaveLength(1)
      given.now = start + day
      expect(await read(range)).toEqual([])
    })

    it('are read with the content of each, its rule and one of their fields', async () => {
      const range = { from: start, to: start + width }
      const content = { hash: 'aaaaaaaaaaaaaaaa', rule: '0badcafe' }
      const fields = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])
      const ids = [
        { ...id(1), content },
        { ...id(2), content: { ...content, fields } },
      ]
      await given.state.writeSeen('a', 'x', { ...page(range, 1), ids })
      // A release before 0.4.0 stores no content.
      await given.state.writeSeen('a', 'x', { ...page(range, 2), ids: [id(3)] })
      const seen: unknown[] = []
      await given.state.readSeen('a', 'x', range, classes, (hash, _, of) =>
        seen.push([hash, of && { ...of, fields: of.fields && [...of.fields] }]),
      )
      expect(seen).toEqual([
        [id(1).hash, { ...content, fields: undefined }],
        [id(2).hash, { ...content, fields: [...fields] }],
        [id(3).hash, undefined],
      ])
    })

    it('are all read, however many they are', async () => {
      const range = { from: start, to: start + width }
      const ids = Array.from({ length: 50_000 }, (_, i) => id(i))
      for (let version = 1; version <= 4; version++) await given.state.writeSeen('a', 'x', { ...page(range, version), ids })
      expect(await read(range)).toHaveLength(200_000)
    })

    it('are found for each range that overlaps theirs, and for no other', async () => {
      const range = fc
        .record({ from: fc.integer({ min: 0, max: 300 }), width: fc.integer({ min: 1, max: 120 }) })
        .map(({ from, width }) => ({ from, to: from + width }))
      await fc.assert(
        fc.asyncProperty(fc.array(range, { maxLength: 8 }), range, fc.uuid(), async (ranges, asked, streamId) => {
          for (const [i, each] of ranges.entries()) await given.state.writeSeen('a', streamId, { ...page(each, i + 1), ids: [id(i)] })
          const overlapping = ranges.flatMap(({ from, to }, i) => (from < asked.to && to > asked.from ? [id(i).hash] : []))
          const found = await read(asked, [...new Set(ranges.map(seenClass))], streamId)
          expect(found.map(([hash]) => hash).sort()).toEqual(overlapping.sort())
        }),
        { numRuns: 30 },
      )
    })
  })
}
