import { SQSClient } from '@aws-sdk/client-sqs'
import type { DynamoDBStreamEvent } from 'aws-lambda'
import { plainItem } from './adapters/connectors-table.ts'
import { sqsQueue } from './adapters/queue.ts'
import { acceptPolicy, environments, parseEnvironment } from './env.ts'
import { acceptConnector, retireConnector } from './flows/accept-connector.ts'
import { lambda } from './runtime/lambda.ts'
import { wireCore } from './runtime/wiring.ts'

const env = parseEnvironment(environments.connectorChanged, process.env)
const { ports } = wireCore(env)
const queue = sqsQueue({ client: new SQSClient({}), queueUrl: env.QUEUE_URL })
const policy = acceptPolicy(env)

/** Records of one connector come in order. What cannot be handled for now throws, and the stream comes again with the same records. */
export const handler = lambda('connector-changed', ports.log, async (event: DynamoDBStreamEvent) => {
  for (const { dynamodb } of event.Records) {
    const connectorId = dynamodb?.Keys?.['connectorId']?.S
    if (connectorId === undefined) continue
    const item = dynamodb?.NewImage
    if (item === undefined) await retireConnector({ ...ports, queue }, connectorId)
    else await acceptConnector({ ...ports, queue }, policy, connectorId, plainItem(item))
  }
})
