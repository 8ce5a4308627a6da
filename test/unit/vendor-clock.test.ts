import { describe, expect, it } from 'vitest'
import { leastErrorMs } from '../../functions/adapters/table-clock.ts'
import { VendorClocks } from '../../functions/domain/vendor-clock.ts'

const origin = 'https://a.example'
const hour = 3_600_000

function seen(...errors: readonly (number | undefined)[]) {
  const clocks = new VendorClocks()
  for (const error of errors) clocks.observe(origin, error)
  return clocks.of(origin)
}

describe("the vendor's clock", () => {
  it('is ours until three answers agree', () => {
    expect(seen()).toEqual({ lastMs: 0 })
    expect(seen(-hour, -hour)).toEqual({ lastMs: -hour, isUnsure: true })
    expect(seen(500)).toEqual({ lastMs: 500 })
    expect(seen(-hour, -hour + 3_000, -hour + 1_000)).toEqual({ agreedMs: -hour + 1_000, lastMs: -hour + 1_000 })
  })

  it('is ours again when its last three answers do not agree: it jumped, or one was cached', () => {
    expect(seen(0, 0, 0, -hour)).toEqual({ lastMs: -hour })
    expect(seen(0, 0, 0, -hour, -hour, -hour)).toEqual({ agreedMs: -hour, lastMs: -hour })
  })

  it('is asked for again until three answers are there, but not after one without a date', () => {
    expect(seen(hour, hour).isUnsure).toBe(true)
    expect(seen(hour, undefined)).toEqual({ lastMs: 0 })
    expect(seen(hour, undefined, hour).isUnsure).toBe(true)
    expect(seen(hour, undefined, hour, hour)).toEqual({ agreedMs: hour, lastMs: hour })
  })

  it('stays as three answers agreed on it if others have no date', () => {
    expect(seen(hour, hour, hour, undefined, undefined, undefined)).toEqual({ agreedMs: hour, lastMs: 0 })
  })

  it('is another one for each origin', () => {
    const clocks = new VendorClocks()
    for (let n = 0; n < 3; n++) clocks.observe(origin, hour)
    expect(clocks.of('https://b.example')).toEqual({ lastMs: 0 })
  })
})

describe("a process's own clock", () => {
  const at = Date.UTC(2026, 10, 24, 12)
  const date = new Date(at).toUTCString()

  it.each([
    ['right if the date lies between request and response', at, at + 50, 0],
    ['right within the second that the date has no room for', at + 999, at + 1_050, 0],
    ['right, however long the response took', at - 20_000, at + 20_000, 0],
    ['ahead by what is left when the request was sent after the date was over', at + 4_000, at + 4_100, 3_000],
    ['behind by what is left when the response came before the date', at - 4_100, at - 4_000, -4_000],
  ])('is %s', (_, sentAt, receivedAt, errorMs) => {
    expect(leastErrorMs(sentAt, receivedAt, date)).toBe(errorMs)
  })

  it('is not judged without a date that can be read', () => {
    expect(leastErrorMs(at, at, undefined)).toBeUndefined()
    expect(leastErrorMs(at, at, 'yesterday')).toBeUndefined()
  })
})
