import { beforeEach, describe, expect, it } from 'vitest'
import type { AcceptedConnector } from '../../../functions/domain/ports.ts'
import { withState } from '../../../functions/domain/status/status.ts'
import { day, hour } from '../../../functions/domain/time.ts'
import type { Given } from './given.ts'
import { accepted, list, start, status, stream } from './values.ts'

export function acceptedContract(given: Given): void {
  describe('an acceptance', () => {
    it('is not there before it was written', async () => {
      expect(await given.state.readAccepted('a')).toBeUndefined()
    })

    it('is read as it was written', async () => {
      expect(await given.state.writeAccepted(accepted('a'), undefined)).toBe(true)
      expect(await given.state.readAccepted('a')).toEqual(accepted('a'))
    })

    it('is refused as the first one if there is one already', async () => {
      await given.state.writeAccepted(accepted('a'), undefined)
      expect(await given.state.writeAccepted({ ...accepted('a'), itemDigest: 'other' }, undefined)).toBe(false)
      expect(await given.state.readAccepted('a')).toEqual(accepted('a'))
    })

    it('replaces the one that it was made from', async () => {
      const next = { ...accepted('a'), itemDigest: 'next', acceptedAt: start + 1 }
      await given.state.writeAccepted(accepted('a'), undefined)
      expect(await given.state.writeAccepted(next, accepted('a'))).toBe(true)
      expect(await given.state.readAccepted('a')).toEqual(next)
    })

    it.each([
      ['another item', { itemDigest: 'other' }],
      ['another time', { acceptedAt: start + 1 }],
      ['a tombstone', { retiredAt: start + 1 }],
    ])('is refused if the one that it was made from was replaced by %s', async (_, change) => {
      const replaced = { ...accepted('a'), ...change }
      await given.state.writeAccepted(accepted('a'), undefined)
      await given.state.writeAccepted(replaced, accepted('a'))
      expect(await given.state.writeAccepted({ ...accepted('a'), itemDigest: 'mine' }, accepted('a'))).toBe(false)
      expect(await given.state.readAccepted('a')).toEqual(replaced)
    })

    it('is refused if the one that it was made from is not there', async () => {
      expect(await given.state.writeAccepted(accepted('a'), accepted('a'))).toBe(false)
      expect(await given.state.readAccepted('a')).toBeUndefined()
    })

    it('is written once if many are made from the same one', async () => {
      await given.state.writeAccepted(accepted('a'), undefined)
      const tries = Array.from({ length: 8 }, (_, i) =>
        given.state.writeAccepted({ ...accepted('a'), itemDigest: `${i}`, acceptedAt: start + 1 }, accepted('a')),
      )
      expect((await Promise.all(tries)).filter((won) => won)).toHaveLength(1)
    })

    it('is listed with all others, tombstones included', async () => {
      const all = Array.from({ length: 20 }, (_, i) => accepted(`connector-${i}`))
      for (const each of all) await given.state.writeAccepted(each, undefined)
      const gone = { ...all[3]!, retiredAt: start }
      await given.state.writeAccepted(gone, all[3])
      const listed = await list(given.state.allAccepted())
      expect(listed).toHaveLength(20)
      expect(listed.find(({ connector }) => connector.connectorId === 'connector-3')).toEqual(gone)
    })
  })

  describe('a deleted connector', () => {
    const gone: AcceptedConnector = { ...accepted('a'), retiredAt: start }

    beforeEach(async () => {
      await given.state.writeAccepted(accepted('a'), undefined)
      await given.state.writeStream('a', 'x', stream(1))
      await given.state.writeStream('a', 'x', stream(2))
      await given.state.updateStatus('a', () => status)
      await given.state.writeAccepted(gone, accepted('a'))
      await given.state.updateStatus('a', (before) => withState(before!, { state: 'retired', reason: 'deleted' }, start))
    })

    it('keeps its ledger for four days', async () => {
      given.now = start + 4 * day - 1
      const { accepted, status, streams } = await given.state.readRun('a')
      expect(accepted).toEqual(gone)
      expect(status?.state).toBe('retired')
      expect(streams.get('x')?.counts).toEqual(stream(2).counts)
    })

    it('leaves nothing after four days', async () => {
      given.now = start + 4 * day
      expect(await given.state.readRun('a')).toEqual({ streams: new Map() })
      expect(await given.state.readAccepted('a')).toBeUndefined()
      expect(await list(given.state.allAccepted())).toEqual([])
      expect(await list(given.state.fleet())).toEqual([])
    })

    it('starts over after four days', async () => {
      given.now = start + 4 * day
      expect(await given.state.writeAccepted(accepted('a'), gone)).toBe(false)
      expect(await given.state.writeStream('a', 'x', stream(4))).toBe(false)
      expect(await given.state.writeAccepted(accepted('a'), undefined)).toBe(true)
      expect(await given.state.writeStream('a', 'x', stream(1))).toBe(true)
      await given.state.updateStatus('a', () => status)
      expect(await given.state.readRun('a')).toEqual({ accepted: accepted('a'), status, streams: new Map([['x', stream(1)]]) })
    })

    it('refuses the checkpoint of a run that was under way', async () => {
      expect(await given.state.writeStream('a', 'x', stream(3))).toBe(false)
    })

    it('keeps its ledger for good if it comes back', async () => {
      await given.state.writeAccepted({ ...accepted('a'), acceptedAt: start + hour }, gone)
      await given.state.updateStatus('a', (before) => withState(before!, { state: 'starting', reason: '' }, start + hour))
      given.now = start + 30 * day
      const { accepted: back, status, streams } = await given.state.readRun('a')
      expect(back?.acceptedAt).toBe(start + hour)
      expect(status?.state).toBe('starting')
      expect(streams.get('x')).toEqual(stream(3))
      expect(await given.state.writeStream('a', 'x', stream(4))).toBe(true)
    })
  })
}
