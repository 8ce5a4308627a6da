import { expect, test } from 'vitest'
import { minute } from '../../functions/domain/time.ts'
import { expectedFailures } from '../../simulation/expected-failures.ts'
import { runScenario } from '../../simulation/run-scenario.ts'
import { drawScenario, type Scenario } from '../../simulation/scenario.ts'

/** A run in which the failure shows. */
const shownBy: Readonly<Record<keyof typeof expectedFailures, Scenario>> = {
  frozen: drawScenario('everything', 1_023, { hours: 12, connectors: 4 }),
  clockStepped: crowdWithSteppingClock(),
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
  'a limit that is broken as expected (%s) still shows, or it must leave the list',
  async (name, { claims }) => {
    const run = await runScenario(shownBy[name as keyof typeof shownBy], { onEffect: () => {} })
    expect(claims).toEqual(expect.arrayContaining([...run.expected]))
    expect(run.expected.length).toBeGreaterThan(0)
  },
)
