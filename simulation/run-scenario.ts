import { minute } from '../functions/domain/time.ts'
import { Auditor } from './audit.ts'
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
  /** The claims that are broken as expected. */
  readonly expected: readonly string[]
  readonly counts: RunCounts
}

interface RunCounts {
  /** Events that the ledgers prove complete. */
  readonly proven: number
  /** Records in the lake. */
  readonly delivered: number
  readonly runs: number
  readonly faults: Readonly<Record<string, number>>
  readonly requests: number
  /** Requests by the status of their response. */
  readonly byStatus: Readonly<Record<string, number>>
  /** Warnings and errors in the log, by their event. */
  readonly warnings: Readonly<Record<string, number>>
}

/**
 * Runs a scenario and checks every claim at its end. The same scenario always gives the same run. `prepare` may change the world
 * before the run: a test breaks a part of it to see that a claim breaks. With `onEffect` the trace is not kept.
 */
export async function runScenario(
  scenario: Scenario,
  { prepare = () => {}, onEffect }: { readonly prepare?: (world: World) => void; readonly onEffect?: (effect: Effect) => void } = {},
): Promise<ScenarioRun> {
  const trace: Effect[] = []
  const happened = onEffect ?? ((effect: Effect) => void trace.push(effect))
  const world = new World({ ...scenario.world, onEffect: happened })
  prepare(world)
  const auditor = new Auditor(world)
  try {
    await live(world, scenario, auditor, (text) => happened({ at: world.clock.now(), by: 'simulation', text }))
  } catch (error) {
    world.record.crashes.push(error)
  }
  const { invariants, proven } = await judge(scenario, world, auditor.result())
  const { requests, keys } = world.model.account.totals()
  const { runs, faults } = world.record
  return {
    scenario,
    trace,
    invariants,
    problems: invariants
      .filter(({ isExpected }) => !isExpected)
      .flatMap(({ claim, problems }) => problems.map((problem) => `${claim}: ${problem}`)),
    expected: invariants.flatMap(({ claim, isExpected }) => (isExpected ? [claim] : [])),
    counts: {
      proven,
      delivered: world.lake.records,
      runs,
      faults: Object.fromEntries([...faults].sort()),
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

async function live(
  world: World,
  { items, changes, faultyMs, calmMs }: Scenario,
  auditor: Auditor,
  trace: (text: string) => void,
): Promise<void> {
  trace('the connectors are put into the table, and faults may happen')
  for (const item of items) void world.change(String(item['connectorId']), item)
  const left = [...changes]
  for (let passed = 0; passed < faultyMs; passed += minute) {
    for (let next = left[0]; next !== undefined && next.after <= passed; next = left[0]) {
      left.shift()
      world.happened(next.kind)
      void world.change(next.connectorId, next.item)
    }
    await world.run(minute)
    await auditor.look()
  }
  trace('from here on no fault happens')
  world.calmDown()
  world.model.change(noVendorFaults)
  for (let passed = 0; passed < calmMs; passed += minute) {
    await world.run(minute)
    await auditor.look()
  }
  trace('the run is over')
}
