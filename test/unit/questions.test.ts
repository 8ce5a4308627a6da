import { beforeAll, describe, expect, it } from 'vitest'
import type { ConnectorItems } from '../../functions/domain/ports.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import type { OperatePorts } from '../../functions/flows/operate/carry.ts'
import { operate } from '../../functions/flows/operate/operate.ts'
import { connectorItem, policy, start, World } from '../../simulation/world.ts'
import { operatePorts } from './operate-ports.ts'

const provider = { tenant: 'all', awsRequestId: 'r-1' }
const acme = { tenant: 'acme', awsRequestId: 'r-2' }
const never = () => Promise.reject(new Error('a question writes nothing'))

describe('a question', () => {
  const world = new World({ vendor: { eventsPerHour: 60 } })
  const items = [
    connectorItem({ connectorId: 'acme.cas', initialBackfillMinutes: 60, eventTypes: ['dlp', 'securityrisk'] }),
    connectorItem({
      connectorId: 'globex.cas',
      name: 'globex-cas',
      tenantName: 'Globex',
      apiKeySecrets: ['tributary/globex/simulated-1'],
      enabled: false,
    }),
    connectorItem({ connectorId: 'globex.wrong', name: 'globex-wrong', tenantName: 'Globex', intervalMinutes: 0 }),
  ]
  const table: ConnectorItems = {
    readItem: async (id) => items.find(({ connectorId }) => connectorId === id),
    writeItem: never,
    deleteItem: never,
  }
  const ports = async (): Promise<OperatePorts> => {
    const { vendors, clock, state } = world.ports(0)
    return { ...(await operatePorts()).ports, clock, state, items: table, policy: { ...policy, vendors } }
  }
  const ask = async (request: object, caller = provider) => {
    const answer = await operate(await ports(), request, caller)
    return answer.ok ? answer.value : answer.failure
  }

  beforeAll(async () => {
    for (const item of items) await world.put(item)
    await world.run(30 * minute)
  })

  it('lists the connectors of a tenant, in a state, or with a text in their names, the worst first', async () => {
    const ids = async (request: object, caller = provider) => {
      const answer = await ask({ action: 'list', ...request }, caller)
      return 'rows' in answer ? (answer.rows as { connectorId: string }[]).map(({ connectorId }) => connectorId) : answer
    }
    expect(await ids({})).toEqual(['globex.wrong', 'acme.cas', 'globex.cas'])
    expect(await ids({ tenant: 'globex' })).toEqual(['globex.wrong', 'globex.cas'])
    expect(await ids({ state: 'paused' })).toEqual(['globex.cas'])
    expect(await ids({ find: 'ACME' })).toEqual(['acme.cas'])
    expect(await ids({}, acme)).toEqual(['acme.cas'])
    expect(await ids({ tenant: 'globex' }, acme)).toMatchObject({ code: 'not-allowed' })
  })

  it('shows a connector with its item, its version, its streams and its keys', async () => {
    const shown = await ask({ action: 'show', connectorId: 'acme.cas' }, acme)
    expect(shown).toMatchObject({
      row: { connectorId: 'acme.cas', state: 'ok' },
      item: items[0],
      version: expect.stringMatching(/^[0-9a-f]{64}$/),
      keys: [{ secret: 'tributary/acme/simulated', fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/), usedBy: [], usedByOthers: 0 }],
    })
    const { streams } = shown as { streams: readonly { stream: string; counts: { delivered: number } }[] }
    expect(streams.map(({ stream }) => stream)).toEqual(['sharepoint/dlp', 'sharepoint/securityrisk'])
    expect(streams.reduce((sum, { counts }) => sum + counts.delivered, 0)).toBe(world.lake.records)
  })

  it('names the other connectors of the tenant that use a key, and only counts those of other tenants', async () => {
    const { state } = world.ports(0)
    const { heldKeys } = await state.readRun('acme.cas')
    const [{ fingerprint } = { fingerprint: '' }] = heldKeys?.keys ?? []
    const user = { sharedKey: true, requestsPerMinute: 20, until: world.clock.now() + hour, acceptedAt: start }
    await state.writeKeyUser(fingerprint, { ...user, connectorId: 'acme.second', tenantName: 'Acme' })
    await state.writeKeyUser(fingerprint, { ...user, connectorId: 'initech.cas', tenantName: 'Initech' })
    const shown = await ask({ action: 'show', connectorId: 'acme.cas' }, acme)
    expect(shown).toMatchObject({ keys: [{ usedBy: ['acme.second'], usedByOthers: 1 }] })
    expect(JSON.stringify(shown)).not.toContain('initech')
  })

  it('shows a connector whose item was refused', async () => {
    expect(await ask({ action: 'show', connectorId: 'globex.wrong' })).toMatchObject({ row: { state: 'refused' }, streams: [], keys: [] })
  })

  it('tells from when to when each stream is proven, read and not read yet', async () => {
    const { streams } = (await ask({ action: 'coverage', connectorId: 'acme.cas' })) as {
      streams: readonly { since: number; provenTo: number; segments: readonly { kind: string }[] }[]
    }
    for (const { since, provenTo, segments } of streams) {
      expect(since).toBeLessThanOrEqual(start - hour)
      expect(provenTo).toBeGreaterThan(start)
      expect(segments.map(({ kind }) => kind)).toEqual(['proven', 'read', 'unread'])
    }
  })

  it('is answered with words if there is no such connector, or if it is another tenant’s', async () => {
    for (const action of ['show', 'coverage']) {
      expect(await ask({ action, connectorId: 'acme.other' })).toMatchObject({
        code: 'not-found',
        message: expect.stringContaining('acme.other'),
      })
      expect(await ask({ action, connectorId: 'globex.cas' }, acme)).toMatchObject({ code: 'not-allowed' })
    }
  })

  it('is refused with the words to use if it is no operation', async () => {
    expect(await ask({ action: 'shwo', connectorId: 'acme.cas' })).toMatchObject({
      code: 'wrong',
      problems: [{ path: 'action', message: expect.stringContaining('Did you mean show?') }],
    })
    expect(await ask({ action: 'show' })).toMatchObject({ code: 'wrong', problems: [{ path: 'connectorId' }] })
    expect(await ask({ action: 'show', connectorId: 'acme.cas', more: 1 })).toMatchObject({ code: 'wrong' })
    expect(await operate(await ports(), 'show', provider)).toMatchObject({ ok: false, failure: { code: 'wrong' } })
  })

  it('finds the connectors with a loss that nobody has acknowledged', async () => {
    const { state } = world.ports(0)
    const found = async () => (await ask({ action: 'list', state: 'data-lost' })) as { rows: readonly { connectorId: string }[] }
    expect((await found()).rows).toEqual([])
    await state.updateStatus('acme.cas', (status) => (status === undefined ? undefined : { ...status, lostRanges: 1 }))
    expect((await found()).rows).toMatchObject([{ connectorId: 'acme.cas', state: 'data-lost' }])
  })
})
