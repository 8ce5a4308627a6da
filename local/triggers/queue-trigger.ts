import { setTimeout as wait } from 'node:timers/promises'
import { ChangeMessageVisibilityCommand, DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { awsClient } from '../../functions/runtime/aws-client.ts'
import { account, environmentVariable, invoke, region, reportToStderr, type Trigger, type TriggerOptions } from './invocation.ts'

/** The places of one process (invocations at the same time). `dispatch` counts on as many by default (`COLLECT_CONCURRENCY`). */
export const concurrencyMaxDefault = 10
/** SQS gives at most 10 messages with one request. */
const receivedMax = 10
/** SQS allows 20. One second lets a trigger stop within a second. */
const pollSeconds = 1
/** The pause between tries when the queue does not respond. */
const retryMs = 1_000

/**
 * Starts the event source mapping of the work queue: each message is one invocation. A message is deleted when its invocation
 * succeeds. When the invocation fails, the message stays and is received again after its visibility timeout.
 */
export function startQueueTrigger(
  options: TriggerOptions<SQSEvent> & { readonly client?: SQSClient; readonly queueUrl?: string; readonly concurrencyMax?: number },
): Trigger {
  const { client = new SQSClient(awsClient), queueUrl = environmentVariable('QUEUE_URL') } = options
  const { concurrencyMax = concurrencyMaxDefault, onError = reportToStderr } = options
  const queueName = queueUrl.split('/').at(-1) ?? ''
  const running = new Set<Promise<void>>()
  let stopping = false

  async function run(): Promise<void> {
    while (!stopping) {
      if (running.size >= concurrencyMax) await Promise.race(running)
      else {
        try {
          for (const message of await receive(client, queueUrl, concurrencyMax - running.size)) await take(message)
        } catch (thrown) {
          if (!stopping) onError('The queue does not respond', thrown)
          await wait(retryMs)
        }
      }
    }
    await Promise.all(running)
  }

  async function take(message: Message): Promise<void> {
    const { ReceiptHandle } = message
    // A message that arrives during the stop is left for another process.
    if (stopping) {
      await client.send(new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: 0 }))
      return
    }
    const invocation = handle(message).finally(() => running.delete(invocation))
    running.add(invocation)
  }

  async function handle(message: Message): Promise<void> {
    try {
      const response = await invoke(options, 'collect', { Records: [recordOf(message, queueName)] })
      if (hasItemFailures(response)) return
    } catch {
      return
    }
    try {
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }))
    } catch (thrown) {
      onError('A handled message could not be deleted from the queue', thrown)
    }
  }

  const ended = run()
  return {
    stop() {
      stopping = true
      return ended
    },
  }
}

async function receive(client: SQSClient, queueUrl: string, messagesMax: number): Promise<readonly Message[]> {
  const { Messages } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(receivedMax, messagesMax),
      WaitTimeSeconds: pollSeconds,
      MessageSystemAttributeNames: ['All'],
    }),
  )
  return Messages ?? []
}

/** A function can also report the messages that it could not handle in its response. */
function hasItemFailures(response: unknown): boolean {
  if (typeof response !== 'object' || response === null || !('batchItemFailures' in response)) return false
  return (response as SQSBatchResponse).batchItemFailures.length > 0
}

function recordOf(message: Message, queueName: string): SQSRecord {
  const { SenderId = account, SentTimestamp = '0', ApproximateReceiveCount = '1', ...others } = message.Attributes ?? {}
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: {
      SenderId,
      SentTimestamp,
      ApproximateReceiveCount,
      ApproximateFirstReceiveTimestamp: others.ApproximateFirstReceiveTimestamp ?? SentTimestamp,
      ...(others.MessageGroupId !== undefined && { MessageGroupId: others.MessageGroupId }),
    },
    messageAttributes: {},
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:${region}:${account}:${queueName}`,
    awsRegion: region,
  }
}
