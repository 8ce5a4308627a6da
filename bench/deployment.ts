import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { systemClock } from '../functions/adapters/clock.ts'
import { stateTable } from '../functions/adapters/state-table.ts'
import type { State } from '../functions/domain/ports.ts'
import type { ConnectorItem } from '../functions/flows/accept-connector.ts'
import { startRule } from '../local/services/rule.ts'
import { connectorsTableName, startServices, stateTableName } from '../local/services/services.ts'
import { startTableStream } from '../local/services/table-stream.ts'

const secretName = 'tributary/bench'
export const apiKey = 'bench-key-0123456789abcdef0123456789abcdef'

/** The AWS of a bench, in this process, with the functions that are not measured; the data folder is gone when it is closed. */
export interface Deployment {
  readonly environment: Readonly<Record<string, string>>
  readonly state: State
  put(item: ConnectorItem): Promise<void>
  close(): Promise<void>
}

export async function startDeployment(vendorUrl: string, { tickMs }: { readonly tickMs: number }): Promise<Deployment> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tributary-bench-'))
  const services = await startServices({
    dataDir,
    secrets: new Map([[secretName, apiKey]]),
    environment: { SECRET_PREFIX: 'tributary/', ALLOWED_HOSTS: new URL(vendorUrl).host },
  })
  Object.assign(process.env, services.environment)
  const { handler: connectorChanged } = await import('../functions/connector-changed.ts')
  const { handler: dispatch } = await import('../functions/dispatch.ts')
  const triggers = [startTableStream({ handler: connectorChanged }), startRule({ handler: dispatch, everyMs: tickMs })]
  const client = new DynamoDBClient({ ...services.clientConfig, endpoint: services.addresses.dynamodb })
  return {
    environment: services.environment,
    state: stateTable({ client, table: stateTableName, now: systemClock.now }),
    async put(item) {
      const whole = {
        type: 'trendmicro-cas',
        name: String(item['connectorId']),
        tenantName: 'bench',
        baseUrl: vendorUrl,
        apiKeySecrets: [secretName],
        ...item,
      }
      await client.send(new PutItemCommand({ TableName: connectorsTableName, Item: marshall(whole) }))
    },
    async close() {
      await Promise.all(triggers.map((trigger) => trigger.stop()))
      await services.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
