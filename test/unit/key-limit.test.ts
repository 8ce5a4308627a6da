import { describe, expect, it } from 'vitest'
import type { KeyUser } from '../../functions/domain/ports.ts'
import { day, type Instant, minute, second } from '../../functions/domain/time.ts'
import { newBucket, type TokenBucket } from '../../functions/domain/token-bucket.ts'
import { RateLimiter } from '../../functions/flows/collect/rate-limiter.ts'
import { storeLimit } from '../../functions/flows/key-limit.ts'
import { Process } from '../../simulation/process.ts'
import { start, World } from '../../simulation/world.ts'

function user(connectorId: string, more: Partial<KeyUser> = {}): KeyUser {
  return { connectorId, tenantName: 'Acme', sharedKey: false, requestsPerMinute: 20, until: start + day, ...more }
}

function open() {
  const world = new World({})
  const ports = world.ports(0)
  const register = (...users: readonly KeyUser[]) => Promise.all(users.map((each) => world.state.writeKeyUser('k', each)))
  const stored = async (): Promise<TokenBucket> => (await world.state.readTokens('k')) ?? newBucket({ limit: -1 })
  return { world, ports, register, stored }
}

/** Takes tokens until one is not free within a second, and returns how many it got. */
async function tokensNow(limiter: RateLimiter, ref: { readonly limit: number; readonly perDay?: number }): Promise<number> {
  for (let taken = 0; ; taken++) {
    const admission = await limiter.admit([{ bucket: 'k', ...ref }], { waitMaxMs: second })
    if (admission.kind !== 'go') return taken
  }
}

describe('the limit of a key', () => {
  it('is the lowest of its users, stored before the first request', async () => {
    const { ports, register, stored } = open()
    await register(user('a'), user('b', { requestsPerMinute: 5, requestsPerDay: 300 }), user('c', { requestsPerDay: 400 }))
    await storeLimit(ports, 'k')
    expect(await stored()).toMatchObject({ version: 1, limit: 5, learnedLimit: 5, perDay: 300 })
    await storeLimit(ports, 'k')
    expect((await stored()).version).toBe(1)
  })

  it('is left as it is when the key has no user', async () => {
    const { ports, stored, world } = open()
    expect(await storeLimit(ports, 'k')).toBeUndefined()
    await world.state.writeTokens('k', { ...newBucket({ limit: 7 }), version: 1 })
    await storeLimit(ports, 'k')
    expect((await stored()).limit).toBe(7)
  })

  it('is the last one if two users change at once, although a run writes meanwhile', async () => {
    const { ports, register, stored, world } = open()
    await register(user('a'), user('b'))
    await storeLimit(ports, 'k')
    const write = world.state.writeTokens
    let others = 0
    // As a run, and another acceptance, between the read and the write.
    world.state.writeTokens = async (bucket, next) => {
      if (others++ > 0) return write(bucket, next)
      await register(user('b', { requestsPerMinute: 3 }))
      await write(bucket, { ...(await stored()), version: next.version })
      return write(bucket, next)
    }
    await register(user('a', { requestsPerMinute: 9 }))
    await storeLimit(world.ports(0), 'k')
    expect((await stored()).limit).toBe(3)
  })
})

describe('a run under way', () => {
  it('heeds a new limit with its next token, and does not bring the old one back', async () => {
    const { ports, register, stored } = open()
    await register(user('a'))
    const limiter = new RateLimiter(ports)
    await limiter.admit([{ bucket: 'k', limit: 20 }], { waitMaxMs: 0 })
    await register(user('a', { requestsPerMinute: 5, requestsPerDay: 4 }))
    await storeLimit(ports, 'k')
    expect(await tokensNow(limiter, { limit: 20 })).toBe(3)
    expect(await stored()).toMatchObject({ limit: 5, perDay: 4 })
  })

  it('makes the bucket of a new key with the limit that it has read', async () => {
    const { ports, stored } = open()
    expect(await tokensNow(new RateLimiter(ports), { limit: 6, perDay: 4 })).toBe(4)
    expect(await stored()).toMatchObject({ limit: 6, perDay: 4 })
  })

  it('mends a limit that differs from that of the users when it begins, as after an acceptance that broke off', async () => {
    const { ports, register, stored } = open()
    await register(user('a'))
    await storeLimit(ports, 'k')
    await register(user('a', { requestsPerMinute: 5 }))
    expect(await tokensNow(new RateLimiter(ports), { limit: 5 })).toBe(5)
    expect((await stored()).limit).toBe(5)
  })

  it('keeps the daily limit although a former release has written the bucket without it', async () => {
    const { ports, register, stored, world } = open()
    await register(user('a', { requestsPerDay: 4 }))
    const limiter = new RateLimiter(ports)
    await limiter.admit([{ bucket: 'k', limit: 20, perDay: 4 }], { waitMaxMs: 0 })
    const { perDay: _, ...former } = await stored()
    await world.state.writeTokens('k', { ...former, version: former.version + 1 })
    expect(await tokensNow(limiter, { limit: 20, perDay: 4 })).toBe(3)
    expect(await tokensNow(new RateLimiter(ports), { limit: 20, perDay: 4 })).toBe(0)
    expect((await stored()).perDay).toBe(4)
  })
})

describe('a token of a process whose clock is set half a second forward', () => {
  it.each(['before another run waits for the token', 'while another run waits for it'])('is not used again too early: %s', async (when) => {
    const { world, ports } = open()
    const process = new Process('p', world.clock, -400, 1)
    const { clock: ofProcess } = process
    // As the clock of the machine does, it reads the time again and again.
    const clock = {
      now: ofProcess.now,
      sleepUntil: async (at: Instant) => {
        while (ofProcess.now() < at) await world.clock.sleepUntil(world.clock.now() + 50)
      },
    }
    const limiter = new RateLimiter({ ...ports, clock, clockSteps: ofProcess.steps })
    const ref = { bucket: 'k', limit: 1 }
    const first = await limiter.admit([ref], { waitMaxMs: 0 })
    if (first.kind !== 'go') throw new Error('there is one')
    limiter.release(first.permit, { outcome: 'responded', receivedAt: clock.now() })
    if (when.startsWith('before')) process.clock.set(400)
    let cameAt = 0
    void limiter.admit([ref], { waitMaxMs: 2 * minute }).then(() => {
      cameAt = world.clock.now()
    })
    await world.run(30 * second)
    if (when.startsWith('while')) process.clock.set(400)
    await world.run(minute)
    expect(cameAt - start).toBeGreaterThanOrEqual(minute)
    expect(cameAt - start).toBeLessThan(minute + 2 * second)
  })
})
