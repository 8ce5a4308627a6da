import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { budgetOf, budgetText } from '../../functions/domain/operate/test/budget.ts'
import { minute } from '../../functions/domain/time.ts'

const asking = (streams: number, intervalMinutes = 5, keys = 1) => ({ connectorId: 'acme.cas', streams, intervalMinutes, keys })

describe('the budget of a connector', () => {
  it('counts a pass, the requests a minute and the age of events', () => {
    const budget = budgetOf(asking(48), 20, [])
    expect(budget).toMatchObject({ ofPass: 96, perMinute: 19.2, limit: 20, othersPerMinute: 0, fits: true })
    expect(budget.ageMs).toBeCloseTo(5 * minute + 4.8 * minute + minute)
    expect(budgetText(budget, [])).toBe(
      'A pass needs 96 requests, on average 19 a minute of 20 a minute. Nobody else uses its keys. An event is at most about 11 min old when the lake has it.',
    )
  })

  it('is overdrawn where two connectors ask for everything with one key', () => {
    expect(budgetOf(asking(48), 20, [asking(48)]).fits).toBe(false)
    expect(budgetOf(asking(48, 5, 2), 20, [asking(48, 5, 2), asking(48, 5, 2)]).fits).toBe(true)
  })

  it('never promises an age below the interval, nor one that does not grow with the others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(60),
        (streams, interval, limit, other) => {
          const alone = budgetOf(asking(streams, interval), limit, [])
          const shared = budgetOf(asking(streams, interval), limit, [asking(other, interval)])
          expect(alone.ageMs).toBeGreaterThanOrEqual(interval * minute)
          expect(shared.ageMs).toBeGreaterThanOrEqual(alone.ageMs)
        },
      ),
    )
  })
})
