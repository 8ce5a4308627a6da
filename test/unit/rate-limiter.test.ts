import { describe, expect, it } from 'vitest'
import { minute, second } from '../../functions/domain/time.ts'
import type { Admission, LimiterRef, Permit, RequestOutcome } from '../../functions/flows/collect/rate-limiter.ts'
import { RateLimiter } from '../../functions/flows/collect/rate-limiter.ts'
import { storeLimit } from '../../functions/flows/key-limit.ts'
import { start, World } from '../../simulation/world.ts'
import type { WorldOptions } from '../../simulation/world-options.ts'

async function open(limit = 3, more: WorldOptions = {}) {
  const calls: string[] = []
  const onEffect = ({ text }: { readonly text: string }) => {
    const [, name] = /^state\.(readTokens|writeTokens)/.exec(text) ?? []
    if (name !== undefined) calls.push(name)
  }
  const world = new World({ ...more, onEffect })
  const ports = world.ports(0)
  await world.state.writeKeyUser('k', {
    connectorId: 'a',
    tenantName: 'Acme',
    sharedKey: false,
    requestsPerMinute: limit,
    until: start + minute,
  })
  const bucket = await storeLimit(ports, 'k')
  if (bucket === undefined) throw new Error('the key has a user')
  const ref: LimiterRef = { bucket: 'k', limit, opened: bucket }
  calls.length = 0
  return { world, ports, ref, calls }
}

describe('the limiter of a run', () => {
  it('builds on the bucket that the run has read or written last, without reading it again', async () => {
    const { ports, ref, calls } = await open()
    const limiter = new RateLimiter(ports)
    for (let i = 0; i < ref.limit; i++) expect(await limiter.admit([ref], { waitMaxMs: 0 })).toMatchObject({ kind: 'go' })
    expect(calls).toEqual(['writeTokens', 'writeTokens', 'writeTokens'])
  })

  it('reads the bucket before it says that there is no token', async () => {
    const { ports, ref, calls } = await open()
    const limiter = new RateLimiter(ports)
    for (let i = 0; i < ref.limit; i++) await limiter.admit([ref], { waitMaxMs: 0 })
    calls.length = 0
    expect(await limiter.admit([ref], { waitMaxMs: 0 })).toMatchObject({ kind: 'wait' })
    expect(calls).toEqual(['readTokens'])
  })

  it('takes no token that another run has taken meanwhile, and from then on reads before it writes', async () => {
    const { ports, ref, calls } = await open()
    const limiter = new RateLimiter(ports)
    const other = new RateLimiter(ports)
    await limiter.admit([ref], { waitMaxMs: 0 })
    await other.admit([ref], { waitMaxMs: 0 })
    calls.length = 0
    expect(await limiter.admit([ref], { waitMaxMs: 0 })).toMatchObject({ kind: 'go' })
    expect(calls).toEqual(['writeTokens', 'readTokens', 'writeTokens'])
    calls.length = 0
    expect(await limiter.admit([ref], { waitMaxMs: 0 })).toMatchObject({ kind: 'wait' })
    expect(calls).toEqual(['readTokens'])
  })
})

describe('tokens that are taken with one write', () => {
  const together = { waitMaxMs: 0, together: 4 }

  it('serve the requests that follow, and are settled with one write', async () => {
    const { world, ports, ref, calls } = await open(20)
    const limiter = new RateLimiter(ports)
    for (let i = 0; i < 4; i++) limiter.release(permitOf(await limiter.admit([ref], together)), responded(world))
    await limiter.flush()
    expect(calls).toEqual(['writeTokens', 'writeTokens'])
    expect((await world.state.readTokens('k'))?.tokens.map(({ released }) => released)).toEqual([true, true, true, true])
  })

  it('are given back if no request follows', async () => {
    const { world, ports, ref } = await open(20)
    const limiter = new RateLimiter(ports)
    limiter.release(permitOf(await limiter.admit([ref], together)), responded(world))
    expect((await world.state.readTokens('k'))?.tokens).toHaveLength(4)
    await limiter.flush()
    expect((await world.state.readTokens('k'))?.tokens).toHaveLength(1)
  })

  it('are not used after a refusal of their key', async () => {
    const { world, ports, ref } = await open(20)
    const limiter = new RateLimiter(ports)
    const permit = permitOf(await limiter.admit([ref], together))
    limiter.release(permit, { outcome: 'throttled', receivedAt: world.clock.now(), random: 0 })
    expect(await limiter.admit([ref], together)).toMatchObject({ kind: 'wait' })
    await limiter.flush()
    expect((await world.state.readTokens('k'))?.tokens).toHaveLength(1)
  })

  it('are not used if the refusal comes while the next ones are taken', async () => {
    const { world, ports, ref } = await open(20)
    const limiter = new RateLimiter(ports)
    const permit = permitOf(await limiter.admit([ref], { waitMaxMs: 0 }))
    const next = limiter.admit([ref], together)
    limiter.release(permit, { outcome: 'throttled', receivedAt: world.clock.now(), random: 0 })
    expect(await next).toMatchObject({ kind: 'wait' })
    await limiter.flush()
    expect((await world.state.readTokens('k'))?.tokens).toHaveLength(1)
  })

  it('are not used if the refusal comes while a run waits for one', async () => {
    const { world, ports, ref } = await open(2)
    const limiter = new RateLimiter(ports)
    const permit = permitOf(await limiter.admit([ref], { waitMaxMs: 0 }))
    limiter.release(permitOf(await limiter.admit([ref], { waitMaxMs: 0 })), responded(world))
    const next = limiter.admit([ref], { waitMaxMs: 65 * second })
    await world.run(30 * second)
    limiter.release(permit, { outcome: 'throttled', receivedAt: world.clock.now(), random: 0 })
    await world.run(40 * second)
    expect(await next).toMatchObject({ kind: 'wait' })
  })

  it('are not taken from a key for which another run competes', async () => {
    const { world, ports, ref } = await open(20)
    const limiter = new RateLimiter(ports)
    await new RateLimiter(ports).admit([ref], { waitMaxMs: 0 })
    await limiter.admit([ref], together)
    expect((await world.state.readTokens('k'))?.tokens).toHaveLength(2)
  })

  it('are given back once half of their time has passed', async () => {
    const { world, ports, ref } = await open(20)
    const limiter = new RateLimiter(ports)
    const first = permitOf(await limiter.admit([ref], together))
    await world.run(6 * second)
    const later = permitOf(await limiter.admit([ref], together))
    expect(later.goAt).toBe(first.goAt + 6 * second)
    expect((await world.state.readTokens('k'))?.tokens).toHaveLength(5)
  })

  it('are given back when the clock of the process was set', async () => {
    const { world, ports, ref } = await open(20)
    let steps = 0
    const limiter = new RateLimiter({ ...ports, clockSteps: () => steps })
    await limiter.admit([ref], together)
    steps = 1
    const permit = permitOf(await limiter.admit([ref], together))
    expect(permit.grants[0]?.grant.by).toContain('~1:')
    expect((await world.state.readTokens('k'))?.tokens).toHaveLength(5)
  })
})

describe('the tokens of a run whose connector is the only user of its key', () => {
  const later = (world: World) => world.clock.now() + 3 * minute

  it('are not settled if they are free by themselves before the next run', async () => {
    const { world, ports, ref, calls } = await open(20)
    const limiter = new RateLimiter(ports)
    limiter.release(permitOf(await limiter.admit([{ ...ref, isAlone: true }], { waitMaxMs: 0 })), responded(world))
    await limiter.flush(later(world))
    expect(calls).toEqual(['writeTokens'])
    await world.run(3 * minute)
    expect(await new RateLimiter(ports).admit([{ bucket: 'k', limit: 20 }], { waitMaxMs: 0 })).toMatchObject({ kind: 'go' })
    expect((await world.state.readTokens('k'))?.tokens).toHaveLength(1)
  })

  it.each<[string, Partial<LimiterRef>, RequestOutcome['outcome'], number, number]>([
    ['another connector uses the key too', { isAlone: false }, 'responded', 20, 3 * minute],
    ['the next run comes sooner', {}, 'responded', 20, minute],
    ['a request was not sent', {}, 'unsent', 20, 3 * minute],
    ['the vendor refused a request', {}, 'throttled', 20, 3 * minute],
    ['they are more than a quarter of the limit', {}, 'responded', 3, 3 * minute],
  ])('are settled if %s', async (_, more, outcome, limit, nextMs) => {
    const { world, ports, ref, calls } = await open(limit)
    const limiter = new RateLimiter(ports)
    const permit = permitOf(await limiter.admit([{ ...ref, isAlone: true, ...more }], { waitMaxMs: 0 }))
    limiter.release(permit, { outcome, receivedAt: world.clock.now(), random: 0 })
    await limiter.flush(world.clock.now() + nextMs)
    expect(calls).toEqual(['writeTokens', 'writeTokens'])
  })
})

function permitOf(admission: Admission): Permit {
  if (admission.kind !== 'go') throw new Error('there is a token')
  return admission.permit
}

function responded(world: World): RequestOutcome {
  return { outcome: 'responded', receivedAt: world.clock.now() }
}
