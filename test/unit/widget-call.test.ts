import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Caller } from '../../functions/domain/operate/operation.ts'
import { ok } from '../../functions/domain/result.ts'
import { minute } from '../../functions/domain/time.ts'
import { widgetCall } from '../../functions/flows/operate/widget-call.ts'
import { type LocalDynamo, startDynalite } from '../dynalite.ts'
import { acme, type Effects, globex, operatePorts, provider } from './operate-ports.ts'

/** A dashboard's calls, over a real DynamoDB. */

let dynamo: LocalDynamo
let world: Awaited<ReturnType<typeof operatePorts>>
let effects: Effects
/** The operations that were carried out or answered, in their order. */
let acted: { readonly request: unknown; readonly caller: Caller }[]

beforeAll(async () => {
  dynamo = await startDynalite()
})
afterAll(() => dynamo.close())
beforeEach(async () => {
  world = await operatePorts(dynamo)
  effects = world.effects
  effects.items.set('acme.cas', { connectorId: 'acme.cas', enabled: true })
  acted = []
})

const call = (event: Readonly<Record<string, unknown>>, caller: Caller = provider) =>
  widgetCall(world.ports, event, caller, async (_, request, by) => {
    acted.push({ request, caller: by })
    return ok({ message: 'done' })
  })

const pause = { action: 'pause', connectorId: 'acme.cas' }

async function ticketFor(change: object, caller: Caller = provider): Promise<string> {
  const reviewed = await call({ review: change }, caller)
  if (!reviewed.ok) throw new Error(reviewed.failure.message)
  return 'ticket' in reviewed.value ? String(reviewed.value.ticket) : ''
}

const refusedAndNothingDone = async (...calls: Parameters<typeof call>[]) => {
  for (const each of calls) expect(await call(...each)).toMatchObject({ ok: false, failure: { code: 'not-allowed' } })
  expect(acted).toEqual([])
}

describe('a call from a dashboard', () => {
  it('is answered if it is a question', async () => {
    expect(await call({ action: 'show', connectorId: 'acme.cas' })).toMatchObject({ ok: true })
    expect(acted).toHaveLength(1)
  })

  it.each(['pause', 'resume', 'collect', 'test', 'dismiss'])('changes nothing by itself: %s', async (action) => {
    await refusedAndNothingDone([{ action, connectorId: 'acme.cas', requestId: 'request-1' }])
  })

  it('gets a ticket for a change that a person is to look at, and that changes nothing yet', async () => {
    expect(await call({ review: pause })).toEqual({
      ok: true,
      value: {
        ticket: expect.stringMatching(/^[0-9a-f]{32}$/),
        change: { ...pause, requestId: expect.stringMatching(/^page-[0-9a-f]{32}$/) },
      },
    })
    expect(acted).toEqual([])
  })

  it('carries the change out with its ticket, under the id that the ticket gives', async () => {
    const ticket = await ticketFor(pause)
    expect(await call({ submit: pause, ticket })).toMatchObject({ ok: true })
    expect(acted).toEqual([{ request: { ...pause, requestId: expect.stringMatching(/^page-/) }, caller: provider }])
    expect(JSON.stringify(acted)).not.toContain(ticket)
  })

  it('takes the members of the change in any order', async () => {
    const ticket = await ticketFor({ action: 'acknowledge', connectorId: 'acme.cas', note: 'n' })
    expect(await call({ ticket, submit: { note: 'n', connectorId: 'acme.cas', action: 'acknowledge' } })).toMatchObject({ ok: true })
  })

  it.each<[object, string]>([
    [{ action: 'pause' }, 'wrong'],
    [{ action: 'show', connectorId: 'acme.cas' }, 'wrong'],
    [{ action: 'explode' }, 'wrong'],
  ])('gets no ticket for what is no change: %j', async (request, code) => {
    expect(await call({ review: request })).toMatchObject({ ok: false, failure: { code } })
  })

  it('gets no ticket for a connector of another tenant', async () => {
    await refusedAndNothingDone([{ review: pause }, globex])
  })
})

describe('a ticket', () => {
  it('is refused when it is sent again', async () => {
    const ticket = await ticketFor(pause)
    await call({ submit: pause, ticket })
    acted = []
    await refusedAndNothingDone([{ submit: pause, ticket }])
  })

  it('is refused when it is missing, forged or no text', async () => {
    await refusedAndNothingDone(
      ...[undefined, '', 'f'.repeat(32), '0'.repeat(32), 7, null, ['x']].map(
        (ticket): Parameters<typeof call> => [{ submit: pause, ticket }],
      ),
    )
  })

  it('is refused ten minutes later', async () => {
    const ticket = await ticketFor(pause)
    world.clock.at += 10 * minute
    await refusedAndNothingDone([{ submit: pause, ticket }])
  })

  it('is refused by another alias, also by the one of all tenants', async () => {
    const ticket = await ticketFor(pause, acme)
    await refusedAndNothingDone([{ submit: pause, ticket }, globex], [{ submit: pause, ticket }, provider])
  })

  it('is refused for another action, connector or value, and then is still good for its own', async () => {
    const edit = { action: 'edit', connectorId: 'acme.cas', version: 'v1', item: { connectorId: 'acme.cas', enabled: false } }
    const ticket = await ticketFor(edit, acme)
    const others = [
      { ...pause },
      { ...edit, version: 'v2' },
      { ...edit, item: { connectorId: 'acme.cas', enabled: true } },
      { ...edit, item: { ...edit.item, more: 1 } },
      { ...edit, connectorId: 'acme.second' },
    ]
    await refusedAndNothingDone(...others.map((submit): Parameters<typeof call> => [{ submit, ticket }, acme]))
    expect(await call({ submit: edit, ticket }, acme)).toMatchObject({ ok: true })
  })

  it('is refused once somebody has changed, deleted or made the connector', async () => {
    const changed = await ticketFor(pause)
    const create = { action: 'create', item: { connectorId: 'acme.new' } }
    const made = await ticketFor(create)
    effects.items.set('acme.cas', { connectorId: 'acme.cas', enabled: true, note: 'by another' })
    effects.items.set('acme.new', { connectorId: 'acme.new' })
    await refusedAndNothingDone([{ submit: pause, ticket: changed }], [{ submit: create, ticket: made }])
    effects.items.delete('acme.cas')
    await refusedAndNothingDone([{ submit: pause, ticket: changed }])
  })

  it('makes one change, however many calls use it at once', async () => {
    const ticket = await ticketFor(pause)
    const answers = await Promise.all(Array.from({ length: 8 }, () => call({ submit: pause, ticket })))
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
    expect(acted).toHaveLength(1)
  })
})

it('a state table that fails refuses the change, and the log has no ticket and no values', async () => {
  const ticket = await ticketFor(pause)
  const broken = { ...world.ports, state: { ...world.ports.state, redeemTicket: async () => Promise.reject(new Error('throttled')) } }
  const answer = await widgetCall(broken, { submit: { ...pause, says: 'a secret name' }, ticket }, provider, async () => ok({}))
  expect(answer).toMatchObject({ ok: false, failure: { code: 'failed' } })
  expect(JSON.stringify(effects.logged)).not.toMatch(new RegExp(`${ticket}|secret name`))
})
