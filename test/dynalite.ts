import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { CreateTableCommand, type CreateTableCommandInput, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'

export interface LocalDynamo {
  readonly endpoint: string
  readonly client: DynamoDBClient
  create(table: CreateTableCommandInput): Promise<void>
  close(): Promise<void>
}

/** Starts a DynamoDB in memory in this process, reached over HTTP. */
export async function startDynalite(): Promise<LocalDynamo> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = dynamoClient(endpoint)
  return {
    endpoint,
    client,
    create: (table) => createTable(client, table),
    async close() {
      client.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

export async function createTable(client: DynamoDBClient, table: CreateTableCommandInput): Promise<void> {
  await client.send(new CreateTableCommand(table))
  const describe = new DescribeTableCommand({ TableName: table.TableName })
  while ((await client.send(describe)).Table?.TableStatus !== 'ACTIVE');
}

export function dynamoClient(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({ region: 'us-east-1', endpoint, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } })
}
