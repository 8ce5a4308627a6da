import type { Invariant } from './invariants.ts'
import type { ScenarioRun } from './run-scenario.ts'
import { replayCommand, type Scenario } from './scenario.ts'

/** The settings of a run, its counts, and whether each claim held. */
export function summaryText({ scenario, counts, invariants }: ScenarioRun): string {
  const { proven, delivered, runs, kills, refusedDeliveries, requests, byStatus, warnings } = counts
  return [
    `Scenario ${scenario.name}, seed ${scenario.seed}`,
    ...settingLines(scenario),
    `Events:    ${proven} proven complete, ${delivered} records delivered`,
    `Faults:    ${kills} processes killed, ${refusedDeliveries} deliveries refused`,
    `Requests:  ${requests} in ${runs} runs; by status ${list(byStatus)}`,
    `Warnings:  ${list(warnings)}`,
    ...invariants.flatMap(invariantLines),
    `Again:     ${replayCommand(scenario)}`,
    '',
  ].join('\n')
}

/** The claims that a run broke, and the command that replays it; undefined if every claim held. */
export function failureText({ scenario, problems }: ScenarioRun): string | undefined {
  if (problems.length === 0) return undefined
  return [`Scenario ${scenario.name} with seed ${scenario.seed} broke a claim. Replay it: ${replayCommand(scenario)}`, ...problems].join(
    '\n',
  )
}

/** One line for each setting that the seed decided. */
function settingLines({ world: { vendor, ...world }, item }: Scenario): string[] {
  const { eventTypes, initialBackfillMinutes, apiKeySecrets } = item
  const settings = { connector: { eventTypes, initialBackfillMinutes, apiKeySecrets }, world, vendor }
  return Object.entries(settings).flatMap(([part, values]) =>
    Object.entries(values).map(([name, value]) => `  ${`${part}.${name}`.padEnd(settingWidth)} ${JSON.stringify(value)}`),
  )
}

function invariantLines({ claim, problems }: Invariant): string[] {
  return [`${problems.length === 0 ? 'Held:     ' : 'BROKEN:   '} ${claim}`, ...problems.map((problem) => `             ${problem}`)]
}

/** The longest name of a setting (characters). */
const settingWidth = 'connector.initialBackfillMinutes'.length

function list(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ×${count}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}
