import { describe, expect, it } from 'vitest'
import { day, hour, minute, second } from '../../../functions/domain/time.ts'
import type { Given } from './given.ts'
import { list, start } from './values.ts'

export function dueContract(given: Given): void {
  describe('a due time', () => {
    const due = async () => (await given.state.readRun('a')).due

    it('is claimed by a caller that saw the stored time', async () => {
      await given.state.makeDue('a', start, start + 7)
      expect(await given.state.claimDue('a', start, start + minute)).toBe(true)
      expect(await due()).toEqual({ nextDueAt: start + minute, wantedTo: start + 7 })
    })

    it('is claimed once, however many callers try', async () => {
      await given.state.makeDue('a', start, start)
      const tries = await Promise.all(Array.from({ length: 8 }, () => given.state.claimDue('a', start, start + minute)))
      expect(tries.filter((won) => won)).toHaveLength(1)
    })

    it('of a claimed connector keeps since when it is due, until its run begins', async () => {
      await given.state.makeDue('a', start, start + 7)
      expect(await given.state.claimDue('a', start, start + hour, start)).toBe(true)
      expect(await given.state.readDue('a')).toEqual({ nextDueAt: start + hour, dueSince: start, wantedTo: start + 7 })
      expect(await given.state.beginDue('a', start + hour, start + minute)).toBe(true)
      expect(await given.state.readDue('a')).toEqual({ nextDueAt: start + minute, wantedTo: start + 7 })
    })

    it('keeps since when it is due, if it is claimed again because its message was lost', async () => {
      await given.state.makeDue('a', start, start)
      await given.state.claimDue('a', start, start + minute, start)
      await given.state.claimDue('a', start + minute, start + hour)
      expect(await given.state.readDue('a')).toEqual({ nextDueAt: start + hour, dueSince: start, wantedTo: start })
    })

    it('is begun by one run, however many get its message', async () => {
      await given.state.makeDue('a', start, start)
      await given.state.claimDue('a', start, start + hour)
      const begun = await Promise.all(Array.from({ length: 8 }, () => given.state.beginDue('a', start + hour, start + minute)))
      expect(begun.filter((won) => won)).toHaveLength(1)
    })

    it('is not begun by a run whose claim was replaced, or if there is none', async () => {
      expect(await given.state.beginDue('a', start, start + minute)).toBe(false)
      await given.state.makeDue('a', start, start)
      expect(await given.state.beginDue('a', start + hour, start + minute)).toBe(false)
    })

    it('is not claimed if there is none', async () => {
      expect(await given.state.claimDue('a', start, start + minute)).toBe(false)
      expect(await due()).toBeUndefined()
    })

    it('is set by the run that claimed it', async () => {
      await given.state.makeDue('a', start, start + 7)
      expect(await given.state.setDue('a', start, start + hour)).toBe(true)
      expect(await due()).toEqual({ nextDueAt: start + hour, wantedTo: start + 7 })
    })

    it('is set to an earlier time by any run', async () => {
      await given.state.makeDue('a', start + hour, start)
      expect(await given.state.setDue('a', start, start + minute)).toBe(true)
      expect((await due())?.nextDueAt).toBe(start + minute)
    })

    it('is not set to a later time by a run that did not see it', async () => {
      await given.state.makeDue('a', start + second, start)
      expect(await given.state.setDue('a', start, start + minute)).toBe(false)
      expect(await given.state.setDue('a', undefined, start + minute)).toBe(false)
      expect((await due())?.nextDueAt).toBe(start + second)
    })

    it('is set by a run that saw none if there is none', async () => {
      expect(await given.state.setDue('a', undefined, start + minute)).toBe(true)
      expect(await due()).toEqual({ nextDueAt: start + minute, wantedTo: 0 })
    })

    it('is not set again by a run that saw it before it was removed', async () => {
      await given.state.makeDue('a', start, start)
      await given.state.removeDue('a')
      expect(await given.state.setDue('a', start, start + minute)).toBe(false)
      expect(await due()).toBeUndefined()
      expect(await list(given.state.dueBefore(start + day))).toEqual([])
    })

    it('is replaced by makeDue, whatever was there', async () => {
      await given.state.makeDue('a', start - hour, start + 7)
      await given.state.makeDue('a', start, start + 8)
      expect(await due()).toEqual({ nextDueAt: start, wantedTo: start + 8 })
    })

    it('carries the acceptance that it was made from, and is read by itself', async () => {
      expect(await given.state.readDue('a')).toBeUndefined()
      expect(await given.state.makeDue('a', start, start + 7, 5)).toBe(true)
      expect(await given.state.readDue('a')).toEqual({ nextDueAt: start, wantedTo: start + 7, acceptedAt: 5 })
      await given.state.claimDue('a', start, start + minute)
      expect(await given.state.setDue('a', start + minute, start + hour, 6)).toBe(true)
      expect(await due()).toEqual({ nextDueAt: start + hour, wantedTo: start + 7, acceptedAt: 6 })
    })

    it('is neither made, set nor removed by an earlier acceptance', async () => {
      await given.state.makeDue('a', start, start, 5)
      expect(await given.state.makeDue('a', start + 1, start, 4)).toBe(false)
      expect(await given.state.setDue('a', start, start + hour, 4)).toBe(false)
      await given.state.removeDue('a', 4)
      expect(await due()).toEqual({ nextDueAt: start, wantedTo: start, acceptedAt: 5 })
      await given.state.removeDue('a', 5)
      expect(await due()).toBeUndefined()
    })

    it('of an earlier release, without an acceptance, is made, set and removed by any', async () => {
      await given.state.makeDue('a', start, start)
      expect(await given.state.setDue('a', start, start + hour, 4)).toBe(true)
      await given.state.makeDue('a', start, start)
      expect(await given.state.makeDue('a', start, start, 4)).toBe(true)
      await given.state.makeDue('a', start, start)
      await given.state.removeDue('a', 4)
      expect(await due()).toBeUndefined()
    })

    it('may be removed twice', async () => {
      await given.state.removeDue('a')
      await given.state.removeDue('a')
      expect(await due()).toBeUndefined()
    })

    it('is listed if it lies before the given instant', async () => {
      for (let i = 0; i < 20; i++) await given.state.makeDue(`connector-${i}`, start + i, start)
      await given.state.claimDue('connector-0', start, start + hour)
      const listed = await list(given.state.dueBefore(start + 10))
      expect(new Map(listed.map(({ connectorId, nextDueAt }) => [connectorId, nextDueAt]))).toEqual(
        new Map(Array.from({ length: 9 }, (_, i) => [`connector-${i + 1}`, start + i + 1])),
      )
    })
  })
  describe('the last tick', () => {
    it('is the one that was written last', async () => {
      expect(await given.state.readTick()).toBeUndefined()
      expect(await given.state.writeTick({ at: start, waiting: 3, begun: 2 }, undefined)).toBe(true)
      const next = { at: start + minute, waiting: 4, begun: 3, sentUntil: start + hour }
      expect(await given.state.writeTick(next, start)).toBe(true)
      expect(await given.state.readTick()).toEqual(next)
    })

    it('is written by one of those that saw the one before', async () => {
      const write = (lastAt: number | undefined) => given.state.writeTick({ at: start, waiting: 3, begun: 2 }, lastAt)
      expect((await Promise.all([write(undefined), write(undefined)])).sort()).toEqual([false, true])
      expect(await write(start - minute)).toBe(false)
      expect(await write(start)).toBe(true)
    })
  })
  describe('the last comparison', () => {
    it('is the one that was written last, beside the last tick', async () => {
      expect(await given.state.readComparison()).toBeUndefined()
      await given.state.writeTick({ at: start, waiting: 3, begun: 2 }, undefined)
      await given.state.writeComparison({ begunAt: start, completedAt: start - hour, claimedAt: start - day })
      expect(await given.state.readComparison()).toEqual({ begunAt: start, completedAt: start - hour, claimedAt: start - day })
      await given.state.writeComparison({ completedAt: start })
      expect(await given.state.readComparison()).toEqual({ completedAt: start })
      expect(await given.state.readTick()).toEqual({ at: start, waiting: 3, begun: 2 })
    })
  })
}
