import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { newStatus } from '../../functions/domain/status/status.ts'
import { statusRow } from '../../functions/domain/status/status-row.ts'
import { digestItem } from '../../functions/flows/item-digest.ts'
import { operate } from '../../functions/flows/operate/operate.ts'
import { acme, operatePorts, provider, start } from './operate-ports.ts'

let world: Awaited<ReturnType<typeof operatePorts>>
let requests = 0
beforeEach(async () => {
  world = await operatePorts()
})

const item = {
  connectorId: 'acme.cas',
  type: 'trendmicro-cas',
  name: 'acme-cas',
  tenantName: 'Acme',
  baseUrl: 'https://api.tmcas.trendmicro.com',
  apiKeySecrets: ['tributary/acme/cas'],
}

/** Sends a change with a request id of its own. */
async function send(change: object, caller = provider) {
  requests += 1
  const answer = await operate(world.ports, { requestId: `request-${requests}`, ...change }, caller)
  return answer.ok ? answer.value : answer.failure
}
const stored = () => world.effects.items.get('acme.cas')
const version = (of = stored()) => digestItem(world.ports.digest, of ?? {})
const history = async () =>
  (await world.ports.state.history('acme.cas', start + 1, 10)).map(({ action, outcome, before, after }) => ({
    action,
    outcome,
    before,
    after,
  }))

describe('create', () => {
  it('stores the item as it was given, and says what comes next', async () => {
    expect(await send({ action: 'create', item })).toEqual({
      message: expect.stringContaining('acme.cas was created. It is accepted and read within a minute'),
    })
    expect(stored()).toEqual(item)
    expect(await history()).toEqual([{ action: 'create', outcome: 'done', before: undefined, after: item }])
  })

  it('stores nothing of an item with a mistake, and names each beside its attribute', async () => {
    const refused = await send({ action: 'create', item: { ...item, intervalMinutes: 0, baseUrl: 'https://evil.example', conectorId: 1 } })
    expect(refused).toMatchObject({
      code: 'wrong',
      message: 'The item has 3 problems, so nothing was changed.',
      problems: expect.arrayContaining(['baseUrl', 'conectorId', 'intervalMinutes'].map((path) => expect.objectContaining({ path }))),
    })
    expect(stored()).toBeUndefined()
    expect(await history()).toMatchObject([{ outcome: 'wrong' }])
  })

  it('refuses a secret that is bound to another address', async () => {
    await world.ports.state.bindSecret('tributary/acme/cas', 'https://api-eu.tmcas.trendmicro.com')
    expect(await send({ action: 'create', item })).toMatchObject({ code: 'wrong', problems: [{ path: 'baseUrl' }] })
  })

  it('refuses an id that is there', async () => {
    await send({ action: 'create', item })
    expect(await send({ action: 'create', item: { ...item, note: 'mine' } })).toMatchObject({ code: 'exists' })
    expect(stored()).toEqual(item)
  })

  it('survives an id of any length, and one that is no text', async () => {
    for (const connectorId of ['x'.repeat(100_000), 7, null, {}]) {
      expect(await send({ action: 'create', item: { ...item, connectorId } })).toMatchObject({ code: 'wrong' })
    }
  })
})

describe('validate', () => {
  it('answers with the connector and all its defaults, or with the problems, and changes nothing', async () => {
    const ask = async (given: object) => {
      const answer = await operate(world.ports, { action: 'validate', item: given }, provider)
      return answer.ok ? answer.value : answer.failure
    }
    expect(await ask(item)).toMatchObject({ connector: { connectorId: 'acme.cas', intervalMinutes: 5, lateArrivalMinutes: 20 } })
    expect(await ask({ ...item, intervalMinutes: 0 })).toMatchObject({ code: 'wrong', problems: [{ path: 'intervalMinutes' }] })
    expect(stored()).toBeUndefined()
    expect(await history()).toEqual([])
  })
})

describe('edit', () => {
  beforeEach(() => void world.effects.items.set('acme.cas', item))

  it('stores the item, and the history has the attributes that changed', async () => {
    const after = { ...item, intervalMinutes: 10, note: 'slower' }
    expect(await send({ action: 'edit', connectorId: 'acme.cas', version: version(), item: after })).toMatchObject({
      message: expect.stringContaining('was changed'),
    })
    expect(stored()).toEqual(after)
    expect(await history()).toEqual([{ action: 'edit', outcome: 'done', before: {}, after: { intervalMinutes: 10, note: 'slower' } }])
  })

  it('is refused if somebody else has changed the item', async () => {
    const seen = version()
    world.effects.items.set('acme.cas', { ...item, note: 'theirs' })
    const refused = await send({ action: 'edit', connectorId: 'acme.cas', version: seen, item: { ...item, note: 'mine' } })
    expect(refused).toMatchObject({ code: 'conflict', message: expect.stringContaining('Look at it again') })
    expect(stored()).toMatchObject({ note: 'theirs' })
  })

  it('says that a file owns the item', async () => {
    world.effects.items.set('acme.cas', { ...item, managedBy: 'file' })
    expect(await send({ action: 'pause', connectorId: 'acme.cas' })).toMatchObject({
      message: expect.stringContaining('change the file as well'),
    })
  })

  it('keeps the id', async () => {
    const refused = await send({
      action: 'edit',
      connectorId: 'acme.cas',
      version: version(),
      item: { ...item, connectorId: 'acme.other' },
    })
    expect(refused).toMatchObject({ code: 'wrong', problems: [{ path: 'connectorId' }] })
  })

  it('loses nothing of two operators: each of their edits is stored, or refused and told', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ by: fc.constantFrom('a', 'b'), looks: fc.boolean() }), { maxLength: 12 }), async (steps) => {
        world.effects.items.set('acme.cas', item)
        const seen = { a: item as Readonly<Record<string, unknown>>, b: item as Readonly<Record<string, unknown>> }
        const kept: string[] = []
        for (const [n, { by, looks }] of steps.entries()) {
          const operator = by === 'a' ? 'a' : 'b'
          if (looks) seen[operator] = stored() ?? item
          const mine = { ...seen[operator], note: `${String(seen[operator]['note'] ?? '')}${n}.` }
          const answer = await send({ action: 'edit', connectorId: 'acme.cas', version: version(seen[operator]), item: mine })
          if (!('code' in answer)) kept.push(`${n}.`)
        }
        expect(String(stored()?.['note'] ?? '')).toBe(kept.join(''))
      }),
      { numRuns: 50 },
    )
  })
})

describe('delete', () => {
  it('removes the item that was seen, and says what stays', async () => {
    world.effects.items.set('acme.cas', item)
    expect(await send({ action: 'delete', connectorId: 'acme.cas', version: 'other' })).toMatchObject({ code: 'conflict' })
    expect(await send({ action: 'delete', connectorId: 'acme.cas', version: version() })).toMatchObject({
      message: expect.stringContaining('records stay in the lake'),
    })
    expect(stored()).toBeUndefined()
    expect(await send({ action: 'delete', connectorId: 'acme.cas', version: 'x' })).toMatchObject({ code: 'not-found' })
  })
})

describe('pause and resume', () => {
  it('switch collecting off and on, and say so if it is so already', async () => {
    world.effects.items.set('acme.cas', item)
    expect(await send({ action: 'resume', connectorId: 'acme.cas' })).toEqual({ message: 'acme.cas collects already.' })
    expect(await send({ action: 'pause', connectorId: 'acme.cas' })).toMatchObject({
      message: expect.stringContaining('acme.cas was paused.'),
    })
    expect(stored()).toEqual({ ...item, enabled: false })
    expect(await send({ action: 'pause', connectorId: 'acme.cas' })).toEqual({ message: 'acme.cas is paused already.' })
    await send({ action: 'resume', connectorId: 'acme.cas' })
    expect(stored()).toEqual({ ...item, enabled: true })
  })
})

describe('a change', () => {
  it('that is sent twice is carried out once, and answered twice', async () => {
    world.effects.items.set('acme.cas', item)
    const change = { action: 'pause', connectorId: 'acme.cas', requestId: 'the-same-one' }
    const first = await send(change)
    await send({ action: 'resume', connectorId: 'acme.cas' })
    expect(await send(change)).toEqual({ message: 'message' in first ? first.message : '' })
    expect(stored()).toMatchObject({ enabled: true })
  })

  it.each(['addHistory', 'endRequest', 'beginRequest'] as const)(
    'that broke off at %s is in the history, and can be sent again a minute later',
    async (call) => {
      const { state } = world.ports
      const broken = { ...world.ports, state: { ...state, [call]: () => Promise.reject(new Error('broken')) } }
      const change = { action: 'create', item, requestId: 'broke-off' }
      expect(await operate(broken, change, provider)).toMatchObject({ ok: false, failure: { code: 'failed' } })
      world.clock.at += 61_000
      expect(await send(change)).toMatchObject({ message: expect.stringContaining('was created') })
      expect(stored()).toEqual(item)
      expect((await state.history('acme.cas', world.clock.at + 1, 10)).at(0)).toMatchObject({ outcome: 'done' })
    },
  )

  it('of another tenant is refused, and changes nothing', async () => {
    world.effects.items.set('acme.cas', item)
    world.effects.items.set('globex.cas', { ...item, connectorId: 'globex.cas' })
    for (const change of [
      { action: 'pause', connectorId: 'globex.cas' },
      { action: 'delete', connectorId: 'globex.cas', version: 'x' },
      { action: 'create', item: { ...item, connectorId: 'globex.new' } },
      { action: 'edit', connectorId: 'acme.cas', version: version(), item: { ...item, connectorId: 'globex.cas' } },
    ]) {
      expect(await send(change, acme)).toMatchObject({ code: 'not-allowed' })
    }
    expect(world.effects.items.get('globex.cas')).toEqual({ ...item, connectorId: 'globex.cas' })
    expect(await send({ action: 'pause', connectorId: 'acme.cas' }, acme)).toMatchObject({ message: expect.any(String) })
  })
})

describe('acknowledge', () => {
  const lost = (lostRanges: number) =>
    world.ports.state.updateStatus('acme.cas', (before) => ({ ...newStatus(start, 'Acme'), ...before, state: 'ok', lostRanges }))
  const shown = async () => statusRow('acme.cas', (await world.ports.state.readStatus('acme.cas'))!, start).loss

  it('says who knows of a loss, until more is lost', async () => {
    await lost(2)
    expect(await shown()).toContain('Events of 2 time ranges were lost for good; its coverage says when')
    expect(await send({ action: 'acknowledge', connectorId: 'acme.cas', note: 'ticket 7' })).toEqual({
      message: 'The 2 lost time ranges of acme.cas are acknowledged.',
    })
    expect(await shown()).toBe('Events of 2 time ranges were lost for good, acknowledged at 2026-11-24 12:00 UTC: ticket 7')
    await send({ action: 'acknowledge', connectorId: 'acme.cas', note: 'ticket 7', says: 'Jane' })
    expect(await shown()).toContain('acknowledged by Jane at 2026-11-24 12:00 UTC: ticket 7')
    await lost(3)
    expect(await shown()).toContain('Events of 3 time ranges were lost for good; its coverage says when')
  })

  it('is refused where nothing is lost', async () => {
    expect(await send({ action: 'acknowledge', connectorId: 'acme.cas', note: '' })).toMatchObject({ code: 'not-found' })
    await lost(0)
    expect(await send({ action: 'acknowledge', connectorId: 'acme.cas', note: '' })).toMatchObject({ code: 'wrong' })
  })
})
