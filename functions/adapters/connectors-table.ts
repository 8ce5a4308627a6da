import { isDeepStrictEqual } from 'node:util'
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  type ScanCommandOutput,
} from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { attributeNames } from '../domain/connector/connector-schema.ts'
import type { ConnectorItems, Connectors } from '../domain/ports.ts'

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

/** The customer's table of connectors, as operations read and change single items. Throws the errors of the SDK. */
export function connectorItems({ client, table }: { readonly client: DynamoDBClient; readonly table: string }): ConnectorItems {
  async function stored(connectorId: string): Promise<Record<string, AttributeValue> | undefined> {
    const get = new GetItemCommand({ TableName: table, Key: keyOf(connectorId), ConsistentRead: true })
    return (await client.send(get)).Item
  }

  /** The condition that the item is still `before`, and the same item if it is there. Undefined if it is another one by now. */
  async function unchanged(before: PlainItem): Promise<ReturnType<typeof isStill> | undefined> {
    const now = await stored(String(before['connectorId']))
    return now !== undefined && isDeepStrictEqual(plainItem(now), before) ? isStill(now) : undefined
  }

  return {
    async readItem(connectorId) {
      const item = await stored(connectorId)
      return item === undefined ? undefined : plainItem(item)
    },

    /**
     *     operator A                          operator B
     *     reads item 1                        reads item 1
     *     writes item 2 if it is still 1
     *                                         writes item 3 if it is still 1: refused
     *
     * Other programs write this table too, so no attribute is its version: each attribute is compared.
     */
    async writeItem(item, before) {
      const condition = before === undefined ? isNone : await unchanged(before)
      if (condition === undefined) return false
      return took(
        client.send(new PutItemCommand({ TableName: table, Item: marshall(item, { removeUndefinedValues: true }), ...condition })),
      )
    },

    async deleteItem(before) {
      const condition = await unchanged(before)
      if (condition === undefined) return false
      return took(client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(String(before['connectorId'])), ...condition })))
    },
  }
}

type PlainItem = Readonly<Record<string, unknown>>

function keyOf(connectorId: string): Record<string, AttributeValue> {
  return { connectorId: { S: connectorId } }
}

const isNone = { ConditionExpression: 'attribute_not_exists(connectorId)' }

/** Values inside of lists and maps that are compared one by one (count): the expression has at most 4 KB. */
const innerMax = 100

/**
 * Each attribute has its value, and none of the others that the schema knows was added. An attribute that no release knows is refused
 * anyway. dynalite, the DynamoDB of one machine, holds no two lists of objects for equal, so the values in them are compared as well.
 */
function isStill(item: Readonly<Record<string, AttributeValue>>) {
  const names: Record<string, string> = {}
  const values: Record<string, AttributeValue> = {}
  const nameOf = (name: string) => {
    const known = Object.keys(names).find((key) => names[key] === name) ?? `#n${Object.keys(names).length}`
    names[known] = name
    return known
  }
  const bound = (value: AttributeValue) => {
    const key = `:v${Object.keys(values).length}`
    values[key] = value
    return key
  }
  let inner = 0
  const parts = Object.entries(item).map(([name, value]) => {
    const whole = `${nameOf(name)} = ${bound(value)}`
    const paths = innerPaths(value)
    inner += paths.length
    if (paths.length === 0 || inner > innerMax) return whole
    const each = paths.map(({ path, value: at, size }) => {
      const place = [nameOf(name), ...path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${nameOf(step)}`))].join('')
      return size === undefined ? `${place} = ${bound(at)}` : `size(${place}) = ${bound({ N: String(size) })}`
    })
    return `(${whole} OR ${each.join(' AND ')})`
  })
  const absent = attributeNames.filter((name) => !(name in item)).map((name) => `attribute_not_exists(${nameOf(name)})`)
  return {
    ConditionExpression: [...parts, ...absent].join(' AND '),
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  }
}

interface InnerPath {
  readonly path: readonly (string | number)[]
  readonly value: AttributeValue
  /** The size of a list or a map, whose members are compared by themselves. */
  readonly size?: number
}

/** The places inside of a list or a map. Empty for any other value. */
function innerPaths(value: AttributeValue, path: readonly (string | number)[] = []): readonly InnerPath[] {
  const members: readonly (readonly [string | number, AttributeValue])[] | undefined =
    value.L?.map((member, i) => [i, member]) ?? (value.M && Object.entries(value.M))
  if (members === undefined) return path.length === 0 ? [] : [{ path, value }]
  return [{ path, value, size: members.length }, ...members.flatMap(([step, member]) => innerPaths(member, [...path, step]))]
}

async function took(sent: Promise<unknown>): Promise<boolean> {
  try {
    await sent
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
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
