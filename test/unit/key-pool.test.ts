import { beforeEach, describe, expect, it } from 'vitest'
import type { Instant } from '../../functions/domain/time.ts'
import { minute, second } from '../../functions/domain/time.ts'
import { type KeyAnswer, KeyPool } from '../../functions/flows/collect/key-pool.ts'
import { RateLimiter } from '../../functions/flows/collect/rate-limiter.ts'
import type { OpenKey } from '../../functions/flows/open-keys.ts'
import { start, World } from '../../simulation/world.ts'

let world: World
let waits: Instant[]

beforeEach(() => {
  world = new World({})
  waits = []
})

/** Keys of one request a minute, by fingerprint. */
function pool(keys: readonly string[], turn = 0): KeyPool {
  const ports = world.ports(0)
  return new KeyPool(ports, new RateLimiter(ports), keys.map(key), turn)
}

function key(fingerprint: string): OpenKey {
  return { reference: { secretName: fingerprint }, apiKey: fingerprint, fingerprint, limiters: [{ bucket: fingerprint, limit: 1 }] }
}

/** Another run uses the tokens of the key. */
async function useUp(fingerprint: string): Promise<void> {
  const limiter = new RateLimiter(world.ports(1))
  const admission = await limiter.admit(key(fingerprint).limiters, { waitMaxMs: 0 })
  if (admission.kind !== 'go') throw new Error(`${fingerprint} has no token.`)
  limiter.release(admission.permit, { outcome: 'responded', receivedAt: world.clock.now() })
  await limiter.flush()
}

/** The second key is free 20 s after the first. */
async function useUpInTurn(first: string, later: string): Promise<void> {
  await useUp(first)
  await world.clock.advance(20 * second)
  await useUp(later)
}

/** The key of the permit, or the wait (s), and how long the answer took (s). */
async function answer(asked: Promise<KeyAnswer>): Promise<readonly [string | number, number]> {
  const from = world.clock.now()
  const given = await world.clock.finish(asked)
  const tookS = (world.clock.now() - from) / second
  if (given.kind === 'called-off') return ['called-off', tookS]
  return [given.kind === 'go' ? given.key.fingerprint : (given.freeAt - world.clock.now()) / second, tookS]
}

const beforeWaiting = async (until: Instant) => {
  waits.push(until)
  return true
}

describe('the pool of keys', () => {
  it('goes round its keys, and begins where it is told to', async () => {
    const keys = pool(['a', 'b', 'c'], 4)
    expect([await answer(keys.admit({ waitMaxMs: 0 })), await answer(keys.admit({ waitMaxMs: 0 }))]).toEqual([
      ['b', 0],
      ['c', 0],
    ])
  })

  it.each([
    { isAlone: true, isEstimate: true, taken: 4 },
    { isAlone: false, isEstimate: true, taken: 1 },
    { isAlone: false, isEstimate: false, taken: 4 },
  ])('takes $taken tokens of a key with one write (alone on it: $isAlone, some may not be used: $isEstimate)', async (given) => {
    const ports = world.ports(0)
    const shared = { ...key('a'), limiters: [{ bucket: 'a', limit: 20, isAlone: given.isAlone }] }
    const keys = new KeyPool(ports, new RateLimiter(ports), [shared], 0)
    await world.clock.finish(keys.admit({ waitMaxMs: 0, together: 4, isEstimate: given.isEstimate }))
    expect((await world.state.readTokens('a'))?.tokens).toHaveLength(given.taken)
  })

  it('gives a request the key that it is bound to', async () => {
    expect(await answer(pool(['a', 'b']).admit({ key: 'b', waitMaxMs: 0 }))).toEqual(['b', 0])
    await expect(pool(['a', 'b']).admit({ key: 'c', waitMaxMs: 0 })).rejects.toThrow('The pool has no such key.')
  })

  it('takes another key when one has no token, and waits for none', async () => {
    await useUp('a')
    const keys = pool(['a', 'b'])
    expect(await answer(keys.admit({ waitMaxMs: minute, beforeWaiting }))).toEqual(['b', 0])
    expect(waits).toEqual([])
    expect(keys.freeAt()).toBe(start)
    expect(keys.freeAt('a')).toBeGreaterThan(start + 59 * second)
  })

  it('waits for the key that is free first when none is', async () => {
    await useUpInTurn('b', 'a')
    const [fingerprint, tookS] = await answer(pool(['a', 'b']).admit({ waitMaxMs: minute, beforeWaiting }))
    expect(fingerprint).toBe('b')
    expect(tookS).toBeGreaterThan(39)
    expect(tookS).toBeLessThan(45)
  })

  it('answers with when the first key is free if none is in time, and has waited for none', async () => {
    await useUpInTurn('b', 'a')
    const keys = pool(['a', 'b'])
    const [waitS, tookS] = await answer(keys.admit({ waitMaxMs: 15 * second }))
    expect(waitS).toBeGreaterThan(39)
    expect(waitS).toBeLessThan(45)
    expect(tookS).toBe(0)
    expect(keys.freeAt()).toBe(keys.freeAt('b'))
  })

  it('does not wait for the key of a bound request while another key is free, because another stream may use that one', async () => {
    await useUp('a')
    const [waitS, tookS] = await answer(pool(['a', 'b']).admit({ key: 'a', waitMaxMs: 2 * minute }))
    expect(waitS).toBeGreaterThan(59)
    expect(tookS).toBe(0)
  })

  it('waits for the key of a bound request if no other key is free sooner', async () => {
    await useUpInTurn('a', 'b')
    const keys = pool(['a', 'b'])
    await answer(keys.admit({ waitMaxMs: 0 }))
    expect(await answer(keys.admit({ key: 'a', waitMaxMs: 2 * minute }))).toEqual(['a', expect.closeTo(41, -1)])
  })

  it('keeps the pace of a paced stream, although another key is free', async () => {
    expect(await answer(pool(['a', 'b']).admit({ key: 'a', waitMaxMs: 2 * minute, pacedAfter: start - 10 * second }))).toEqual(['a', 50])
  })

  it('spreads requests over the minute from the first one on that waits for a token, if it is told to', async () => {
    const ports = world.ports(0)
    const limiter = new RateLimiter(ports)
    const ofTwo = { ...key('a'), limiters: [{ bucket: 'a', limit: 2 }] }
    const keys = new KeyPool(ports, limiter, [ofTwo], 0, true)
    const goneAfterS: number[] = []
    for (let n = 0; n < 6; n++) {
      const [, tookS] = await answer(
        keys.admit({ waitMaxMs: 2 * minute }).then((given) => {
          if (given.kind === 'go') limiter.release(given.permit, { outcome: 'responded', receivedAt: world.clock.now() })
          return given
        }),
      )
      goneAfterS.push(Math.round(tookS))
    }
    expect(goneAfterS).toEqual([0, 0, 60, 29, 31, 29])
  })

  it('waits for the next request that is spread, or says when that is', async () => {
    const ports = world.ports(0)
    const keys = new KeyPool(ports, new RateLimiter(ports), [key('a'), key('b')], 0, true)
    await useUpInTurn('a', 'b')
    await answer(keys.admit({ waitMaxMs: 2 * minute }))
    expect(await answer(keys.admit({ waitMaxMs: second }))).toEqual([29.1, 0])
    expect(keys.freeAt()).toBe(world.clock.now() + 29.1 * second)
  })

  it('calls a wait off when it is told to', async () => {
    await useUp('a')
    expect(await answer(pool(['a']).admit({ waitMaxMs: 2 * minute, beforeWaiting: async () => false }))).toEqual(['called-off', 0])
  })

  it('answers at once, and waits no more, when the process must end', async () => {
    await useUp('a')
    const stop = new AbortController()
    const ports = { ...world.ports(0), stop: stop.signal }
    const keys = new KeyPool(ports, new RateLimiter(ports), [key('a')], 0)
    const asked = keys.admit({ waitMaxMs: 2 * minute })
    await world.clock.advance(second)
    stop.abort()
    expect(await answer(asked)).toEqual([expect.closeTo(60, -1), 0])
  })

  it('has another key in the place of one, or does without it', async () => {
    const keys = pool(['a', 'b'])
    keys.replace(key('a'), key('c'))
    expect(keys.all.map(({ fingerprint }) => fingerprint)).toEqual(['c', 'b'])
    keys.replace(key('c'))
    expect([keys.has('c'), keys.has('b')]).toEqual([false, true])
  })
})
