import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { systemClock } from '../functions/adapters/clock.ts'
import { type StateTable, stateTable } from '../functions/adapters/state-table/state-table.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import { connectorsTableName, startServices, stateTableName } from '../local/services/services.ts'
import { type BenchProcess, startSimulatorProcess, startTriggersProcess } from './processes.ts'

const secretName = 'tributary/acme/bench'
export const apiKey = 'bench-key-0123456789abcdef0123456789abcdef'

export interface Deployment {
  readonly vendorUrl: string
  /** A process that runs functions needs these variables. */
  readonly environment: Readonly<Record<string, string>>
  readonly state: StateTable
  /** Adds a connector of the simulated vendor. All connectors have the same key. */
  put(connectorId: string, item: ConnectorItem): Promise<void>
  close(): Promise<void>
}

/** The flags of the simulator, or the address of another vendor that runs already. */
type BenchVendor = readonly string[] | { readonly vendorUrl: string }

/** Starts the local AWS services from this process, and the simulator and the functions that are not measured in others. Closing it deletes the lake and the state. */
export async function startDeployment(vendor: BenchVendor, options: { readonly tickMs: number }): Promise<Deployment> {
  const simulator = await startVendor(vendor)
  const dataDir = await mkdtemp(join(tmpdir(), 'tributary-bench-'))
  const services = await startServices({
    dataDir,
    secrets: new Map([[secretName, apiKey]]),
    environment: { SECRET_PREFIX: 'tributary/', ALLOWED_HOSTS: new URL(simulator.url).host },
  })
  const triggers = await startTriggersProcess(services.environment, options.tickMs)
  const client = new DynamoDBClient({ ...services.clientConfig, endpoint: services.addresses.dynamodb })
  return {
    vendorUrl: simulator.url,
    environment: services.environment,
    state: stateTable({ client, table: stateTableName, now: systemClock.now }),
    async put(connectorId, item) {
      const own = { connectorId, name: connectorId, tenantName: 'bench', baseUrl: simulator.url, apiKeySecrets: [secretName] }
      const Item = marshall({ type: 'trendmicro-cas', ...own, ...item })
      await client.send(new PutItemCommand({ TableName: connectorsTableName, Item }))
    },
    async close() {
      await triggers.stop()
      client.destroy()
      await services.close()
      await simulator.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function startVendor(vendor: BenchVendor): Promise<BenchProcess & { readonly url: string }> {
  return 'vendorUrl' in vendor ? { url: vendor.vendorUrl, stop: async () => {} } : startSimulatorProcess(vendor)
}
