import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { day } from '../../../functions/domain/time.ts'
import type { Given } from './given.ts'
import { bucket, start, user } from './values.ts'

export function apiKeyContract(given: Given): void {
  describe('tokens', () => {
    it('are not there before they were written', async () => {
      expect(await given.state.readTokens('k')).toBeUndefined()
    })

    it('are read as they were written', async () => {
      await given.state.writeTokens('k', bucket(1))
      expect(await given.state.readTokens('k')).toEqual(bucket(1))
    })

    it('keep a daily limit, if there is one', async () => {
      await given.state.writeTokens('k', { ...bucket(1), perDay: 400 })
      expect((await given.state.readTokens('k'))?.perDay).toBe(400)
    })

    it('fit into an item for a key with 6,000 requests a minute', async () => {
      const tokens = Array.from({ length: 6_000 }, (_, i) => ({ at: start + i * 7, by: `${randomUUID()}:${i}`, released: i % 3 > 0 }))
      const many = { ...bucket(1), tokens: tokens.map((token, i) => ({ ...token, by: `${tokens[i % 10]!.by.slice(0, 36)}:${i}` })) }
      expect(await given.state.writeTokens('k', many)).toBe(true)
      expect(await given.state.readTokens('k')).toEqual(many)
    })

    it('are written once by many callers that build on the same version', async () => {
      await given.state.writeTokens('k', bucket(1))
      const tries = await Promise.all(
        Array.from({ length: 8 }, (_, i) => given.state.writeTokens('k', { ...bucket(2), learnedLimit: i + 1 })),
      )
      expect(tries.filter((won) => won)).toHaveLength(1)
      expect((await given.state.readTokens('k'))?.learnedLimit).toBe(tries.indexOf(true) + 1)
    })

    it('are refused as a version that does not follow the stored one', async () => {
      expect(await given.state.writeTokens('k', bucket(2))).toBe(false)
      await given.state.writeTokens('k', bucket(1))
      expect(await given.state.writeTokens('k', bucket(1))).toBe(false)
      expect(await given.state.writeTokens('k', bucket(3))).toBe(false)
    })
  })

  describe('users of a key', () => {
    const users = () => given.state.keyUsers('k', given.now)

    it('are all that were written for it', async () => {
      expect(await users()).toEqual([])
      await given.state.writeKeyUser('k', user('b', given.now))
      await given.state.writeKeyUser('k', user('a', given.now))
      await given.state.writeKeyUser('other', user('c', given.now))
      expect(await users()).toEqual([user('a', given.now), user('b', given.now)])
      expect(await given.state.keyUsers('other', given.now)).toEqual([user('c', given.now)])
    })

    it('are written anew by the same acceptance and by a later one', async () => {
      expect(await given.state.writeKeyUser('k', user('a', given.now))).toBe(true)
      const changed = { ...user('a', given.now), requestsPerMinute: 5, requestsPerDay: 100 }
      expect(await given.state.writeKeyUser('k', changed)).toBe(true)
      expect(await users()).toEqual([changed])
      const later = { ...user('a', given.now), acceptedAt: given.now + 1 }
      expect(await given.state.writeKeyUser('k', later)).toBe(true)
      expect(await users()).toEqual([later])
    })

    it('are not written by an earlier acceptance', async () => {
      await given.state.writeKeyUser('k', user('a', given.now))
      expect(await given.state.writeKeyUser('k', { ...user('a', given.now), requestsPerMinute: 1, acceptedAt: given.now - 1 })).toBe(false)
      expect(await users()).toEqual([user('a', given.now)])
    })

    it('are written over those that an earlier release wrote, without an acceptance', async () => {
      const { acceptedAt: _, ...former } = user('a', given.now)
      await given.state.writeKeyUser('k', former)
      expect(await users()).toEqual([former])
      expect(await given.state.writeKeyUser('k', user('a', given.now))).toBe(true)
      expect(await users()).toEqual([user('a', given.now)])
    })

    it('are forgotten after their time has passed', async () => {
      await given.state.writeKeyUser('k', user('a', given.now))
      given.now += 2 * day
      expect(await users()).toEqual([])
    })

    it('are listed without registering anybody, each until its time has passed', async () => {
      expect(await given.state.keyUsers('k', given.now)).toEqual([])
      await given.state.writeKeyUser('k', user('a', given.now))
      given.now += day
      await given.state.writeKeyUser('k', user('b', given.now))
      expect(await given.state.keyUsers('k', given.now)).toEqual([user('a', start), user('b', given.now)])
      expect(await given.state.keyUsers('other', given.now)).toEqual([])
      given.now += day
      expect(await given.state.keyUsers('k', given.now)).toEqual([user('b', start + day)])
    })

    it('are removed by the same acceptance or a later one, and may be removed twice', async () => {
      await given.state.writeKeyUser('k', user('a', given.now))
      await given.state.writeKeyUser('k', user('b', given.now))
      await given.state.removeKeyUser('k', 'a', given.now - 1)
      expect(await users()).toHaveLength(2)
      await given.state.removeKeyUser('k', 'a', given.now)
      await given.state.removeKeyUser('k', 'a', given.now)
      expect(await users()).toEqual([user('b', given.now)])
    })
  })

  it('keeps the first fingerprint key for good', async () => {
    expect(await given.state.hasFingerprintKey()).toBe(false)
    const keys = await Promise.all(['aa', 'bb', 'cc'].map((candidate) => given.state.fingerprintKey(candidate)))
    expect(new Set(keys).size).toBe(1)
    expect(await given.state.fingerprintKey('dd')).toBe(keys[0])
    expect(await given.state.hasFingerprintKey()).toBe(true)
  })
}
