import { randomInt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { hour } from '../../functions/domain/time.ts'
import { audit } from '../../simulation/audit.ts'
import { failureText } from '../../simulation/report.ts'
import { runScenario } from '../../simulation/run-scenario.ts'
import { drawScenario, type ScenarioName, seedMax } from '../../simulation/scenario.ts'
import { connectorItem, World } from '../../simulation/world.ts'

/** Others in each run of the tests; one that fails is in the message. */
const seeds = (count: number) => Array.from({ length: count }, () => randomInt(seedMax + 1))

/** The claims are those of simulation/invariants.ts. Throws with the command that replays the run when one does not hold. */
async function everyClaimHolds(name: ScenarioName, seed: number, prepare?: (world: World) => void): Promise<void> {
  const failure = failureText(await runScenario(drawScenario(name, seed), prepare))
  if (failure !== undefined) throw new Error(failure)
}

describe('whatever the vendor does, every option of the simulator on and off', () => {
  it.each(seeds(60))('every event is delivered, none twice, and the limit holds, with seed %i', (seed) => everyClaimHolds('vendor', seed))
})

describe('a process that is killed at any moment', () => {
  it.each(seeds(8))('loses nothing, and repeats at most one page for each kill, with seed %i', (seed) => everyClaimHolds('kills', seed))
})

describe('kills, a lake that refuses and whatever the vendor does', () => {
  it.each(seeds(20))('lose nothing together, and repeat at most one page for each kill and each refusal, with seed %i', (seed) =>
    everyClaimHolds('everything', seed),
  )
})

describe('a run of the simulation that breaks a promise', () => {
  it('fails with the command that replays it', async () => {
    const failing = everyClaimHolds('everything', 12, (world) => {
      world.lake.deliver = async () => ({ ok: true, value: undefined })
    })
    await expect(failing).rejects.toThrow(
      /Replay it: npm run simulate -- --seed 12 --scenario everything\nEvery event that a ledger calls covered is in the lake: acme-cas /,
    )
  })
})

describe('a lake that refuses', () => {
  it('gets every record in the end', async () => {
    const world = new World({ vendor: { eventsPerHour: 600 }, pageItems: 25, sinkFaultRate: 0.2 })
    await world.put(connectorItem({ initialBackfillMinutes: 300 }))
    await world.run(3 * hour)
    world.calm = true
    await world.run(hour)
    const { expected, missing } = await audit(world)
    expect(missing).toEqual([])
    expect(expected).toBeGreaterThan(3_000)
  })
})

describe('an outage of the vendor', () => {
  it('of a day is made good afterwards, and the status says what is wrong meanwhile', async () => {
    const world = new World({ vendor: { eventsPerHour: 60 } })
    await world.put(connectorItem())
    await world.run(hour)
    world.model.change({ errorRate5xx: 1 })
    await world.run(24 * hour)
    const status = await world.status('acme-cas')
    expect(status.state).toBe('failing')
    expect(status.reason).toMatch(/The vendor answered 50\d/)
    world.model.change({ errorRate5xx: 0 })
    await world.run(hour)
    const { expected, missing, twice } = await audit(world)
    expect(missing).toEqual([])
    expect(twice).toEqual([])
    expect(expected).toBeGreaterThan(1_400)
    expect(await world.status('acme-cas')).toMatchObject({ state: 'ok', reason: '' })
  })
})
