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
  it('is zero in every metric without connectors, and leaves out the retention limit, the key age and the wait of a due connector', () => {
    const { RetentionLeftMin: _, KeyAgeMax: __, DueAgeMax: ___, ...known } = fleetMetrics
    expect(metricsOf()).toEqual(Object.fromEntries(Object.keys(known).map((name) => [name, 0])))
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

  it('has the largest lag and the 99th percentile of the lags', () => {
    const lags = Array.from({ length: 200 }, (_, i) => status({ lagMs: (i + 1) * minute }))
    expect(metricsOf(...lags)).toMatchObject({ LagMax: 200 * minute, LagP99: 198 * minute })
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
