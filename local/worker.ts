import * as z from 'zod/mini'
import type { Trigger } from './triggers/invocation.ts'
import { startQueueTrigger } from './triggers/queue-trigger.ts'
import { startRule } from './triggers/rule.ts'
import { startTableStream } from './triggers/table-stream.ts'

/**
 * This process runs the shipped functions as Lambda would: its environment is their environment, and its stdout is their log.
 * With the argument `owner` it also runs the table's stream and the rule, which must run only once. SIGTERM, or the end of the
 * process that started it, ends it: runs in progress stop at the next safe point, and the next start does the remaining work.
 */
const isOwner = process.argv[2] === 'owner'

const triggers: Trigger[] = []

async function end(): Promise<void> {
  await Promise.allSettled(triggers.map((trigger) => trigger.stop()))
  process.exit(0)
}

process.once('SIGTERM', () => void end())
// Ctrl-C reaches every process of the terminal; the process that started this one decides when to end it.
process.on('SIGINT', () => {})
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))

const call = z.object({ id: z.number(), operate: z.record(z.string(), z.unknown()) })

/** Whoever can start this program operates all of its connectors. The function is loaded with its first call. */
async function operate(message: unknown): Promise<void> {
  const { id, operate: event } = call.parse(message)
  const { handler } = await import('../functions/operate.ts')
  const invokedFunctionArn = 'arn:aws:lambda:us-east-1:000000000000:function:tributary-operate:all'
  process.send?.({ id, answer: await handler(event, { invokedFunctionArn, awsRequestId: `page-${process.pid}-${id}` }) })
}

const { handler: collect } = await import('../functions/collect.ts')
if (isOwner) {
  const { handler: connectorChanged } = await import('../functions/connector-changed.ts')
  const { handler: dispatch } = await import('../functions/dispatch.ts')
  // Nothing runs before the items of this start are accepted or refused: a key may belong to another address now.
  triggers.push(await startTableStream({ handler: connectorChanged }))
  triggers.push(startRule({ handler: dispatch }))
}
triggers.push(startQueueTrigger({ handler: collect }))
process.on('message', (message) => void operate(message))
process.send?.('ready')
