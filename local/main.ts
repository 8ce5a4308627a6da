import { join } from 'node:path'
import { systemClock as clock } from '../functions/adapters/clock.ts'
import type { Instant } from '../functions/domain/time.ts'
import { vendors } from '../functions/vendors/index.ts'
import { type Control, connect } from './control.ts'
import { type FunctionsProcess, startFunctions } from './functions.ts'
import { type Options, parseOptions, proxyOf, usage } from './options.ts'
import { endWithOutput } from './output.ts'
import { dataFolder } from './services/data-folder.ts'
import { type Services, startOrConnect } from './services/services.ts'
import { StartupError } from './services/startup-error.ts'
import { type CollectedFrom, openSource } from './source.ts'
import { findMissing, type Missing, type Summary, summarise } from './summary.ts'
import { formatSummary, openScreen, type Screen } from './terminal.ts'

/** The time between two looks at the state, for the screen and for the end (ms). */
const checkEveryMs = 500
/** With --once somebody waits for the end, so this process dispatches every second (ms), not once a minute as the rule does. */
const dispatchEveryMs = 1_000
/** With --once a connector that is not complete, but not failing either, becomes due again this often (ms): the process that took its message may be dead. */
const collectAgainEveryMs = 60_000
/** Runs in progress have this long to stop (ms): the longest request, and a little. */
const stopWithinMs = 35_000
/** When the services fail, runs can save nothing more, and the requests that fail with them may say so first (ms). */
const failWithinMs = 2_000

/** One `npm start`, from the moment when its services are there. */
interface Session {
  readonly options: Options
  readonly startedAt: Instant
  readonly screen: Screen
  readonly source: CollectedFrom
  readonly services: Services
  readonly control: Control
}

/** Returns the exit code. Throws `StartupError` for a mistake that the person who started it can correct. */
async function main(options: Options): Promise<number> {
  if (options.help) {
    process.stdout.write(usage)
    return 0
  }
  const startedAt = clock.now()
  const screen = openScreen(options.json ? process.stderr : process.stdout)
  const dataDir = dataFolder(options.data)
  const source = await openSource({ ...options, data: dataDir })
  const services = await startOrConnect({ dataDir, secrets: source.secrets, environment: environmentOf(source) })
  const stopRequest = waitForStopRequest(options, startedAt)
  const ownerEnded = `The process that owns ${options.data} has ended, so this one does too.`
  let isOwnerGone = false
  const ownerGone = services.gone.then(() => {
    isOwnerGone = true
    return ownerEnded
  })
  let functions: FunctionsProcess | undefined
  try {
    const session = { options, startedAt, screen, source, services, control: connect(services) }
    await prepare(session)
    functions = await startFunctions({
      role: services.owner ? 'owner' : 'guest',
      environment: services.environment,
      onLine: screen.log,
      print: screen.print,
      beforeRestart: () => collectAnew(session),
    })
    const { why, missing } = await collectUntilEnd(session, [stopRequest, ownerGone])
    screen.print(why)
    screen.end()
    await functions.stop(stopWithinMs)
    if (isOwnerGone) return 0
    await services.flush()
    await report(session, missing)
    return missing.length > 0 ? 1 : 0
  } catch (error) {
    if (isOwnerGone) {
      screen.print(ownerEnded)
      screen.end()
      return 0
    }
    screen.end()
    await functions?.stop(failWithinMs)
    if (error instanceof StartupError) throw error
    const failure = await Promise.race([services.failed, clock.sleepUntil(clock.now() + failWithinMs)])
    throw failure === undefined ? error : new StartupError(failure)
  } finally {
    await services.close()
    await source.close(services.owner)
  }
}

/** Puts the connectors into the table, makes them due and prints where the program collects from. */
async function prepare({ options, screen, source, services, control }: Session): Promise<void> {
  if (services.owner) {
    await source.keep()
    await replaceConnectors(control, source, options)
    await control.resetConnectors()
    screen.print(`Collecting from ${source.title}.`)
    for (const { place, reason } of source.refused) screen.print(`Refused: ${place}: ${reason}`)
  } else {
    if (options.connectors !== undefined) {
      throw new StartupError(
        `Another process collects into ${options.data} already. Start without --connectors to share its work, or name another folder with --data.`,
      )
    }
    screen.print(`Process ${services.ownerPid} owns ${options.data}; this one shares its work.`)
  }
  screen.print(`The lake is ${join(options.data, 'lake')}. Press Ctrl-C to end.`)
  // The first tick of the rule finds them due.
  if (services.owner || options.once) await control.collectNow(await control.connectorIds())
}

/** Makes everything due. The leases of a dead process end at once; a run of another process whose lease ends with them repeats a page at most. */
async function collectAnew({ services, control }: Session): Promise<void> {
  if (services.owner) await control.resetConnectors()
  await control.collectNow(await control.connectorIds())
}

/** Makes the connectors table equal to the source. A connector that is no longer in the source is retired; the demonstration retires none of yours. */
async function replaceConnectors(control: Control, { items }: CollectedFrom, options: Options): Promise<void> {
  const wanted = new Set(items.map(({ connectorId }) => connectorId))
  const others = (await control.connectorIds()).filter((id) => !wanted.has(id))
  if (others.length > 0 && options.connectors === undefined) {
    throw new StartupError(
      `${options.data} holds connectors of your own (${others.join(', ')}). Start with --connectors FILE, or give the demonstration another folder with --data.`,
    )
  }
  if (items.length === 0 && others.length > 0 && !options.allowEmpty) {
    throw new StartupError(
      `${options.connectors} has no connector, and ${options.data} has some (${others.join(', ')}). Nothing was changed. Correct the file, or retire all of them with --allow-empty.`,
    )
  }
  await control.deleteConnectors(others)
  await control.putConnectors(items)
}

interface End {
  /** The reason, as a sentence for the screen. */
  readonly why: string
  readonly missing: readonly Missing[]
}

/** Shows the connectors until one of `reasons` comes or, with --once, waiting longer changes nothing. Throws when the services fail. */
async function collectUntilEnd(session: Session, reasons: readonly Promise<string>[]): Promise<End> {
  const { options, startedAt, screen, services, control } = session
  const failed = services.failed.then((why) => new StartupError(why))
  let collectAgainAt = startedAt + collectAgainEveryMs
  let dispatchAt = 0
  for (;;) {
    const missing = await showAndCheck(session)
    const pending = missing.filter(({ isPermanent }) => !isPermanent).map(({ connectorId }) => connectorId)
    if (options.once && pending.length === 0) return { why: formatOnceEnd(missing), missing }
    const now = clock.now()
    if (options.once && now >= collectAgainAt) {
      collectAgainAt = now + collectAgainEveryMs
      await control.collectNow(pending)
    }
    if (options.once && now >= dispatchAt) {
      dispatchAt = now + dispatchEveryMs
      await control.dispatch(screen.log)
    }
    const why = await Promise.race([...reasons, failed, clock.sleepUntil(clock.now() + checkEveryMs).then(() => undefined)])
    if (why instanceof StartupError) throw why
    if (why !== undefined) return { why, missing }
  }
}

/** Redraws the screen. Returns what --once still waits for, and nothing without --once. */
async function showAndCheck({ options, startedAt, screen, source, services, control }: Session): Promise<readonly Missing[]> {
  const ids = await control.connectorIds()
  screen.show(await control.rows(ids))
  if (!options.once) return []
  if (ids.length === 0 && !services.owner) return [{ connectorId: '–', reason: 'There is no connector yet.', isPermanent: false }]
  const refused = source.refused.map(({ place, reason }) => ({ connectorId: place, reason, isPermanent: true }))
  return [...refused, ...(await findMissing({ state: control.state, vendors }, ids, startedAt))]
}

function formatOnceEnd(missing: readonly Missing[]): string {
  if (missing.length === 0) return 'Every stream is complete up to the start.'
  return 'Not everything could be collected, and waiting longer does not help. Each line below that begins with "Missing:" says what is missing, why, and what to do.'
}

async function report({ options, startedAt, source, control }: Session, missing: readonly Missing[]): Promise<void> {
  const out = options.json ? process.stderr : process.stdout
  const now = clock.now()
  const refused = source.refused.map(({ place, reason }) => ({ connectorId: place, state: 'refused' as const, reason, streams: [] }))
  const connectors = [...refused, ...(await summarise({ state: control.state, vendors }, await control.connectorIds(), now))]
  const streams = connectors.flatMap((connector) => connector.streams)
  const lake = join(options.data, 'lake')
  const summary: Summary = {
    connectors,
    requests: streams.reduce((sum, { requests }) => sum + requests, 0),
    throttled: streams.reduce((sum, { throttled }) => sum + throttled, 0),
    seconds: Math.round((now - startedAt) / 1_000),
    lake,
  }
  if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
  else out.write(formatSummary(summary))
  for (const { connectorId, reason } of missing) out.write(`Missing: ${connectorId}: ${reason}\n`)
  const dataOption = options.data === '.tributary' ? '' : ` --data ${options.data}`
  out.write(`The lake is ${lake}. Query it: npm run lake --${dataOption} "SELECT tenant, event_type, count(*) FROM syslog GROUP BY ALL"\n`)
}

/** The functions need these variables beside the addresses of the services. */
function environmentOf({ allowedHosts, simulatorHost }: CollectedFrom): Record<string, string> {
  const { HTTPS_PROXY, NO_PROXY } = proxyOf(process.env)
  return {
    SECRET_PREFIX: 'tributary/',
    SECRETS_BOUND_TO_ORIGIN: 'false',
    ALLOWED_HOSTS: allowedHosts.join(','),
    HTTPS_PROXY,
    NO_PROXY: [NO_PROXY, simulatorHost ?? ''].join(','),
  }
}

/** Resolves with the reason when a signal comes or the time of --for is over. A second signal ends the process at once. */
function waitForStopRequest({ forMs }: Options, startedAt: Instant): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130))
        resolve('Ending: runs in progress stop at the next safe point.')
      })
    }
    if (forMs !== undefined) void clock.sleepUntil(startedAt + forMs).then(() => resolve('The time given with --for is over.'))
  })
}

// As if somebody had asked it to stop: runs in progress end at a safe point.
endWithOutput(() => process.kill(process.pid, 'SIGTERM'))
try {
  process.exitCode = await main(parseOptions(process.argv.slice(2)))
  process.exit()
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}
