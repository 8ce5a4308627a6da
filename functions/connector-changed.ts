import { SQSClient } from '@aws-sdk/client-sqs'
import type { DynamoDBStreamEvent } from 'aws-lambda'
import { plainItem } from './adapters/connectors-table.ts'
import { sqsQueue } from './adapters/queue.ts'
import { pipelineTable } from './adapters/state-table/pipeline-table.ts'
import { acceptPolicy, environments, parseEnvironment } from './env.ts'
import { acceptConnector } from './flows/accept-connector.ts'
import { retireConnector } from './flows/retire-connector.ts'
import { awsClient } from './runtime/aws-client.ts'
import { lambda } from './runtime/lambda.ts'
import { eachRecord } from './runtime/stream-batch.ts'
import { wireCore } from './runtime/wiring.ts'

const env = parseEnvironment(environments.connectorChanged, process.env)
const { ports } = wireCore(env, pipelineTable)
const queue = sqsQueue({ client: new SQSClient(awsClient), queueUrl: env.QUEUE_URL })
const policy = acceptPolicy(env)

/** Accepts each written item, and retires each deleted one. The records of one connector come in order. One that throws comes again. */
export const handler = lambda('connector-changed', ports.log, (event: DynamoDBStreamEvent) =>
  eachRecord(event.Records, ports.log, async ({ dynamodb }) => {
    const connectorId = dynamodb?.Keys?.['connectorId']?.S
    if (connectorId === undefined) return
    const item = dynamodb?.NewImage
    if (item === undefined) await retireConnector(ports, connectorId)
    else await acceptConnector({ ...ports, queue }, policy, connectorId, plainItem(item))
  }),
)
