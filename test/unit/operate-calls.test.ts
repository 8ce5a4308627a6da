import { describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import type { Change, HistoryEntry } from '../../functions/domain/operate/operation.ts'
import { failed } from '../../functions/domain/result.ts'
import { minute } from '../../functions/domain/time.ts'
import { answerCall } from '../../functions/flows/operate/call.ts'
import { type GoOns, goOn, goOnLater } from '../../functions/flows/operate/go-on.ts'
import { foreignTenant } from '../../functions/flows/operate/operate.ts'
import { writeDown } from '../../functions/flows/operate/write-down.ts'
import { acme, operatePorts, provider, start } from './operate-ports.ts'

const test = { action: 'test', requestId: 'request-1', connectorId: 'acme.cas' } as const satisfies Change
const until = start + 15 * minute

describe('a change that goes on after its answer', () => {
  async function begun() {
    const world = await operatePorts()
    await goOnLater(world.ports, test, acme)
    const [call] = world.effects.called
    const done: Change[] = []
    const goOns: GoOns = { test: async (_, change) => void done.push(change) }
    const again = (payload: object, caller = acme) => goOn(world.ports, { goOn: undefined, ...payload }, caller, until, goOns)
    return { ...world, payload: { ...call!.payload }, caller: call!.caller, done, again }
  }

  it('goes on once, in a call by the same alias, with the same values', async () => {
    const { payload, caller, done, again } = await begun()
    expect(caller).toEqual(acme)
    expect(await again(payload)).toEqual({ ok: true, value: {} })
    expect(await again(payload)).toMatchObject({ failure: { code: 'not-allowed' } })
    expect(done).toEqual([test])
  })

  it('goes on for nobody else: another alias, other values, no ticket, ten minutes later', async () => {
    const { clock, payload, done, again } = await begun()
    for (const forged of [
      { ...payload, goOn: { ...test, connectorId: 'acme.second' } },
      { ...payload, ticket: 'f'.repeat(32) },
      { goOn: test },
      {},
    ])
      expect(await again(forged)).toMatchObject({ failure: { code: 'not-allowed' } })
    expect(await again(payload, provider)).toMatchObject({ failure: { code: 'not-allowed' } })
    clock.at += 10 * minute
    expect(await again(payload)).toMatchObject({ failure: { code: 'not-allowed' } })
    expect(done).toEqual([])
  })

  it('logs a fault, without the event', async () => {
    const { ports, payload, effects } = await begun()
    const broken: GoOns = { test: async () => Promise.reject(new Error('no table')) }
    expect(await goOn(ports, { goOn: undefined, ...payload }, acme, until, broken)).toMatchObject({ failure: { code: 'failed' } })
    expect(effects.logged).toMatchObject([{ level: 'error', event: 'operation-failed' }])
    expect(JSON.stringify(effects.logged)).not.toContain(String(payload['ticket']))
  })
})

describe('a call of the function', () => {
  const pause = { action: 'pause', connectorId: 'acme.cas' }

  it('by a page makes no change without a ticket', async () => {
    const { ports, effects } = await operatePorts()
    for (const page of [
      { ...pause, requestId: 'request-1' },
      { submit: pause, ticket: 'f'.repeat(32) },
      { goOn: test, ticket: '' },
      7,
      null,
    ])
      expect(await answerCall(ports, { page }, provider, until)).toMatchObject({ ok: false })
    expect(await ports.state.history('acme.cas', until, 10)).toEqual([])
    expect(effects).toMatchObject({ kept: [], called: [] })
  })

  it('by a page gets a ticket for a change that a person is to look at', async () => {
    const { ports } = await operatePorts()
    expect(await answerCall(ports, { page: { review: pause } }, provider, until)).toMatchObject({ value: { ticket: expect.any(String) } })
  })

  it.each([undefined, null, 7, 'text', [], [{ action: 'list' }]])('is wrong if it is no request: %j', async (event) => {
    const { ports } = await operatePorts()
    expect(await answerCall(ports, event, provider, until)).toMatchObject({ failure: { code: 'wrong' } })
  })
})

describe('an operator of one tenant', () => {
  const request = { requestId: 'request-1' }
  it.each<[string, Change]>([
    ['another tenant’s connector', { action: 'pause', ...request, connectorId: 'globex.cas' }],
    ['a connector whose id names no tenant', { action: 'pause', ...request, connectorId: 'acme-cas' }],
    ['a new connector of another tenant', { action: 'create', ...request, item: { connectorId: 'globex.cas' } }],
    ['a new connector without a tenant', { action: 'create', ...request, item: { connectorId: 'odd' } }],
    ['a new connector without an id', { action: 'create', ...request, item: {} }],
    [
      'an own connector under another id',
      { action: 'edit', ...request, connectorId: 'acme.cas', version: 'v', item: { connectorId: 'odd' } },
    ],
    ['a test of another one’s item', { action: 'test', ...request, connectorId: 'acme.cas', item: { connectorId: 'globex.cas' } }],
  ])('may not touch %s', (_, change) => {
    expect(foreignTenant(change, acme)).toMatchObject({ code: 'not-allowed' })
    expect(foreignTenant(change, provider)).toBeUndefined()
  })

  it('may touch the own connectors', () => {
    expect(foreignTenant({ action: 'pause', ...request, connectorId: 'acme.cas' }, acme)).toBeUndefined()
    expect(foreignTenant({ action: 'create', ...request, item: { connectorId: 'acme.new' } }, acme)).toBeUndefined()
  })
})

describe('the history', () => {
  const entry: HistoryEntry = {
    ...{ connectorId: 'acme.cas', at: start, action: 'pause', requestId: 'request-1', awsRequestId: 'aws-1' },
    ...{ tenantOfCaller: 'all', outcome: 'done' },
  }

  it('is in the table and in the lake', async () => {
    const { ports, effects } = await operatePorts()
    await writeDown(ports, entry)
    expect(effects.kept).toEqual([entry])
    expect(await ports.state.history('acme.cas', until, 10)).toEqual([{ ...entry, inLake: true }])
  })

  it('is in the table if the lake fails, and says that the lake does not have it', async () => {
    const { ports, effects } = await operatePorts()
    const historyLake = { keep: async () => failed(failure('sink-failed', 'Firehose is away')) }
    await writeDown({ ...ports, historyLake }, entry)
    expect(await ports.state.history('acme.cas', until, 10)).toEqual([{ ...entry, inLake: false }])
    expect(effects.logged).toMatchObject([{ level: 'error', event: 'history-not-in-lake', connectorId: 'acme.cas', code: 'sink-failed' }])
  })

  it('is in the table, as one that the lake does not have, if the function ends before the lake answers', async () => {
    const { ports } = await operatePorts()
    const historyLake = { keep: async () => Promise.reject(new Error('ended')) }
    await expect(writeDown({ ...ports, historyLake }, entry)).rejects.toThrow('ended')
    expect(await ports.state.history('acme.cas', until, 10)).toEqual([{ ...entry, inLake: false }])
  })
})
