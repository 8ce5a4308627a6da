import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  ScanCommand,
  type ScanCommandOutput,
} from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import * as z from 'zod'
import { connectorsTable } from '../functions/adapters/connectors-table.ts'
import { typed } from '../functions/adapters/state-table/expressions.ts'
import { bucketKey, type Key, subjectOf } from '../functions/adapters/state-table/item-keys.ts'
import { stateTable } from '../functions/adapters/state-table/state-table.ts'
import { tenantOf } from '../functions/domain/connector/tenant.ts'
import type { Clock } from '../functions/domain/ports.ts'
import type { Instant } from '../functions/domain/time.ts'
import { leaveBucket } from '../functions/flows/key-registers.ts'

export interface TablesOptions {
  readonly client: DynamoDBClient
  readonly connectorsTable: string
  readonly stateTable: string
  /** Every name of a secret begins with it. */
  readonly secretPrefix: string
  readonly clock: Clock
}

/** All that the two tables hold of one tenant. */
export interface TenantState {
  /** Ids of the tenant's items in the connectors table. */
  readonly items: readonly string[]
  /** Ids that either table knows. */
  readonly connectorIds: readonly string[]
  /** Items of the state table that are the tenant's alone. */
  readonly keys: readonly Key[]
  /** Names of the tenant's secrets that the state table has bound to an origin. */
  readonly secretNames: readonly string[]
  /** API keys and rate groups that one of the connectors has claimed or uses. */
  readonly buckets: readonly string[]
}

export interface Tables {
  find(tenant: string): Promise<TenantState>
  /** Deletes items of the connectors table, so that the functions retire the connectors. */
  deleteConnectors(ids: readonly string[]): Promise<void>
  /** When the last of these connectors was retired (0: long ago); nothing if one is not retired yet. */
  retiredAt(ids: readonly string[]): Promise<Instant | undefined>
  /** Deletes what the state table holds of the tenant. Other users of a key keep it, with their own limits. */
  deleteState(found: TenantState): Promise<void>
}

/** The two tables of a deployment. Every method throws the errors of the SDK, or `StateUnavailable`. */
export function tables(options: TablesOptions): Tables {
  const { client, clock, secretPrefix } = options
  const state = stateTable({ client, table: options.stateTable, now: clock.now })
  const connectors = connectorsTable({ client, table: options.connectorsTable })
  const deleteItem = async (TableName: string, key: object) =>
    void (await client.send(new DeleteItemCommand({ TableName, Key: typed(key) })))

  /** Leaves a limiter that somebody has begun to use meanwhile. */
  async function deleteTokens(bucket: string, version: number): Promise<void> {
    const condition = {
      ConditionExpression: '#version = :version',
      ExpressionAttributeNames: { '#version': 'version' },
      ExpressionAttributeValues: typed({ ':version': version }),
    }
    const request = { TableName: options.stateTable, Key: typed(bucketKey(bucket)), ...condition }
    await client.send(new DeleteItemCommand(request)).catch((error: unknown) => {
      if (!(error instanceof ConditionalCheckFailedException)) throw error
    })
  }

  return {
    async find(tenant) {
      const items: string[] = []
      for await (const { connectorId, tenantName } of connectors.items()) {
        if (typeof connectorId === 'string' && tenantOf({ connectorId, tenantName: String(tenantName) }) === tenant) items.push(connectorId)
      }
      const ids = new Set(items)
      const secretNames = new Set<string>()
      const othersSecretNames = new Set<string>()
      for await (const item of scan(client, options.stateTable)) {
        const { connectorId, bucket } = subjectOf(item)
        if (connectorId === undefined || bucket !== undefined) continue
        const isOwn = ids.has(connectorId) || tenantOf({ connectorId, tenantName: item.tenantName }) === tenant
        if (isOwn) ids.add(connectorId)
        for (const name of item.secretNames) (isOwn ? secretNames : othersSecretNames).add(name)
      }
      const path = `${secretPrefix}${tenant}/`
      const isOwnSecret = (name: string) => !othersSecretNames.has(name) && (name.startsWith(path) || secretNames.has(name))

      const keys: Key[] = []
      const boundNames: string[] = []
      const buckets = new Set<string>()
      for await (const { pk, sk, claimants } of scan(client, options.stateTable)) {
        const { connectorId, bucket, secretName } = subjectOf({ pk, sk })
        const isOwn = connectorId !== undefined && ids.has(connectorId)
        if (bucket !== undefined && (isOwn || claimants.some((id) => ids.has(id)))) buckets.add(bucket)
        const isBound = secretName !== undefined && isOwnSecret(secretName)
        if (isBound) boundNames.push(secretName)
        if (isOwn || isBound) keys.push({ pk, sk })
      }
      return { items: items.sort(), connectorIds: [...ids].sort(), keys, secretNames: boundNames.sort(), buckets: [...buckets] }
    },

    async deleteConnectors(ids) {
      for (const connectorId of ids) await deleteItem(options.connectorsTable, { connectorId })
    },

    async retiredAt(ids) {
      let last = 0
      for (const id of ids) {
        const [accepted, status] = await Promise.all([state.readAccepted(id), state.readStatus(id)])
        // An item that was never accepted has a status alone.
        if (accepted === undefined && (status === undefined || status.state === 'retired')) continue
        if (accepted?.retiredAt === undefined) return undefined
        last = Math.max(last, accepted.retiredAt)
      }
      return last
    },

    async deleteState({ connectorIds, buckets, keys }) {
      for (const bucket of buckets) {
        for (const id of connectorIds) await leaveBucket({ clock, state }, bucket, id, clock.now())
        const tokens = await state.readTokens(bucket)
        const { claims } = await state.readClaims(bucket)
        const isUsed = claims.length > 0 || (await state.keyUsers(bucket, clock.now())).length > 0
        // The register of the claims expires by itself.
        if (tokens !== undefined && !isUsed) await deleteTokens(bucket, tokens.version)
      }
      for (const key of keys) await deleteItem(options.stateTable, key)
    },
  }
}

/** An item of the state table, as far as it says whose it is. An item of another release may lack any part but its key. */
const scannedItem = z
  .object({
    pk: z.string(),
    sk: z.string(),
    tenantName: z.string().optional().catch(undefined),
    connector: z
      .object({ tenantName: z.string(), apiKeySecrets: z.array(z.object({ secretName: z.string() })) })
      .optional()
      .catch(undefined),
    claims: z.array(z.object({ connectorId: z.string() })).catch([]),
  })
  .transform(({ pk, sk, tenantName, connector, claims }) => ({
    pk,
    sk,
    tenantName: connector?.tenantName ?? tenantName ?? '',
    secretNames: connector?.apiKeySecrets.map(({ secretName }) => secretName) ?? [],
    claimants: claims.map(({ connectorId }) => connectorId),
  }))

/** Every item of the state table. Only what is needed is sent: the seen ids of a large fleet are gigabytes. */
async function* scan(client: DynamoDBClient, table: string): AsyncIterable<z.output<typeof scannedItem>> {
  let start: ScanCommandOutput['LastEvaluatedKey']
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({
        TableName: table,
        ConsistentRead: true,
        ExclusiveStartKey: start,
        ProjectionExpression: 'pk, sk, tenantName, #connector.tenantName, #connector.apiKeySecrets, claims',
        ExpressionAttributeNames: { '#connector': 'connector' },
      }),
    )
    for (const item of page.Items ?? []) yield scannedItem.parse(unmarshall(item))
    start = page.LastEvaluatedKey
  } while (start !== undefined)
}
