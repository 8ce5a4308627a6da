import { SQSClient } from '@aws-sdk/client-sqs'
import type { ScheduledEvent } from 'aws-lambda'
import { connectorsTable } from './adapters/connectors-table.ts'
import { sqsQueue } from './adapters/queue.ts'
import { acceptPolicy, environments, parseEnvironment } from './env.ts'
import { reconcileConnectors } from './flows/accept-connector.ts'
import { dispatchDue } from './flows/dispatch-due.ts'
import { measureFleet } from './flows/measure-fleet.ts'
import { lambda } from './runtime/lambda.ts'
import { wireCore } from './runtime/wiring.ts'

const env = parseEnvironment(environments.dispatch, process.env)
const { ports, dynamodb } = wireCore(env)
const queue = sqsQueue({ client: new SQSClient({}), queueUrl: env.QUEUE_URL })
const connectors = connectorsTable({ client: dynamodb, table: env.CONNECTORS_TABLE })
const policy = acceptPolicy(env)

/** The minute of the hour in which the tables are compared. */
const comparisonMinute = 17
const measureEveryMinutes = 5

/** A tick, once a minute. Dispatching comes first: nothing that follows may hold it up. */
export const handler = lambda('dispatch', ports.log, async (event: ScheduledEvent) => {
  const minute = new Date(event.time).getUTCMinutes()
  await dispatchDue({ ...ports, queue })
  if (minute === comparisonMinute) await reconcileConnectors({ ...ports, queue }, policy, connectors.items())
  if (minute % measureEveryMinutes === 0) await measureFleet(ports)
})
