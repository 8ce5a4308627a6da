import { startRule } from '../local/triggers/rule.ts'
import { startTableStream } from '../local/triggers/table-stream.ts'

/** This process runs the functions that are not measured. Its argument is the time between ticks (ms); the shipped rule ticks every minute. */
const { handler: connectorChanged } = await import('../functions/connector-changed.ts')
const { handler: dispatch } = await import('../functions/dispatch.ts')
const triggers = [await startTableStream({ handler: connectorChanged }), startRule({ handler: dispatch, everyMs: Number(process.argv[2]) })]
process.send?.('ready')

process.once('SIGTERM', async () => {
  await Promise.allSettled(triggers.map((trigger) => trigger.stop()))
  process.exit(0)
})
process.once('disconnect', () => process.exit(1))
