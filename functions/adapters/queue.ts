import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { tenantGroup } from '../domain/dispatch.ts'
import type { Queue } from '../domain/ports.ts'

/**
 * The work queue on SQS. A message is `{"connectorId": "…", "claim": …}`. Its group is the tenant: a standard queue serves the groups fairly,
 * so a tenant with many messages does not delay the others. Throws the errors of the SDK.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export function sqsQueue({ client, queueUrl }: { readonly client: SQSClient; readonly queueUrl: string }): Queue {
  return {
    async send(connectorId, delaySeconds, claim) {
      const MessageBody = JSON.stringify({ connectorId, ...(claim === undefined ? {} : { claim }) })
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody,
          DelaySeconds: delaySeconds,
          MessageGroupId: tenantGroup(connectorId),
        }),
      )
    },
  }
}
