import { expect, it } from 'vitest'
import { isOverloaded } from '../../simulation/demand.ts'

const item = { apiKeySecrets: ['one'], eventTypes: ['dlp', 'securityrisk'], intervalMinutes: 5 }
const pair = (more: object) => ['a', 'b'].map((connectorId) => ({ ...item, connectorId, ...more }))
const world = (eventsPerHour: number) => ({ vendor: { eventsPerHour }, pageItems: 25 })

it('a key is overloaded if its streams need more requests than it allows, and only then', () => {
  expect(isOverloaded({ items: pair({ requestsPerMinute: 2 }), world: world(20) }, 'a')).toBe(false)
  expect(isOverloaded({ items: pair({ requestsPerMinute: 2 }), world: world(100) }, 'a')).toBe(true)
  expect(isOverloaded({ items: pair({}), world: world(400) }, 'a')).toBe(false)
})

it('a key that another connector does not use does not count its demand', () => {
  const items = [
    { ...item, connectorId: 'a', requestsPerMinute: 1 },
    { ...item, connectorId: 'b', apiKeySecrets: ['two'] },
  ]
  expect(isOverloaded({ items, world: world(40) }, 'a')).toBe(false)
})
