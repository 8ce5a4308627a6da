import type { IncomingMessage, Server } from 'node:http'
import { join } from 'node:path'
import { CreateTableCommand, type CreateTableCommandInput, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { makeFolder } from './files.ts'
import { listen, loopback } from './listen.ts'

/** Starts DynamoDB with its data in `DATA/state`. Only the owner of the data folder may call it, because two servers on one folder crash. */
export async function startDynamoDb(options: { readonly dataDir: string; readonly port: number }) {
  const path = join(options.dataDir, 'state')
  await makeFolder(path)
  const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  ignoreRequestErrors(server)
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeIdleConnections()
    })
  let port: number
  try {
    port = await listen(server, options.port, 'DynamoDB')
  } catch (thrown) {
    // Closing the server closes its database, and only a server that listens can be closed.
    await listen(server, 0, 'DynamoDB')
    await close()
    throw thrown
  }
  return { address: `http://${loopback}:${port}`, close }
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

/** dynalite throws an error of a request, so a client that is killed while it sends one would end this process. */
function ignoreRequestErrors(server: Server): void {
  server.prependListener('request', (request: IncomingMessage) => {
    const emit = request.emit.bind(request)
    request.emit = (name: string | symbol, ...args: unknown[]) => name === 'error' || Reflect.apply(emit, request, [name, ...args])
  })
}
