import { join, resolve } from 'node:path'
import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { marshall } from '@aws-sdk/util-dynamodb'
import { systemClock as clock } from '../functions/adapters/clock.ts'
import { connectorsTable } from '../functions/adapters/connectors-table.ts'
import { sqsQueue } from '../functions/adapters/queue.ts'
import { stateTable } from '../functions/adapters/state-table/state-table.ts'
import * as ledger from '../functions/domain/stream/ledger.ts'
import { floorToSecond, type Instant, iso } from '../functions/domain/time.ts'
import { requestsInLastMinute } from '../functions/domain/token-bucket.ts'
import type { ConnectorItem } from '../functions/flows/accept-connector.ts'
import { dispatchDue } from '../functions/flows/dispatch-due.ts'
import { vendors } from '../functions/vendors/index.ts'
import { startFunctions } from './functions.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { connectorsTableName, type Services, startOrConnect, stateTableName } from './services/services.ts'
import { StartupError } from './services/startup-error.ts'
import { type CollectedFrom, openSource } from './source.ts'
import { type Missing, type Summary, summarise, whatIsMissing } from './summary.ts'
import { openScreen, type Row, summaryText } from './terminal.ts'

/** How often the screen and the end are looked at (ms). */
const lookEveryMs = 500
/** Who waits for the end dispatches this often (ms), not once a minute. */
const dispatchEveryMs = 1_000
/** A connector that is covered too little, but not failing, is made due again this often under `--once` (ms): the process that had its message may be dead. */
const againEveryMs = 60_000
/** How long runs in progress may take to stop (ms): as long as a request may take, and a little. */
const stopWithinMs = 35_000

/** Answers the exit code. Throws `StartupError` for what the person who started it can mend. */
async function main(options: Options): Promise<number> {
  const out = options.json ? process.stderr : process.stdout
  if (options.help) {
    process.stdout.write(usage)
    return 0
  }
  const startedAt = clock.now()
  const screen = openScreen(out)
  const dataDir = resolve(options.data)
  const source = await openSource({ ...options, data: dataDir })
  const services = await startOrConnect({ dataDir, secrets: source.secrets, environment: environmentOf(source) })
  const end = endings(options, startedAt)
  const ownerGone = `The process that owns ${options.data} has ended, so this one does too.`
  let isGone = false
  void services.gone.then(() => {
    isGone = true
  })
  try {
    const local = connect(services)
    if (!services.owner && options.connectors !== undefined) {
      throw new StartupError(
        `Another process collects into ${options.data} already. Start without --connectors to share its work, or name another folder with --data.`,
      )
    }
    if (services.owner) {
      await replaceConnectors(local.dynamodb, source, options)
      await local.beginAnew()
    }
    const role = services.owner ? 'owner' : 'guest'
    screen.say(
      services.owner ? `Collecting from ${source.title}.` : `Process ${services.ownerPid} owns ${options.data}; this one shares its work.`,
    )
    screen.say(`The lake is ${join(options.data, 'lake')}. Ctrl-C ends it.`)
    // The first tick of the rule finds them due.
    if (services.owner || options.once) await local.collectNow(await local.connectorIds())
    const functions = await startFunctions({ role, environment: services.environment, onLine: screen.happened })
    let functionsFailed = false
    void functions.ended.then(() => {
      functionsFailed = true
    })

    /** What is missing, as of now. */
    async function look(): Promise<readonly Missing[]> {
      const ids = await local.connectorIds()
      screen.show(await local.rows(ids))
      if (!options.once) return []
      if (ids.length === 0 && !services.owner) return [{ connectorId: '–', what: 'There is no connector yet.', hopeless: false }]
      return whatIsMissing({ state: local.state, vendors }, ids, startedAt)
    }

    let why: string | undefined
    let missing: readonly Missing[] = []
    let againAt = startedAt + againEveryMs
    let dispatchAt = 0
    while (why === undefined) {
      missing = await look()
      const hopeful = missing.filter(({ hopeless }) => !hopeless).map(({ connectorId }) => connectorId)
      if (options.once && hopeful.length === 0) {
        why = missing.length === 0 ? 'Every stream is covered up to the start.' : 'What is missing will not come by waiting.'
        break
      }
      const now = clock.now()
      if (options.once && now >= againAt) {
        againAt = now + againEveryMs
        await local.collectNow(hopeful)
      }
      if (options.once && now >= dispatchAt) {
        dispatchAt = now + dispatchEveryMs
        await local.dispatch(screen.happened)
      }
      why = await Promise.race([
        end,
        functions.ended.then(() => 'The functions ended unexpectedly.'),
        services.gone.then(() => ownerGone),
        clock.sleepUntil(clock.now() + lookEveryMs).then(() => undefined),
      ])
    }
    screen.say(why)
    screen.end()
    const failed = functionsFailed
    await functions.stop(stopWithinMs)
    if (isGone) return 0
    await services.flush()

    const now = clock.now()
    const connectors = await summarise({ state: local.state, vendors }, await local.connectorIds(), now)
    const sum = (of: 'requests' | 'throttled') =>
      connectors.reduce((total, { streams }) => total + streams.reduce((all, stream) => all + stream[of], 0), 0)
    const lake = join(options.data, 'lake')
    const summary: Summary = {
      connectors,
      requests: sum('requests'),
      throttled: sum('throttled'),
      seconds: Math.round((now - startedAt) / 1_000),
      lake,
    }
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
    else out.write(summaryText(summary))
    for (const { connectorId, what } of missing) out.write(`Missing: ${connectorId}: ${what}\n`)
    const dataOption = options.data === '.tributary' ? '' : ` --data ${options.data}`
    out.write(
      `The lake is ${lake}. Query it: npm run lake --${dataOption} "SELECT tenant_name, event_type, count(*) FROM syslog GROUP BY ALL"\n`,
    )
    return missing.length > 0 || failed ? 1 : 0
  } catch (error) {
    if (!isGone) throw error
    screen.say(ownerGone)
    screen.end()
    return 0
  } finally {
    await services.close()
    await source.close(services.owner)
  }
}

/** What the functions need beside the addresses of the services. */
function environmentOf({ allowedHosts }: CollectedFrom): Record<string, string> {
  return { SECRET_PREFIX: 'tributary/', ALLOWED_HOSTS: allowedHosts.join(',') }
}

/** Resolves with the reason why it should end: a signal, or the time that was given. A second signal ends it at once. */
function endings({ forMs }: Options, startedAt: Instant): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130))
        resolve('Ending: runs in progress stop at the next safe point.')
      })
    }
    if (forMs !== undefined) void clock.sleepUntil(startedAt + forMs).then(() => resolve('The time given is over.'))
  })
}

/** What this process asks of the services for itself. */
function connect({ addresses, clientConfig }: Services) {
  const dynamodb = new DynamoDBClient({ ...clientConfig, endpoint: addresses.dynamodb })
  const state = stateTable({ client: dynamodb, table: stateTableName, now: clock.now })
  const connectors = connectorsTable({ client: dynamodb, table: connectorsTableName })
  const queue = sqsQueue({
    client: new SQSClient({ ...clientConfig, endpoint: new URL(addresses.queueUrl).origin }),
    queueUrl: addresses.queueUrl,
  })

  async function connectorIds(): Promise<string[]> {
    const ids: string[] = []
    for await (const { connectorId } of connectors.items()) if (typeof connectorId === 'string') ids.push(connectorId)
    return ids.sort()
  }

  return {
    dynamodb,
    state,
    connectorIds,

    /**
     * For the owner, before anything runs. The runs of former processes ended with the services that they wrote to, so nobody waits for
     * their leases to run out; and what failed may have been mended meanwhile, a secret for one, so it is tried at once.
     */
    async beginAnew(): Promise<void> {
      for (const connectorId of await connectorIds()) {
        const { status, streams } = await state.readRun(connectorId)
        for (const [id, stream] of streams) {
          const { lease, trouble, ...rest } = stream
          if (lease !== undefined || trouble !== undefined) await state.writeStream(connectorId, id, { ...rest, version: rest.version + 1 })
        }
        if (status === undefined) continue
        await state.updateStatus(connectorId, (before = status) => {
          const { trouble: _, ...rest } = before
          return { ...rest, rejectedKeys: {} }
        })
      }
    },

    /** What is accepted already is not accepted anew, so somebody has to ask for it. */
    async collectNow(ids: readonly string[]): Promise<void> {
      for (const connectorId of ids) {
        const accepted = await state.readAccepted(connectorId)
        if (accepted === undefined || accepted.retiredAt !== undefined || !accepted.connector.enabled) continue
        const now = clock.now()
        await state.makeDue(connectorId, now, floorToSecond(now))
      }
    },

    /** The same as a tick of the rule. */
    async dispatch(onLine: (line: string) => void): Promise<void> {
      await dispatchDue({ clock, state, queue, log: (entry) => onLine(JSON.stringify({ time: iso(clock.now()), ...entry })) })
    },

    async rows(ids: readonly string[]): Promise<Row[]> {
      const now = clock.now()
      const rows: Row[] = []
      for (const connectorId of ids) {
        const { accepted, status, streams } = await state.readRun(connectorId)
        const bucket = status?.keys?.[0]
        const tokens = bucket === undefined ? undefined : await state.readTokens(bucket)
        const requests = tokens === undefined ? undefined : { made: requestsInLastMinute(tokens, now), allowed: tokens.limit }
        const state_ = status?.state ?? 'starting'
        const own = accepted === undefined ? [] : (vendors.get(accepted.connector.type)?.streams(accepted.connector) ?? [])
        if (own.length === 0) rows.push({ connector: connectorId, stream: '–', state: state_, delivered: 0, requests })
        for (const id of own) {
          const stream = streams.get(id)
          const behind = stream?.lastReadAt === undefined ? {} : { behindMs: now - ledger.coveredTo(stream, now) }
          const trouble = stream?.trouble === undefined ? state_ : 'failing'
          rows.push({ connector: connectorId, stream: id, state: trouble, delivered: stream?.counts.delivered ?? 0, requests, ...behind })
        }
      }
      return rows
    },
  }
}

/** Makes the connectors table what the source says. Those no longer in it are retired; the demonstration retires nobody's own. */
async function replaceConnectors(client: DynamoDBClient, { items }: CollectedFrom, options: Options): Promise<void> {
  const table = connectorsTable({ client, table: connectorsTableName })
  const wanted = new Set(items.map(({ connectorId }) => connectorId))
  const others: unknown[] = []
  for await (const { connectorId } of table.items()) if (!wanted.has(connectorId)) others.push(connectorId)
  if (others.length > 0 && options.connectors === undefined) {
    throw new StartupError(
      `${options.data} holds connectors of your own (${others.join(', ')}). Start with --connectors FILE, or give the demonstration another folder with --data.`,
    )
  }
  for (const connectorId of others)
    await client.send(new DeleteItemCommand({ TableName: connectorsTableName, Key: { connectorId: { S: String(connectorId) } } }))
  for (const item of items) await put(client, item)
}

async function put(client: DynamoDBClient, item: ConnectorItem): Promise<void> {
  try {
    await client.send(new PutItemCommand({ TableName: connectorsTableName, Item: marshall(item, { removeUndefinedValues: true }) }))
  } catch (error) {
    throw new StartupError(
      `The item of connector ${String(item['connectorId'])} cannot be stored: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

try {
  process.exitCode = await main(parseOptions(process.argv.slice(2)))
  process.exit()
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}
