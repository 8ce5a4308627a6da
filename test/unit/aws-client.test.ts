import { globSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { awsClient } from '../../functions/runtime/aws-client.ts'

/** A lease lasts so much longer than a request of 30 s, and a delivery comes after it. */
const callMaxMs = 16_000
const triesMax = 3

let requests = 0
let respond: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
const server = createServer((request, response) => {
  requests += 1
  respond(request, response)
})

beforeEach(async () => {
  requests = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})

afterEach(async () => {
  vi.useRealTimers()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  DynamoDB: () => new DynamoDBClient(local()).send(new GetItemCommand({ TableName: 'state', Key: { pk: { S: '1' } } })),
  EventBridge: () => new EventBridgeClient(local()).send(new PutEventsCommand({ Entries: [{ Detail: '{}' }] })),
  Firehose: () =>
    new FirehoseClient(local()).send(new PutRecordBatchCommand({ DeliveryStreamName: 'lake', Records: [{ Data: Buffer.from('1') }] })),
  'Secrets Manager': () => new SecretsManagerClient(local()).send(new GetSecretValueCommand({ SecretId: 'key' })),
  SQS: () => new SQSClient(local()).send(new SendMessageCommand({ QueueUrl: `${address()}/1/work`, MessageBody: '{}' })),
}

function address(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function local() {
  return { ...awsClient, region: 'us-east-1', endpoint: address(), credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }
}

/** The error that the call failed with, and the time until then (ms of the virtual clock). */
async function failureOf(call: Promise<unknown>): Promise<{ readonly name: string; readonly afterMs: number }> {
  const startedAt = Date.now()
  let failure: { readonly name: string; readonly afterMs: number } | undefined
  call.then(
    () => {
      failure = { name: 'no failure', afterMs: Date.now() - startedAt }
    },
    (error: Error) => {
      failure = { name: error.name, afterMs: Date.now() - startedAt }
    },
  )
  while (failure === undefined) {
    const before = requests
    // The request must be at the server before its time passes.
    for (let turns = 0; turns < 5_000 && requests === before && failure === undefined; turns += 1) await turn()
    await vi.advanceTimersByTimeAsync(1_000)
  }
  return failure
}

describe('a client of AWS', () => {
  it.each(Object.entries(calls))('a call of %s that gets no response fails within 16 s, after three tries', async (_, call) => {
    respond = () => undefined
    const { name, afterMs } = await failureOf(call())
    expect(name).toBe('TimeoutError')
    expect(afterMs).toBeLessThanOrEqual(callMaxMs)
    expect(requests).toBe(triesMax)
  })

  it('a response that stops in its middle fails the call too', async () => {
    vi.useRealTimers()
    respond = (_, response) => response.writeHead(200, { 'content-length': '100' }).write('{')
    expect(awsClient.requestHandler.socketTimeout).toBe(awsClient.requestHandler.requestTimeout)
    const requestHandler = { ...awsClient.requestHandler, socketTimeout: 20 }
    const client = new SecretsManagerClient({ ...local(), maxAttempts: 1, requestHandler })
    await expect(client.send(new GetSecretValueCommand({ SecretId: 'key' }))).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('every client of the functions has these limits', () => {
    const made = globSync('functions/**/*.ts').flatMap((file) => readFileSync(file, 'utf8').match(/new \w+Client\([^)]*\)/g) ?? [])
    expect(made.length).toBeGreaterThan(5)
    expect(made.filter((client) => !client.endsWith('(awsClient)'))).toEqual([])
  })
})
