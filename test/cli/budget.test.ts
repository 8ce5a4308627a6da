import { describe, expect, it } from 'vitest'
import { budgetJson, budgetsOf } from '../../cli/budget.ts'
import { minute } from '../../functions/domain/time.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { itemOf } from './in-memory.ts'

const budgets = (...items: ReturnType<typeof itemOf>[]) => budgetsOf(items, vendors).map(budgetJson)

describe('the budget of a key', () => {
  it('counts two requests in each interval for each stream, against what the vendor allows the key', () => {
    expect(
      budgets(itemOf('acme.cas', { contentTypes: ['sharepoint', 'teams'], eventTypes: ['dlp', 'ransomware'], intervalMinutes: 4 })),
    ).toEqual([
      {
        key: 'tributary/acme/cas',
        connectorIds: ['acme.cas'],
        streams: 4,
        requestsPerPass: 8,
        requestsPerMinute: 2,
        limitPerMinute: 20,
        expectedAge: '5 min',
        expectedAgeMs: 4 * minute + (8 / 20) * minute + minute,
        isEnough: true,
      },
    ])
  })

  it('is shared by the connectors that name the same key, at the lowest of their limits', () => {
    const one = itemOf('acme.one', { requestsPerMinute: 30 })
    const two = itemOf('acme.two', { requestsPerMinute: 10 })
    expect(budgets(one, two)).toMatchObject([{ connectorIds: ['acme.one', 'acme.two'], streams: 8, limitPerMinute: 10 }])
  })

  it('grows with each key of a pool, but not in a rate group', () => {
    const pool = { apiKeySecrets: ['tributary/acme/a', 'tributary/acme/b'] }
    expect(budgets(itemOf('acme.cas', pool))).toMatchObject([{ limitPerMinute: 40 }])
    expect(budgets(itemOf('acme.cas', { ...pool, rateGroup: 'g' }))).toMatchObject([{ key: 'rate group g', limitPerMinute: 20 }])
  })

  it('is no more than a limit of requests a day allows', () => {
    expect(budgets(itemOf('acme.cas', { requestsPerDay: 1_440 }))).toMatchObject([{ limitPerMinute: 1, isEnough: false }])
  })

  it('leaves out paused connectors and items with a mistake', () => {
    expect(budgets(itemOf('acme.cas', { enabled: false }), itemOf('globex.cas', { intervalMinutes: 0 }))).toEqual([])
  })

  it('puts the scarcest key first', () => {
    const keys = budgets(itemOf('acme.cas'), itemOf('globex.cas', { requestsPerMinute: 1 })).map(({ key }) => key)
    expect(keys).toEqual(['tributary/globex/cas', 'tributary/acme/cas'])
  })
})
