import { describe, expect, it } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import type { LimiterRef } from '../../functions/flows/collect/rate-limiter.ts'
import { RateLimiter } from '../../functions/flows/collect/rate-limiter.ts'
import { storeLimit } from '../../functions/flows/key-limit.ts'
import { start, World } from '../../simulation/world.ts'

const limit = 3

async function open() {
  const calls: string[] = []
  const onEffect = ({ text }: { readonly text: string }) => {
    const [, name] = /^state\.(readTokens|writeTokens)/.exec(text) ?? []
    if (name !== undefined) calls.push(name)
  }
  const world = new World({ onEffect })
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
    for (let i = 0; i < limit; i++) expect(await limiter.admit([ref], { waitMaxMs: 0 })).toMatchObject({ kind: 'go' })
    expect(calls).toEqual(['writeTokens', 'writeTokens', 'writeTokens'])
  })

  it('reads the bucket before it says that there is no token', async () => {
    const { ports, ref, calls } = await open()
    const limiter = new RateLimiter(ports)
    for (let i = 0; i < limit; i++) await limiter.admit([ref], { waitMaxMs: 0 })
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
