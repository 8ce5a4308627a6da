import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import { hour } from '../../functions/domain/time.ts'
import { audit } from '../../simulation/audit.ts'
import { failureText } from '../../simulation/report.ts'
import { runScenario } from '../../simulation/run-scenario.ts'
import { drawScenario, type ScenarioName, seedMax } from '../../simulation/scenario.ts'
import { connectorItem, World } from '../../simulation/world.ts'

/** Runs of each scenario. One takes about 0.4 s (vendor), 1.3 s (kills) or 0.7 s (everything), so all of them take less than a minute. */
const vendorRuns = 60
const killRuns = 8
const everythingRuns = 20
/** 300 minutes of 600 events an hour are 3,000 events before the start; 4 hours add more. */
const backlogEventsMin = 3_000
/** 26 hours of 60 events an hour, with room for chance and for the last minutes. */
const outageEventsMin = 1_400

/** Other seeds in each run of the tests. The message of a failure names its seed. */
const seeds = (count: number) => Array.from({ length: count }, () => randomInt(seedMax + 1))

/** Checks the claims of simulation/invariants.ts. If one does not hold, it throws an error with the command that replays the run. */
async function everyClaimHolds(name: ScenarioName, seed: number, prepare?: (world: World) => void): Promise<void> {
  const failure = failureText(await runScenario(drawScenario(name, seed), prepare === undefined ? {} : { prepare }))
  if (failure !== undefined) throw new Error(failure)
}

test.each(seeds(vendorRuns))('every event is delivered, none twice, and the limit holds, whatever the vendor does (seed %i)', (seed) =>
  everyClaimHolds('vendor', seed),
)

test.each(seeds(killRuns))(
  'processes that are killed at any moment lose nothing, and repeat at most one page for each kill (seed %i)',
  (seed) => everyClaimHolds('kills', seed),
)

test.each(seeds(everythingRuns))(
  'kills, a lake that refuses and every fault of the vendor together lose nothing, and repeat at most one page for each kill and each refusal (seed %i)',
  (seed) => everyClaimHolds('everything', seed),
)

test('a run of the simulation that breaks a claim fails with the command that replays it', async () => {
  const failing = everyClaimHolds('everything', 12, (world) => {
    world.sink.deliver = async () => ({ ok: true, value: undefined })
  })
  await expect(failing).rejects.toThrow(
    /Replay it: npm run simulate -- --seed 12 --scenario everything --hours 3 --connectors 1\nEvery event that a ledger calls covered is in the lake: acme.cas /,
  )
})

test('a lake that refuses deliveries has every record in the end', async () => {
  const world = new World({ vendor: { eventsPerHour: 600 }, pageItems: 25, sinkFaultRate: 0.2 })
  await world.put(connectorItem({ initialBackfillMinutes: 300 }))
  await world.run(3 * hour)
  world.calmDown()
  await world.run(hour)
  const { expected, missing } = await audit(world)
  expect(missing).toEqual([])
  expect(expected).toBeGreaterThan(backlogEventsMin)
})

test('an outage of the vendor of a day loses nothing, and the status says what is wrong while it lasts', async () => {
  const world = new World({ vendor: { eventsPerHour: 60 } })
  await world.put(connectorItem())
  await world.run(hour)
  world.model.change({ errorRate5xx: 1 })
  await world.run(24 * hour)
  const status = await world.status('acme.cas')
  expect(status.state).toBe('failing')
  expect(status.reason).toMatch(/The vendor responded with status 50\d/)
  world.model.change({ errorRate5xx: 0 })
  await world.run(hour)
  const { expected, missing, twice } = await audit(world)
  expect(missing).toEqual([])
  expect(twice).toEqual([])
  expect(expected).toBeGreaterThan(outageEventsMin)
  expect(await world.status('acme.cas')).toMatchObject({ state: 'ok', reason: '' })
})
