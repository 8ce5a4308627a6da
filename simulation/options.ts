import { parseArgs } from 'node:util'
import { type ScenarioName, scenarioNames, seedMax } from './scenario.ts'

export type Options =
  | { readonly isHelp: true }
  | { readonly isHelp: false; readonly seed: number; readonly scenario: ScenarioName; readonly isSummaryOnly: boolean }

/** How a scenario is chosen where none is named: the one that has everything in it. */
const scenarioDefault: ScenarioName = 'everything'

export const usage = `Usage: npm run simulate -- --seed N [options]

Replays one run of the simulation: the real flows in virtual time, against a simulated vendor, with faults that the seed decides.
Prints what every process did, one line a call, then what was counted and whether each promise held. The same seed gives the same
run as long as the code is the same. The exit code is 0 when every promise held, else 1.

  --seed N         which run: a whole number from 0 to ${seedMax}
  --scenario NAME  what may go wrong (default ${scenarioDefault})
                     vendor      whatever the vendor does
                     kills       processes are killed at any moment
                     everything  both, and a lake that refuses deliveries
  --summary        leave out the single calls
  --help           this text
`

/** Throws an error whose message names the option, what was given and what is allowed. */
export function parseOptions(args: readonly string[]): Options {
  const values = read(args)
  if (values.help === true) return { isHelp: true }
  return {
    isHelp: false,
    seed: seedOf(values.seed),
    scenario: scenarioOf(values.scenario ?? scenarioDefault),
    isSummaryOnly: values.summary ?? false,
  }
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        seed: { type: 'string' },
        scenario: { type: 'string' },
        summary: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    // The sentences after the first are advice for programs that take file names.
    const [mistake = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\.?\n/)
    throw new Error(`${mistake.replace(/\.$/, '')}.`)
  }
}

function seedOf(text: string | undefined): number {
  if (text === undefined) throw new Error(`--seed is missing: give a whole number from 0 to ${seedMax}.`)
  const seed = Number(text)
  if (/^\d+$/.test(text) && seed <= seedMax) return seed
  throw new Error(`--seed ${text}: this is no whole number from 0 to ${seedMax}.`)
}

function scenarioOf(text: string): ScenarioName {
  const name = scenarioNames.find((known) => known === text)
  if (name === undefined) throw new Error(`--scenario ${text}: there is none of this name. Give one of ${scenarioNames.join(', ')}.`)
  return name
}
