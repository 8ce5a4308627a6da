import { startQueueTrigger } from './triggers/queue-trigger.ts'
import { startRule } from './triggers/rule.ts'
import { startTableStream } from './triggers/table-stream.ts'

/**
 * A process that runs the shipped functions, as Lambda would: their environment is its environment, their log is its stdout.
 * `owner` as its argument adds what there must be one of: the table's stream and the rule. SIGTERM, or the end of the process
 * that started it, ends it: runs in progress stop at the next safe point, what is not done by then is done by the next start.
 */
const owner = process.argv[2] === 'owner'

const { handler: collect } = await import('../functions/collect.ts')
const triggers = [startQueueTrigger({ handler: collect })]
if (owner) {
  const { handler: connectorChanged } = await import('../functions/connector-changed.ts')
  const { handler: dispatch } = await import('../functions/dispatch.ts')
  triggers.push(startTableStream({ handler: connectorChanged }), startRule({ handler: dispatch }))
}
process.send?.('ready')

async function end(): Promise<void> {
  await Promise.allSettled(triggers.map((trigger) => trigger.stop()))
  process.exit(0)
}

process.once('SIGTERM', () => void end())
// Ctrl-C reaches the whole group; the process that started this one decides.
process.on('SIGINT', () => {})
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
