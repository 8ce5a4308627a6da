import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConnectorItem } from '../functions/flows/accept-connector.ts'
import { demonstrationConnectors, demonstrationSecrets, demonstrationSimulatorOptions } from './demonstration.ts'
import { readConnectorsFile, readSecretsFile } from './input-files.ts'
import type { Options } from './options.ts'
import { startSimulator } from './simulator/server.ts'

/** What is collected from: connectors of one's own and the real vendor, or the demonstration's and the simulator. */
export interface CollectedFrom {
  readonly items: readonly ConnectorItem[]
  readonly secrets: ReadonlyMap<string, string>
  readonly allowedHosts: readonly string[]
  readonly title: string
  /** The owner puts down in the data folder what the simulator showed, so that the lake can be held against it. */
  close(owner: boolean): Promise<void>
}

/** Throws a `StartupError` that names the file and what is wrong with it. */
export async function openSource(options: Options): Promise<CollectedFrom> {
  if (options.connectors === undefined || options.secrets === undefined) return demonstration(options.data)
  const items = await readConnectorsFile(options.connectors)
  const secrets = await readSecretsFile(options.secrets)
  return {
    items,
    secrets,
    allowedHosts: options.allowHosts,
    title: `${items.length} ${items.length === 1 ? 'connector' : 'connectors'} of ${options.connectors}`,
    close: async () => {},
  }
}

/** The simulator keeps its port from one start to the next where it can, so that its connectors stay as they are. */
async function demonstration(dataDir: string): Promise<CollectedFrom> {
  const portFile = join(dataDir, 'simulator-port')
  const before = Number(await readFile(portFile, 'utf8').catch(() => '0'))
  const simulator = await startSimulator(demonstrationSimulatorOptions(), { port: before }).catch(() =>
    startSimulator(demonstrationSimulatorOptions()),
  )
  const { host, port } = new URL(simulator.url)
  return {
    items: demonstrationConnectors(simulator.url),
    secrets: new Map(Object.entries(demonstrationSecrets())),
    allowedHosts: [host],
    title: `the demonstration: three connectors of two tenants, against a simulator of the vendor at ${simulator.url}`,
    async close(owner) {
      await simulator.close()
      if (!owner) return
      const shown = [...simulator.model.account.shown.values()]
      await writeFile(portFile, port)
      await writeFile(join(dataDir, 'simulator-account.ndjson'), shown.map((event) => `${JSON.stringify(event)}\n`).join(''))
    },
  }
}
