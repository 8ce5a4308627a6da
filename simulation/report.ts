import { formatTextTable } from '../local/text-table.ts'
import type { Invariant } from './invariants.ts'
import type { ScenarioRun } from './run-scenario.ts'
import type { SeedsResult } from './run-seeds.ts'
import { replayCommand, type Scenario } from './scenario.ts'

/** The settings of a run, its counts, and whether each claim held. */
export function summaryText({ scenario, counts, invariants }: ScenarioRun): string {
  const { proven, delivered, runs, faults, requests, byStatus, warnings } = counts
  return [
    `Scenario ${scenario.name}, seed ${scenario.seed}`,
    ...settingLines(scenario),
    `Events:    ${proven} proven complete, ${delivered} records delivered`,
    `Faults:    ${list(faults)}`,
    `Requests:  ${requests} in ${runs} runs; by status ${list(byStatus)}`,
    `Warnings:  ${list(warnings)}`,
    ...invariants.flatMap(invariantLines),
    `Again:     ${replayCommand(scenario)}`,
    '',
  ].join('\n')
}

/** The faults of many seeds as a table, their events, and what did not hold. */
export function seedsText({ seeds, seconds, events, records, faults, failures }: SeedsResult): string {
  const rows = Object.entries(faults).map(([kind, { count, seeds: inSeeds }]) => ({ fault: kind, times: count, 'in seeds': inSeeds }))
  const broken = failures.flatMap(({ replay, problems }) => [
    '',
    `Broken: ${replay}`,
    ...problems.slice(0, problemsShownMax).map((problem) => `  ${problem}`),
  ])
  return [
    `${seeds} seeds, each run twice, in ${seconds} s`,
    `Events:     ${events} proven complete, ${records} records delivered`,
    `Invariants: ${failures.length === 0 ? 'all held' : `broken in ${failures.length} seeds`}`,
    '',
    formatTextTable(rows).trimEnd(),
    ...broken,
    '',
  ].join('\n')
}

/** Problems of one seed that are shown (count). */
const problemsShownMax = 5

/** The claims that a run broke, and the command that replays it; undefined if every claim held. */
export function failureText({ scenario, problems }: ScenarioRun): string | undefined {
  if (problems.length === 0) return undefined
  return [`Scenario ${scenario.name} with seed ${scenario.seed} broke a claim. Replay it: ${replayCommand(scenario)}`, ...problems].join(
    '\n',
  )
}

/** One line for each setting that the seed decided. */
function settingLines({ world: { vendor, ...world }, items }: Scenario): string[] {
  const { eventTypes, initialBackfillMinutes, apiKeySecrets } = items[0] ?? {}
  const settings = { connector: { eventTypes, initialBackfillMinutes, apiKeySecrets }, world, vendor }
  return Object.entries(settings).flatMap(([part, values]) =>
    Object.entries(values).map(([name, value]) => `  ${`${part}.${name}`.padEnd(settingWidth)} ${JSON.stringify(value)}`),
  )
}

function invariantLines({ claim, problems }: Invariant): string[] {
  const verdict = problems.length === 0 ? 'Held:   ' : 'BROKEN: '
  return [`${verdict} ${claim}`, ...problems.map((problem) => `           ${problem}`)]
}

/** The longest name of a setting (characters). */
const settingWidth = 'connector.initialBackfillMinutes'.length

function list(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ×${count}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}
