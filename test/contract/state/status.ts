import { describe, expect, it } from 'vitest'
import { newStatus } from '../../../functions/domain/status/status.ts'
import type { Given } from './given.ts'
import { accepted, fullStatus, list, start, status } from './values.ts'

export function statusContract(given: Given): void {
  describe('a status', () => {
    it('is not there before it was written', async () => {
      expect(await given.state.readStatus('a')).toBeUndefined()
    })

    it('is read as it was written', async () => {
      await given.state.updateStatus('a', () => fullStatus)
      expect(await given.state.readStatus('a')).toEqual(fullStatus)
    })

    it('is that of the last writer', async () => {
      await given.state.updateStatus('a', () => fullStatus)
      await given.state.updateStatus('a', () => status)
      expect(await given.state.readStatus('a')).toEqual(status)
    })

    it('is updated from the stored one, or from nothing', async () => {
      await given.state.updateStatus('a', (before) => ({ ...(before ?? newStatus(start)), readSteps: (before?.readSteps ?? 40) + 1 }))
      await given.state.updateStatus('a', (before) => ({ ...before!, readSteps: before!.readSteps + 1 }))
      expect(await given.state.readStatus('a')).toEqual({ ...newStatus(start), readSteps: 42 })
    })

    it('loses no update, however many come at once', async () => {
      await given.state.updateStatus('a', () => status)
      await Promise.all(
        Array.from({ length: 6 }, () => given.state.updateStatus('a', (before) => ({ ...before!, readSteps: before!.readSteps + 1 }))),
      )
      expect((await given.state.readStatus('a'))?.readSteps).toBe(status.readSteps + 6)
    })

    it('is not written if the update returns nothing', async () => {
      await given.state.updateStatus('a', () => status)
      expect(await given.state.updateStatus('a', () => undefined)).toBeUndefined()
      expect(await given.state.updateStatus('b', () => undefined)).toBeUndefined()
      expect(await given.state.readStatus('a')).toEqual(status)
      expect(await given.state.readStatus('b')).toBeUndefined()
    })

    it('is returned together with the one before the update', async () => {
      expect(await given.state.updateStatus('a', () => status)).toEqual({ after: status })
      expect(await given.state.updateStatus('a', () => fullStatus)).toEqual({ before: status, after: fullStatus })
    })

    it('is the same after an update that changes nothing', async () => {
      await given.state.updateStatus('a', () => fullStatus)
      await given.state.updateStatus('a', (before) => structuredClone(before!))
      expect(await given.state.readStatus('a')).toEqual(fullStatus)
    })

    it('is listed with those of all other connectors', async () => {
      for (let i = 0; i < 20; i++) await given.state.updateStatus(`connector-${i}`, () => ({ ...status, readSteps: i }))
      await given.state.writeAccepted(accepted('connector-1'), undefined)
      const listed = await list(given.state.fleet())
      expect(new Map(listed.map(({ connectorId, status }) => [connectorId, status]))).toEqual(
        new Map(Array.from({ length: 20 }, (_, i) => [`connector-${i}`, { ...status, readSteps: i }])),
      )
    })
  })
}
