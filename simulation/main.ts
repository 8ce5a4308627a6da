import { visible, visibleLines } from '../functions/domain/text.ts'
import { refuseSwallowedOptions } from '../local/npm-options.ts'
import { type Effect, effectLine } from './effects.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { seedsText, summaryText } from './report.ts'
import { runScenario } from './run-scenario.ts'
import { runSeeds } from './run-seeds.ts'
import { drawScenario } from './scenario.ts'

// The reader of the trace may close the pipe early, as `| head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

async function main(options: Options): Promise<void> {
  if (options.kind === 'help') {
    process.stdout.write(usage)
    return
  }
  if (options.kind === 'many') {
    const result = await runSeeds(options, process.stderr.isTTY ? showProgress : () => {})
    if (process.stderr.isTTY) process.stderr.write('\n')
    process.stdout.write(options.isJson ? `${JSON.stringify(result, null, 2)}\n` : visibleLines(seedsText(result)))
    process.exitCode = result.failures.length === 0 ? 0 : 1
    return
  }
  const print = options.isSummaryOnly ? () => {} : (effect: Effect) => void process.stdout.write(`${visible(effectLine(effect))}\n`)
  const startedAt = performance.now()
  const run = await runScenario(drawScenario(options.scenario, options.seed, options.size), { onEffect: print })
  process.stdout.write(visibleLines(summaryText(run)))
  // The rest of the output is the same for each run of the seed.
  process.stderr.write(`It took ${((performance.now() - startedAt) / 1_000).toFixed(1)} s.\n`)
  process.exitCode = run.problems.length === 0 ? 0 : 1
}

/** Each line hides the one before, so a file or the log of a build gets none. */
function showProgress(text: string): void {
  process.stderr.write(`\r${text.padEnd(progressWidth)}`)
}

/** The longest progress (characters): a shorter one must hide it. */
const progressWidth = 60

function optionsOrExit(): Options {
  try {
    refuseSwallowedOptions('npm run simulate', usage)
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(
      `${visibleLines(error instanceof Error ? error.message : String(error))}\n"npm run simulate -- --help" lists the options.\n`,
    )
    process.exit(1)
  }
}

await main(optionsOrExit())
