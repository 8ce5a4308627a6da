import { setTimeout as wait } from 'node:timers/promises'
import { ChangeMessageVisibilityCommand, DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { account, environmentVariable, invoke, region, reportToStderr, type Trigger, type TriggerOptions } from './invocation.ts'

/** As the stack sets it: invocations at the same time. */
const concurrencyMaxDefault = 10
/** SQS allows 20; so a trigger that is stopped has ended within a second. */
const pollSeconds = 1
/** Between tries when the queue does not answer. */
const retryMs = 1_000

/**
 * The event source mapping of the work queue: one message, one invocation. A message whose invocation succeeds is deleted; one
 * whose invocation fails is left, and seen again when its visibility timeout is over.
 */
export function startQueueTrigger(
  options: TriggerOptions<SQSEvent> & { readonly client?: SQSClient; readonly queueUrl?: string; readonly concurrencyMax?: number },
): Trigger {
  const { client = new SQSClient({}), queueUrl = environmentVariable('QUEUE_URL') } = options
  const { concurrencyMax = concurrencyMaxDefault, onError = reportToStderr } = options
  const queueName = queueUrl.split('/').at(-1) ?? ''
  const running = new Set<Promise<void>>()
  let stopping = false

  async function run(): Promise<void> {
    while (!stopping) {
      if (running.size >= concurrencyMax) await Promise.race(running)
      else {
        try {
          for (const message of await receive(concurrencyMax - running.size)) await take(message)
        } catch (thrown) {
          if (!stopping) onError('The queue does not answer', thrown)
          await wait(retryMs)
        }
      }
    }
    await Promise.all(running)
  }

  async function receive(messagesMax: number): Promise<readonly Message[]> {
    const { Messages } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(10, messagesMax),
        WaitTimeSeconds: pollSeconds,
        MessageSystemAttributeNames: ['All'],
      }),
    )
    return Messages ?? []
  }

  async function take(message: Message): Promise<void> {
    const { ReceiptHandle } = message
    // What comes while it stops is another's to handle.
    if (stopping) {
      await client.send(new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: 0 }))
      return
    }
    const invocation = handle(message).finally(() => running.delete(invocation))
    running.add(invocation)
  }

  async function handle(message: Message): Promise<void> {
    try {
      const answer = await invoke(options, 'collect', { Records: [recordOf(message, queueName)] })
      if (isRefused(answer)) return
    } catch {
      return
    }
    try {
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }))
    } catch (thrown) {
      onError('A message that was handled could not be deleted from the queue', thrown)
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

/** A function may also name the messages it could not handle. */
function isRefused(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null || !('batchItemFailures' in answer)) return false
  return (answer as SQSBatchResponse).batchItemFailures.length > 0
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
