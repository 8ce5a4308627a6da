import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient, type PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { type SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { marshall } from '@aws-sdk/util-dynamodb'
import type { Context, DynamoDBBatchResponse, DynamoDBRecord } from 'aws-lambda'
import { afterAll, expect, test, vi } from 'vitest'
import { stateTable } from '../../functions/adapters/state-table/state-table.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { MemoryBus } from '../../simulation/fakes/bus.ts'
import { MemoryDynamoDb } from '../../simulation/fakes/dynamodb.ts'
import { connectorItem } from '../../simulation/world.ts'

afterAll(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

/** The shipped handler over a table in memory whose writes of one connector fail, with what it logs, sends and puts on the bus. */
async function deployed(failingId: string) {
  const environment = {
    AWS_REGION: 'us-east-1',
    STATE_TABLE: 'state',
    EVENT_BUS: 'bus',
    QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/work',
    SECRET_PREFIX: 'tributary/',
  }
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  const dynamodb = new MemoryDynamoDb()
  const bus = new MemoryBus()
  const queued: unknown[] = []
  const lines: string[] = []
  vi.spyOn(DynamoDBClient.prototype, 'send').mockImplementation(async (command: unknown) => {
    const isWrite = command instanceof PutItemCommand || command instanceof UpdateItemCommand
    if (isWrite && JSON.stringify(command.input).includes(`CONNECTOR#${failingId}"`)) throw new Error('The table is throttled')
    return dynamodb.send(command as Parameters<MemoryDynamoDb['send']>[0])
  })
  vi.spyOn(EventBridgeClient.prototype, 'send').mockImplementation((command: unknown) => bus.send(command as PutEventsCommand))
  vi.spyOn(SQSClient.prototype, 'send').mockImplementation(async (command: unknown) => {
    queued.push(JSON.parse((command as SendMessageCommand).input.MessageBody ?? ''))
  })
  vi.spyOn(SecretsManagerClient.prototype, 'send').mockImplementation(async () => ({ SecretString: 'a-key', CreatedDate: new Date() }))
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0)
  const { handler } = await import('../../functions/connector-changed.ts')
  const state = stateTable({ client: dynamodb.client, table: 'state', now: Date.now })
  return { handler, state, bus, queued, lines }
}

/** A new image, as the stream of the connectors table gives it. */
function record(sequence: string, connectorId: string, differs: ConnectorItem = {}): DynamoDBRecord {
  const item = connectorItem({ connectorId, name: 'name-of-an-item', ...differs })
  const NewImage = marshall(item) as NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>
  return { eventName: 'INSERT', dynamodb: { Keys: { connectorId: { S: connectorId } }, NewImage, SequenceNumber: sequence } }
}

test('one batch with good records, an id and an item that are too long, and a write that fails: only the last of them comes again', async () => {
  const longId = `acme.${'x'.repeat(2_033)}`
  const { handler, state, bus, queued, lines } = await deployed('acme.fails')
  const records = [
    record('1', 'acme.first'),
    record('2', longId),
    record('3', 'acme.large', { name: 'y'.repeat(395 * 1024) }),
    record('4', 'acme.fails'),
    record('5', 'acme.last'),
  ]
  const response: DynamoDBBatchResponse = await handler({ Records: records }, {} as Context)

  expect(response).toEqual({ batchItemFailures: [{ itemIdentifier: '4' }] })
  for (const id of ['acme.first', 'acme.last']) expect((await state.readStatus(id))?.state, id).toBe('starting')
  expect(queued).toEqual([{ connectorId: 'acme.first' }, { connectorId: 'acme.last' }])
  expect((await state.readStatus('acme.large'))?.reason).toMatch(/^The item was not accepted\. item: It has \d{6} bytes\. Give at most/)
  expect(bus.notifications.map(({ detail }) => [detail.attention, 'connectorId' in detail && detail.connectorId])).toEqual([
    ['problem', 'acme.large'],
  ])

  const told = lines.map((line) => JSON.parse(line)).map(({ level, event, connectorId }) => [level, event, connectorId])
  expect(told).toEqual([
    ['info', 'connector-accepted', 'acme.first'],
    ['warn', 'connector-refused', undefined],
    ['warn', 'connector-refused', 'acme.large'],
    ['error', 'record-failed', undefined],
    ['info', 'connector-accepted', 'acme.last'],
  ])
  for (const line of lines) {
    expect(line).not.toMatch(/x{60}|y{60}|name-of-an-item/)
    expect(line.length).toBeLessThan(4_000)
  }
})
