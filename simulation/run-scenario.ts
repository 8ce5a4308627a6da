import type { Effect } from './effects.ts'
import { type Invariant, judge } from './invariants.ts'
import { noVendorFaults, type Scenario } from './scenario.ts'
import { World } from './world.ts'

export interface ScenarioRun {
  readonly scenario: Scenario
  /** Every step of every process, in order. */
  readonly trace: readonly Effect[]
  readonly invariants: readonly Invariant[]
  /** The problems of all invariants; empty if every invariant held. */
  readonly problems: readonly string[]
  readonly counts: RunCounts
}

interface RunCounts {
  /** Events that the ledgers prove complete. */
  readonly proven: number
  /** Records in the lake. */
  readonly delivered: number
  readonly runs: number
  readonly kills: number
  readonly refusedDeliveries: number
  readonly requests: number
  /** Requests by the status of their response. */
  readonly byStatus: Readonly<Record<string, number>>
  /** Warnings and errors in the log, by their event. */
  readonly warnings: Readonly<Record<string, number>>
}

/**
 * Runs a scenario and checks every claim at its end. The same scenario always gives the same run. `prepare` may change the world
 * before the run: a test breaks a part of it to see that a claim breaks.
 */
export async function runScenario(scenario: Scenario, prepare: (world: World) => void = () => {}): Promise<ScenarioRun> {
  const trace: Effect[] = []
  const world = new World({ ...scenario.world, onEffect: (effect) => trace.push(effect) })
  prepare(world)
  try {
    await live(world, scenario, (text) => trace.push({ at: world.clock.now(), by: 'simulation', text }))
  } catch (error) {
    world.record.crashes.push(error)
  }
  const { invariants, proven } = await judge(scenario, world)
  const { requests, keys } = world.model.account.totals()
  const { runs, kills, refusedDeliveries } = world.record
  return {
    scenario,
    trace,
    invariants,
    problems: invariants.flatMap(({ claim, problems }) => problems.map((problem) => `${claim}: ${problem}`)),
    counts: {
      proven,
      delivered: world.lake.records,
      runs,
      kills,
      refusedDeliveries,
      requests,
      byStatus: sumOf(keys.map(({ byStatus }) => byStatus)),
      warnings: warningsOf(world),
    },
  }
}

function sumOf(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const [name, count] of all.flatMap((counts) => Object.entries(counts))) sums[name] = (sums[name] ?? 0) + count
  return sums
}

function warningsOf({ record: { log } }: World): Readonly<Record<string, number>> {
  const warnings: Record<string, number> = {}
  for (const { level, event } of log) if (level === 'warn' || level === 'error') warnings[event] = (warnings[event] ?? 0) + 1
  return warnings
}

async function live(world: World, { item, faultyMs, calmMs }: Scenario, trace: (text: string) => void): Promise<void> {
  trace('the connector is put into the table, and faults may happen')
  await world.put(item)
  await world.run(faultyMs)
  trace('from here on no fault happens')
  world.calmDown()
  world.model.change(noVendorFaults)
  await world.run(calmMs)
  trace('the run is over')
}
