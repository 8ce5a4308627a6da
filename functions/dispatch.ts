import { SQSClient } from '@aws-sdk/client-sqs'
import type { ScheduledEvent } from 'aws-lambda'
import { connectorsTable } from './adapters/connectors-table.ts'
import { sqsQueue } from './adapters/queue.ts'
import { pipelineTable } from './adapters/state-table/pipeline-table.ts'
import { acceptPolicy, environments, parseEnvironment } from './env.ts'
import { compareTables } from './flows/compare-tables.ts'
import { dispatchDue } from './flows/dispatch-due.ts'
import { measureFleet } from './flows/measure-fleet.ts'
import { awsClient } from './runtime/aws-client.ts'
import { lambda } from './runtime/lambda.ts'
import { wireCore } from './runtime/wiring.ts'

const env = parseEnvironment(environments.dispatch, process.env)
const { ports, dynamodb } = wireCore(env, pipelineTable)
const queue = sqsQueue({ client: new SQSClient(awsClient), queueUrl: env.QUEUE_URL })
const connectors = connectorsTable({ client: dynamodb, table: env.CONNECTORS_TABLE })
const policy = acceptPolicy(env)

const measureEveryMinutes = 5

/**
 * Handles a tick, once a minute. It dispatches first, so that the other work never delays a run, and compares last, so that a comparison
 * that fails with each tick leaves nothing out.
 */
export const handler = lambda('dispatch', ports.log, async (event: ScheduledEvent) => {
  const tickAt = new Date(event.time)
  await dispatchDue({ ...ports, queue }, env.COLLECT_CONCURRENCY)
  if (tickAt.getUTCMinutes() % measureEveryMinutes === 0) await measureFleet(ports)
  await compareTables({ ...ports, queue }, policy, connectors.items(), tickAt.getTime())
})
