import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Queue } from '../domain/ports.ts'

/**
 * The work queue on SQS. A message is `{"connectorId": "…"}`; its group is the connector, by which a standard queue is fair:
 * one that sends much does not hold up the others. Throws what the SDK throws.
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
