import { EventEmitter } from 'node:events'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { createTable, type LocalDynamo } from '../dynalite.ts'

export type Dynamo = Pick<LocalDynamo, 'client' | 'create'>

/** The request of the SDK, as far as it is used here. */
interface WireRequest {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array
}

/** The parts of an HTTP response that dynalite fills in. */
class Response {
  statusCode = 200
  readonly headers: Record<string, string> = {}
  private readonly done: (body: Buffer) => void

  constructor(done: (body: Buffer) => void) {
    this.done = done
  }

  setHeader(name: string, value: unknown): void {
    this.headers[name.toLowerCase()] = String(value)
  }

  end(body: string): void {
    this.done(Buffer.from(body))
  }
}

/** Dynalite looks for a signature, but never checks it. */
const unchecked = {
  authorization: 'AWS4-HMAC-SHA256 Credential=none, SignedHeaders=none, Signature=none',
  'x-amz-date': '20260101T000000Z',
}

/**
 * A DynamoDB in this process, spoken to without a socket and without a signature: the tests of releases send tens of thousands
 * of requests, and this saves a third of their time. The contract tests of the adapter go over the wire.
 */
export function startDynamo(): Dynamo {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  const client = new DynamoDBClient({
    region: 'local',
    endpoint: 'http://in-process.invalid',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: { sign: async (request) => Object.assign(request, { headers: { ...request.headers, ...unchecked } }) },
    requestHandler: {
      handle: ({ method, path, headers, body }: WireRequest) =>
        new Promise((answered) => {
          const request = Object.assign(new EventEmitter(), { method, url: path, headers })
          const response = new Response((content) =>
            answered({ response: { statusCode: response.statusCode, headers: response.headers, body: content } }),
          )
          server.emit('request', request, response)
          request.emit('data', typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength))
          request.emit('end')
        }),
    },
  })
  return { client, create: (table) => createTable(client, table) }
}
