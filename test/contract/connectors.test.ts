import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { describe, expect, it } from 'vitest'
import { connectorsTable } from '../../functions/adapters/connectors-table.ts'
import type { Connectors } from '../../functions/domain/ports.ts'
import { connectorsTableName } from '../../local/services/services.ts'
import { MemoryConnectors } from '../../simulation/fakes/connectors.ts'
import { localServices } from '../local-services.ts'

type TypedItem = NonNullable<ConstructorParameters<typeof PutItemCommand>[0]['Item']>

interface Open {
  readonly connectors: Connectors
  put(typed: TypedItem, plain: Record<string, unknown>): Promise<void>
}

async function openMemory(): Promise<Open> {
  const connectors = new MemoryConnectors()
  return { connectors, put: async (_, plain) => connectors.put(plain) }
}

async function openDynamoDb(): Promise<Open> {
  const { addresses, clientConfig } = await localServices()
  const client = new DynamoDBClient({ ...clientConfig, endpoint: addresses.dynamodb })
  return {
    connectors: connectorsTable({ client, table: connectorsTableName }),
    put: async (Item) => void (await client.send(new PutItemCommand({ TableName: connectorsTableName, Item }))),
  }
}

async function allOf(connectors: Connectors): Promise<Readonly<Record<string, unknown>>[]> {
  const all: Readonly<Record<string, unknown>>[] = []
  for await (const item of connectors.items()) all.push(item)
  return all
}

describe.each([
  ['in memory', openMemory],
  ['in DynamoDB', openDynamoDb],
])('the connectors table %s', (_, open) => {
  it('is empty at first', async () => {
    const { connectors } = await open()
    expect(await allOf(connectors)).toEqual([])
  })

  it('has each item as plain JSON', async () => {
    const { connectors, put } = await open()
    const plain = {
      connectorId: 'acme',
      enabled: true,
      tlsCaPem: null,
      intervalMinutes: 5,
      contentTypes: ['a', 'b'],
      apiKeySecrets: ['tributary/acme/key'],
      logFilters: [{ name: 'noise', conditions: [{ field: 'action', operator: 'in', values: ['Pass', 3] }] }],
      numbers: [2, 10, 0.5],
      empty: {},
    }
    await put(
      {
        connectorId: { S: 'acme' },
        enabled: { BOOL: true },
        tlsCaPem: { NULL: true },
        intervalMinutes: { N: '5' },
        contentTypes: { SS: ['a', 'b'] },
        apiKeySecrets: { L: [{ S: 'tributary/acme/key' }] },
        logFilters: {
          L: [
            {
              M: {
                name: { S: 'noise' },
                conditions: { L: [{ M: { field: { S: 'action' }, operator: { S: 'in' }, values: { L: [{ S: 'Pass' }, { N: '3' }] } } }] },
              },
            },
          ],
        },
        numbers: { L: [{ N: '2' }, { N: '10' }, { N: '0.5' }] },
        empty: { M: {} },
      },
      plain,
    )
    expect(await allOf(connectors)).toEqual([plain])
  })

  it('is read to its end, however large it is', async () => {
    const { connectors, put } = await open()
    const ids = Array.from({ length: 12 }, (_, n) => `connector-${String(n).padStart(2, '0')}`)
    const padding = 'x'.repeat(200_000)
    for (const connectorId of ids) await put({ connectorId: { S: connectorId }, padding: { S: padding } }, { connectorId, padding })
    const found = (await allOf(connectors)).map(({ connectorId }) => connectorId)
    expect(found.sort()).toEqual(ids)
  })
})
