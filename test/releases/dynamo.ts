import { EventEmitter } from 'node:events'
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { createTable, type LocalDynamo } from '../dynalite.ts'
import { fromText, toText } from './typed-json.ts'

export type Dynamo = Pick<LocalDynamo, 'client' | 'create'>

type Command = Parameters<DynamoDBClient['send']>[0]

interface Refusal {
  readonly __type: string
  readonly message?: string
  readonly Item?: ConditionalCheckFailedException['Item']
}

/** Dynalite demands a signature, but never checks it. */
const unchecked = { authorization: 'AWS4-HMAC-SHA256 Credential=none, SignedHeaders=none, Signature=none', date: 'now' }

/**
 * A DynamoDB in this process that takes the commands of the SDK without the SDK's client: no socket, no signature, no retry. The
 * tests of releases send tens of thousands of commands, and this halves their time. The contract tests of the state adapter use
 * the client, over the wire.
 */
export function startDynamo(): Dynamo {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })

  function exchange(operation: string, body: string): Promise<{ readonly status: number; readonly body: string }> {
    return new Promise((resolve) => {
      const headers = { ...unchecked, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `DynamoDB_20120810.${operation}` }
      const request = Object.assign(new EventEmitter(), { method: 'POST', url: '/', headers })
      const response = {
        statusCode: 200,
        setHeader: () => {},
        end: (content: string) => resolve({ status: response.statusCode, body: content }),
      }
      server.emit('request', request, response)
      request.emit('data', Buffer.from(body))
      request.emit('end')
    })
  }

  const client = {
    async send(command: Command) {
      const operation = command.constructor.name.replace(/Command$/, '')
      const { status, body } = await exchange(operation, toText(command.input))
      const parsed = fromText(body)
      if (status === 200) return parsed
      const { __type, message = '', Item } = parsed as Refusal
      if (!__type.endsWith('ConditionalCheckFailedException')) throw new Error(`${__type}: ${message}`)
      throw new ConditionalCheckFailedException({ message, $metadata: {}, ...(Item === undefined ? {} : { Item }) })
    },
  } as unknown as DynamoDBClient

  return { client, create: (table) => createTable(client, table) }
}
