import { describe, expect, it } from 'vitest'
import type { Interval } from '../../../functions/domain/stream/stream.ts'
import type { Given } from './given.ts'
import { accepted, fullStatus, fullStream, page, start, stream } from './values.ts'

export function runStateContract(given: Given): void {
  describe('the state of a run', () => {
    it('is empty if nothing was written', async () => {
      expect(await given.state.readRun('a')).toEqual({ streams: new Map() })
    })

    it('has everything that was written for its connector, and nothing of another', async () => {
      await given.state.writeAccepted(accepted('a'), undefined)
      await given.state.writeAccepted(accepted('ab'), undefined)
      await given.state.makeDue('a', start, start - 1)
      await given.state.updateStatus('a', () => fullStatus)
      await given.state.writeStream('a', 'x/2', fullStream(1))
      await given.state.writeStream('a', 'x/1', stream(1))
      await given.state.writeSeen('a', 'x/1', page({ from: 1, to: 2 }, 1))
      await given.state.writeStream('ab', 'x/3', stream(1))
      const run = await given.state.readRun('a')
      expect(run).toEqual({
        accepted: accepted('a'),
        due: { nextDueAt: start, wantedTo: start - 1 },
        status: fullStatus,
        streams: new Map([
          ['x/1', stream(1)],
          ['x/2', fullStream(1)],
        ]),
      })
      expect([...run.streams.keys()]).toEqual(['x/1', 'x/2'])
    })

    it('has all streams, however large they are', async () => {
      const lostRanges = Array.from({ length: 8_000 }, (_, i) => ({ from: i * 10, to: i * 10 + 5, reason: 'retention-limit' as const }))
      for (const id of ['1', '2', '3', '4', '5']) await given.state.writeStream('a', id, { ...stream(1), lostRanges })
      expect([...(await given.state.readRun('a')).streams].map(([id, { lostRanges }]) => [id, lostRanges.length])).toEqual(
        ['1', '2', '3', '4', '5'].map((id) => [id, 8_000]),
      )
    })

    it('does not change when the caller changes an object that it wrote or read', async () => {
      const written = { ...stream(1), covered: [{ from: 1, to: 2 }] }
      await given.state.writeStream('a', 'x', written)
      const read = (await given.state.readRun('a')).streams.get('x')!
      for (const { covered } of [written, read]) {
        try {
          ;(covered as Interval[]).push({ from: 3, to: 4 })
        } catch {}
      }
      expect((await given.state.readRun('a')).streams.get('x')).toEqual({ ...stream(1), covered: [{ from: 1, to: 2 }] })
    })
  })
}
