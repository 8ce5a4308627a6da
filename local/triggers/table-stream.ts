import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import {
  type AttributeValue,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
  type ScanCommandOutput,
} from '@aws-sdk/client-dynamodb'
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent, StreamRecord } from 'aws-lambda'
import { connectorsTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'
import { awsClient } from '../../functions/runtime/aws-client.ts'
import { account, environmentVariable, invoke, region, reportToStderr, type Trigger, type TriggerOptions } from './invocation.ts'
import { repeat } from './repeat.ts'

/** The stack has the same. */
const batchRecordsMax = 100
const triesMax = 10

const pollMsDefault = 1_000

type Item = Readonly<Record<string, AttributeValue>>
type ChangeName = 'INSERT' | 'MODIFY' | 'REMOVE'

interface Change {
  readonly key: string
  readonly item: Item | undefined
  readonly record: DynamoDBRecord
}

export interface TableStreamOptions extends TriggerOptions<DynamoDBStreamEvent> {
  readonly client?: DynamoDBClient
  readonly table?: string
  readonly pollMs?: number
  readonly now?: () => number
}

/**
 * Starts the stream of the connectors table and its trigger: `reader.poll()` every `pollMs`. Resolves after the first poll: then every item
 * of the table is accepted or refused, but for one whose acceptance failed and is tried again.
 */
export async function startTableStream(options: TableStreamOptions): Promise<Trigger> {
  const { pollMs = pollMsDefault, onError = reportToStderr } = options
  const reader = tableStreamReader(options)
  const poll = () => reader.poll().catch((thrown) => onError('The connectors table does not respond', thrown))
  await poll()
  return repeat(poll, () => pollMs)
}

/** Defines the table of the keys that the function has received, so that an item deleted while no process runs is still reported. */
export function streamTableDefinition(table: string): CreateTableCommandInput {
  return connectorsTableDefinition(`${table}-stream`)
}

/**
 * Replaces the stream that the local DynamoDB does not have. Each poll compares the table with its last content and passes the
 * differences to the function, as a stream of new images does. The first poll passes every item, as a stream read from its beginning.
 * A batch that fails is split in halves, so that a bad record delays only itself. The bad record is tried again with the next polls, 10
 * times at most. Two changes of an item between two polls are passed as one.
 */
export function tableStreamReader(options: TableStreamOptions) {
  const { client = new DynamoDBClient(awsClient), table = environmentVariable('CONNECTORS_TABLE') } = options
  const { now = Date.now, onError = reportToStderr } = options
  const keysTable = streamTableDefinition(table).TableName
  const known = new Map<string, Item>()
  let keys: Set<string> | undefined
  const tries = new Map<string, number>()
  let sequence = 0

  async function deliver(changes: readonly Change[]): Promise<void> {
    let failed = new Set<string>()
    try {
      failed = failedRecords(await invoke(options, 'connector-changed', { Records: changes.map(({ record }) => record) }))
    } catch (thrown) {
      const [first] = changes
      if (first === undefined) return
      if (changes.length === 1) return fail(first, thrown)
      const half = Math.ceil(changes.length / 2)
      await deliver(changes.slice(0, half))
      await deliver(changes.slice(half))
      return
    }
    for (const change of changes) {
      if (failed.has(change.record.dynamodb?.SequenceNumber ?? ''))
        await fail(change, new Error('The function reported its record as failed'))
      else await markDone(change)
    }
  }

  async function fail(change: Change, thrown: unknown): Promise<void> {
    const failures = (tries.get(change.key) ?? 0) + 1
    tries.set(change.key, failures)
    if (failures < triesMax) return
    onError(`The change of connector ${change.key} failed ${triesMax} times and is given up`, thrown)
    await markDone(change)
  }

  async function markDone({ key, item }: Change): Promise<void> {
    const connectorId = { S: key }
    tries.delete(key)
    if (item === undefined) {
      await client.send(new DeleteItemCommand({ TableName: keysTable, Key: { connectorId } }))
      known.delete(key)
      keys?.delete(key)
      return
    }
    if (!keys?.has(key)) await client.send(new PutItemCommand({ TableName: keysTable, Item: { connectorId } }))
    known.set(key, item)
    keys?.add(key)
  }

  function change(key: string, name: ChangeName, item: Item | undefined): Change {
    sequence += 1
    return { key, item, record: recordOf({ table, name, key, item, sequence, at: now() }) }
  }

  return {
    async poll(): Promise<void> {
      keys ??= new Set((await scan(client, keysTable)).keys())
      const items = await scan(client, table)
      const changes: Change[] = []
      for (const [key, item] of items) {
        const old = known.get(key)
        if (!isDeepStrictEqual(old, item)) changes.push(change(key, old === undefined ? 'INSERT' : 'MODIFY', item))
      }
      for (const key of keys) if (!items.has(key)) changes.push(change(key, 'REMOVE', undefined))
      for (let from = 0; from < changes.length; from += batchRecordsMax) await deliver(changes.slice(from, from + batchRecordsMax))
    },
  }
}

/** The sequence numbers of the records that the function could not handle. Lambda would give it those again, and all that follow the first. */
function failedRecords(response: unknown): Set<string> {
  const { batchItemFailures = [] } = (response ?? {}) as Partial<DynamoDBBatchResponse>
  return new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
}

async function scan(client: DynamoDBClient, table: string | undefined): Promise<Map<string, Item>> {
  const items = new Map<string, Item>()
  let start: ScanCommandOutput['LastEvaluatedKey']
  do {
    const page = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true, ExclusiveStartKey: start }))
    for (const item of page.Items ?? []) items.set(item['connectorId']?.S ?? '', item)
    start = page.LastEvaluatedKey
  } while (start !== undefined)
  return items
}

function recordOf(change: {
  readonly table: string
  readonly name: ChangeName
  readonly key: string
  readonly item: Item | undefined
  readonly sequence: number
  readonly at: number
}): DynamoDBRecord {
  const { table, name, key, item, sequence, at } = change
  return {
    eventID: randomUUID(),
    eventName: name,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(at / 1_000),
      Keys: { connectorId: { S: key } },
      ...(item !== undefined && { NewImage: streamImage(item) }),
      SequenceNumber: String(sequence).padStart(21, '0'),
      SizeBytes: JSON.stringify(item ?? key).length,
      StreamViewType: 'NEW_IMAGE',
    },
    eventSourceARN: `arn:aws:dynamodb:${region}:${account}:table/${table}/stream/local`,
  }
}

/** The event of a stream is JSON, so binary values become base64. */
function streamImage(item: Item): NonNullable<StreamRecord['NewImage']> {
  return JSON.parse(
    JSON.stringify(item, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value)),
  )
}
