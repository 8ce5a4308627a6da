import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as z from 'zod'
import { guard } from './gate.ts'
import { listen, loopback } from './listen.ts'

/** Serves one operation and returns its output. Throws `AwsError` when the service refuses the input. */
export type Operation = (input: unknown) => Promise<unknown>

/** An error as AWS sends it. The SDK makes it the error class named by `type`. */
export class AwsError extends Error {
  readonly type: string
  readonly status: number

  constructor(type: string, message: string, status = 400) {
    super(message)
    this.type = type
    this.status = status
  }
}

export interface AwsJsonServer {
  readonly address: string
  close(): Promise<void>
}

/** The largest body is that of PutRecordBatch: 4 MiB of data, a third more as base64, and JSON around it. */
const bodyBytesMax = 8 * 1024 * 1024

/**
 * Starts AWS services that speak JSON, all on one port of this machine. `operations` have their names from `X-Amz-Target`
 * (`Firehose_20150804.PutRecordBatch`). Its address has a path that only its callers know: the process of DynamoDB and the queue knows the
 * access key, but must not read secrets. A failure that is not the caller's, such as a full disk, goes to `onFault` too.
 */
export async function startAwsJson(options: {
  readonly operations: Readonly<Record<string, Operation>>
  readonly accessKeyId: string
  readonly port: number
  readonly onFault?: (thrown: unknown) => void
}): Promise<AwsJsonServer> {
  const server = createServer((request, response) => {
    serve(options.operations, request).then(
      (body) => send(response, 200, body),
      (thrown: unknown) => {
        if (!isCallers(thrown)) options.onFault?.(thrown)
        const { type, message, status } = asAwsError(thrown)
        send(response, status, { __type: type, message })
      },
    )
  })
  const path = randomBytes(20).toString('hex')
  guard(server, options.accessKeyId, path)
  const port = await listen(server, options.port, 'Firehose, Secrets Manager and EventBridge')
  return {
    address: `http://${loopback}:${port}/${path}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

async function serve(operations: Readonly<Record<string, Operation>>, request: IncomingMessage): Promise<unknown> {
  const target = String(request.headers['x-amz-target'])
  const operation = Object.hasOwn(operations, target) ? operations[target] : undefined
  if (operation === undefined) throw new AwsError('UnknownOperationException', `There is no operation ${target} here.`)
  return operation(parseBody(await bodyOf(request)))
}

/** A body may come without a length. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) {
      throw new AwsError('RequestEntityTooLargeException', `The body has more than ${bodyBytesMax} bytes, the most that is allowed.`, 413)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function isCallers(thrown: unknown): boolean {
  return thrown instanceof AwsError || thrown instanceof z.ZodError
}

function asAwsError(thrown: unknown): AwsError {
  if (thrown instanceof AwsError) return thrown
  if (thrown instanceof z.ZodError) return new AwsError('ValidationException', z.prettifyError(thrown))
  return new AwsError('InternalFailure', String(thrown), 500)
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new AwsError('SerializationException', 'The body is not JSON.')
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
  response.end(JSON.stringify(body))
}

/** A flush moves all open records into the lake (ms). */
const answersWithinMs = 30_000

/** Calls an operation without the SDK. Throws when it does not succeed in time. */
export async function callAwsJson(address: string, accessKeyId: string, target: string, input: unknown): Promise<void> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/`, 'x-amz-target': target },
    body: JSON.stringify(input),
    signal: AbortSignal.timeout(answersWithinMs),
  })
  if (!response.ok) throw new Error(`${target} failed with status ${response.status}: ${await response.text()}`)
}
