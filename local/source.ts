import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { idProblem } from '../functions/domain/connector/connector-schema.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import { demonstrationConnectors, demonstrationSecrets, demonstrationSimulatorOptions } from './demonstration.ts'
import { readConnectorsFile, readSecretsFile } from './input-files.ts'
import type { Options } from './options.ts'
import { writeAtomically } from './services/files.ts'
import { startSimulator } from './simulator/server.ts'

/** An item that no function is given: it has an id that no connector can have, so it would have no status. */
interface RefusedItem {
  /** In the file: `item 2`. */
  readonly place: string
  readonly reason: string
}

/** The connectors to collect and their secrets: your own with the real vendor, or the demonstration's with the simulator. */
export interface CollectedFrom {
  readonly items: readonly ConnectorItem[]
  readonly refused: readonly RefusedItem[]
  readonly secrets: ReadonlyMap<string, string>
  readonly allowedHosts: readonly string[]
  /** The host of the simulator: no proxy reaches it. */
  readonly simulatorHost?: string
  readonly title: string
  /** The owner of the data folder calls it before it collects: in the demonstration the next start finds the simulator's port, even after a kill. */
  keep(): Promise<void>
  /** In the demonstration the owner writes the events that the simulator showed to the data folder, so that the lake can be compared with them. */
  close(owner: boolean): Promise<void>
}

/** Throws a `StartupError` that names the file and its mistake. */
export async function openSource(options: Options): Promise<CollectedFrom> {
  if (options.connectors === undefined || options.secrets === undefined) return openDemonstration(options.data)
  const all = await readConnectorsFile(options.connectors)
  const secrets = await readSecretsFile(options.secrets)
  const items = all.filter(({ connectorId }) => idProblem(connectorId) === undefined)
  return {
    items,
    refused: all.flatMap(({ connectorId }, i) => refusedItem(connectorId, i + 1)),
    secrets,
    allowedHosts: options.allowHosts,
    title: `${items.length} ${items.length === 1 ? 'connector' : 'connectors'} of ${options.connectors}`,
    keep: async () => {},
    close: async () => {},
  }
}

function refusedItem(connectorId: string, position: number): readonly RefusedItem[] {
  const problem = idProblem(connectorId)
  if (problem === undefined) return []
  return [{ place: `item ${position}`, reason: `The item was not accepted. ${problem.path}: ${problem.message}` }]
}

/** Whether the demonstration has collected into this folder. */
export function isDemonstration(dataDir: string): boolean {
  return existsSync(join(dataDir, portFile))
}

const portFile = 'simulator-port'

/**
 * The simulator keeps its port from one start to the next when the port is free, so that the base URLs of the
 * connectors stay the same. Its events are a function of time, so they do too; a kill loses only the account of what it showed.
 */
async function openDemonstration(dataDir: string): Promise<CollectedFrom> {
  const portPath = join(dataDir, portFile)
  const lastPort = Number(await readFile(portPath, 'utf8').catch(() => '0'))
  const simulator = await startSimulator(demonstrationSimulatorOptions(), { port: lastPort }).catch(() =>
    startSimulator(demonstrationSimulatorOptions()),
  )
  const { host, port } = new URL(simulator.url)
  return {
    items: demonstrationConnectors(simulator.url),
    refused: [],
    secrets: new Map(Object.entries(demonstrationSecrets())),
    allowedHosts: [host],
    simulatorHost: host,
    title: `the demonstration: three connectors of two tenants, against a simulator of the vendor at ${simulator.url}`,
    keep: () => writeAtomically(portPath, port),
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
