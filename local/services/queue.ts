import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { buildApp } from 'fauxqs'
import { loopback, portError } from './listen.ts'

/** As the stack sets them: a message that nobody could handle for so long says nothing any more. In memory only: state decides, messages hint. */
const retentionSeconds = 15 * 60

/** SQS with one queue, in memory. A message that was received and not deleted is seen again after `visibilitySeconds`. */
export async function startQueue(options: {
  readonly port: number
  readonly clientConfig: {
    readonly region: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  }
  readonly visibilitySeconds: number
}) {
  const app = buildApp({ logger: false })
  // Not its startFauxqs, which listens on every interface.
  const address = await app.listen({ port: options.port, host: loopback }).catch((thrown: unknown) => {
    throw portError(thrown, options.port, 'the queue')
  })
  const client = new SQSClient({ ...options.clientConfig, endpoint: address })
  const Attributes = { VisibilityTimeout: String(options.visibilitySeconds), MessageRetentionPeriod: String(retentionSeconds) }
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'tributary-work', Attributes }))
  client.destroy()
  if (QueueUrl === undefined) throw new Error('The queue was made but has no URL')
  return {
    // Its own names a host, sqs.us-east-1.localhost, that not every machine can resolve.
    queueUrl: `${address}${new URL(QueueUrl).pathname}`,
    async close(): Promise<void> {
      await app.close()
    },
  }
}
