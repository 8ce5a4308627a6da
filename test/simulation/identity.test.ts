import { describe, expect, it } from 'vitest'
import type { LakeRecord } from '../../functions/domain/record/record.ts'
import { hour, type Instant, iso, minute } from '../../functions/domain/time.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { connectorItem, start, World } from '../../simulation/world.ts'

/** An item of the vendor, and when it is shown so. */
interface Shown {
  readonly at: Instant
  readonly from?: Instant
  readonly until?: Instant
  readonly id: string
  readonly message: Readonly<Record<string, unknown>>
}

/** A world whose vendor shows these items, and the records that reach its lake. */
async function worldOf(shown: readonly Shown[] | ((now: Instant) => readonly Shown[]), item: ConnectorItem = {}) {
  const world = new World()
  world.vendorResponds((asked, now) => {
    const [first, last] = [Date.parse(asked.get('start') ?? ''), Date.parse(asked.get('end') ?? '')]
    const items = typeof shown === 'function' ? shown(now) : shown
    const visible = items.filter(
      ({ at, from = at, until = Number.POSITIVE_INFINITY }) => now >= from && now < until && at >= first && at <= last,
    )
    const events = visible.map(({ at, id, message }) => ({
      event: 'dlp',
      service: 'SharePoint',
      log_item_id: id,
      message: { detection_time: iso(at), ...message },
    }))
    return { status: 200, body: { next_link: '', security_events: events } }
  })
  const records: LakeRecord[] = []
  const deliver = world.sink.deliver.bind(world.sink)
  world.sink.deliver = (batch) => {
    records.push(...batch)
    return deliver(batch)
  }
  await world.put(connectorItem(item))
  return { world, records, counts: async () => (await world.stream('acme.cas', 'sharepoint/dlp')).counts }
}

describe('events under one id', () => {
  it('are a record each if their content differs, and none of them is already seen', async () => {
    const files = ['a1.txt', 'a2.txt', 'a3.txt', 'a3.txt']
    const { world, records, counts } = await worldOf(
      files.map((file_name) => ({ at: start + minute, id: 'shared', message: { file_name } })),
    )
    await world.run(6 * minute)
    expect(records.map(({ file_name }) => file_name)).toEqual(['a1.txt', 'a2.txt', 'a3.txt'])
    expect(new Set(records.map(({ id }) => id)).size).toBe(3)
    expect(records.map(({ event_id }) => event_id)).toEqual(['shared', 'shared', 'shared'])
    expect(await counts()).toMatchObject({ fetched: 4, delivered: 3, alreadySeen: 1, changed: 2 })
    await world.run(hour)
    expect(records).toHaveLength(3)
  })

  it('are the event and its update if the event changes: the update is delivered when its range is read again, and is not late', async () => {
    const at = start + minute
    const { world, records, counts } = await worldOf([
      { at, until: at + 20 * minute, id: 'U1', message: { action: 'Pending' } },
      { at, from: at + 20 * minute, id: 'U1', message: { action: 'Quarantine' } },
    ])
    await world.run(27 * hour)
    expect(records.map(({ action, event_id }) => [event_id, action])).toEqual([
      ['U1', 'Pending'],
      ['U1', 'Quarantine'],
    ])
    expect(await counts()).toMatchObject({ delivered: 2, changed: 1, late: 0 })
    expect((await world.status('acme.cas')).reason).toBe('')
  })
})

describe('a field that changes with every request', () => {
  const items = Array.from({ length: 40 }, (_, index) => ({ at: start + index * 10_000, id: `e${index}` }))
  const volatile = (now: Instant) => items.map((each) => ({ ...each, message: { file_name: 'f', looked_at: now } }))

  it('makes each of its events a new record each time, and the status names the field and the setting', async () => {
    const { world, records, counts } = await worldOf(volatile)
    await world.run(hour)
    expect(records.length).toBeGreaterThan(items.length)
    const { fetched, delivered, alreadySeen, changed } = await counts()
    expect(delivered + alreadySeen).toBe(fetched)
    expect(changed).toBe(delivered - items.length)
    const { reason, state } = await world.status('acme.cas')
    expect(state).toBe('ok')
    expect(reason).toMatch(
      /^100 % of the events of sharepoint\/dlp that came again had changed, in message\.looked_at: .+ identityIgnoredFields\.$/,
    )
  })

  it('makes no event another one once the connector leaves it out', async () => {
    const { world, records, counts } = await worldOf(volatile, { identityIgnoredFields: ['message.looked_at'] })
    await world.run(hour)
    expect(records).toHaveLength(items.length)
    expect((await counts()).changed).toBe(0)
    expect((await world.status('acme.cas')).reason).toBe('')
  })

  it('is not named by the status if the connector leaves it out, in whole or in part, and another one changes', async () => {
    const { world } = await worldOf(
      (now) =>
        items.map((each) => ({ ...each, message: { file_name: 'f', looked_at: now, seen_by: { name: 'n', at: now }, viewed_at: now } })),
      { identityIgnoredFields: ['message.looked_at', 'message.seen_by.at'] },
    )
    await world.run(hour)
    expect((await world.status('acme.cas')).reason).toContain(' had changed, in message.viewed_at: ')
  })

  it('is not named by the status any more from the edit on', async () => {
    const { world } = await worldOf(volatile)
    await world.run(hour)
    expect((await world.status('acme.cas')).reason).toContain(' had changed, in message.looked_at: ')
    await world.put(connectorItem({ identityIgnoredFields: ['message.looked_at'] }))
    await world.run(10 * minute)
    expect((await world.status('acme.cas')).reason).toBe('')
  })

  it('is left out from the edit on: events that were read before are not read as changed', async () => {
    const { world, records } = await worldOf(volatile)
    await world.run(8 * minute)
    await world.put(connectorItem({ identityIgnoredFields: ['message.looked_at'] }))
    const before = new Set(records.map(({ event_id }) => event_id))
    const until = records.length
    await world.run(27 * hour)
    expect(records.slice(until).filter(({ event_id }) => before.has(event_id))).toEqual([])
    expect(new Set(records.map(({ event_id }) => event_id)).size).toBe(items.length)
  })
})
