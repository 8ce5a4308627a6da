import { setTimeout as wait } from 'node:timers/promises'
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  type _Record as StreamRecord,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams'
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import type { HostedFunction } from './lambda-host.ts'
import { type Resource, region, type Stack } from './template.ts'

/** Lambda's event source mappings, with the settings of the template and the permissions of the function. */

export interface EventSource {
  /** Resolves when the invocations under way have ended. */
  stop(): Promise<void>
}

interface Mapping {
  readonly EventSourceArn: string
  readonly BatchSize?: number
  readonly StartingPosition?: 'TRIM_HORIZON' | 'LATEST'
  readonly MaximumRetryAttempts?: number
  readonly BisectBatchOnFunctionError?: boolean
  readonly DestinationConfig?: { readonly OnFailure?: { readonly Destination: string } }
  readonly ScalingConfig?: { readonly MaximumConcurrency: number }
  readonly FunctionResponseTypes?: readonly string[]
}

/** The time between two polls, and between two tries (ms). Shorter than on AWS, so that the tests are quick. */
const pollMs = 100

interface Options {
  readonly stack: Stack
  readonly mapping: Resource
  readonly target: HostedFunction
  /** The address of AWS. */
  readonly endpoint: string
}

/** An iterator before the oldest record of a stream gets this error, which DynamoDB Local gave for a stream without records as well. */
function unlessTrimmed(error: unknown): undefined {
  if (!(error instanceof TrimmedDataAccessException)) throw error
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html */
export function startStreamSource({ stack, mapping, target, endpoint }: Options): EventSource {
  const settings = mapping.properties as unknown as Mapping
  const { EventSourceArn, BatchSize = 100, StartingPosition = 'LATEST', MaximumRetryAttempts = -1, FunctionResponseTypes = [] } = settings
  const client = new DynamoDBStreamsClient(clientConfig(endpoint, target))
  const sqs = new SQSClient(clientConfig(endpoint, target))
  let stopping = false

  async function run(): Promise<void> {
    const { Streams = [] } = await client.send(new ListStreamsCommand({}))
    if (!Streams.some(({ StreamArn }) => StreamArn === EventSourceArn)) throw new Error(`There is no stream ${EventSourceArn}`)
    const iterators = new Map<string, string | undefined>()
    while (!stopping) {
      const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn: EventSourceArn }))
      for (const { ShardId = '' } of StreamDescription?.Shards ?? []) {
        if (!iterators.has(ShardId)) {
          const wanted = { StreamArn: EventSourceArn, ShardId, ShardIteratorType: StartingPosition }
          iterators.set(ShardId, (await client.send(new GetShardIteratorCommand(wanted))).ShardIterator)
        }
        const ShardIterator = iterators.get(ShardId)
        if (ShardIterator === undefined) continue
        const read = await client.send(new GetRecordsCommand({ ShardIterator, Limit: BatchSize })).catch(unlessTrimmed)
        if (read === undefined) {
          iterators.delete(ShardId)
          continue
        }
        const { Records = [], NextShardIterator } = read
        if (Records.length > 0) await deliver(Records)
        iterators.set(ShardId, NextShardIterator)
      }
      await wait(pollMs)
    }
  }

  /**
   * With a response that names failed records, the batch comes again from the first of them on.
   * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
   */
  async function deliver(records: readonly StreamRecord[]): Promise<void> {
    for (let retries = 0; ; retries += 1) {
      const failures = await target.invoke({ Records: records.map((record) => eventRecord(record, EventSourceArn)) }).then(
        (result) => failuresOf(FunctionResponseTypes.includes('ReportBatchItemFailures') ? result : undefined),
        () => undefined,
      )
      if (failures?.length === 0) return
      if (failures !== undefined) {
        const first = records.findIndex(({ dynamodb }) => failures.includes(dynamodb?.SequenceNumber))
        if (first > 0) return deliver(records.slice(first))
      }
      if (settings.BisectBatchOnFunctionError === true && records.length > 1) {
        const half = Math.ceil(records.length / 2)
        await deliver(records.slice(0, half))
        return deliver(records.slice(half))
      }
      if (MaximumRetryAttempts >= 0 && retries >= MaximumRetryAttempts) return giveUp(records)
      await wait(pollMs)
    }
  }

  async function giveUp(records: readonly StreamRecord[]): Promise<void> {
    const destination = settings.DestinationConfig?.OnFailure?.Destination
    if (destination === undefined) return
    const QueueUrl = stack.byArn('AWS::SQS::Queue', destination).ref
    const MessageBody = JSON.stringify({
      requestContext: { condition: 'RetryAttemptsExhausted', functionArn: target.resource.arn },
      DDBStreamBatchInfo: {
        batchSize: records.length,
        streamArn: EventSourceArn,
        startSequenceNumber: records[0]?.dynamodb?.SequenceNumber,
      },
    })
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))
  }

  return stoppable(run(), () => {
    stopping = true
  })
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
export function startQueueSource(options: Options & { readonly onFailure: (message: Message) => Promise<void> }): EventSource {
  const { stack, mapping, target, endpoint, onFailure } = options
  const { EventSourceArn, BatchSize = 10, ScalingConfig, FunctionResponseTypes = [] } = mapping.properties as unknown as Mapping
  const concurrencyMax = ScalingConfig?.MaximumConcurrency ?? 1_000
  const client = new SQSClient(clientConfig(endpoint, target))
  const QueueUrl = stack.byArn('AWS::SQS::Queue', EventSourceArn).ref
  const running = new Set<Promise<void>>()
  let stopping = false

  async function run(): Promise<void> {
    const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['VisibilityTimeout'] }))
    const timeout = Number(target.resource.properties['Timeout'])
    if (Number(Attributes?.VisibilityTimeout) < timeout)
      throw new Error(`Lambda refuses a queue that shows a message again within ${timeout} s`)
    while (!stopping) {
      if (running.size >= concurrencyMax) await Promise.race(running)
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: Math.min(10, BatchSize), MessageSystemAttributeNames: ['All'] }),
      )
      if (Messages.length === 0) await wait(pollMs)
      else {
        const handling = handle(Messages).finally(() => running.delete(handling))
        running.add(handling)
      }
    }
    await Promise.all(running)
  }

  async function handle(messages: readonly Message[]): Promise<void> {
    const left = await target.invoke({ Records: messages.map((message) => eventMessage(message, EventSourceArn)) }).then(
      (result) => failuresOf(FunctionResponseTypes.includes('ReportBatchItemFailures') ? result : undefined),
      () => messages.map(({ MessageId }) => MessageId),
    )
    const done = messages.filter(({ MessageId }) => !left.includes(MessageId))
    const Entries = done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
    if (Entries.length > 0) await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
    for (const message of messages) if (left.includes(message.MessageId)) await onFailure(message)
  }

  return stoppable(run(), () => {
    stopping = true
  })
}

function stoppable(running: Promise<void>, stop: () => void): EventSource {
  let thrown: unknown
  const ended = running.catch((error: unknown) => {
    thrown = error
    process.stderr.write(`An event source has ended: ${String(error)}\n`)
  })
  return {
    async stop() {
      stop()
      await ended
      if (thrown !== undefined) throw thrown
    },
  }
}

function failuresOf(result: unknown): readonly (string | undefined)[] {
  const { batchItemFailures = [] } = (result ?? {}) as { readonly batchItemFailures?: readonly { readonly itemIdentifier: string }[] }
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
}

/** Lambda polls with the role of the function. */
function clientConfig(endpoint: string, { resource }: HostedFunction) {
  return { region, endpoint, credentials: { accessKeyId: resource.logicalId, secretAccessKey: 'secret' } }
}

function eventRecord({ dynamodb, ...record }: StreamRecord, eventSourceARN: string) {
  const at = dynamodb?.ApproximateCreationDateTime
  return JSON.parse(
    JSON.stringify({
      ...record,
      awsRegion: region,
      eventSourceARN,
      dynamodb: { ...dynamodb, ApproximateCreationDateTime: at === undefined ? undefined : at.getTime() / 1_000 },
    }),
  )
}

function eventMessage({ MessageId, ReceiptHandle, Body, Attributes, MD5OfBody }: Message, eventSourceARN: string) {
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: Attributes,
    messageAttributes: {},
    md5OfBody: MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN,
    awsRegion: region,
  }
}
