import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Context } from 'aws-lambda'
import { systemClock as clock } from './adapters/clock.ts'
import { jsonLog } from './adapters/log.ts'
import { statusItems } from './adapters/state-table/status.ts'
import { dynamodbStore } from './adapters/state-table/store.ts'
import { environments, parseEnvironment } from './env.ts'
import { awsClient } from './runtime/aws-client.ts'
import { showStatus } from './widget/show-status.ts'

const env = parseEnvironment(environments.statusWidget, process.env)
const { log } = jsonLog({ clock })
const store = dynamodbStore({
  client: new DynamoDBClient(awsClient),
  table: env.STATE_TABLE,
  now: clock.now,
  onUnreadable: (error) => log({ level: 'error', event: 'state-item-unreadable', message: error.message }),
})
const { fleet } = statusItems(store)

/** A CloudWatch custom widget: each call returns the table of all connectors as HTML. A failure is shown there too, because nobody calls again. */
export const handler = (event: unknown, context: Context): Promise<string> =>
  showStatus({ state: { fleet }, clock, log }, event, context.invokedFunctionArn)
