import { createServer, type RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { type RunningSimulator, startSimulator } from '../../local/simulator/server.ts'

/** Starts a simulator for one test. */
export async function vendor(options: SimulatorOptions = {}): Promise<RunningSimulator & { readonly host: string }> {
  const simulator = await startSimulator({ requestsPerMinute: 6_000, eventsPerHour: 1_200, ...options })
  onTestFinished(() => simulator.close())
  return { ...simulator, host: new URL(simulator.url).host }
}

/** Starts an HTTP server that is not a simulator. */
export async function server(listener: RequestListener): Promise<{ readonly url: string; readonly host: string }> {
  const running = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => running.once('listening', resolve))
  onTestFinished(() => {
    running.close()
    running.closeAllConnections()
  })
  const { port } = running.address() as { port: number }
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}` }
}
