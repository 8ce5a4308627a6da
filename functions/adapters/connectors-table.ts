import { type DynamoDBClient, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb'
import type { Connectors } from '../domain/ports.ts'

/** The customer's table of connectors: read only, strongly consistent. Throws what the SDK throws. */
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

/** A value in DynamoDB's JSON, as the SDK has it, where binary is bytes, or a stream's event, where it is base64. */
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
 * An item of DynamoDB's typed JSON as plain JSON, the same from a scan and from a stream: a set is a sorted list, binary is
 * base64, a whole number that JavaScript cannot hold exactly stays a text.
 */
export function plainItem(item: Readonly<Record<string, TypedValue>>): Record<string, unknown> {
  // fromEntries, unlike an assignment, makes `__proto__` a property like any other.
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
