import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { budgetOf, budgetText, keyBudgets } from '../../functions/domain/operate/test/budget.ts'
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

describe('the budget of keys', () => {
  const user = (connectorId: string, keys: readonly string[], more = {}) => ({
    connectorId,
    streams: 4,
    intervalMinutes: 4,
    keys,
    limitPerMinute: 20,
    ...more,
  })

  it('is what the Test of the same connector says, with the same others', () => {
    const [shared] = keyBudgets([user('acme.one', ['a']), user('acme.two', ['a'], { streams: 8 })])
    const one = budgetOf(asking(4, 4), 20, [asking(8, 4)])
    const two = budgetOf(asking(8, 4), 20, [asking(4, 4)])
    expect(shared).toMatchObject({ ofPass: one.ofPass + two.ofPass, limit: 20, ageMs: Math.max(one.ageMs, two.ageMs), fits: true })
    expect(shared?.perMinute).toBeCloseTo(one.perMinute + one.othersPerMinute)
  })

  it('counts a connector that names one key of a pool, at the lowest limit of all', () => {
    const budgets = keyBudgets([user('acme.pool', ['a', 'b']), user('acme.one', ['a'], { streams: 40, limitPerMinute: 10 })])
    expect(budgets).toMatchObject([
      { keys: ['a'], perMinute: 21, limit: 10, fits: false },
      { keys: ['a', 'b'], perMinute: 22, limit: 20, fits: false },
    ])
  })

  it('asks in all sets together for no less than its connectors do', () => {
    const users = fc.uniqueArray(
      fc.record({
        connectorId: fc.string({ minLength: 1 }),
        streams: fc.integer({ min: 1, max: 60 }),
        intervalMinutes: fc.integer({ min: 1, max: 60 }),
        keys: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
        limitPerMinute: fc.integer({ min: 1, max: 200 }),
      }),
      { selector: ({ connectorId }) => connectorId },
    )
    fc.assert(
      fc.property(users, (all) => {
        const budgets = keyBudgets(all)
        const asked = all.reduce((sum, { streams, intervalMinutes }) => sum + (2 * streams) / intervalMinutes, 0)
        expect(budgets.reduce((sum, { perMinute }) => sum + perMinute, 0)).toBeGreaterThanOrEqual(asked - 1e-9)
        expect(budgets.flatMap(({ connectorIds }) => connectorIds).sort()).toEqual(all.map(({ connectorId }) => connectorId).sort())
      }),
    )
  })
})
