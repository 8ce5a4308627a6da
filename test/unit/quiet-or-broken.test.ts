import { describe, expect, it } from 'vitest'
import { activityText, addActivity } from '../../functions/domain/status/activity.ts'
import { catchUpTexts, caughtUpAt } from '../../functions/domain/status/catching-up.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import { connectorItem, World } from '../../simulation/world.ts'
import { now, policy, stream } from './streams.ts'

describe('the activity of a connector', () => {
  const quiet = (minutes: number) =>
    Array.from({ length: minutes / 5 }, (_, run) => run).reduce(
      (parts: ReturnType<typeof addActivity>, run) => addActivity(parts, { requests: 1, delivered: 0 }, now + run * 5 * minute),
      [],
    )

  it('tells a quiet connector from one that was not asked', () => {
    expect(activityText(quiet(60), now + hour)).toBe('Quiet: 12 requests in the last hour, and nothing new.')
    expect(activityText([], now)).toBe('')
    expect(activityText(quiet(60), now + 3 * hour)).toBe('')
  })

  it('counts the events of the last hour', () => {
    const parts = addActivity(addActivity([], { requests: 2, delivered: 1_200 }, now), { requests: 1, delivered: 4 }, now + minute)
    expect(activityText(parts, now + 2 * minute)).toBe('Delivering: 1,204 events in the last hour.')
  })

  it('takes no more room after a day than after an hour', () => {
    expect(quiet(24 * 60).length).toBeLessThanOrEqual(8)
  })

  it('is shown in the status of a connector that runs', async () => {
    const world = new World({ vendor: { eventsPerHour: 0 } })
    await world.put(connectorItem())
    await world.run(62 * minute)
    const status = await world.state.readStatus('acme.cas')
    expect(status?.state).toBe('ok')
    expect(activityText(status?.activity ?? [], world.clock.now())).toMatch(/^Quiet: 1\d requests in the last hour, and nothing new\.$/)
  })
})

describe('a connector that catches up', () => {
  const texts = (lagMs: number, streams = [stream(now)], by = policy) =>
    catchUpTexts({ since: now - 10 * minute, lagMs: 10 * hour }, lagMs, streams, by, now)

  it('says when it is done, from its own speed', () => {
    expect(caughtUpAt({ since: now - 10 * minute, lagMs: 10 * hour }, 5 * hour, now)).toBe(now + 10 * minute)
    expect(texts(5 * hour)).toContain('At the present speed that ends at about 2026-11-24 12:10 UTC.')
  })

  it('forecasts nothing while it does not get nearer, or has only begun', () => {
    for (const lagMs of [10 * hour, 11 * hour]) expect(texts(lagMs).join(' ')).not.toContain('At the present speed')
    expect(caughtUpAt({ since: now - minute, lagMs: 10 * hour }, hour, now)).toBeUndefined()
    expect(caughtUpAt({ since: now - hour, lagMs: 10 * hour }, 10 * hour - 1, now)).toBeUndefined()
  })

  it('names too many streams for its keys', () => {
    const many = Array.from({ length: 120 }, () => stream(now))
    expect(texts(10 * hour, many)).toEqual([
      expect.stringMatching(/^Too many streams: 120 need a request each 5 min, and the keys allow 100\./),
    ])
  })

  it('names a backlog if its keys have room for more than the new events', () => {
    expect(texts(10 * hour, [stream(now, { lastReadAt: now, widthMs: 10 * minute, pagesTarget: 1 })])).toEqual([
      'A backlog: of the 100 requests that the keys allow each 5 min, the new events need about 1. The others read older events.',
    ])
  })

  it('names a spike', () => {
    const dense = stream(now, { widthMs: 10_000, pagesTarget: 3.5, lastReadAt: now })
    expect(texts(10 * hour, [dense])).toEqual([
      expect.stringMatching(/^A spike: the new events fill about 105 pages each 5 min, and the keys allow 100 requests\./),
    ])
  })

  it('says so in its status, and no longer when it is done', async () => {
    const world = new World({ vendor: { eventsPerHour: 2_000 }, pageItems: 25 })
    await world.put(connectorItem({ initialBackfillMinutes: 24 * 60 }))
    await world.run(20 * minute)
    const during = await world.state.readStatus('acme.cas')
    expect(during).toMatchObject({ state: 'catching-up', reason: expect.stringContaining('that ends at about 2026-11-24') })
    await world.run(4 * hour)
    const after = await world.state.readStatus('acme.cas')
    expect(after?.state).toBe('ok')
    expect(after?.catchUp).toBeUndefined()
  })
})
