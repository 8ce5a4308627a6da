import { join } from 'node:path'
import { StartupError } from '../startup-error.ts'
import { startDynamoDb } from './dynamodb.ts'
import { startQueues } from './queue.ts'
import { levelProblem } from './state-folder.ts'
import type { Report, ThirdPartyOptions } from './third-party.ts'

/**
 * This process runs the services that others wrote, apart from every secret. It has no environment; its options come as the first
 * message. It ends with the process that started it.
 */

/** A service that is not closed by then, because a request does not end, is given up (ms). What it acknowledged is on disk. */
const closeWithinMs = 5_000

const opened: { close(): Promise<void>; drop?(): void }[] = []

function report(what: Report): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(what, () => resolve())
  })
}

async function run({ dataDir, ports, accessKeyId }: ThirdPartyOptions): Promise<void> {
  process.on('uncaughtException', (thrown) => void fail(problemOf(thrown, join(dataDir, 'state'))))
  const queue = await startQueues({ port: ports.queue, accessKeyId })
  opened.push(queue)
  const dynamodb = await startDynamoDb({ dataDir, port: ports.dynamodb, accessKeyId })
  opened.push(dynamodb)
  await report({ dynamodb: dynamodb.address, queue: queue.address })
}

/** dynalite throws what goes wrong in its database. */
function problemOf(thrown: unknown, statePath: string): string {
  if (thrown instanceof StartupError) return thrown.message
  if (thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('LEVEL_'))
    return levelProblem(statePath, thrown).message
  return `DynamoDB or the queue failed: ${thrown instanceof Error ? thrown.message : String(thrown)}. What was stored is in ${statePath}; start again to continue.`
}

async function fail(problem: string): Promise<void> {
  for (const service of opened) service.drop?.()
  await report({ problem })
  process.exit(1)
}

async function end(): Promise<void> {
  setTimeout(() => process.exit(1), closeWithinMs)
  for (const service of opened.reverse()) await service.close()
  process.exit(0)
}

process.umask(0o077)
// Ctrl-C, or a service manager, reaches every process; the process that started this one decides when to end it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
process.once('disconnect', () => void end())
process.once('message', (options: ThirdPartyOptions) => {
  run(options).catch((thrown: unknown) => fail(problemOf(thrown, join(options.dataDir, 'state'))))
})
