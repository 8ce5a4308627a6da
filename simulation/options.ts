import { parseArgs } from 'node:util'
import { type ScenarioName, type ScenarioSize, scenarioNames, seedMax, sizeDefault } from './scenario.ts'

/** The runs that `npm run simulate` makes. */
export type Options =
  | { readonly kind: 'help' }
  /** One run, with its trace unless `isSummaryOnly`. */
  | {
      readonly kind: 'one'
      readonly seed: number
      readonly scenario: ScenarioName
      readonly size: ScenarioSize
      readonly isSummaryOnly: boolean
    }
  /** Many runs, each twice: `seeds` of them, or as many as begin within `seconds`. */
  | {
      readonly kind: 'many'
      readonly firstSeed: number | undefined
      readonly until: { readonly seeds: number } | { readonly seconds: number }
      readonly scenario: ScenarioName
      readonly size: ScenarioSize
      readonly isJson: boolean
    }

/** The scenario with every kind of fault. */
const scenarioDefault: ScenarioName = 'everything'
const seedsMax = 1_000_000
const hoursMax = 24 * 7
const connectorsMax = 1_000
const secondsMax = 24 * 3_600

export const usage = `Usage: npm run simulate -- --seed N [options]
       npm run simulate -- --seeds M [options]
       npm run simulate -- --fresh SECONDS [options]

Runs the simulation: the real flows in virtual time, against a simulated vendor. The seed decides the faults. The same seed gives the
same run as long as the code is the same. The exit code is 0 if every claim held in every run, and 1 if not.

With --seed alone it prints every call of every process, one line each, then the counts and whether each claim held. With --seeds or
--fresh it runs many seeds, each twice to compare the traces, and prints the events, the faults by kind, and what did not hold, with the
command that replays it.

  --seed N         the number of the run, or of the first of many: a whole number from 0 to ${seedMax}
  --seeds M        run M seeds, beginning with --seed (default 0)
  --fresh SECONDS  run seeds that nobody ran before, for so long
  --scenario NAME  the faults that may happen (default ${scenarioDefault})
                     vendor      every fault of the vendor
                     kills       processes are killed at any moment
                     everything  both, and every fault of processes, services and users
  --hours H        how long faults happen (default ${sizeDefault.hours}; with ${scenarioDefault} only)
  --connectors N   how many connectors there are (default ${sizeDefault.connectors}; with ${scenarioDefault} only)
  --summary        leave out the calls
  --json           print the result of many seeds as JSON
  --help           show this text
`

/** Throws an error whose message names the option, the given value and the allowed values. */
export function parseOptions(args: readonly string[]): Options {
  const values = read(args)
  if (values.help === true) return { kind: 'help' }
  const scenario = scenarioOf(values.scenario ?? scenarioDefault)
  const size = {
    hours: wholeNumber('hours', values.hours ?? String(sizeDefault.hours), 1, hoursMax),
    connectors: wholeNumber('connectors', values.connectors ?? String(sizeDefault.connectors), 1, connectorsMax),
  }
  const isSized = values.hours !== undefined || values.connectors !== undefined
  if (isSized && scenario !== 'everything') throw new Error(`--hours and --connectors need --scenario everything, and it is ${scenario}.`)
  const seed = values.seed === undefined ? undefined : wholeNumber('seed', values.seed, 0, seedMax)
  const isJson = values.json ?? false
  if (values.fresh !== undefined) {
    if (seed !== undefined || values.seeds !== undefined) throw new Error('--fresh chooses the seeds itself. Leave --seed and --seeds out.')
    const seconds = wholeNumber('fresh', values.fresh, 1, secondsMax)
    return { kind: 'many', firstSeed: undefined, until: { seconds }, scenario, size, isJson }
  }
  if (values.seeds !== undefined) {
    const seeds = wholeNumber('seeds', values.seeds, 1, seedsMax)
    return { kind: 'many', firstSeed: seed ?? 0, until: { seeds }, scenario, size, isJson }
  }
  if (seed === undefined) throw new Error(`--seed is missing: give a whole number from 0 to ${seedMax}, or --seeds for many runs.`)
  return { kind: 'one', seed, scenario, size, isSummaryOnly: values.summary ?? false }
}

function read(args: readonly string[]) {
  // Node's parser takes -1 after an option for an option of its own, and says so in words about that.
  const joined = args.flatMap((arg, index) => {
    if (isNegative(args[index + 1]) && /^--[a-z]+$/.test(arg)) return [`${arg}=${args[index + 1]}`]
    return isNegative(arg) && index > 0 ? [] : [arg]
  })
  try {
    return parseArgs({
      args: joined,
      options: {
        help: { type: 'boolean', short: 'h' },
        seed: { type: 'string' },
        seeds: { type: 'string' },
        fresh: { type: 'string' },
        scenario: { type: 'string' },
        hours: { type: 'string' },
        connectors: { type: 'string' },
        summary: { type: 'boolean' },
        json: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    // Node's message goes on with advice for programs that take file names; this one takes none.
    const [mistake = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\.?\n/)
    throw new Error(`${mistake.replace(/\.$/, '')}.`)
  }
}

function isNegative(arg: string | undefined): boolean {
  return arg !== undefined && /^-\d/.test(arg)
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= min && number <= max) return number
  throw new Error(`--${option} ${text}: this is no whole number from ${min} to ${max}.`)
}

function scenarioOf(text: string): ScenarioName {
  const name = scenarioNames.find((known) => known === text)
  if (name === undefined) throw new Error(`--scenario ${text}: there is no scenario of this name. Give one of ${scenarioNames.join(', ')}.`)
  return name
}
