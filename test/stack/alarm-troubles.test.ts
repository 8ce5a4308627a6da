import { describe, expect, it } from 'vitest'
import { FleetTally } from '../../functions/domain/status/fleet.ts'
import { type ConnectorStatus, newStatus } from '../../functions/domain/status/status.ts'
import { day, hour, type Instant, iso, minute } from '../../functions/domain/time.ts'
import { connectorItem, start, World } from '../../simulation/world.ts'
import { alarmsThatTurnOn, type Published } from './alarm-evaluator.ts'

const vendor = 'trendmicro-cas'
const retentionMs = 72 * hour

/** A fleet over time: the statuses that `dispatch` finds, and the metrics of runs. */
interface Fleet {
  readonly statusesAt: (now: Instant) => readonly ConnectorStatus[]
  readonly runs?: Published
  readonly lastsMs?: number
}

/** The alarms that turn on, in order. The fleet is measured every 5 minutes. */
function alarmsOf({ statusesAt, runs = [], lastsMs = 3 * day }: Fleet): readonly string[] {
  const measured = Array.from({ length: lastsMs / (5 * minute) }, (_, i) => {
    const now = start + (i + 1) * 5 * minute
    const tally = new FleetTally()
    for (const status of statusesAt(now)) tally.add(status, now)
    return { at: now, vendor, values: tally.metrics(0, now) }
  })
  return alarmsThatTurnOn([...measured, ...runs], start, start + lastsMs).map(({ alarm }) => alarm)
}

function healthy(now: Instant, more: Partial<ConnectorStatus> = {}): ConnectorStatus {
  const run = { lastRunAt: now, lagMs: 20 * minute, retentionLeftMs: retentionMs - 20 * minute }
  return { ...newStatus(now, 'Acme'), vendor, state: 'ok', ...run, ...more }
}

/** A connector that has read nothing since an instant. */
function stuck(now: Instant, since: Instant, more: Partial<ConnectorStatus>): ConnectorStatus {
  return since > now ? healthy(now) : healthy(now, { since, lagMs: now - since, retentionLeftMs: retentionMs - (now - since), ...more })
}

const dead = (now: Instant, since: Instant) => stuck(now, since, { state: 'failing', cause: 'unauthorized' })
const slow = (now: Instant, since: Instant) => stuck(now, since, { state: 'catching-up' })
const others = (now: Instant, count = 20) => Array.from({ length: count }, () => healthy(now))

describe('one dead key', () => {
  const keyOf = (i: number) => `key-of-c${i}-0123456789abcdef`
  const connectors = 5

  it('turns on one alarm in 80 hours: when a day is left, and when its events begin to be lost', async () => {
    const world = new World({ wholeDispatch: true, vendor: { eventsPerHour: 1 } })
    for (let i = 0; i < connectors; i++) {
      const connectorId = `acme.c${i}`
      const secret = `tributary/acme/c${i}`
      world.secrets.values.set(secret, keyOf(i))
      const item = connectorItem({ connectorId, name: `acme-c${i}`, apiKeySecrets: [secret], intervalMinutes: 60 })
      await world.clock.finish(world.change(connectorId, item))
    }
    await world.run(3 * hour)
    world.model.change({ revokedKeys: [keyOf(0)] })
    await world.run(80 * hour)
    const notified = world.bus.notifications.filter(({ detail }) => detail.attention === 'problem')
    expect(notified).toMatchObject([{ detail: { connectorId: 'acme.c0', to: 'failing', cause: 'unauthorized' } }])
    const turned = alarmsThatTurnOn(world.record.metrics, start, world.clock.now())
    expect(turned.map(({ alarm, at }) => [alarm, Math.floor((at - start) / day)])).toEqual([
      ['losing-data', 2],
      ['losing-data', 3],
    ])
  })

  it('of a pool turns on one alarm, and a second one turns it on again', () => {
    const rejectedAt = [start + hour, start + 9 * hour]
    const attempts = (now: Instant, at: Instant) => Math.ceil((now - at) / hour)
    const statusesAt = (now: Instant) => [
      ...others(now),
      ...rejectedAt.map((at) =>
        healthy(now, {
          rejectedKeys:
            at >= now
              ? {}
              : { a: { at: at + (attempts(now, at) - 1) * hour, until: at + attempts(now, at) * hour, attempts: attempts(now, at) } },
        }),
      ),
    ]
    expect(alarmsOf({ statusesAt })).toEqual(['key-rejected', 'key-rejected'])
  })
})

describe('a second trouble while the first lasts', () => {
  const deadSince = start + hour
  /** The first trouble: one dead key, for all the time. */
  const withDead = (more: (now: Instant) => readonly ConnectorStatus[]) => (now: Instant) => [
    dead(now, deadSince),
    ...others(now),
    ...more(now),
  ]
  const lastsMs = 2.5 * day

  it('is told if it is another dead key', () => {
    expect(alarmsOf({ statusesAt: withDead((now) => [dead(now, start + 6 * hour)]), lastsMs })).toEqual(['losing-data', 'losing-data'])
  })

  it('is told if it is a connector that is too slow, and again if that is another one', () => {
    const alarms = alarmsOf({ statusesAt: withDead((now) => [slow(now, start + 5 * hour), slow(now, start + 10 * hour)]), lastsMs })
    expect(alarms.filter((alarm) => alarm === 'retention-limit-48h')).toHaveLength(2)
    expect(alarms.filter((alarm) => alarm === 'losing-data')).toHaveLength(3)
    expect(new Set(alarms).size).toBe(2)
  })

  it('is told if it is a loss elsewhere', () => {
    const at = start + 10 * hour
    const runs: Published = [{ at, vendor, connectorId: 'acme.other', values: { RangesLost: 1 } }]
    expect(alarmsOf({ statusesAt: withDead(() => []), runs, lastsMs: day })).toEqual(['losing-data'])
  })

  it('is told if a part of the fleet begins to fail', () => {
    const failing = (now: Instant) => Array.from({ length: 3 }, () => dead(now, start + 6 * hour))
    expect(alarmsOf({ statusesAt: withDead(failing), lastsMs: day })).toEqual(['connectors-failing'])
  })

  it('is told if the fleet becomes slow', () => {
    const statusesAt = (now: Instant) => [
      dead(now, deadSince),
      slow(now, deadSince),
      ...others(now).map((status) => (now < start + 6 * hour ? status : slow(now, start + 6 * hour))),
    ]
    expect(alarmsOf({ statusesAt, lastsMs: day })).toEqual(['lag'])
  })

  it('is told if connectors wait for a run', () => {
    const waiting = (now: Instant) => ({ at: now, vendor, values: { DueAgeMax: now > start + 6 * hour ? 20 * minute : minute } })
    const runs = Array.from({ length: 288 }, (_, i) => waiting(start + (i + 1) * 5 * minute))
    expect(alarmsOf({ statusesAt: withDead(() => []), runs, lastsMs: day })).toEqual(['connectors-waiting'])
  })

  it('is told if another connector drops off on the next day', () => {
    const delivered = (now: Instant, quietFrom: Instant) =>
      Object.fromEntries(
        Array.from({ length: 9 }, (_, ago) => now - ago * day).map((at) => [
          iso(at).slice(0, 10),
          { delivered: at < quietFrom ? 5 : 0, filtered: 0, requests: 1, throttled: 0 },
        ]),
      )
    const midnight = start - (start % day)
    const statusesAt = (now: Instant) => [1, 2].map((days) => healthy(now, { days: delivered(now, midnight + days * day) }))
    expect(alarmsOf({ statusesAt, lastsMs: 5 * day })).toEqual(['dropped-off', 'dropped-off'])
  })

  it('is told if another key becomes old, and the first is told again after a week', () => {
    const statusesAt = (now: Instant) => [
      healthy(now, { oldestKeyAt: start + hour - 335 * day }),
      healthy(now, { oldestKeyAt: start + day - 335 * day }),
    ]
    expect(alarmsOf({ statusesAt, lastsMs: 7.5 * day })).toEqual(['key-old', 'key-old', 'key-old'])
  })
})

describe('no alarm repeats a notification', () => {
  it.each<[string, Partial<ConnectorStatus>]>([
    ['is throttled by others', { state: 'throttled' }],
    ['meets an outage of the vendor', { state: 'failing', cause: 'vendor-overloaded' }],
    ['fails', { state: 'failing', cause: 'secret-missing' }],
  ])('if one connector %s', (_, more) => {
    expect(alarmsOf({ statusesAt: (now) => [...others(now), stuck(now, start + hour, more)], lastsMs: day })).toEqual([])
  })

  it('if an outage stops the whole fleet', () => {
    const statusesAt = (now: Instant) => others(now).map(() => stuck(now, start + hour, { state: 'failing', cause: 'vendor-overloaded' }))
    expect(alarmsOf({ statusesAt, lastsMs: day })).toEqual([])
  })
})
