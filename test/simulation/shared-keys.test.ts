import { expect, test } from 'vitest'
import { hour } from '../../functions/domain/time.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { prefixes } from '../../simulation/key-prefixes.ts'
import { runScenario } from '../../simulation/run-scenario.ts'
import { drawScenario, type Scenario } from '../../simulation/scenario.ts'
import { secretNameOfGlobex } from '../../simulation/world.ts'

/** Two connectors with one key and few events. Where the key is contested, they are of two tenants. */
function pairWithOneKey(seed: number, prefix: string, item: ConnectorItem, world: Partial<Scenario['world']>): Scenario {
  const scenario = drawScenario('kills', seed)
  const items = ['Acme', prefix === prefixes.contested ? 'Globex' : 'Acme'].map((tenantName, n) => ({
    ...scenario.items[0],
    ...item,
    ...(tenantName === 'Globex' ? { apiKeySecrets: [secretNameOfGlobex] } : {}),
    connectorId: `${tenantName.toLowerCase()}.${prefix}${n}`,
    name: `${prefix}${n}`,
    tenantName,
  }))
  const { vendor } = scenario.world
  return {
    ...scenario,
    items,
    world: { ...scenario.world, vendor: { ...vendor, eventsPerHour: 60 }, faults: {}, wholeDispatch: true, ...world },
    faultyMs: 12 * hour,
  }
}

test.each([2, 3, 4, 5])('a key that two tenants contest belongs to one of them, whatever breaks off (seed %i)', async (seed) => {
  const scenario = pairWithOneKey(seed, prefixes.contested, {}, { faults: { crash: 0.1 } })
  const { problems } = await runScenario({ ...scenario, eventsMin: 2_000 }, { onEffect: () => {} })
  expect(problems).toEqual([])
})

test.each([2, 3])('a key that has more to do than it allows keeps every claim (seed %i)', async (seed) => {
  const scenario = pairWithOneKey(seed, prefixes.crowded, { requestsPerMinute: 1 }, {})
  const { problems } = await runScenario({ ...scenario, eventsMin: 2_000 }, { onEffect: () => {} })
  expect(problems).toEqual([])
})
