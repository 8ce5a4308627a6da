import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { CreateTableCommand, type CreateTableCommandInput, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs'
import * as z from 'zod'
import { StartupError } from '../startup-error.ts'

/** DynamoDB and SQS, which others wrote, run in a process of their own. It is given no secret and nothing of this process's environment. */
export interface ThirdParty {
  readonly dynamodb: string
  readonly queue: string
  /** Resolves with a sentence when the process ends although nobody closed it. */
  readonly failed: Promise<string>
  close(): Promise<void>
}

export interface ThirdPartyOptions {
  readonly dataDir: string
  readonly ports: { readonly dynamodb: number; readonly queue: number }
  readonly accessKeyId: string
}

/** The process sends the addresses when it is ready, and a problem (a sentence) before it ends because of it. */
const reportSchema = z.union([z.object({ dynamodb: z.url(), queue: z.url() }), z.object({ problem: z.string() })])
export type Report = z.infer<typeof reportSchema>

/** Only the owner of the data folder may call it. Throws `StartupError`. */
export async function startThirdParty(options: ThirdPartyOptions): Promise<ThirdParty> {
  const child = fork(new URL('process.ts', import.meta.url), {
    env: {},
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  let problem: string | undefined
  let isClosing = false
  const ready = new Promise<Extract<Report, { dynamodb: string }>>((resolve) => {
    child.on('message', (message) => {
      const report = reportSchema.parse(message)
      if ('problem' in report) problem ??= report.problem
      else resolve(report)
    })
  })
  const ended = once(child, 'exit').then(([code, signal]) => (signal === null ? `with exit code ${code}` : `by ${signal}`))
  child.send(options)
  const addresses = await Promise.race([ready, ended])
  if (typeof addresses === 'string')
    throw new StartupError(problem ?? `The process of DynamoDB and the queue did not start: it ended ${addresses}.`)
  return {
    ...addresses,
    failed: new Promise((resolve) => {
      void ended.then((how) => {
        if (isClosing) return
        const state = join(options.dataDir, 'state')
        resolve(problem ?? `The process of DynamoDB and the queue ended ${how}. What it stored is in ${state}; start again to continue.`)
      })
    }),
    async close() {
      isClosing = true
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** Creates the table if it does not exist, and returns when it can be used. */
export async function ensureTable(client: DynamoDBClient, table: CreateTableCommandInput): Promise<void> {
  try {
    await client.send(new CreateTableCommand(table))
  } catch (thrown) {
    if (!(thrown instanceof Error) || thrown.name !== 'ResourceInUseException') throw thrown
  }
  const describe = new DescribeTableCommand({ TableName: table.TableName })
  while ((await client.send(describe)).Table?.TableStatus !== 'ACTIVE') await new Promise(setImmediate)
}

/** The stack has the same, and a claim holds as long. */
const retentionSeconds = 15 * 60

/** Creates the work queue and returns its URL. A message that was received and not deleted can be received again after `visibilitySeconds`. */
export async function createQueue(client: SQSClient, address: string, visibilitySeconds: number): Promise<string> {
  const Attributes = { VisibilityTimeout: String(visibilitySeconds), MessageRetentionPeriod: String(retentionSeconds) }
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'tributary-work', Attributes }))
  if (QueueUrl === undefined) throw new Error('The queue was created but has no URL')
  // Its own URL names the host sqs.us-east-1.localhost, which some machines cannot resolve.
  return `${address}${new URL(QueueUrl).pathname}`
}
