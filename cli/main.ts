import { CommanderError } from 'commander'
import { visibleJson, visibleLines } from '../functions/domain/text.ts'
import { endWithOutput } from '../local/output.ts'
import { StartupError } from '../local/services/startup-error.ts'
import { failureJson, outcomeJson } from './contract.ts'
import { exitCodes, Mistake, type Outcome, problemLines, Refused } from './outcome.ts'
import { nodeTerminal } from './places/node-terminal.ts'
import { openPlace } from './places/open.ts'
import { buildProgram, type CommonOptions, type Runner } from './program.ts'

const terminal = nodeTerminal()

const runner: Runner = {
  terminal,
  async withSession(command, options, work) {
    const place = await openPlace(options)
    try {
      const { yes = false, says } = options
      const outcome = await work({ terminal, place, yes, ...(says === undefined ? {} : { says }) })
      print(command, options, outcome, place.names)
    } finally {
      await place.close()
    }
  },
  async alone(command, options, work) {
    print(command, options, work())
  },
}

function print(command: string, { json = false }: CommonOptions, outcome: Outcome, place?: object): void {
  process.exitCode = exitCodes[outcome.exit].code
  terminal.out(json ? `${visibleJson(outcomeJson(command, outcome, place))}\n` : visibleLines(outcome.text))
}

/** A failure in the form that was asked for. */
function printFailure(thrown: unknown): void {
  const error = thrown instanceof CommanderError ? mistakeOf(thrown) : thrown
  if (error === undefined) return
  if (error instanceof Error && error.name === 'ExitPromptError') {
    process.exitCode = exitCodes.ended.code
    terminal.note('Ended. Nothing was changed.')
    return
  }
  const isMistake = error instanceof Mistake
  const isExpected = isMistake || error instanceof Refused || error instanceof StartupError
  if (!isExpected) throw error
  process.exitCode = isMistake ? exitCodes.mistake.code : exitCodes.failed.code
  const problems = error instanceof Refused ? error.problems : []
  if (process.argv.includes('--json')) {
    const code = isMistake ? 'mistake' : error instanceof Refused ? error.code : 'failed'
    terminal.out(`${visibleJson(failureJson(code, error.message, problems))}\n`)
  }
  terminal.note([error.message, ...problemLines(problems)].join('\n'))
}

/** A mistake in the words of commander, with the next step. Undefined if the help was asked for, which is printed. */
function mistakeOf({ code, exitCode, message }: CommanderError): Mistake | undefined {
  if (exitCode === 0) return undefined
  const words = message
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .replaceAll(/\s*\n\s*/g, ' ')
  if (code === 'commander.help') return new Mistake('Name a command, as above.')
  return new Mistake(
    `${words.charAt(0).toUpperCase()}${words.slice(1)}. "tributary --help" lists the commands, "tributary COMMAND --help" its options.`,
  )
}

endWithOutput(() => process.exit(0))
try {
  await buildProgram(runner).parseAsync()
} catch (error) {
  printFailure(error)
}
