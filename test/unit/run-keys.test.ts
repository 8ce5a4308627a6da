import { beforeEach, describe, expect, it } from 'vitest'
import { digest, keyedDigest } from '../../functions/adapters/digest.ts'
import type { Connector } from '../../functions/domain/connector/connector.ts'
import { failure, failures } from '../../functions/domain/failures.ts'
import type { LogEntry } from '../../functions/domain/ports.ts'
import { minute } from '../../functions/domain/time.ts'
import { KeyPool } from '../../functions/flows/collect/key-pool.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'
import { connector } from '../../simulation/fakes/connector.ts'
import { MemorySecrets } from '../../simulation/fakes/secrets.ts'
import { memoryState } from '../../simulation/fakes/state.ts'

const unauthorized = failure('unauthorized', 'The vendor responded with status 401')
const two = connector({ apiKeySecrets: [{ secretName: 'first' }, { secretName: 'second' }] })

let clock: VirtualClock
let secrets: MemorySecrets
let log: LogEntry[]

beforeEach(() => {
  clock = new VirtualClock()
  secrets = new MemorySecrets({ first: 'key-1', second: 'key-2' })
  log = []
})

async function open(of: Connector = two, rejectedBefore = {}): Promise<KeyPool> {
  const state = memoryState(clock)
  const accepted = { connector: of, itemDigest: '', acceptedAt: 0, streamsSince: {} }
  await state.writeAccepted(accepted, undefined)
  const ports = {
    clock,
    state,
    secrets,
    digest,
    sharedRateGroups: [],
    keyedDigest,
    newFingerprintKey: () => 'ab'.repeat(32),
    log: (entry: LogEntry) => log.push(entry),
    random: () => 0,
  }
  return KeyPool.open(ports, accepted, rejectedBefore)
}

const keysOf = (pool: KeyPool) => pool.all.map(({ apiKey }) => apiKey)

describe('the pool of keys', () => {
  it('has every key of the connector', async () => {
    expect(keysOf(await open())).toEqual(['key-1', 'key-2'])
  })

  it('has a key once if two secrets hold the same one', async () => {
    secrets.values.set('second', 'key-1')
    expect(keysOf(await open())).toEqual(['key-1'])
  })

  it('leaves out a key that backs off after a rejection, and has it again afterwards', async () => {
    const [first] = (await open()).all
    const rejected = { [first!.fingerprint]: { at: clock.now(), until: clock.now() + minute, attempts: 1 } }
    expect(keysOf(await open(two, rejected))).toEqual(['key-2'])
    await clock.advance(minute)
    expect(keysOf(await open(two, rejected))).toEqual(['key-1', 'key-2'])
  })

  it('forgets the rejection of a key that is no longer in its secret', async () => {
    const pool = await open(two, { gone: { at: 0, until: clock.now() + minute, attempts: 1 } })
    expect(pool.status.rejectedKeys).toEqual({})
  })

  it('has a sentence for a key that cannot be opened while another one can', async () => {
    secrets.values.set('first', failure('secret-missing', 'There is no secret named first'))
    const pool = await open()
    expect(keysOf(pool)).toEqual(['key-2'])
    expect(pool.notes()).toEqual([`There is no secret named first. ${failures['secret-missing'].remedy}`])
  })

  it('fails with the reason of the first key if none can be opened', async () => {
    for (const name of ['first', 'second']) secrets.values.set(name, failure('secret-missing', `There is no secret named ${name}`))
    const pool = await open()
    expect(keysOf(pool)).toEqual([])
    expect(pool.whyEmpty(undefined)).toEqual(failure('secret-missing', 'There is no secret named first'))
  })
})

describe('the choice of a key', () => {
  it('goes round the keys, one for each read step', async () => {
    const pool = await open()
    expect([0, 1, 2].map((step) => pool.choose(undefined, step, clock.now())?.apiKey)).toEqual(['key-1', 'key-2', 'key-1'])
  })

  it('stays with the key of a half-read range', async () => {
    const pool = await open()
    const [, second] = pool.all
    expect([0, 1].map((step) => pool.choose(second!.fingerprint, step, clock.now())?.apiKey)).toEqual(['key-2', 'key-2'])
  })

  it('skips a busy key until it is free', async () => {
    const pool = await open()
    const [first] = pool.all
    pool.markBusy(first!, clock.now() + minute)
    expect([0, 1].map((step) => pool.choose(undefined, step, clock.now())?.apiKey)).toEqual(['key-2', 'key-2'])
    expect(pool.choose(undefined, 0, clock.now() + minute)?.apiKey).toBe('key-1')
  })

  it('is none while all keys are busy, and the pool says when the first is free', async () => {
    const pool = await open()
    const [first, second] = pool.all
    pool.markBusy(first!, clock.now() + 2 * minute)
    expect(pool.allBusyUntil(clock.now())).toBeUndefined()
    pool.markBusy(second!, clock.now() + minute)
    expect(pool.choose(undefined, 0, clock.now())).toBeUndefined()
    expect(pool.allBusyUntil(clock.now())).toBe(clock.now() + minute)
  })
})

describe('a key that the vendor rejects', () => {
  it('is replaced at once by a new key in its secret', async () => {
    const pool = await open()
    secrets.values.set('first', 'key-3')
    expect(await pool.reject(pool.all[0]!, unauthorized)).toBeUndefined()
    expect(keysOf(pool)).toEqual(['key-3', 'key-2'])
    expect(pool.status.rejectedKeys).toEqual({})
    expect(log).toEqual([])
  })

  it('leaves the pool and backs off, and the others go on', async () => {
    const pool = await open()
    const [first] = pool.all
    expect(await pool.reject(first!, unauthorized)).toBeUndefined()
    expect(keysOf(pool)).toEqual(['key-2'])
    expect(pool.status.rejectedKeys[first!.fingerprint]).toMatchObject({ at: clock.now(), attempts: 1 })
    expect(pool.notes()).toEqual(['1 of 2 keys rejected by the vendor (401): store a new one in its secret.'])
    expect(log).toMatchObject([{ level: 'error', event: 'key-rejected', connectorId: 'a', message: expect.stringMatching(/^first: /) }])
  })

  it('ends the run until its backoff is over if it is the last one', async () => {
    const pool = await open(connector({ apiKeySecrets: [{ secretName: 'first' }] }))
    const [first] = pool.all
    const until = await pool.reject(first!, unauthorized)
    expect(until).toBe(pool.status.rejectedKeys[first!.fingerprint]?.until)
    expect(until).toBeGreaterThan(clock.now())
  })

  it('is no longer rejected when the vendor accepts it again', async () => {
    const [first] = (await open()).all
    const pool = await open(two, { [first!.fingerprint]: { at: 0, until: clock.now(), attempts: 3 } })
    pool.accept(first!)
    expect(pool.status.rejectedKeys).toEqual({})
  })
})
