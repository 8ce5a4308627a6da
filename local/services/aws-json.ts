import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import * as z from 'zod'
import { listen, loopback } from './listen.ts'

/** Answers one operation; throws `AwsError` for what the service refuses. */
export type Operation = (input: unknown) => Promise<unknown>

/** An error as AWS sends it; the SDK makes the class of that name of it. */
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

/** PutRecordBatch: 4 MiB, a third more as base64, and its frame. */
const bodyBytesMax = 8 * 1024 * 1024

/**
 * Services of AWS that speak JSON, on one port of this machine. `operations` are named as `X-Amz-Target` names them
 * (`Firehose_20150804.PutRecordBatch`). Signatures are not checked, but the access key's id is: it is made at the start and
 * known only to those who can read the data folder, so that no other user of this machine gets at the secrets.
 */
export async function startAwsJson(options: {
  readonly operations: Readonly<Record<string, Operation>>
  readonly accessKeyId: string
  readonly port: number
}): Promise<AwsJsonServer> {
  const server = createServer((request, response) => {
    answer(options.operations, options.accessKeyId, request).then(
      (body) => send(response, 200, body),
      (thrown: unknown) => {
        const { type, message, status } = awsError(thrown)
        send(response, status, { __type: type, message })
      },
    )
  })
  const port = await listen(server, options.port, 'Firehose, Secrets Manager and EventBridge')
  return {
    address: `http://${loopback}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

async function answer(operations: Readonly<Record<string, Operation>>, accessKeyId: string, request: IncomingMessage): Promise<unknown> {
  if (!request.headers.authorization?.includes(`Credential=${accessKeyId}/`)) {
    throw new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.')
  }
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) {
    throw new AwsError('RequestEntityTooLargeException', `A request may have ${bodyBytesMax} bytes.`, 413)
  }
  const target = String(request.headers['x-amz-target'])
  const operation = Object.hasOwn(operations, target) ? operations[target] : undefined
  if (operation === undefined) throw new AwsError('UnknownOperationException', `${target} is not served here.`)
  return operation(parsed(await text(request)))
}

function awsError(thrown: unknown): AwsError {
  if (thrown instanceof AwsError) return thrown
  if (thrown instanceof z.ZodError) return new AwsError('ValidationException', z.prettifyError(thrown))
  return new AwsError('InternalFailure', String(thrown), 500)
}

function parsed(body: string): unknown {
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

/** One call of an operation without the SDK. Throws when it does not succeed. */
export async function callAwsJson(address: string, accessKeyId: string, target: string, input: unknown): Promise<void> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/`, 'x-amz-target': target },
    body: JSON.stringify(input),
  })
  if (!response.ok) throw new Error(`${target} answered ${response.status}: ${await response.text()}`)
}
