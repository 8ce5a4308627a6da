import { effectLine } from './effects.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { summaryText } from './report.ts'
import { runScenario } from './run-scenario.ts'
import { drawScenario } from './scenario.ts'

// The reader of the trace may close the pipe early, as `| head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

async function main(options: Options): Promise<void> {
  if (options.isHelp) {
    process.stdout.write(usage)
    return
  }
  const run = await runScenario(drawScenario(options.scenario, options.seed))
  if (!options.isSummaryOnly) for (const effect of run.trace) process.stdout.write(`${effectLine(effect)}\n`)
  process.stdout.write(summaryText(run))
  process.exitCode = run.problems.length === 0 ? 0 : 1
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
