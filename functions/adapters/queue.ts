import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Queue } from '../domain/ports.ts'

/**
 * The work queue on SQS. A message is `{"connectorId": "…"}`. Its group is the connector: a standard queue serves the groups fairly, so a
 * connector with many messages does not delay the others. Throws the errors of the SDK.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export function sqsQueue({ client, queueUrl }: { readonly client: SQSClient; readonly queueUrl: string }): Queue {
  return {
    async send(connectorId, delaySeconds) {
      const MessageBody = JSON.stringify({ connectorId })
      await client.send(
        new SendMessageCommand({ QueueUrl: queueUrl, MessageBody, DelaySeconds: delaySeconds, MessageGroupId: connectorId }),
      )
    },
  }
}
