import { parseArgs } from 'node:util'
import { type ScenarioName, scenarioNames, seedMax } from './scenario.ts'

export type Options =
  | { readonly isHelp: true }
  | { readonly isHelp: false; readonly seed: number; readonly scenario: ScenarioName; readonly isSummaryOnly: boolean }

/** The scenario with every kind of fault. */
const scenarioDefault: ScenarioName = 'everything'

export const usage = `Usage: npm run simulate -- --seed N [options]

Replays one run of the simulation: the real flows in virtual time, against a simulated vendor. The seed decides the faults.
Prints every call of every process, one line each, then the counts and whether each claim held. The same seed gives the same run as
long as the code is the same. The exit code is 0 if every claim held, and 1 if not.

  --seed N         the number of the run: a whole number from 0 to ${seedMax}
  --scenario NAME  the faults that may happen (default ${scenarioDefault})
                     vendor      every fault of the vendor
                     kills       processes are killed at any moment
                     everything  both, and a lake that refuses deliveries
  --summary        leave out the calls
  --help           show this text
`

/** Throws an error whose message names the option, the given value and the allowed values. */
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
    // Node's message goes on with advice for programs that take file names; this one takes none.
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
  if (name === undefined) throw new Error(`--scenario ${text}: there is no scenario of this name. Give one of ${scenarioNames.join(', ')}.`)
  return name
}
