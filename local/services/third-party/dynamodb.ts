import type { IncomingMessage, Server } from 'node:http'
import { join } from 'node:path'
import dynalite from 'dynalite'
import { makeFolder } from '../files.ts'
import { guard } from '../gate.ts'
import { listen, loopback } from '../listen.ts'
import { checkLevel } from './state-folder.ts'

/** Starts DynamoDB with its data in `DATA/state`. Only the owner of the data folder may call it, because two servers on one folder crash. */
export async function startDynamoDb(options: { readonly dataDir: string; readonly port: number; readonly accessKeyId: string }) {
  const path = join(options.dataDir, 'state')
  await makeFolder(path)
  await checkLevel(path)
  const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  ignoreRequestErrors(server)
  guard(server, options.accessKeyId)
  const port = await listen(server, options.port, 'DynamoDB')
  return {
    address: `http://${loopback}:${port}`,
    /** Ends every connection at once: after a write that failed, nothing may be acknowledged that came after it in the file. */
    drop: () => server.closeAllConnections(),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

/** dynalite throws an error of a request, so a client that is killed while it sends one would end this process. */
function ignoreRequestErrors(server: Server): void {
  server.prependListener('request', (request: IncomingMessage) => {
    const emit = request.emit.bind(request)
    request.emit = (name: string | symbol, ...args: unknown[]) => name === 'error' || Reflect.apply(emit, request, [name, ...args])
  })
}
