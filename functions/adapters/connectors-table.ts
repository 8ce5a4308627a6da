import { type DynamoDBClient, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb'
import type { Connectors } from '../domain/ports.ts'

/** The customer's table of connectors: read only, strongly consistent. Throws the errors of the SDK. */
export function connectorsTable({ client, table }: { readonly client: DynamoDBClient; readonly table: string }): Connectors {
  return {
    async *items() {
      let start: ScanCommandOutput['LastEvaluatedKey']
      do {
        const page = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true, ExclusiveStartKey: start }))
        for (const item of page.Items ?? []) yield plainItem(item)
        start = page.LastEvaluatedKey
      } while (start !== undefined)
    },
  }
}

/** A value in DynamoDB's typed JSON. Binary is bytes in the SDK, and base64 in the event of a stream. */
interface TypedValue {
  readonly S?: string | undefined
  readonly N?: string | undefined
  readonly B?: Uint8Array | string | undefined
  readonly BOOL?: boolean | undefined
  readonly NULL?: boolean | undefined
  readonly L?: readonly TypedValue[] | undefined
  readonly M?: Readonly<Record<string, TypedValue>> | undefined
  readonly SS?: readonly string[] | undefined
  readonly NS?: readonly string[] | undefined
  readonly BS?: readonly (Uint8Array | string)[] | undefined
}

/**
 * An item in plain JSON, the same from a scan and from a stream: a set becomes a sorted list, binary becomes base64, and a whole number
 * that JavaScript cannot hold exactly becomes a text.
 */
export function plainItem(item: Readonly<Record<string, TypedValue>>): Record<string, unknown> {
  // fromEntries makes `__proto__` an ordinary property; an assignment would not.
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainValue(value)]))
}

function plainValue(typed: TypedValue): unknown {
  if (typed.N !== undefined) return plainNumber(typed.N)
  if (typed.B !== undefined) return plainBinary(typed.B)
  if (typed.NULL) return null
  if (typed.L !== undefined) return typed.L.map(plainValue)
  if (typed.M !== undefined) return plainItem(typed.M)
  if (typed.SS !== undefined) return [...typed.SS].sort()
  if (typed.NS !== undefined) return typed.NS.map(plainNumber).sort((a, b) => Number(a) - Number(b))
  if (typed.BS !== undefined) return typed.BS.map(plainBinary).sort()
  return typed.S ?? typed.BOOL
}

function plainNumber(text: string): number | string {
  const number = Number(text)
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number
}

function plainBinary(value: Uint8Array | string): string {
  return typeof value === 'string' ? value : Buffer.from(value).toString('base64')
}
