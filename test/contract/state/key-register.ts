import { describe, expect, it } from 'vitest'
import { day } from '../../../functions/domain/time.ts'
import type { Given } from './given.ts'
import { claim, heldKeys } from './values.ts'

export function keyRegisterContract(given: Given): void {
  describe('the claims of a key', () => {
    it('are none before the first', async () => {
      expect(await given.state.readClaims('k')).toEqual({ revision: 0, claims: [] })
    })

    it('are read as they were written, apart from those of another key', async () => {
      const claims = { revision: 1, claims: [claim('a'), { ...claim('__proto__'), sharedWith: ['globex', '~Globex'], sharedKey: true }] }
      expect(await given.state.writeClaims('k', claims)).toBe(true)
      expect(await given.state.readClaims('k')).toEqual(claims)
      expect(await given.state.readClaims('other')).toEqual({ revision: 0, claims: [] })
    })

    it('are written once by many that saw the same revision', async () => {
      const tries = await Promise.all(
        Array.from({ length: 8 }, (_, i) => given.state.writeClaims('k', { revision: 1, claims: [claim(`c${i}`)] })),
      )
      expect(tries.filter((won) => won)).toHaveLength(1)
      expect((await given.state.readClaims('k')).claims).toEqual([claim(`c${tries.indexOf(true)}`)])
      expect(await given.state.writeClaims('k', { revision: 3, claims: [] })).toBe(false)
    })

    it('stay for good, and without any claim for a day', async () => {
      await given.state.writeClaims('k', { revision: 1, claims: [claim('a')] })
      given.now += 1_000 * day
      expect((await given.state.readClaims('k')).claims).toHaveLength(1)
      await given.state.writeClaims('k', { revision: 2, claims: [] })
      expect(await given.state.readClaims('k')).toEqual({ revision: 2, claims: [] })
      given.now += day
      expect(await given.state.readClaims('k')).toEqual({ revision: 0, claims: [] })
      expect(await given.state.writeClaims('k', { revision: 3, claims: [claim('a')] })).toBe(false)
      expect(await given.state.writeClaims('k', { revision: 1, claims: [claim('a')] })).toBe(true)
    })
  })

  describe('the keys of a connector', () => {
    it('are read as they were written, by a run as well', async () => {
      expect(await given.state.readHeldKeys('a')).toBeUndefined()
      expect(await given.state.writeHeldKeys('a', heldKeys)).toBe(true)
      expect(await given.state.readHeldKeys('a')).toEqual(heldKeys)
      expect(await given.state.readHeldKeys('ab')).toBeUndefined()
      expect((await given.state.readRun('a')).heldKeys).toEqual(heldKeys)
    })

    it('are refused as a revision that does not follow the stored one', async () => {
      await given.state.writeHeldKeys('a', heldKeys)
      expect(await given.state.writeHeldKeys('a', heldKeys)).toBe(false)
      expect(await given.state.writeHeldKeys('a', { ...heldKeys, revision: 3 })).toBe(false)
      expect(await given.state.writeHeldKeys('a', { ...heldKeys, revision: 2 })).toBe(true)
    })

    it('expire with the tombstone of a connector that has none any more', async () => {
      await given.state.writeHeldKeys('a', { revision: 1, acceptedAt: 0, keys: [], leaving: [] })
      given.now += 4 * day - 1
      expect(await given.state.readHeldKeys('a')).toBeDefined()
      given.now += 1_001
      expect(await given.state.readHeldKeys('a')).toBeUndefined()
    })
  })
}
