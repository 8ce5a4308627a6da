import { buildApp } from 'fauxqs'
import { guard } from '../gate.ts'
import { loopback, portError } from '../listen.ts'

/** Starts SQS without a queue. It keeps everything in memory. */
export async function startQueues(options: { readonly port: number; readonly accessKeyId: string }) {
  const app = buildApp({ logger: false })
  guard(app.server, options.accessKeyId)
  // Its own function startFauxqs would listen on every network interface.
  const address = await app.listen({ port: options.port, host: loopback }).catch((thrown: unknown) => {
    throw portError(thrown, options.port, 'the queue')
  })
  return {
    address,
    async close(): Promise<void> {
      await app.close()
    },
  }
}
