import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { idProblem } from '../functions/domain/connector/connector-schema.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import { type ChangesAtStart, changesByDemonstration, changesByFile } from './connectors-at-start.ts'
import { demonstrationConnectors, demonstrationSecrets, demonstrationSimulatorOptions, trialKey } from './demonstration.ts'
import { readConnectorsFile, readSecretsFile } from './input-files.ts'
import type { Options } from './options.ts'
import { dataOption } from './services/data-folder.ts'
import { writeAtomically } from './services/files.ts'
import { StartupError } from './services/startup-error.ts'
import { startSimulator } from './simulator/server.ts'

/** An item that no function is given: it has an id that no connector can have, so it would have no status. */
interface RefusedItem {
  /** In the file: `item 2`. */
  readonly place: string
  readonly reason: string
}

/** The place that the connectors of a folder come from, and the secrets that it gives. */
export interface CollectedFrom {
  /** The changes of the connectors table, which the owner of the data folder makes when the program starts. */
  changes(stored: readonly ConnectorItem[]): ChangesAtStart
  readonly refused: readonly RefusedItem[]
  readonly secrets: ReadonlyMap<string, string>
  readonly allowedHosts: readonly string[]
  /** The host of the simulator: no proxy reaches it. */
  readonly simulatorHost?: string
  readonly title: string
  /** For the form of a new connector, where there is something to try it with. */
  readonly hint?: string
  /** For the terminal: the next step with these connectors, or undefined when there is none. */
  nextStep(stored: readonly ConnectorItem[]): string | undefined
  /** The owner of the data folder calls it before it makes anything there: in the demonstration the next start finds the simulator's port, even after a kill. */
  begin(): Promise<void>
  /** The owner calls it when the table is changed. */
  made(): Promise<void>
  /** In the demonstration the owner writes the events that the simulator showed to the data folder, so that the lake can be compared with them. */
  close(owner: boolean): Promise<void>
}

/** Throws a `StartupError` that names the file and its mistake. */
export async function openSource(options: Options): Promise<CollectedFrom> {
  const { connectors: path, data, own } = options
  const items = path === undefined ? [] : await readConnectorsFile(path)
  const secrets = options.secrets === undefined ? new Map<string, string>() : await readSecretsFile(options.secrets)
  if (path === undefined && !own && (isDemonstration(data) || !isUsed(data))) return openDemonstration(options, secrets)
  if (isDemonstration(data)) {
    throw new StartupError(
      `${data} holds the demonstration, whose events are made up. Give your own connectors another folder with --data, or start without ${path === undefined ? '--own' : '--connectors'} and create them on the page beside those of the demonstration.`,
    )
  }
  if (path === undefined) return ofTable(options, secrets)
  return ofFile(options, path, items, secrets)
}

/** The connectors that people made on the page or with the command. */
function ofTable({ data, allowHosts, once }: Options, secrets: ReadonlyMap<string, string>): CollectedFrom {
  return {
    changes: () => ({ put: [], retired: [], left: [] }),
    nextStep: (stored) =>
      stored.length > 0
        ? undefined
        : `Create the first connector ${once ? '' : 'on the page, or '}with "npx --no tributary create TENANT.NAME${dataOption(data)}" in a second terminal.`,
    refused: [],
    secrets,
    allowedHosts: allowHosts,
    title: `the connectors of ${data}`,
    begin: async () => {},
    made: async () => {},
    close: async () => {},
  }
}

function ofFile(
  options: Options,
  path: string,
  all: Awaited<ReturnType<typeof readConnectorsFile>>,
  secrets: ReadonlyMap<string, string>,
): CollectedFrom {
  const items = all.filter(({ connectorId }) => idProblem(connectorId) === undefined)
  return {
    changes(stored) {
      const changes = changesByFile(items, stored)
      refuseEmptyFile(options, path, items, changes)
      return changes
    },
    nextStep(stored) {
      const { left } = changesByFile(items, stored)
      if (left.length === 0) return undefined
      return `Not in the file, and collected as before: ${left.join(', ')}. Delete one with "npx --no tributary delete ID${dataOption(options.data)}".`
    },
    refused: all.flatMap(({ connectorId }, i) => refusedItem(connectorId, i + 1)),
    secrets,
    allowedHosts: options.allowHosts,
    title: `${items.length} ${items.length === 1 ? 'connector' : 'connectors'} of ${path}`,
    begin: async () => {},
    made: async () => {},
    close: async () => {},
  }
}

/** A file that was emptied by mistake would retire everything. */
function refuseEmptyFile({ data, allowEmpty }: Options, path: string, items: readonly ConnectorItem[], { retired }: ChangesAtStart): void {
  if (items.length > 0 || retired.length === 0 || allowEmpty) return
  throw new StartupError(
    `${path} has no connector, and ${data} has some (${retired.join(', ')}). Nothing was changed. Correct the file, or retire all of them with --allow-empty.`,
  )
}

function refusedItem(connectorId: string, position: number): readonly RefusedItem[] {
  const problem = idProblem(connectorId)
  if (problem === undefined) return []
  return [{ place: `item ${position}`, reason: `The item was not accepted. ${problem.path}: ${problem.message}` }]
}

/** Whether the demonstration has collected into this folder. */
function isDemonstration(dataDir: string): boolean {
  return existsSync(join(dataDir, portFile))
}

/** Whether anything has collected into this folder. */
function isUsed(dataDir: string): boolean {
  return existsSync(join(dataDir, 'state'))
}

const portFile = 'simulator-port'
/** It is there when the connectors of the demonstration are in the table. */
const madeFile = 'demonstration'

/**
 * The simulator keeps its port from one start to the next when the port is free, so that the base URLs of the
 * connectors stay the same. Its events are a function of time, so they do too; a kill loses only the account of what it showed.
 */
async function openDemonstration({ data: dataDir, allowHosts }: Options, ownSecrets: ReadonlyMap<string, string>): Promise<CollectedFrom> {
  const portPath = join(dataDir, portFile)
  const lastPort = Number(await readFile(portPath, 'utf8').catch(() => '0'))
  const simulator = await startSimulator(demonstrationSimulatorOptions(), { port: lastPort }).catch(() =>
    startSimulator(demonstrationSimulatorOptions()),
  )
  const { host, port } = new URL(simulator.url)
  const isNew = !existsSync(join(dataDir, madeFile))
  const formerUrl = lastPort > 0 ? simulator.url.replace(`:${port}`, `:${lastPort}`) : undefined
  const items = demonstrationConnectors(simulator.url)
  const ids = new Set(items.map(({ connectorId }) => connectorId))
  const hint = `To try a connector of your own, for a new tenant, without an account of the vendor: the simulator is at ${simulator.url} and takes the API key ${trialKey}.`
  return {
    nextStep: (stored) => (stored.every(({ connectorId }) => ids.has(connectorId)) ? hint : undefined),
    changes: (stored) => changesByDemonstration(items, stored, { isNew, url: simulator.url, formerUrl }),
    refused: [],
    secrets: new Map([...ownSecrets, ...Object.entries(demonstrationSecrets())]),
    allowedHosts: [host, ...allowHosts],
    simulatorHost: host,
    title: `the demonstration: three connectors of two tenants, against a simulator of the vendor at ${simulator.url}`,
    hint,
    begin: () => writeAtomically(portPath, port),
    made: () => writeAtomically(join(dataDir, madeFile), ''),
    async close(owner) {
      await simulator.close()
      if (!owner) return
      const shown = [...simulator.model.account.shown.values()]
      // On a full disk the program has said so already.
      await writeAtomically(join(dataDir, 'simulator-account.ndjson'), shown.map((event) => `${JSON.stringify(event)}\n`).join('')).catch(
        () => undefined,
      )
    },
  }
}
