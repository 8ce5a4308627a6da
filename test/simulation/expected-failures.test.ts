import { expect, test } from 'vitest'
import { expectedFailures } from '../../simulation/expected-failures.ts'
import { runScenario } from '../../simulation/run-scenario.ts'
import { drawScenario } from '../../simulation/scenario.ts'

test.each(expectedFailures)('$claim: still broken as expected, or it must leave the list', async ({ claim, seed }) => {
  const run = await runScenario(drawScenario('everything', seed, { hours: 12, connectors: 4 }), { onEffect: () => {} })
  expect(run.expected).toContain(claim)
  expect(run.problems).toEqual([])
})
