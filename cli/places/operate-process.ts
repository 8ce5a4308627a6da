import * as z from 'zod'

/**
 * This process runs the shipped function `operate` as Lambda would: its environment is the function's, and its stdout is the log. It
 * answers the requests of the process that started it, and ends with it.
 */
const { handler } = await import('../../functions/operate.ts')

const request = z.object({ id: z.number(), event: z.unknown() })

process.once('disconnect', () => process.exit(0))
// Ctrl-C reaches every process of the terminal; the process that started this one ends it.
process.on('SIGINT', () => {})
process.on('message', (message) => {
  const { id, event } = request.parse(message)
  const context = {
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:tributary-operate:all',
    awsRequestId: `local-${process.pid}-${id}`,
  }
  handler(event, context).then(
    (answer) => process.send?.({ id, answer }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  )
})
process.send?.({ ready: true })
