import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { connectorItemsContract } from '../contract/connector-items-contract.ts'
import { stateContract } from '../contract/state-contract.ts'
import { createTable as createOn } from '../dynalite.ts'
import { createTable } from './deployment.ts'
import { assemblyDir } from './folders.ts'
import { startDynamoDbLocal } from './services.ts'
import { region, Stack } from './template.ts'

/** The table of the template, in Amazon's own DynamoDB. */
const table = new Stack(assemblyDir).only('AWS::DynamoDB::Table', 'State')

async function start() {
  const { address, close } = await startDynamoDbLocal()
  const client = new DynamoDBClient({ region, endpoint: address, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } })
  return {
    client,
    async close() {
      client.destroy()
      await close()
    },
  }
}

stateContract('DynamoDB Local', async () => {
  const { client, close } = await start()
  return {
    client,
    async createStateTable(name) {
      await createTable(client, table, name)
    },
    close,
  }
})

connectorItemsContract('DynamoDB Local', async () => {
  const { client, close } = await start()
  return { client, create: (definition) => createOn(client, definition), close }
})
