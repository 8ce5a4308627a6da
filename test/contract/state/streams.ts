import { describe, expect, it } from 'vitest'
import { minute } from '../../../functions/domain/time.ts'
import type { Given } from './given.ts'
import { fullStream, start, stream } from './values.ts'

export function streamContract(given: Given): void {
  describe('a stream', () => {
    it('is written first as version 1, once', async () => {
      expect(await given.state.writeStream('a', 'x', stream(1))).toBe(true)
      expect(await given.state.writeStream('a', 'x', stream(1))).toBe(false)
    })

    it('is not written first as a later version', async () => {
      expect(await given.state.writeStream('a', 'x', stream(2))).toBe(false)
      expect((await given.state.readRun('a')).streams.size).toBe(0)
    })

    it('is written as the version after the stored one, and as no other', async () => {
      await given.state.writeStream('a', 'x', stream(1))
      expect(await given.state.writeStream('a', 'x', stream(3))).toBe(false)
      expect(await given.state.writeStream('a', 'x', fullStream(2))).toBe(true)
      expect(await given.state.writeStream('a', 'x', stream(2))).toBe(false)
      expect((await given.state.readRun('a')).streams.get('x')).toEqual(fullStream(2))
    })

    it('gives its lease to one of many callers at the same time', async () => {
      const tries = Array.from({ length: 8 }, (_, i) =>
        given.state.writeStream('a', 'x', { ...stream(1), lease: { holder: `${i}`, until: start + minute } }),
      )
      expect((await Promise.all(tries)).filter((won) => won)).toHaveLength(1)
    })

    it('loses attributes that the later version does not have', async () => {
      await given.state.writeStream('a', 'x', fullStream(1))
      await given.state.writeStream('a', 'x', stream(2))
      expect((await given.state.readRun('a')).streams.get('x')).toEqual(stream(2))
    })
  })
}
