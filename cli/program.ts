import { Command, Option } from 'commander'
import { shownStates } from '../functions/domain/status/shown-state.ts'
import { attributeOptions, attributesOf } from './attributes.ts'
import { acknowledge, deleteConnectors, reread, simpleChange } from './commands/changes.ts'
import { create, edit } from './commands/edits.ts'
import { events } from './commands/events.ts'
import { apply, exportFile, fileOf, plan, validate } from './commands/files.ts'
import { keyList, keySet } from './commands/keys.ts'
import { open } from './commands/open.ts'
import { coverage, history, list, show } from './commands/questions.ts'
import { testConnectors, testItem } from './commands/tests.ts'
import { vendorCards } from './commands/vendors.ts'
import { exitCodes, type Outcome } from './outcome.ts'
import type { PlaceOptions } from './places/open.ts'
import type { Selection, Session } from './session.ts'
import type { Terminal } from './terminal.ts'
import { refuseUnknownWord } from './words.ts'

/** The commands, their arguments and their options. The help and docs/command.md are made from them. */

/** Runs one command. `name`: as the person writes it. */
export interface Runner {
  readonly terminal: Terminal
  /** Opens the place of the options, runs the work and prints its outcome. */
  withSession(name: string, options: CommonOptions, work: (session: Session) => Promise<Outcome>): Promise<void>
  /** The same for a command that needs no place. */
  alone(name: string, options: CommonOptions, work: () => Outcome): Promise<void>
}

export interface CommonOptions extends PlaceOptions {
  readonly json?: boolean
  readonly yes?: boolean
  readonly says?: string
}

/** The width of the help (columns), the same wherever it is printed. */
const helpWidth = 110

export function buildProgram(runner: Runner): Command {
  const program = new Command('tributary')
  program
    .description('Creates, watches and mends the connectors of Tributary, on AWS or in a data folder of this machine.')
    .option('--data <dir>', 'a data folder of this machine, as "npm start" makes it')
    .option('--stack <name>', 'a stack on AWS (default: that of settings.json, or tributary)')
    .option('--profile <name>', 'the profile of the AWS CLI')
    .option('--region <name>', 'the region of AWS')
    .option('--alias <tenant>', 'the alias of the function operate: a tenant with operators of its own (default: all)')
    .option('--json', 'print one JSON object on stdout, and everything else on stderr')
    .helpCommand(false)
    .exitOverride()
    .configureOutput(quiet)
    .configureHelp({ helpWidth, showGlobalOptions: true })
    .addHelpText('after', placeHelp)
  const add = adder(program)
  addQuestions(add, runner)
  addItems(add, runner)
  addChanges(add, runner)
  addFiles(add, runner)
  addKeys(add, runner)
  addPages(add, runner)
  return program
}

const placeHelp = `
Without --data, --stack, --profile, --region or --alias it is the folder .tributary of this project if that is there, and otherwise the stack.

Exit codes:
${Object.values(exitCodes)
  .map(({ code, doc }) => `  ${String(code).padEnd(4)} ${doc}`)
  .join('\n')}`

/** The caller prints the mistakes. */
const quiet = { outputError: () => undefined }

type Add = (parent: Command | undefined, name: string, description: string) => Command

function adder(program: Command): Add {
  return (parent, name, description) => (parent ?? program).command(name).description(description).helpCommand(false)
}

/** The options of a command and of the program, as commander has them after parsing. */
function given(command: Command): CommonOptions & Readonly<Record<string, unknown>> {
  return command.optsWithGlobals()
}

const stateOption = () => new Option('--state <state>', `those in this state: ${shownStates.join(', ')}`)

function addQuestions(add: Add, { withSession }: Runner): void {
  add(undefined, 'list', 'Lists the connectors, the worst first.')
    .option('--tenant <tenant>', 'those of one tenant')
    .addOption(stateOption())
    .option('--find <text>', 'those with a text in their id, name or tenant')
    .action((options, command) => withSession('list', given(command), (session) => list(session, options)))
  add(undefined, 'show', 'Shows one connector: its state, its streams, its keys and its item.')
    .argument('<id>')
    .action((id, _, command) => withSession('show', given(command), (session) => show(session, id)))
  add(undefined, 'history', 'Lists the changes of a connector in the last 90 days, the latest first.')
    .argument('<id>')
    .option('--before <time>', 'those before this time: 2026-11-24T20:35Z, 6h')
    .action((id, options, command) => withSession('history', given(command), (session) => history(session, id, options)))
  selecting(
    add(undefined, 'coverage', 'Says for each stream and each tenant from when to when it is proven complete, and which ranges are lost.'),
  ).action((ids, options, command) => withSession('coverage', given(command), (session) => coverage(session, selectionOf(ids, options))))
}

function addPages(add: Add, { withSession, alone }: Runner): void {
  const time = 'written as for reread'
  add(undefined, 'events', 'Searches the lake for events, the newest first. On AWS it prints the query, and the address of the editor.')
    .argument('[id]', 'the whole record of this event')
    .option('--connector <id>', 'those of one connector')
    .option('--tenant <tenant>', 'those of one tenant')
    .option('--service <service>', 'those of one content type, such as sharepoint')
    .option('--event-type <type>', 'those of one kind, such as dlp')
    .option('--text <text>', 'those with a text anywhere in the event, in upper or lower case')
    .option('--from <time>', `${time} (default: one day before the end)`)
    .option('--to <time>', `${time} (default: now)`)
    .action((id, options, command) => withSession('events', given(command), (session) => events(session, id, options)))
  add(undefined, 'open', 'Opens the page of a data folder, or the dashboard of a stack. Without a browser it prints the address.').action(
    (_, command) => withSession('open', given(command), open),
  )
  add(undefined, 'vendor', 'Shows what the connectors of a vendor can do, and how to get base URL and API key. Needs no deployment.')
    .argument('[type]', 'the type of its connectors (default: every vendor)')
    .action((type, _, command) => alone('vendor', given(command), () => vendorCards(type)))
}

function addItems(add: Add, { terminal, withSession }: Runner): void {
  const withAttributes = (command: Command) => {
    for (const { flags, help, isList } of attributeOptions()) command.addOption(isList ? repeated(flags, help) : new Option(flags, help))
    return changing(command).option(
      '-f, --file <file>',
      'take the connector from a file, in YAML or JSON (- for stdin); the options count more',
    )
  }
  withAttributes(add(undefined, 'create', 'Creates a connector: from options, from a file, or with questions at the terminal.'))
    .argument('[id]', 'TENANT.NAME, such as acme.cas')
    .action((id, options, command) =>
      withSession('create', given(command), (session) =>
        create(session, id, { ...fileIn(options), attributes: attributesOf(options, terminal.readFile), unset: [] }),
      ),
    )
  withAttributes(
    add(
      undefined,
      'edit',
      'Edits a connector: the attributes that options give, the whole from a file, or in your editor at the terminal.',
    ),
  )
    .argument('<id>')
    .addOption(repeated('--unset <attribute>', 'take this attribute out, so that its default counts; may be repeated'))
    .action((id, options, command) =>
      withSession('edit', given(command), (session) =>
        edit(session, id, { ...fileIn(options), attributes: attributesOf(options, terminal.readFile), unset: textsIn(options, 'unset') }),
      ),
    )
  changing(add(undefined, 'delete', 'Deletes connectors. Their records stay in the lake. Asks first; without a terminal it needs --yes.'))
    .argument('<ids...>')
    .action((ids, _, command) => withSession('delete', given(command), (session) => deleteConnectors(session, ids)))
}

function addChanges(add: Add, { withSession }: Runner): void {
  changing(
    selecting(
      add(
        undefined,
        'test',
        'Tests connectors in seven steps: item, secrets, host, key, data requests, lake, budget. Waits for the result.',
      ),
    ),
  )
    .option('-f, --file <file>', 'test a connector that is not saved, from a file in YAML or JSON (- for stdin)')
    .action((ids, options, command) =>
      withSession('test', given(command), (session) =>
        options.file === undefined ? testConnectors(session, selectionOf(ids, options)) : testItem(session, options.file),
      ),
    )
  const simple = {
    pause: 'Pauses connectors. Events of the pause are read later, as far as the vendor still keeps them.',
    resume: 'Ends a pause.',
    collect: 'Collects now, without waiting for the interval.',
  } as const
  for (const name of ['pause', 'resume', 'collect'] as const) {
    changing(selecting(add(undefined, name, simple[name]))).action((ids, options, command) =>
      withSession(name, given(command), (session) => simpleChange(session, name, selectionOf(ids, options))),
    )
  }
  changing(selecting(add(undefined, 'reread', 'Reads a time again, within what the vendor keeps. Events that the lake has are left out.')))
    .requiredOption('--from <time>', '2026-11-24T20:35Z, 2026-11-24 20:35 (UTC), or 6h for six hours ago')
    .option('--to <time>', 'the end, written in the same way (default: now)')
    .option('--redeliver', 'send events that the lake has once more')
    .addOption(repeated('--streams <stream>', 'this stream only, as show names it; may be repeated'))
    .action((ids, options, command) =>
      withSession('reread', given(command), (session) => reread(session, selectionOf(ids, options), options)),
    )
  changing(add(undefined, 'acknowledge', 'Notes that somebody knows of the lost ranges of a connector.'))
    .argument('<id>')
    .requiredOption('--note <text>', 'what was found out and done')
    .action((id, { note }, command) => withSession('acknowledge', given(command), (session) => acknowledge(session, id, note)))
}

function addFiles(add: Add, { terminal, withSession, alone }: Runner): void {
  const withFile = (command: Command) => command.option('-f, --file <file>', 'the file of connectors, in YAML or JSON (- for stdin)')
  withFile(add(undefined, 'validate', 'Checks a file of connectors. Needs no deployment.'))
    .option('--secret-prefix <prefix>', 'the prefix of the names of secrets', 'tributary/')
    .addOption(repeated('--allow-host <host>', 'a host that the deployment allows beside those of the vendor; may be repeated'))
    .action((options, command) =>
      alone('validate', given(command), () =>
        validate(terminal, fileOf(options.file), { secretPrefix: options.secretPrefix, allowedHosts: textsIn(options, 'allowHost') }),
      ),
    )
  const prune = 'delete connectors that a file owned and that are no longer in it'
  withFile(add(undefined, 'plan', 'Shows what apply would change, the budget of each key and the expected age of events.'))
    .option('--prune', prune)
    .action((options, command) =>
      withSession('plan', given(command), (session) => plan(session, { file: fileOf(options.file), prune: options.prune === true })),
    )
  changing(
    withFile(
      add(
        undefined,
        'apply',
        'Makes the connectors equal to a file. The file then owns them: a page says so, and the next apply writes over other edits.',
      ),
    ),
  )
    .option('--prune', `${prune}; without a terminal it needs --yes`)
    .action((options, command) =>
      withSession('apply', given(command), (session) => apply(session, { file: fileOf(options.file), prune: options.prune === true })),
    )
  add(undefined, 'export', 'Writes the connectors as a file for plan and apply, in YAML.')
    .option('--tenant <tenant>', 'those of one tenant')
    .action((options, command) => withSession('export', given(command), (session) => exportFile(session, options)))
}

function addKeys(add: Add, { withSession }: Runner): void {
  const key = add(undefined, 'key', 'The secrets with the API keys, with your own credentials.')
  add(key, 'list', 'Lists the secrets by the age of their values, the oldest first. Shows no key.')
    .option('--tenant <tenant>', 'those of one tenant')
    .action((options, command) => withSession('key list', given(command), (session) => keyList(session, options)))
  changing(add(key, 'set', 'Stores an API key. It is asked for without being shown, or read from stdin; it is never an argument.'))
    .argument('<secret>', 'the name as a connector has it: tributary/acme/cas, or name#jsonKey')
    .action((secret, _, command) => withSession('key set', given(command), (session) => keySet(session, secret)))
}

/** An option that may be given several times. A list after one option would take the arguments that follow it. */
function repeated(flags: string, help: string): Option {
  return new Option(flags, help).argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text])
}

/** The options of a command that changes something. */
function changing(command: Command): Command {
  return command.option('--yes', 'do not ask').option('--says <name>', 'your name, for the history; marked there as what somebody says')
}

/** The arguments and options that select connectors. */
function selecting(command: Command): Command {
  return command
    .argument('[ids...]', 'connectors')
    .option('--tenant <tenant>', 'all of one tenant')
    .addOption(stateOption())
    .option('--all', 'all of them')
}

function selectionOf(ids: readonly string[], options: Readonly<Record<string, unknown>>): Selection {
  const { tenant, state, all } = options
  if (typeof state === 'string') refuseUnknownWord('--state', state, 'state', shownStates)
  return {
    ids,
    ...(typeof tenant === 'string' ? { tenant } : {}),
    ...(typeof state === 'string' ? { state } : {}),
    all: all === true,
  }
}

function fileIn({ file }: Readonly<Record<string, unknown>>): { readonly file?: string } {
  return typeof file === 'string' ? { file } : {}
}

function textsIn(options: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const value = options[name]
  return Array.isArray(value) ? value.map(String) : []
}
