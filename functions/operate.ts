import { randomBytes } from 'node:crypto'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Context } from 'aws-lambda'
import { connectorItems } from './adapters/connectors-table.ts'
import { firehoseHistory } from './adapters/history-lake.ts'
import { inThisProcess, invokeLater } from './adapters/later.ts'
import { sqsQueue } from './adapters/queue.ts'
import { secretNames } from './adapters/secret-names.ts'
import { stateTable } from './adapters/state-table/state-table.ts'
import { operateAnswer } from './domain/operate/answers.ts'
import { callerOf } from './domain/operate/caller.ts'
import type { Caller } from './domain/operate/operation.ts'
import type { Later } from './domain/ports.ts'
import { acceptPolicy, environments, parseEnvironment } from './env.ts'
import { answerCall } from './flows/operate/call.ts'
import { awsClient } from './runtime/aws-client.ts'
import { wireDelivery } from './runtime/delivery.ts'
import { wireCore } from './runtime/wiring.ts'
import { isWidgetCall, showOperator } from './widget/show-operator.ts'

const env = parseEnvironment(environments.operate, process.env)
const { ports: core, dynamodb } = wireCore(env, stateTable)
const { firehose, ...delivery } = wireDelivery(env, core)
const table = { client: dynamodb, table: env.CONNECTORS_TABLE }

const ports = {
  ...core,
  ...delivery,
  items: connectorItems(table),
  queue: sqsQueue({ client: new SQSClient(awsClient), queueUrl: env.QUEUE_URL }),
  policy: { ...acceptPolicy(env), vendors: core.vendors },
  historyLake: firehoseHistory({ client: firehose, deliveryStream: env.DELIVERY_STREAM, clock: core.clock, digest: core.digest }),
  newTicket: () => randomBytes(16).toString('hex'),
  later: later(env.OPERATE_FUNCTION),
  keys: { prefix: env.SECRET_PREFIX, names: secretNames({ client: new SecretsManagerClient(awsClient), secretPrefix: env.SECRET_PREFIX }) },
}

function later(functionName: string | undefined): Later {
  if (functionName !== undefined) return invokeLater({ client: new LambdaClient(awsClient), functionName })
  return inThisProcess((payload, caller) => answerCall(ports, payload, caller, Number.POSITIVE_INFINITY))
}

/** The time that a call leaves for its last write before Lambda stops the function (ms). */
const spareMs = 10_000

type Invocation = Pick<Context, 'invokedFunctionArn' | 'awsRequestId'> & Partial<Pick<Context, 'getRemainingTimeInMillis'>>

/** Answers CloudWatch with HTML and everybody else with JSON. A refusal is an answer too. The event may hold anything, so it is never logged. */
export const handler = async (event: unknown, context: Invocation) => {
  const answer = (page: object, by: Caller) => answerCall(ports, { page }, by, Number.POSITIVE_INFINITY)
  if (isWidgetCall(event)) return showOperator({ ...ports, answer }, event, context)
  const caller = callerOf(context.invokedFunctionArn, context.awsRequestId)
  if (!caller.ok) return operateAnswer(caller)
  const until = ports.clock.now() + (context.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY) - spareMs
  return operateAnswer(await answerCall(ports, event, caller.value, until))
}
