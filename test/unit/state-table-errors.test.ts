import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  ProvisionedThroughputExceededException,
  PutItemCommand,
  QueryCommand,
  ThrottlingException,
} from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type StateTable, stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { stateTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'
import type { AcceptedConnector } from '../../functions/domain/ports.ts'
import { NewerSchema, StateUnavailable } from '../../functions/domain/state-errors.ts'
import { newStatus } from '../../functions/domain/status/status.ts'
import { newStream } from '../../functions/domain/stream/ledger.ts'
import { newBucket } from '../../functions/domain/token-bucket.ts'
import { connector } from '../../simulation/fakes/connector.ts'
import { dynamoClient, type LocalDynamo, startDynalite } from '../dynalite.ts'

const now = Date.UTC(2026, 10, 24, 12)
const table = 'state'
const $metadata = {}
const stream = {
  ...newStream(now, now),
  version: 2,
  range: { kind: 'tail', from: 1, to: 2, page: 1, items: 1, nextLink: 'content-of-the-item' },
} as const

describe('an error of DynamoDB', () => {
  const client = new DynamoDBClient({ region: 'us-east-1' })
  const dynamodb = mockClient(client)
  const state = stateTable({ client, table, now: () => now })

  beforeEach(() => {
    dynamodb.reset()
  })

  const errors: [string, Error][] = [
    ['throttling', new ThrottlingException({ $metadata, message: 'slow down' })],
    ['exceeded throughput', new ProvisionedThroughputExceededException({ $metadata, message: 'too much' })],
    ['a broken connection', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })],
    ['a refused permission', Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' })],
  ]

  const calls: [string, (state: StateTable) => Promise<unknown>][] = [
    ['a read', (state) => state.readStatus('a')],
    ['a query', (state) => state.readRun('a')],
    ['a listing', async (state) => list(state.dueBefore(now))],
    ['a conditional write', (state) => state.writeStream('a', 'x', stream)],
    ['an update', (state) => state.claimDue('a', now, now + 1)],
    ['a removal', (state) => state.removeDue('a')],
  ]

  describe.each(errors)('such as %s', (_, cause) => {
    it.each(calls)('makes %s throw StateUnavailable, with its cause', async (_, call) => {
      dynamodb.rejects(cause)
      const error = await call(state).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(StateUnavailable)
      expect((error as Error).cause).toBe(cause)
    })
  })

  it('is reported with the operation, the item and what to do, and without the content of the item', async () => {
    dynamodb.rejects(new ThrottlingException({ $metadata, message: 'slow down' }))
    await expect(state.writeStream('a', 'x', stream)).rejects.toThrow(
      /^The state table failed on PutItem of CONNECTOR#a STREAM#x \(ThrottlingException\)\. The next run tries again; .* check the table's throttling/,
    )
    await expect(state.writeStream('a', 'x', stream)).rejects.not.toThrow('content-of-the-item')
  })

  it('is not tried again by the adapter', async () => {
    dynamodb.rejects(new ThrottlingException({ $metadata, message: 'slow down' }))
    await state.writeTokens('k', { ...newBucket({ limit: 20 }), version: 1 }).catch(() => {})
    expect(dynamodb.calls()).toHaveLength(1)
  })
})

describe('a write whose condition fails', () => {
  const client = new DynamoDBClient({ region: 'us-east-1' })
  const dynamodb = mockClient(client)
  const state = stateTable({ client, table, now: () => now })
  const refusal = (item?: Record<string, unknown>) =>
    new ConditionalCheckFailedException({ $metadata, message: 'The conditional request failed', ...(item && { Item: marshall(item) }) })
  const stored = { pk: 'CONNECTOR#a', sk: 'STREAM#x', schemaVersion: 1, writeId: 'of somebody else' }

  beforeEach(() => {
    dynamodb.reset()
  })

  it('returns false without another read if the response has the item', async () => {
    dynamodb.on(PutItemCommand).rejects(refusal(stored))
    expect(await state.writeStream('a', 'x', stream)).toBe(false)
    expect(dynamodb.commandCalls(GetItemCommand)).toHaveLength(0)
  })

  it('returns false after another read if the response has no item', async () => {
    dynamodb.on(PutItemCommand).rejects(refusal())
    dynamodb.on(GetItemCommand).resolves({ Item: marshall(stored) })
    expect(await state.writeStream('a', 'x', stream)).toBe(false)
    expect(dynamodb.commandCalls(GetItemCommand)[0]?.args[0].input).toMatchObject({ ConsistentRead: true })
  })

  it('returns false if there is no item', async () => {
    dynamodb.on(PutItemCommand).rejects(refusal())
    dynamodb.on(GetItemCommand).resolves({})
    expect(await state.writeStream('a', 'x', stream)).toBe(false)
  })

  it('returns true if the stored item is this very write', async () => {
    let mine = {}
    dynamodb.on(PutItemCommand).callsFake((input) => {
      mine = input.Item
      throw refusal()
    })
    dynamodb.on(GetItemCommand).callsFake(() => ({ Item: mine }))
    expect(await state.writeStream('a', 'x', stream)).toBe(true)
  })

  it('throws if the item is of a newer release', async () => {
    dynamodb.on(PutItemCommand).rejects(refusal({ ...stored, schemaVersion: 7 }))
    await expect(state.writeStream('a', 'x', stream)).rejects.toThrow(NewerSchema)
  })

  it('throws if the item cannot be read again', async () => {
    dynamodb.on(PutItemCommand).rejects(refusal())
    dynamodb.on(GetItemCommand).rejects(new ThrottlingException({ $metadata, message: 'slow down' }))
    await expect(state.writeStream('a', 'x', stream)).rejects.toThrow(StateUnavailable)
  })
})

describe('an item that no release writes', () => {
  const client = new DynamoDBClient({ region: 'us-east-1' })
  const dynamodb = mockClient(client)
  const state = stateTable({ client, table, now: () => now })
  const about = { pk: 'KEY#k', sk: 'TOKENS', schemaVersion: 1 }

  beforeEach(() => {
    dynamodb.reset()
  })

  const { learnedLimit: n, ...bucket } = newBucket({ limit: 20 })
  const storedBucket = { ...bucket, n }

  it('is reported with the wrong attribute, and without its content', async () => {
    dynamodb.on(GetItemCommand).resolves({ Item: marshall({ ...about, ...storedBucket, n: 'content-of-the-item', tokens: '' }) })
    const error = await state.readTokens('k').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StateUnavailable)
    expect((error as Error).message).toMatch(/^The state item KEY#k TOKENS is not what a release writes \(n: .*expected number/)
    expect((error as Error).message).not.toContain('content-of-the-item')
  })

  it.each(['', 'no JSON', '[]', '{"at":[1]}'])('is refused if its tokens are %j', async (tokens) => {
    dynamodb.on(GetItemCommand).resolves({ Item: marshall({ ...about, ...storedBucket, tokens }) })
    await expect(state.readTokens('k')).rejects.toThrow(/^The tokens of the state item KEY#k cannot be read\. Delete the item/)
  })

  it('is refused if its seen ids are cut off', async () => {
    const item = { pk: 'CONNECTOR#a', sk: 'SEEN#x', schemaVersion: 1, stream: 'x', from: 1, to: 9, ids: new Uint8Array(10) }
    dynamodb.on(QueryCommand).resolves({ Items: [marshall(item)] })
    await expect(state.readSeen('a', 'x', { from: 1, to: 2 }, [2], () => {})).rejects.toThrow(StateUnavailable)
  })
})

describe('a write whose response is lost', () => {
  let dynamo: LocalDynamo
  let proxy: Server
  let client: DynamoDBClient
  let state: StateTable
  /** Responses to writes that the proxy still has to lose (count). */
  let toLose = 0
  let lost = 0

  beforeAll(async () => {
    dynamo = await startDynalite()
    await dynamo.create(stateTableDefinition(table))
    proxy = createServer(async (request, response) => {
      const body = Buffer.concat(await list<Buffer>(request))
      const { host: _, ...headers } = request.headers as Record<string, string>
      const stored = await fetch(dynamo.endpoint, { method: 'POST', headers: fetchable(headers), body })
      const bytes = Buffer.from(await stored.arrayBuffer())
      const isWrite = /(Put|Update|Delete)Item$/.test(headers['x-amz-target'] ?? '')
      if (isWrite && toLose > 0) {
        toLose -= 1
        lost += 1
        request.socket.destroy()
        return
      }
      response.writeHead(stored.status, { 'content-type': 'application/x-amz-json-1.0' }).end(bytes)
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    client = dynamoClient(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    state = stateTable({ client, table, now: () => now })
  })
  afterAll(async () => {
    client.destroy()
    proxy.closeAllConnections()
    proxy.close()
    await dynamo.close()
  })

  const writes: [string, (id: string) => Promise<boolean>][] = [
    ['a first acceptance', (id) => state.writeAccepted(accepted(id), undefined)],
    ['a checkpoint', (id) => state.writeStream(id, 'x', { ...stream, version: 1 })],
    ['tokens taken', (id) => state.writeTokens(id, { ...newBucket({ limit: 20 }), version: 1 })],
    ['a due time set', (id) => state.setDue(id, undefined, now)],
  ]

  it.each(writes)('is recognised as done: %s', async (name, write) => {
    lost = 0
    toLose = 1
    expect(await write(name)).toBe(true)
    expect(lost).toBe(1)
    expect(await write(name)).toBe(false)
  })

  it('is recognised as done for one of two equal claims only', async () => {
    await state.makeDue('a', now, now)
    toLose = 1
    expect(await state.claimDue('a', now, now + 1)).toBe(true)
    expect(await state.claimDue('a', now, now + 1)).toBe(false)
  })

  it('counts as one update of a status', async () => {
    await state.updateStatus('a', () => newStatus(now))
    toLose = 1
    await state.updateStatus('a', (before) => ({ ...before!, readSteps: before!.readSteps + 1 }))
    expect((await state.readStatus('a'))?.readSteps).toBe(1)
  })

  it('throws if every response is lost', async () => {
    toLose = Number.POSITIVE_INFINITY
    await expect(state.writeStream('b', 'x', { ...stream, version: 1 })).rejects.toThrow(StateUnavailable)
    toLose = 0
  })
})

async function list<T>(items: AsyncIterable<T>): Promise<T[]> {
  const listed: T[] = []
  for await (const item of items) listed.push(item)
  return listed
}

/** The headers without those that `fetch` sets by itself. */
function fetchable(headers: Record<string, string>): Record<string, string> {
  const own = new Set(['connection', 'content-length', 'transfer-encoding', 'expect'])
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !own.has(name)))
}

function accepted(connectorId: string): AcceptedConnector {
  return {
    connector: connector({ connectorId }),
    itemDigest: 'digest',
    acceptedAt: now,
    streamsSince: {},
  }
}
