import { expect, test } from 'vitest'
import { hour, minute } from '../../functions/domain/time.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { expectedFailures, prefixes } from '../../simulation/expected-failures.ts'
import type { FaultRates } from '../../simulation/faults.ts'
import { runScenario } from '../../simulation/run-scenario.ts'
import { drawScenario, type Scenario } from '../../simulation/scenario.ts'

/** A run in which the failure shows. */
const shownBy: Readonly<Record<keyof typeof expectedFailures, Scenario>> = {
  frozen: frozenProcesses(),
  clockStepped: crowdWithSteppingClock(),
  overloaded: pairWithOneKey(prefixes.crowded, { requestsPerMinute: 1 }, {}),
  contested: pairWithOneKey(prefixes.contested, {}, { crash: 0.15 }),
}

function frozenProcesses(): Scenario {
  const scenario = drawScenario('kills', 2)
  return { ...scenario, world: { ...scenario.world, faults: { freeze: 0.02 } } }
}

/** Two connectors that have one key, with few events. */
function pairWithOneKey(prefix: string, item: ConnectorItem, faults: Partial<FaultRates>): Scenario {
  const scenario = drawScenario('kills', 2)
  const items = ['Acme', 'Other'].map((tenantName, n) => ({
    ...scenario.items[0],
    ...item,
    connectorId: `${prefix}${n}`,
    name: `${prefix}${n}`,
    tenantName: prefix === prefixes.contested ? tenantName : 'Acme',
  }))
  return {
    ...scenario,
    items,
    world: { ...scenario.world, vendor: { eventsPerHour: 60 }, faults, wholeDispatch: true },
    faultyMs: 8 * hour,
    eventsMin: 0,
  }
}

/** Four connectors with one key and a backlog, on one process whose clock steps at the beginning of each run. */
function crowdWithSteppingClock(): Scenario {
  const scenario = drawScenario('kills', 2)
  const items = [0, 1, 2, 3].map((n) => ({
    ...scenario.items[0],
    connectorId: `acme-${n}`,
    name: `acme-${n}`,
    initialBackfillMinutes: 2_000,
  }))
  const world = { ...scenario.world, faults: {}, clockStepRate: 1, stateMs: 40, clocksOffMs: [0] }
  return { ...scenario, items, world, faultyMs: 90 * minute, calmMs: minute }
}

test.each(Object.entries(expectedFailures))(
  'a claim that is broken as expected (%s) still shows, or it must leave the list',
  async (name, { claims }) => {
    const run = await runScenario(shownBy[name as keyof typeof shownBy], { onEffect: () => {} })
    expect(run.problems).toEqual([])
    expect(run.expected.filter((claim) => claims.some((known) => known === claim))).not.toEqual([])
  },
)
