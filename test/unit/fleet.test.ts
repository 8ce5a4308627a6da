import { describe, expect, it } from 'vitest'
import { fleetMetrics } from '../../functions/domain/metrics.ts'
import { FleetTally } from '../../functions/domain/status/fleet.ts'
import { type ConnectorStatus, hasDroppedOff, newStatus } from '../../functions/domain/status/status.ts'
import { day, hour, iso, minute } from '../../functions/domain/time.ts'

const now = Date.UTC(2026, 10, 24, 12)

function status(more: Partial<ConnectorStatus> = {}): ConnectorStatus {
  return { ...newStatus(now, 'Acme'), state: 'ok', lastRunAt: now, lagMs: 0, ...more }
}

function metricsOf(...statuses: ConnectorStatus[]) {
  const tally = new FleetTally()
  for (const each of statuses) tally.add(each, now)
  return tally.metrics(0, now)
}

/** Counts of the last days, today first. */
function days(...delivered: number[]): ConnectorStatus['days'] {
  const entry = (count: number, ago: number) => [
    iso(now - ago * day).slice(0, 10),
    { delivered: count, filtered: 0, requests: 1, throttled: 0 },
  ]
  return Object.fromEntries(delivered.map(entry))
}

describe('the tally of a fleet', () => {
  it('is zero in every metric without connectors, and leaves out what nobody knows and what counts new troubles', () => {
    const leftOut = [
      'RetentionLeftMin',
      'KeyAgeMax',
      'NewlyWithin48h',
      'NewlyWithin24h',
      'KeysNewlyRejected',
      'KeysNewlyOld',
      'FailingShare',
      'DueAgeMax',
    ]
    const known = Object.keys(fleetMetrics).filter((name) => !leftOut.includes(name))
    expect(metricsOf()).toEqual(Object.fromEntries(known.map((name) => [name, 0])))
  })

  it('counts connectors by their state, and leaves those that do not collect out of every other metric', () => {
    const resting = { lagMs: day, streamsBehind: 3, lostRanges: 2, retentionLeftMs: 1, oldestKeyAt: 0 }
    expect(
      metricsOf(status({ state: 'failing' }), status(), status({ ...resting, state: 'paused' }), status({ ...resting, state: 'refused' })),
    ).toMatchObject({
      Connectors: 2,
      ConnectorsFailing: 1,
      ConnectorsOk: 1,
      ConnectorsRefused: 1,
      LagMax: 0,
      StreamsBehind: 0,
      LostRangesOnRecord: 0,
    })
  })

  it('adds the time since the last run to the lag, and takes it from the time to the retention limit', () => {
    const { LagMax, RetentionLeftMin } = metricsOf(status({ lastRunAt: now - hour, lagMs: 10 * minute, retentionLeftMs: 71 * hour }))
    expect(LagMax).toBe(70 * minute)
    expect(RetentionLeftMin).toBe(70 * hour)
  })

  it('has the largest lag, and the lag that a tenth of the connectors reach', () => {
    const lags = Array.from({ length: 200 }, (_, i) => status({ lagMs: (i + 1) * minute }))
    expect(metricsOf(...lags)).toMatchObject({ LagMax: 200 * minute, LagP90: 181 * minute })
  })

  it('has a lag that at least two connectors reach, where there are two, and leaves failing ones out of it', () => {
    const lagsOf = (...minutes: number[]) => minutes.map((count) => status({ lagMs: count * minute }))
    expect(metricsOf(...lagsOf(500, 30, 20)).LagP90).toBe(30 * minute)
    expect(metricsOf(...lagsOf(500)).LagP90).toBe(500 * minute)
    const failing = status({ state: 'failing', lagMs: 900 * minute })
    expect(metricsOf(failing, failing, ...lagsOf(30, 20))).toMatchObject({ LagMax: 900 * minute, LagP90: 20 * minute })
  })

  it('has the share of the connectors that fail, without those that an outage stops, if it is more than one', () => {
    const failing = status({ state: 'failing', cause: 'unauthorized' })
    const inOutage = status({ state: 'failing', cause: 'vendor-overloaded' })
    expect(metricsOf(failing, failing, inOutage, status()).FailingShare).toBe(50)
    expect(metricsOf(failing, inOutage, status()).FailingShare).toBeUndefined()
  })

  it.each([
    [48 * hour + 1, undefined, undefined],
    [48 * hour, 1, undefined],
    [47.5 * hour, undefined, undefined],
    [24 * hour, undefined, 1],
    [23.5 * hour, undefined, undefined],
  ])('counts a connector as newly near the retention limit for half an hour (%i ms left)', (retentionLeftMs, within48h, within24h) => {
    expect(metricsOf(status({ retentionLeftMs })).NewlyWithin48h).toBe(within48h)
    expect(metricsOf(status({ retentionLeftMs })).NewlyWithin24h).toBe(within24h)
    expect(metricsOf(status({ retentionLeftMs, state: 'failing' })).NewlyWithin48h).toBeUndefined()
    expect(metricsOf(status({ retentionLeftMs, state: 'failing' })).NewlyWithin24h).toBe(within24h)
  })

  it('counts a key as newly rejected for half an hour after its first refusal, if its connector goes on', () => {
    const rejected = (at: number, attempts: number) => ({ rejectedKeys: { a: { at, until: now + hour, attempts } } })
    expect(metricsOf(status(rejected(now - 29 * minute, 1))).KeysNewlyRejected).toBe(1)
    expect(metricsOf(status(rejected(now - 30 * minute, 1))).KeysNewlyRejected).toBeUndefined()
    expect(metricsOf(status(rejected(now, 2))).KeysNewlyRejected).toBeUndefined()
    expect(metricsOf(status({ ...rejected(now, 1), state: 'failing' })).KeysNewlyRejected).toBeUndefined()
  })

  it('counts a key as newly old when it is 335 days old, and again each week', () => {
    const oldFor = (ms: number) => metricsOf(status({ oldestKeyAt: now - 335 * day - ms })).KeysNewlyOld
    expect([-1, 0, 30 * minute, 7 * day - 1, 7 * day, 14 * day].map(oldFor)).toEqual([undefined, 1, undefined, undefined, 1, 1])
  })

  it('counts a connector that dropped off until noon, so that one of the next day counts anew', () => {
    const quiet = status({ days: days(0, 0, 5, 1, 9, 2, 7, 3) })
    const at = (time: number) => {
      const tally = new FleetTally()
      tally.add(quiet, time)
      return tally.metrics(0, time).ConnectorsDroppedOff
    }
    expect([at(now - 12 * hour), at(now - 1), at(now)]).toEqual([1, 1, 0])
  })

  it('counts a rejected key only while it is in backoff', () => {
    const rejected = (until: number) => ({ at: now - hour, until, attempts: 1 })
    expect(metricsOf(status({ rejectedKeys: { a: rejected(now + 1), b: rejected(now) } })).KeysRejected).toBe(1)
  })

  it("has the largest error of the vendor's clock, in either direction", () => {
    expect(metricsOf(status({ vendorClockMs: 5 * minute }), status({ vendorClockMs: -hour })).VendorClockErrorMax).toBe(hour)
  })

  it('has the age of the oldest key', () => {
    expect(metricsOf(status({ oldestKeyAt: now - 335 * day }), status({ oldestKeyAt: now - day }), status()).KeyAgeMax).toBe(335 * day)
  })
})

describe('a connector', () => {
  it('has dropped off when a whole day without events follows six days with events', () => {
    expect(hasDroppedOff(status({ days: days(0, 0, 5, 1, 9, 2, 7, 3) }), now)).toBe(true)
  })

  it('has not dropped off before the whole day has passed', () => {
    expect(hasDroppedOff(status({ days: days(0, 4, 5, 1, 9, 2, 7, 3) }), now)).toBe(false)
  })

  it('has not dropped off when it delivers again', () => {
    expect(hasDroppedOff(status({ days: days(1, 0, 5, 1, 9, 2, 7, 3) }), now)).toBe(false)
  })

  it('has not dropped off when it was quiet on one of the six days', () => {
    expect(hasDroppedOff(status({ days: days(0, 0, 5, 1, 0, 0, 7, 3) }), now)).toBe(false)
  })

  it('has not dropped off when it is new', () => {
    expect(hasDroppedOff(status({ days: days(0, 0, 5, 1) }), now)).toBe(false)
  })
})
