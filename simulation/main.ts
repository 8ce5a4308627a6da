import { effectLine } from './effects.ts'
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
    const result = await runSeeds(options, showProgress)
    process.stderr.write('\n')
    process.stdout.write(options.isJson ? `${JSON.stringify(result, null, 2)}\n` : seedsText(result))
    process.exitCode = result.failures.length === 0 ? 0 : 1
    return
  }
  const run = await runScenario(drawScenario(options.scenario, options.seed, options.size))
  if (!options.isSummaryOnly) for (const effect of run.trace) process.stdout.write(`${effectLine(effect)}\n`)
  process.stdout.write(summaryText(run))
  process.exitCode = run.problems.length === 0 ? 0 : 1
}

function showProgress(done: number, failed: number): void {
  process.stderr.write(`\r${done} seeds${failed === 0 ? '' : `, ${failed} with a broken claim`} `)
}

function optionsOrExit(): Options {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n"npm run simulate -- --help" lists the options.\n`)
    process.exit(1)
  }
}

await main(optionsOrExit())
