import { describe, expect, it } from 'vitest'
import { failure } from '../../functions/domain/failures.ts'
import type { Notification } from '../../functions/domain/status/notifications.ts'
import { statusRow } from '../../functions/domain/status/status-row.ts'
import { hour, minute, second } from '../../functions/domain/time.ts'
import { measureFleet } from '../../functions/flows/measure-fleet.ts'
import { connectorItem, secretName, World } from '../../simulation/world.ts'

function changesOf(notifications: readonly Notification[], connectorId = 'acme.cas') {
  return notifications.flatMap((notification) =>
    notification.type === 'Connector State Changed' && notification.detail.connectorId === connectorId
      ? [[notification.detail.from, notification.detail.to]]
      : [],
  )
}

function alarming(notifications: readonly Notification[]) {
  return notifications.filter(({ detail }) => detail.attention !== 'none').map(({ type, detail }) => [type, detail.attention])
}

/** Measures the fleet every five minutes, as `dispatch` does. */
async function runAndMeasure(world: World, forMs: number): Promise<void> {
  for (let passed = 0; passed < forMs; passed += 5 * minute) {
    await world.run(5 * minute)
    await measureFleet({ ...world.ports(0), state: world.state, bus: world.bus })
  }
}

describe('each change of a connector’s state', () => {
  it('is notified once, in order', async () => {
    const world = new World()
    await world.put(connectorItem())
    await runAndMeasure(world, 30 * minute)
    world.secrets.values.set(secretName, failure('secret-missing', 'There is no secret of that name'))
    await runAndMeasure(world, 2 * hour)
    world.secrets.values.set(secretName, 'simulated-key-0123456789abcdef')
    await runAndMeasure(world, 30 * minute)
    await world.put(connectorItem({ enabled: false }))
    await world.remove('acme.cas')
    expect(changesOf(world.bus.notifications)).toEqual([
      ['starting', 'ok'],
      ['ok', 'failing'],
      ['failing', 'ok'],
      ['ok', 'paused'],
      ['paused', 'retired'],
    ])
    expect(alarming(world.bus.notifications)).toEqual([
      ['Connector State Changed', 'problem'],
      ['Connector State Changed', 'recovery'],
    ])
    expect((await world.status('acme.cas')).pendingChanges).toBeUndefined()
  })

  it('is notified when an item is refused, and when it is corrected', async () => {
    const world = new World()
    await world.put(connectorItem({ baseUrl: 'nowhere' }))
    await world.put(connectorItem({ baseUrl: 'nowhere' }))
    await world.put(connectorItem())
    await world.run(minute)
    expect(changesOf(world.bus.notifications)).toEqual([
      ['starting', 'refused'],
      ['refused', 'starting'],
      ['starting', 'ok'],
    ])
  })

  it.each([true, false])('is notified once for a refused edit, however often the edit is read (enabled: %s)', async (enabled) => {
    const world = new World()
    await world.put(connectorItem({ enabled }))
    await runAndMeasure(world, 10 * minute)
    world.bus.notifications.length = 0
    for (let i = 0; i < 3; i++) await world.put(connectorItem({ enabled, intervalMinutes: 0 }))
    await runAndMeasure(world, 10 * minute)
    const problems = world.bus.notifications.filter(({ detail }) => detail.attention === 'problem')
    expect(problems).toMatchObject([
      { detail: { to: enabled ? 'ok' : 'paused', reason: expect.stringContaining('intervalMinutes: It is 0.') } },
    ])
    const status = await world.status('acme.cas')
    expect(status.pendingChanges).toBeUndefined()
    expect(statusRow('acme.cas', status, world.clock.now()).reason).toContain('The last edit was refused')
  })

  it('is notified once, later, when the bus refuses it at first', async () => {
    const world = new World()
    world.bus.refuses = true
    await world.put(connectorItem())
    await runAndMeasure(world, 15 * minute)
    expect(world.bus.notifications).toEqual([])
    expect((await world.status('acme.cas')).state).toBe('ok')
    world.bus.refuses = false
    await runAndMeasure(world, 15 * minute)
    expect(changesOf(world.bus.notifications)).toEqual([['starting', 'ok']])
  })

  it.each([1, 2, 3, 4])(
    'is notified although processes are killed, and repeated at most once for each kill (%i processes)',
    async (processes) => {
      const world = new World({ faults: { crash: 0.02 }, clocksOffMs: Array.from({ length: processes }, () => 0) })
      await world.put(connectorItem()).catch(() => undefined)
      for (let i = 0; i < 6; i++) {
        world.secrets.values.set(secretName, i % 2 === 0 ? failure('secret-missing', 'Gone') : 'simulated-key-0123456789abcdef')
        await runAndMeasure(world, hour)
      }
      world.calmDown()
      await world.put(connectorItem())
      await runAndMeasure(world, 30 * minute)
      const changes = changesOf(world.bus.notifications)
      const distinct = new Set(world.bus.notifications.map((notification) => JSON.stringify(notification)))
      expect(changes.length - distinct.size).toBeLessThanOrEqual([...world.record.faults.values()].reduce((sum, count) => sum + count, 0))
      // Each change begins with the state in which the one before ended, so none is missing.
      const sent = [...distinct].map((text) => JSON.parse(text).detail).sort((a, b) => (a.since < b.since ? -1 : 1))
      for (const [i, { from }] of sent.entries()) if (i > 0) expect(from).toBe(sent[i - 1].to)
      expect(sent.length).toBeGreaterThanOrEqual(6)
    },
  )
})

describe('an outage of the vendor', () => {
  it('is notified once when it begins and once when it ends, not once for each connector', async () => {
    const world = new World({ clocksOffMs: [0, 100, -100] })
    for (let i = 0; i < 12; i++) {
      world.secrets.values.set(`tributary/acme/${i}`, `simulated-key-${i}-0123456789abcdef`)
      await world.put(connectorItem({ connectorId: `acme.${i}`, name: `acme.${i}`, apiKeySecrets: [`tributary/acme/${i}`] }))
    }
    await runAndMeasure(world, 20 * minute)
    expect(alarming(world.bus.notifications)).toEqual([])
    let down = true
    world.vendorResponds(() => (down ? { status: 500 } : undefined))
    await runAndMeasure(world, 2 * hour)
    for (let i = 0; i < 12; i++) expect((await world.status(`acme.${i}`)).state).toBe('failing')
    expect(alarming(world.bus.notifications)).toEqual([['Vendor Outage Began', 'problem']])
    expect(world.record.metrics.at(-1)).toMatchObject({ values: { VendorOutages: 1, ConnectorsFailing: 12 } })
    down = false
    await runAndMeasure(world, hour)
    expect(alarming(world.bus.notifications)).toEqual([
      ['Vendor Outage Began', 'problem'],
      ['Vendor Outage Ended', 'recovery'],
    ])
    expect(world.record.metrics.at(-1)).toMatchObject({ values: { VendorOutages: 0, ConnectorsFailing: 0 } })
    for (let i = 0; i < 12; i++) {
      const changes = changesOf(world.bus.notifications, `acme.${i}`)
      expect(changes.filter(([, to]) => to === 'failing')).toHaveLength(1)
      expect(changes.at(-1)?.[1]).toBe('ok')
    }
  })

  it('goes on while it makes a connector lose data, and ends when the origin responds', async () => {
    const world = new World()
    await world.put(connectorItem())
    await runAndMeasure(world, 20 * minute)
    let down = true
    world.vendorResponds(() => (down ? { status: 503 } : undefined))
    await runAndMeasure(world, 60 * hour)
    expect((await world.status('acme.cas')).state).toBe('losing-data')
    expect(alarming(world.bus.notifications)).toEqual([
      ['Vendor Outage Began', 'problem'],
      ['Connector State Changed', 'problem'],
    ])
    down = false
    await runAndMeasure(world, 12 * hour)
    expect(alarming(world.bus.notifications).at(-1)?.[1]).toBe('recovery')
    expect(alarming(world.bus.notifications).filter(([type]) => type === 'Vendor Outage Ended')).toHaveLength(1)
  })

  it('is not notified as ended when no connector asks the origin any more', async () => {
    const world = new World()
    await world.put(connectorItem())
    await runAndMeasure(world, 20 * minute)
    world.vendorResponds(() => ({ status: 503 }))
    await runAndMeasure(world, hour)
    await world.put(connectorItem({ enabled: false }))
    await runAndMeasure(world, 20 * minute)
    expect(alarming(world.bus.notifications)).toEqual([['Vendor Outage Began', 'problem']])
    expect(await world.state.outages()).toEqual([])
  })

  it('is notified again when a connector meets it after it has ended', async () => {
    const world = new World()
    await world.put(connectorItem())
    await runAndMeasure(world, 20 * minute)
    world.vendorResponds(() => ({ status: 503 }))
    await runAndMeasure(world, hour)
    for (const outage of await world.state.outages()) await world.state.endOutage(outage)
    await runAndMeasure(world, 10 * minute)
    expect(alarming(world.bus.notifications).map(([type]) => type)).toEqual(['Vendor Outage Began', 'Vendor Outage Began'])
    expect(world.record.metrics.at(-1)).toMatchObject({ values: { VendorOutages: 1 } })
  })

  it('does not hide that a key of one connector is rejected meanwhile', async () => {
    const world = new World()
    await world.put(connectorItem())
    await runAndMeasure(world, 10 * minute)
    let status = 500
    world.vendorResponds(() => ({ status }))
    await runAndMeasure(world, hour)
    status = 401
    await runAndMeasure(world, hour)
    expect(alarming(world.bus.notifications).map(([type]) => type)).toEqual([
      'Vendor Outage Began',
      'Connector State Changed',
      'Vendor Outage Ended',
    ])
    expect(changesOf(world.bus.notifications).at(-1)).toEqual(['failing', 'failing'])
  })

  it('is notified later when the bus refuses it at first', async () => {
    const world = new World()
    await world.put(connectorItem())
    await runAndMeasure(world, 10 * minute)
    world.vendorResponds(() => ({ status: 503 }))
    world.bus.refuses = true
    await runAndMeasure(world, 30 * minute)
    world.bus.refuses = false
    await runAndMeasure(world, 10 * minute)
    expect(alarming(world.bus.notifications)).toEqual([['Vendor Outage Began', 'problem']])
  })
})

/** With two requests a minute, a run waits most of its time. All runs together cannot wait longer than the half hour of the test. */
const waitMinMs = 5 * minute
const waitMaxMs = 30 * minute

describe('the metrics of a run', () => {
  it('add up to the counts of the streams', async () => {
    const world = new World({ vendor: { eventsPerHour: 600, updateShare: 0.5, updateAfterMs: 2 * minute } })
    await world.put(connectorItem({ contentTypes: ['sharepoint', 'teams'], initialBackfillMinutes: 60 }))
    await world.run(hour + second)
    const { streams } = await world.state.readRun('acme.cas')
    const counted = [...streams.values()].map(({ counts }) => counts)
    const published = (name: string) =>
      world.record.metrics.reduce((sum, { values }) => sum + ((values as Partial<Record<string, number>>)[name] ?? 0), 0)
    const sum = (of: 'delivered' | 'alreadySeen' | 'changed' | 'requests' | 'pages') => counted.reduce((total, each) => total + each[of], 0)
    expect(published('EventsDelivered')).toBe(sum('delivered'))
    expect(published('EventsDuplicate')).toBe(sum('alreadySeen'))
    expect(published('EventsChanged')).toBe(sum('changed'))
    expect(published('Requests')).toBe(sum('requests'))
    expect(published('PagesRead')).toBe(sum('pages'))
    expect(sum('delivered')).toBeGreaterThan(500)
    expect(sum('changed')).toBeGreaterThan(0)
  })

  it('have the time that it waited for tokens', async () => {
    const world = new World({ vendor: { eventsPerHour: 1_500 }, pageItems: 25 })
    await world.put(connectorItem({ initialBackfillMinutes: 1_000, requestsPerMinute: 2 }))
    await world.run(30 * minute)
    const waited = world.record.metrics.reduce((sum, { values }) => sum + ('TokenWait' in values ? (values.TokenWait ?? 0) : 0), 0)
    expect(waited).toBeGreaterThan(waitMinMs)
    expect(waited).toBeLessThan(waitMaxMs)
  })
})
