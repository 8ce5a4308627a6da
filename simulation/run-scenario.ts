import type { LogEntry } from '../functions/domain/ports.ts'
import { type Instant, minute } from '../functions/domain/time.ts'
import { Auditor } from './audit.ts'
import type { Effect } from './effects.ts'
import { type Invariant, judge } from './invariants.ts'
import { isOf } from './key-prefixes.ts'
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
  readonly faults: Readonly<Record<string, number>>
  readonly requests: number
  /** Requests by the status of their response. */
  readonly byStatus: Readonly<Record<string, number>>
  /** Warnings and errors in the log, by their event. */
  readonly warnings: Readonly<Record<string, number>>
}

/**
 * Runs a scenario and checks every claim at its end. The same scenario always gives the same run. `prepare` may change the world
 * before the run: a test breaks a part of it to see that a claim breaks. With `onEffect` the trace is not kept. `onHour`: after each
 * simulated hour.
 */
export async function runScenario(
  scenario: Scenario,
  {
    prepare = () => {},
    onEffect,
    onHour = () => {},
  }: {
    readonly prepare?: (world: World) => void
    readonly onEffect?: (effect: Effect) => void
    readonly onHour?: (hours: number) => void
  } = {},
): Promise<ScenarioRun> {
  const trace: Effect[] = []
  const happened = onEffect ?? ((effect: Effect) => void trace.push(effect))
  // The claims need the numbers of an account only, and a week has many requests.
  const world = new World({ ...scenario.world, vendor: { ...scenario.world.vendor, account: 'totals' }, onEffect: happened })
  const warnings = new Map<string, number>()
  let minutes = 0
  prepare(world)
  const auditor = new Auditor(world)
  try {
    await live(world, scenario, {
      trace: (text) => happened({ at: world.clock.now(), by: 'simulation', text }),
      everyMinute: async (quietSince) => {
        await auditor.look(quietSince)
        // The log of a week would not fit into memory.
        countWarnings(world.record.log.splice(0), warnings)
        world.record.metrics.splice(0)
        minutes += 1
        if (minutes % 60 === 0) onHour(minutes / 60)
      },
    })
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
    problems: invariants.flatMap(({ claim, problems }) => problems.map((problem) => `${claim}: ${problem}`)),
    counts: {
      proven,
      delivered: world.lake.records,
      runs,
      faults: Object.fromEntries([...faults].sort()),
      requests,
      byStatus: sumOf(keys.map(({ byStatus }) => byStatus)),
      warnings: Object.fromEntries(warnings),
    },
  }
}

function sumOf(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const [name, count] of all.flatMap((counts) => Object.entries(counts))) sums[name] = (sums[name] ?? 0) + count
  return sums
}

function countWarnings(log: readonly LogEntry[], warnings: Map<string, number>): void {
  for (const { level, event } of log) if (level === 'warn' || level === 'error') warnings.set(event, (warnings.get(event) ?? 0) + 1)
}

interface Observer {
  readonly trace: (text: string) => void
  /** `quietSince`: since when no fault happens, if so. */
  readonly everyMinute: (quietSince?: Instant) => Promise<void>
}

async function live(world: World, { items, changes, faultyMs, calmMs }: Scenario, { trace, everyMinute }: Observer): Promise<void> {
  trace('the connectors are put into the table, and faults may happen')
  for (const item of items) void world.change(String(item['connectorId']), item)
  for (const kind of ['overloaded key', 'contested key'] as const) if (items.some((item) => isOf(kind, item))) world.happened(kind)
  const left = [...changes]
  let quietSince: Instant | undefined
  for (let passed = 0; passed < faultyMs + calmMs; passed += minute) {
    if (passed >= faultyMs && quietSince === undefined) {
      trace('from here on no fault happens')
      world.calmDown()
      world.model.change(noVendorFaults)
      quietSince = world.clock.now()
    }
    for (let next = left[0]; next !== undefined && next.after <= passed; next = left[0]) {
      left.shift()
      world.happened(next.kind)
      void world.change(next.connectorId, next.item)
    }
    await world.run(minute)
    await everyMinute(quietSince)
  }
  trace('the run is over')
}
