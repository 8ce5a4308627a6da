import { beforeEach, describe, expect, it } from 'vitest'
import { digest, keyedDigest } from '../../functions/adapters/digest.ts'
import type { Connector } from '../../functions/domain/connector/connector.ts'
import { failure, failures } from '../../functions/domain/failures.ts'
import type { LogEntry } from '../../functions/domain/ports.ts'
import { keysText } from '../../functions/domain/status/key-texts.ts'
import { minute } from '../../functions/domain/time.ts'
import { RateLimiter } from '../../functions/flows/collect/rate-limiter.ts'
import { RunKeys } from '../../functions/flows/collect/run-keys.ts'
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

async function open(of: Connector = two, rejectedKeys = {}, state = memoryState(clock)): Promise<RunKeys> {
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
    stop: new AbortController().signal,
    process: 'p',
    clockSteps: () => 0,
    nextNumber: () => 0,
  }
  return RunKeys.open(ports, accepted, { rejectedKeys, readSteps: 0 }, new RateLimiter(ports))
}

const keysOf = ({ pool }: RunKeys) => pool.all.map(({ apiKey }) => apiKey)

describe('the keys of a run', () => {
  it('has every key of the connector', async () => {
    expect(keysOf(await open())).toEqual(['key-1', 'key-2'])
  })

  it('has a key once if two secrets hold the same one', async () => {
    secrets.values.set('second', 'key-1')
    expect(keysOf(await open())).toEqual(['key-1'])
  })

  it('leaves out a key that backs off after a rejection, and has it again afterwards', async () => {
    const [first] = (await open()).pool.all
    const rejected = { [first!.fingerprint]: { at: clock.now(), until: clock.now() + minute, attempts: 1 } }
    expect(keysOf(await open(two, rejected))).toEqual(['key-2'])
    await clock.advance(minute)
    expect(keysOf(await open(two, rejected))).toEqual(['key-1', 'key-2'])
  })

  it('forgets the rejection of a key that is no longer in its secret', async () => {
    const keys = await open(two, { gone: { at: 0, until: clock.now() + minute, attempts: 1 } })
    expect(keys.status.rejectedKeys).toEqual({})
  })

  it('says when each key was stored, and the oldest of them', async () => {
    secrets.storedAt.set('first', 5).set('second', 3)
    const { status, pool } = await open()
    const [first, second] = pool.all.map(({ fingerprint }) => fingerprint)
    expect(status).toMatchObject({ oldestKeyAt: 3, keysStoredAt: { [first!]: 5, [second!]: 3 } })
  })

  it('has a sentence for a key that cannot be opened while another one can', async () => {
    secrets.values.set('first', failure('secret-missing', 'There is no secret named first'))
    const keys = await open()
    expect(keysOf(keys)).toEqual(['key-2'])
    expect(keys.notes()).toEqual([`There is no secret named first. ${failures['secret-missing'].remedy}`])
  })

  it('fails with the reason of the first key if none can be opened', async () => {
    for (const name of ['first', 'second']) secrets.values.set(name, failure('secret-missing', `There is no secret named ${name}`))
    const keys = await open()
    expect(keysOf(keys)).toEqual([])
    expect(keys.whyEmpty(undefined)).toEqual(failure('secret-missing', 'There is no secret named first'))
  })
})

describe('the keys that no record of a run may hold', () => {
  it('are those of all its secrets, also a key that another tenant owns', async () => {
    const state = memoryState(clock)
    const mine = connector({ connectorId: 'ann.cas' })
    const theirs = connector({ connectorId: 'bob.cas', apiKeySecrets: two.apiKeySecrets })
    await open({ ...mine, apiKeySecrets: [{ secretName: 'first' }] }, {}, state)
    const keys = await open(theirs, {}, state)
    expect(keysOf(keys)).toEqual(['key-2'])
    expect([...keys.apiKeys]).toEqual(['key-1', 'key-2'])
  })

  it('are the former key too when its secret holds a new one', async () => {
    const keys = await open()
    secrets.values.set('first', 'key-3')
    await keys.reject(keys.pool.all[0]!, unauthorized)
    expect([...keys.apiKeys]).toEqual(['key-1', 'key-2', 'key-3'])
  })
})

describe('a key that the vendor rejects', () => {
  it('is replaced at once by a new key in its secret', async () => {
    const keys = await open()
    secrets.values.set('first', 'key-3')
    expect(await keys.reject(keys.pool.all[0]!, unauthorized)).toBeUndefined()
    expect(keysOf(keys)).toEqual(['key-3', 'key-2'])
    expect(keys.status.rejectedKeys).toEqual({})
    expect(log).toEqual([])
  })

  it('is taken out and backs off, and the others go on', async () => {
    const keys = await open()
    const [first] = keys.pool.all
    expect(await keys.reject(first!, unauthorized)).toBeUndefined()
    expect(keysOf(keys)).toEqual(['key-2'])
    expect(keys.status.rejectedKeys[first!.fingerprint]).toMatchObject({ at: clock.now(), attempts: 1 })
    expect(keysText(keys.status, clock.now())).toBe('1 of 2 keys rejected by the vendor (401): store a new one in its secret.')
    expect(log).toMatchObject([{ level: 'error', event: 'key-rejected', connectorId: 'a', message: expect.stringMatching(/^first: /) }])
  })

  it('ends the run until its backoff is over if it is the last one', async () => {
    const keys = await open(connector({ apiKeySecrets: [{ secretName: 'first' }] }))
    const [first] = keys.pool.all
    const until = await keys.reject(first!, unauthorized)
    expect(until).toBe(keys.status.rejectedKeys[first!.fingerprint]?.until)
    expect(until).toBeGreaterThan(clock.now())
  })

  it('is no longer rejected when the vendor accepts it again', async () => {
    const [first] = (await open()).pool.all
    const keys = await open(two, { [first!.fingerprint]: { at: 0, until: clock.now(), attempts: 3 } })
    keys.accept(first!)
    expect(keys.status.rejectedKeys).toEqual({})
  })
})
