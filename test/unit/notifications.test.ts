import { describe, expect, it } from 'vitest'
import type { StateChange } from '../../functions/domain/status/connector-state.ts'
import { changeNotification, outageNotification } from '../../functions/domain/status/notifications.ts'
import { minute } from '../../functions/domain/time.ts'
import { acceptConnector } from '../../functions/flows/accept-connector.ts'
import { policy, start, World } from '../../simulation/world.ts'

const since = Date.UTC(2026, 10, 24, 12)
const acme = { connectorId: 'acme.cas', tenantName: 'Acme', vendor: 'trendmicro-cas' }

function attention(change: Pick<StateChange, 'from' | 'to'> & Partial<StateChange>) {
  return changeNotification(acme, { reason: '', since, ...change }).detail.attention
}

describe('a change of state', () => {
  it('names the connector and the tenant, both states, the reason, the time and the remedy', () => {
    const change: StateChange = {
      from: 'ok',
      to: 'failing',
      reason: 'There is no secret named tributary/acme/key.',
      since,
      cause: 'secret-missing',
    }
    expect(changeNotification(acme, change)).toEqual({
      type: 'Connector State Changed',
      detail: {
        attention: 'problem',
        summary: 'Connector acme.cas of Acme: ok → failing since 2026-11-24T12:00:00.000Z. There is no secret named tributary/acme/key.',
        vendor: 'trendmicro-cas',
        tenant: 'acme',
        tenantName: 'Acme',
        connectorId: 'acme.cas',
        from: 'ok',
        to: 'failing',
        reason: 'There is no secret named tributary/acme/key.',
        since: '2026-11-24T12:00:00.000Z',
        remedy: 'The secret does not exist. Create it under exactly this name.',
        cause: 'secret-missing',
      },
    })
  })

  it('has a tenant that no connector can have, if nothing was ever accepted under an id that names none', () => {
    const change: StateChange = { from: 'starting', to: 'refused', reason: '', since }
    const refused = changeNotification({ connectorId: 'cas', tenantName: undefined, vendor: 'unknown' }, change)
    expect(refused.detail).toMatchObject({
      tenant: '~',
      tenantName: 'unknown',
      summary: expect.stringContaining('Connector cas of unknown: '),
    })
    const old = changeNotification({ connectorId: 'old', tenantName: 'unknown', vendor: 'trendmicro-cas' }, change)
    expect(old.detail).toMatchObject({ tenant: '~unknown', tenantName: 'unknown' })
  })

  it.each(['failing', 'losing-data', 'throttled', 'refused'] as const)('to %s is a problem', (to) => {
    expect(attention({ from: 'ok', to })).toBe('problem')
  })

  it.each(['ok', 'catching-up'] as const)('from a problem to %s is a recovery', (to) => {
    expect(attention({ from: 'losing-data', to })).toBe('recovery')
  })

  it('to starting is a recovery only from refused, because otherwise the connector merely tries again', () => {
    expect(attention({ from: 'refused', to: 'starting' })).toBe('recovery')
    expect(attention({ from: 'failing', to: 'starting' })).toBe('none')
  })

  it('from one problem to another is a problem', () => {
    expect(attention({ from: 'throttled', to: 'failing', cause: 'unauthorized' })).toBe('problem')
  })

  it('between states that are no problem needs no attention', () => {
    expect(attention({ from: 'ok', to: 'catching-up' })).toBe('none')
    expect(attention({ from: 'starting', to: 'ok' })).toBe('none')
  })

  it('to paused or retired needs no attention, because somebody wanted it', () => {
    expect(attention({ from: 'failing', to: 'paused' })).toBe('none')
    expect(attention({ from: 'failing', to: 'retired' })).toBe('none')
  })

  it('that is only a refused edit is a problem, because nobody would notice that the version before it stays in use', () => {
    const reason = 'The last edit was refused, so the version before it stays in use: intervalMinutes: It is 0.'
    const { detail } = changeNotification(acme, { from: 'paused', to: 'paused', reason, since, refusedEdit: true })
    expect(detail.attention).toBe('problem')
    expect(detail.summary).toBe(`Connector acme.cas of Acme: paused, but an edit was refused at 2026-11-24T12:00:00.000Z. ${reason}`)
    expect(detail.remedy).toMatch(/^Correct the item/)
  })

  it('that an outage of the vendor caused needs no attention, and neither does its end: the outage has its own notification', () => {
    expect(attention({ from: 'ok', to: 'failing', cause: 'vendor-error' })).toBe('none')
    expect(attention({ from: 'failing', to: 'ok', causeBefore: 'unreachable' })).toBe('none')
  })

  it('from an outage to losing data is a problem all the same', () => {
    expect(attention({ from: 'failing', to: 'losing-data', causeBefore: 'vendor-error' })).toBe('problem')
  })
})

describe('an item that is refused', () => {
  it.each([
    ['cas', '~', 'unknown'],
    ['acme.cas', 'acme', 'acme'],
  ])('under the id %s is of the tenant %s, whatever its own tenantName says', async (connectorId, tenant, tenantName) => {
    const world = new World({ ticking: false })
    await world.clock.finish(acceptConnector(world.ports(0), policy, connectorId, { connectorId, tenantName: 'Globex' }), start + minute)
    expect(world.bus.notifications.map(({ detail }) => detail)).toMatchObject([{ connectorId, to: 'refused', tenant, tenantName }])
  })
})

describe('an outage', () => {
  const outage = {
    vendor: 'trendmicro-cas',
    origin: 'https://api.example.com',
    since,
    cause: 'vendor-error',
    reason: 'It answers 500.',
    sent: false,
  } as const

  it('is a problem of the origin when it begins', () => {
    const { type, detail } = outageNotification(outage)
    expect(type).toBe('Vendor Outage Began')
    expect(detail).toMatchObject({ attention: 'problem', origin: 'https://api.example.com', since: '2026-11-24T12:00:00.000Z' })
    expect(detail.summary).toMatch(
      /^https:\/\/api\.example\.com \(trendmicro-cas\) has failed since 2026-11-24T12:00:00\.000Z: It answers 500\. Nothing, unless/,
    )
  })

  it('is a recovery when it ends, with its beginning and its end', () => {
    const { type, detail } = outageNotification(outage, since + 3_600_000)
    expect(type).toBe('Vendor Outage Ended')
    expect(detail).toMatchObject({ attention: 'recovery', since: '2026-11-24T12:00:00.000Z', until: '2026-11-24T13:00:00.000Z' })
  })
})
