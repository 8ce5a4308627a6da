import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { buildApp } from 'fauxqs'
import { loopback, portError } from './listen.ts'

/** The stack has the same, and a claim holds as long. */
const retentionSeconds = 15 * 60

/** Starts SQS with one queue, in memory. A message that was received and not deleted can be received again after `visibilitySeconds`. */
export async function startQueue(options: {
  readonly port: number
  readonly clientConfig: {
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  }
  readonly visibilitySeconds: number
}) {
  const app = buildApp({ logger: false })
  // Its own function startFauxqs would listen on every network interface.
  const address = await app.listen({ port: options.port, host: loopback }).catch((thrown: unknown) => {
    throw portError(thrown, options.port, 'the queue')
  })
  const client = new SQSClient({ ...options.clientConfig, endpoint: address })
  const Attributes = { VisibilityTimeout: String(options.visibilitySeconds), MessageRetentionPeriod: String(retentionSeconds) }
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'tributary-work', Attributes }))
  client.destroy()
  if (QueueUrl === undefined) throw new Error('The queue was created but has no URL')
  return {
    // Its own URL names the host sqs.us-east-1.localhost, which some machines cannot resolve.
    queueUrl: `${address}${new URL(QueueUrl).pathname}`,
    async close(): Promise<void> {
      await app.close()
    },
  }
}
