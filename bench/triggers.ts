import { startRule } from '../local/triggers/rule.ts'
import { startTableStream } from '../local/triggers/table-stream.ts'

/** A process that runs the functions which are not measured. Its argument: how far apart the ticks are (ms); the shipped rule's are a minute. */
const { handler: connectorChanged } = await import('../functions/connector-changed.ts')
const { handler: dispatch } = await import('../functions/dispatch.ts')
const triggers = [startTableStream({ handler: connectorChanged }), startRule({ handler: dispatch, everyMs: Number(process.argv[2]) })]
process.send?.('ready')

process.once('SIGTERM', async () => {
  await Promise.allSettled(triggers.map((trigger) => trigger.stop()))
  process.exit(0)
})
process.once('disconnect', () => process.exit(1))
