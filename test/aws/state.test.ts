import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { stateContract } from '../contract/state-contract.ts'
import { createTable } from './deployment.ts'
import { assemblyDir } from './folders.ts'
import { startDynamoDbLocal } from './services.ts'
import { region, Stack } from './template.ts'

/** The state table of the template, in Amazon's own DynamoDB. */
const table = new Stack(assemblyDir).only('AWS::DynamoDB::Table', 'State')

stateContract('DynamoDB Local', async () => {
  const { address, close } = await startDynamoDbLocal()
  const client = new DynamoDBClient({ region, endpoint: address, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } })
  return {
    client,
    async createStateTable(name) {
      await createTable(client, table, name)
    },
    async close() {
      client.destroy()
      await close()
    },
  }
})
