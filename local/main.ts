import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { systemClock as clock } from '../functions/adapters/clock.ts'
import { newStatus } from '../functions/domain/status/status.ts'
import { visibleJson, visibleLines } from '../functions/domain/text.ts'
import { type Instant, iso } from '../functions/domain/time.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import { vendors } from '../functions/vendors/index.ts'
import { pageOperator } from '../functions/widget/page-operator.ts'
import { showView } from '../functions/widget/show-view.ts'
import { type Control, connect, secretPrefix } from './control.ts'
import { type FunctionsProcess, startFunctions } from './functions.ts'
import { refuseSwallowedOptions } from './npm-options.ts'
import { type Options, parseOptions, proxyOf, usage } from './options.ts'
import { endWithOutput } from './output.ts'
import { askFunctions } from './page/ask-functions.ts'
import { pageKeys } from './page/page-keys.ts'
import { queryLake } from './page/query-lake.ts'
import { type Page, servePage } from './page/server.ts'
import { completeText } from './report/coverage.ts'
import { findMissing, type Missing } from './report/missing.ts'
import { endedBefore, type Judged, onceEndText, Patience, waitTexts } from './report/patience.ts'
import { type ConnectorRun, type CountsAtStart, countsAtStart, RunReader, readRuns } from './report/runs.ts'
import { findProblems, problemsText } from './report/stream-failure.ts'
import { formatSummary, type Summary, summarise, totalsOf } from './report/summary.ts'
import { wrapIndented } from './screen/cells.ts'
import { firstMinuteText, unknownConnectorText } from './screen/frame.ts'
import { liveRow } from './screen/live-row.ts'
import { openScreen, type Screen } from './screen/screen.ts'
import { dataFolder, dataOption } from './services/data-folder.ts'
import { keptSecrets } from './services/kept-secrets.ts'
import { type Services, startOrConnect } from './services/services.ts'
import { StartupError } from './services/startup-error.ts'
import { type CollectedFrom, openSource } from './source.ts'

/** The time between two looks at the state, for the screen and for the end (ms). */
const checkEveryMs = 500
/** With many connectors a look takes long, so the next one comes after this many times as long. */
const checkRestFactor = 3
/** Somebody waits: for the end with --once, or in front of the table. So this process dispatches more often than the rule does, once a minute (ms). */
const dispatchEveryMs = { once: 1_000, live: 5_000 }
/** With --once a connector that is not complete, but not failing either, becomes due again this often (ms): the process that took its message may be dead. */
const collectAgainEveryMs = 60_000
/** Runs in progress have this long to stop (ms): the longest request, and a little. */
const stopWithinMs = 35_000
const endingText = `Ending: runs in progress stop at the next safe point, within ${stopWithinMs / 1_000} s at most. A second Ctrl-C ends at once.`
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
  /** The secrets that were stored since the last look. */
  readonly storedSecrets: Set<string>
  readonly reader: RunReader
  readonly atStart: CountsAtStart
  /** The result of the last look at the state. */
  last: Look
  /** The address that opens the page; absent: there is none. */
  page?: string
}

interface Look {
  readonly runs: readonly ConnectorRun[]
  /** With --once: what it waits for, and what it has given up. */
  readonly missing: readonly Missing[]
}

/** Returns the exit code. Throws `StartupError` for a mistake that the person who started it can correct. */
async function main(options: Options): Promise<number> {
  if (options.help) {
    process.stdout.write(usage)
    return 0
  }
  const startedAt = clock.now()
  const screen = openScreen(options.json ? process.stderr : process.stdout, clock.now)
  const dataDir = dataFolder(options.data)
  const source = await openSource({ ...options, data: dataDir })
  const storedSecrets = new Set<string>()
  const services = await startOrConnect({
    dataDir,
    secrets: source.secrets,
    environment: environmentOf(source),
    begin: source.begin,
    onSecretStored: (name) => void storedSecrets.add(name),
  })
  const stopRequest = waitForStopRequest(options, startedAt)
  const ownerEnded = `The process that owns ${options.data} has ended, so this one does too.`
  let isOwnerGone = false
  const ownerGone = services.gone.then(() => {
    isOwnerGone = true
    return ownerEnded
  })
  let functions: FunctionsProcess | undefined
  let session: Session | undefined
  let page: Page | undefined
  try {
    const control = connect(services)
    const before = await readRuns(control.state, await control.connectorIds())
    const reader = new RunReader(control.state, before)
    session = {
      options,
      startedAt,
      screen,
      source,
      services,
      control,
      storedSecrets,
      reader,
      atStart: countsAtStart(before),
      last: { runs: before, missing: [] },
    }
    await prepare(session)
    functions = await startFunctions({
      role: services.owner ? 'owner' : 'guest',
      environment: services.environment,
      onLine: screen.log,
      print: screen.print,
      beforeRestart: () => collectAnew({ services, control }),
    })
    page = await openPage(session, functions)
    const why = await collectUntilEnd(session, [stopRequest, ownerGone])
    screen.print(why)
    screen.end()
    await functions.stop(stopWithinMs)
    if (isOwnerGone) return endOfGuest(session)
    await services.flush()
    const runs = [...refusedRuns(session), ...(await readRuns(control.state, await control.connectorIds()))]
    return report(session, { ...session.last, runs }) ? 0 : 1
  } catch (error) {
    if (isOwnerGone && session !== undefined) {
      screen.print(ownerEnded)
      screen.end()
      return endOfGuest(session)
    }
    screen.end()
    await functions?.stop(failWithinMs)
    if (error instanceof StartupError) throw error
    const failure = await Promise.race([services.failed, clock.sleepUntil(clock.now() + failWithinMs)])
    throw failure === undefined ? error : new StartupError(failure)
  } finally {
    // An error that is told after this must not be on a screen that goes.
    screen.end()
    await page?.close()
    await services.close()
    await source.close(services.owner)
  }
}

/** The page of this machine: none under --once, and none of a guest, because its owner has one. */
async function openPage(session: Session, { operate }: FunctionsProcess): Promise<Page | undefined> {
  const { options, services, screen, source } = session
  if (options.once || !services.owner) return undefined
  const ports = {
    ...pageOperator(askFunctions(operate)),
    vendors,
    clock,
    keys: pageKeys(services),
    queryLake: (sql: string) => queryLake(options.data, sql),
  }
  const hint = source.hint === undefined ? {} : { hint: source.hint }
  const page = await servePage({
    show: (call, theme) => showView(ports, call, { theme, endpoint: 'local', runsOn: 'this machine', ...hint }),
    onError: (error) =>
      screen.log(JSON.stringify({ time: iso(clock.now()), level: 'error', event: 'page-failed', message: String(error) })),
    dataDir: options.data,
    port: options.port,
  })
  session.page = pathToFileURL(page.file).href
  screen.print(`The page of your connectors is at ${page.address}. Open ${session.page} in your browser: it lets you in.`)
  return page
}

/** Puts the connectors into the table, makes them due and prints where the program collects from. */
async function prepare({ options, screen, source, services, control }: Session): Promise<void> {
  if (services.owner) {
    await changeConnectors(control, source)
    await control.resetConnectors()
    screen.print(`Collecting from ${source.title}.`)
    await tellUnused(options.data, source.secrets, screen)
    for (const { place, reason } of source.refused) screen.print(`Refused: ${place}: ${reason}`)
  } else {
    if (options.connectors !== undefined) {
      throw new StartupError(
        `Another process collects into ${options.data} already. Start without --connectors to share its work, or name another folder with --data.`,
      )
    }
    screen.print(`Process ${services.ownerPid} owns ${options.data}; this one shares its work.`)
  }
  await refuseUnknownStreams(control, options)
  screen.print(`The lake is ${join(options.data, 'lake')}. Press Ctrl-C to end.`)
  const items = await control.connectorItems()
  const nextStep = services.owner ? source.nextStep(items) : undefined
  if (nextStep !== undefined) screen.print(nextStep)
  if (items.length > 0 || options.once)
    screen.print(firstMinuteText({ connectors: items.length, collecting: items.filter(({ enabled }) => enabled !== false).length }))
  // The first tick of the rule finds them due.
  if (services.owner || options.once) await control.collectNow(await control.connectorIds())
}

/** A key that is stored under a name that the program was given would be missed by whoever stored it. */
async function tellUnused(dataDir: string, given: CollectedFrom['secrets'], screen: Screen): Promise<void> {
  const unused = (await keptSecrets(dataDir, clock.now)).names().filter((name) => given.has(name))
  if (unused.length === 0) return
  screen.print(
    `Stored keys that do not count: ${unused.join(', ')}. The demonstration or the file of --secrets has a key under the same name, and that one counts.`,
  )
}

/** A mistyped id would show nothing for as long as the program runs. */
async function refuseUnknownStreams(control: Control, { streams }: Options): Promise<void> {
  const ids = streams === undefined ? [] : await control.connectorIds()
  if (streams !== undefined && !ids.includes(streams)) throw new StartupError(unknownConnectorText(streams, ids))
}

/** Makes everything due. The leases of a dead process end at once; a run of another process whose lease ends with them repeats a page at most. */
async function collectAnew({ services, control }: Pick<Session, 'services' | 'control'>): Promise<void> {
  if (services.owner) await control.resetConnectors()
  await control.collectNow(await control.connectorIds())
}

/** Changes the connectors table as the source wants it. */
async function changeConnectors(control: Control, source: CollectedFrom): Promise<void> {
  const { put, retired } = source.changes(await control.connectorItems())
  await control.deleteConnectors(retired)
  await control.putConnectors(put)
  await source.made()
}

/** The services are gone, so only what was seen before can be told. A guest of --once has not seen the end. */
function endOfGuest(session: Session): number {
  const isWell = report(session, session.last)
  return isWell && !session.options.once ? 0 : 1
}

/**
 * Shows the connectors until one of `reasons` comes or, with --once, waiting longer changes nothing. Returns the reason, as a sentence for
 * the screen. Throws when the services fail.
 */
async function collectUntilEnd(session: Session, reasons: readonly Promise<string>[]): Promise<string> {
  const { options, startedAt, screen, services, control } = session
  const failed = services.failed.then((why) => new StartupError(why))
  const patience = new Patience(options.patienceMs, startedAt)
  let collectAgainAt = startedAt + collectAgainEveryMs
  let dispatchAt = 0
  for (;;) {
    const lookedAt = clock.now()
    const items = await control.connectorItems()
    const ids = items.map(({ connectorId }) => String(connectorId))
    const runs = [...refusedRuns(session), ...(await session.reader.read(ids, clock.now()))]
    const judged = patience.judge(options.once ? missingNow(session, runs) : [], clock.now())
    show(session, items, runs, judged)
    const { waiting, givenUp } = judged
    session.last = { runs, missing: endedBefore(judged) }
    if (options.once && waiting.length === 0) {
      session.last = { runs, missing: givenUp }
      return givenUp.length === 0 ? completeText(runs, vendors, startedAt) : onceEndText(givenUp, options.patienceMs)
    }
    const now = clock.now()
    if (options.once && now >= collectAgainAt) {
      collectAgainAt = now + collectAgainEveryMs
      await control.collectNow([...new Set(waiting.map(({ connectorId }) => connectorId))])
    }
    if (await tryStored(session)) dispatchAt = now
    if ((options.once || services.owner) && now >= dispatchAt) {
      dispatchAt = now + (options.once ? dispatchEveryMs.once : dispatchEveryMs.live)
      await control.dispatch(screen.log)
    }
    const restMs = Math.max(checkEveryMs, checkRestFactor * (now - lookedAt))
    const why = await Promise.race([...reasons, failed, clock.sleepUntil(clock.now() + restMs).then(() => undefined)])
    if (why instanceof StartupError) throw why
    if (why !== undefined) return why
  }
}

/** Returns whether a connector has a new key to try. */
async function tryStored({ control, storedSecrets }: Session): Promise<boolean> {
  const names = [...storedSecrets]
  storedSecrets.clear()
  if (names.length > 0) await control.collectWithStored(names)
  return names.length > 0
}

/** An item that was refused for its id is a connector that was never accepted. */
function refusedRuns({ source, startedAt }: Session): readonly ConnectorRun[] {
  return source.refused.map(({ place, reason }) => ({
    connectorId: place,
    run: { status: { ...newStatus(startedAt), state: 'refused' as const, reason }, streams: new Map() },
  }))
}

function missingNow({ services, startedAt }: Session, runs: readonly ConnectorRun[]): readonly Missing[] {
  if (runs.length === 0 && !services.owner) return [{ connectorId: '–', reason: 'There is no connector yet.', isPermanent: false }]
  return findMissing(runs, vendors, startedAt)
}

function show(session: Session, items: readonly ConnectorItem[], runs: readonly ConnectorRun[], judged: Judged): void {
  const { options, startedAt, screen, atStart, source, services, page } = session
  const now = clock.now()
  const rows = runs.map((each) => liveRow(each, { now, vendors, atStart }))
  const streamsOf = options.streams === undefined ? {} : { streamsOf: options.streams }
  const hasGivenUp = judged.givenUp.length > 0
  const nextStep = services.owner ? source.nextStep(items) : undefined
  screen.show({
    now,
    startedAt,
    rows,
    waits: waitTexts(judged),
    hasGivenUp,
    query: queryOf(options),
    ...(page === undefined ? {} : { page }),
    ...(nextStep === undefined ? {} : { nextStep }),
    ...streamsOf,
  })
}

/** Writes the summary. Returns whether all is well: nothing is missing, and at the end of --for no connector or stream has a problem. */
function report({ options, startedAt, atStart }: Session, { runs, missing }: Look): boolean {
  const out = options.json ? process.stderr : process.stdout
  const write = (text: string) => void out.write(out.isTTY && out.columns > 0 ? wrapIndented(text, out.columns) : visibleLines(text))
  const now = clock.now()
  const connectors = summarise(runs, vendors, now, atStart)
  const lake = join(options.data, 'lake')
  const summary: Summary = { connectors, ...totalsOf(connectors), seconds: Math.round((now - startedAt) / 1_000), lake }
  if (options.json) process.stdout.write(`${visibleJson(summary)}\n`)
  else write(formatSummary(summary))
  for (const { connectorId, reason } of missing) write(`Missing: ${connectorId}: ${reason}\n`)
  const problems = options.forMs === undefined ? [] : findProblems(runs, vendors)
  if (problems.length > 0) write(`${problemsText(problems)}\n`)
  out.write(
    `${visibleLines(`The lake is ${lake}. Query it: ${queryOf(options)}`)} "SELECT tenant, event_type, count(*) FROM syslog GROUP BY ALL"\n`,
  )
  return missing.length === 0 && problems.length === 0
}

/** The command that queries the lake. */
function queryOf({ data }: Options): string {
  const option = dataOption(data)
  return `npm run lake${option === '' ? '' : ` --${option}`}`
}

/** The functions need these variables beside the addresses of the services. */
function environmentOf({ allowedHosts, simulatorHost }: CollectedFrom): Record<string, string> {
  const { HTTPS_PROXY, NO_PROXY } = proxyOf(process.env)
  return {
    SECRET_PREFIX: secretPrefix,
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
        process.once(signal, () => {
          process.stderr.write('Ended at once. The next start goes on where this one ended.\n')
          process.exit(130)
        })
        resolve(endingText)
      })
    }
    if (forMs !== undefined) void clock.sleepUntil(startedAt + forMs).then(() => resolve('The time given with --for is over.'))
  })
}

// As if somebody had asked it to stop: runs in progress end at a safe point.
endWithOutput(() => process.kill(process.pid, 'SIGTERM'))
try {
  refuseSwallowedOptions('npm start', usage)
  process.exitCode = await main(parseOptions(process.argv.slice(2)))
  process.exit()
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  process.stderr.write(`${visibleLines(error.message)}\n`)
  process.exit(1)
}
