import { DynamoDBClient, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { expect, test } from 'vitest'
import { type Billed, capacityMeter, sizeOf } from '../../bench/capacity.ts'
import { stateTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'

const TableName = 'state'
const due = (nextDueAt: number) => ({
  pk: { S: 'CONNECTOR#a' },
  sk: { S: 'DUE' },
  dueShard: { N: '1' },
  nextDueAt: { N: String(nextDueAt) },
})

/** Makes a client that needs no table, and the list of its billed calls. */
function metered(respond: (input: object) => object = () => ({})) {
  const client = new DynamoDBClient({ region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })
  const billed: Billed[] = []
  capacityMeter([stateTableDefinition(TableName)])(client, (call) => billed.push(call))
  client.middlewareStack.add(() => async (args) => ({ output: { $metadata: {}, ...respond(args.input) } as never, response: {} }), {
    step: 'initialize',
    priority: 'low',
  })
  return { client, billed }
}

test('the size of an item is that of its names and values in UTF-8, with a byte for two digits, one more for a number, and three for a map', () => {
  expect(sizeOf({ name: { S: 'é' } })).toBe(4 + 2)
  expect(sizeOf({ n: { N: '1760000000000' } })).toBe(1 + 3)
  expect(sizeOf({ n: { N: '-123.45' } })).toBe(1 + 5)
  expect(sizeOf({ m: { M: { a: { BOOL: true } } } })).toBe(1 + 3 + (1 + 1 + 1))
  expect(sizeOf({ l: { L: [{ S: 'ab' }, { NULL: true }] } })).toBe(1 + 3 + (1 + 2) + (1 + 1))
})

test('a write costs a unit for each KB of the item before or after it, whichever is larger', async () => {
  const { client, billed } = metered()
  const item = (bytes: number) => ({ pk: { S: 'p' }, sk: { S: 'SEEN#1' }, ids: { B: new Uint8Array(bytes) } })
  await client.send(new PutItemCommand({ TableName, Item: item(3_000) }))
  await client.send(new PutItemCommand({ TableName, Item: item(10) }))
  await client.send(new PutItemCommand({ TableName, Item: item(10) }))
  expect(billed.map(({ writeUnits }) => writeUnits)).toEqual([3, 3, 1])
})

test('an index costs one write for a new entry, two for a changed key, and none for an unchanged entry', async () => {
  const { client, billed } = metered((input) => ({ Attributes: 'Key' in input ? due(2) : undefined }))
  await client.send(new PutItemCommand({ TableName, Item: due(1) }))
  const Key = { pk: { S: 'CONNECTOR#a' }, sk: { S: 'DUE' } }
  await client.send(new UpdateItemCommand({ TableName, Key }))
  await client.send(new UpdateItemCommand({ TableName, Key }))
  expect(billed.map(({ indexUnits }) => indexUnits['due'])).toEqual([1, 2, 0])
  expect(billed.map(({ writeUnits }) => writeUnits)).toEqual([2, 3, 1])
})

test('a query costs a unit for 4 KB of the items found, half of it when eventually consistent, and the minimum when it finds nothing', async () => {
  const items = Array.from({ length: 5 }, (_, i) => ({ pk: { S: 'p' }, sk: { S: String(i) }, b: { B: new Uint8Array(1_000) } }))
  let found: object[] = items
  const { client, billed } = metered(() => ({ Items: found }))
  await client.send(new QueryCommand({ TableName, ConsistentRead: true }))
  await client.send(new QueryCommand({ TableName }))
  found = []
  await client.send(new QueryCommand({ TableName }))
  expect(billed.map(({ readUnits }) => readUnits)).toEqual([2, 1, 0.5])
})
