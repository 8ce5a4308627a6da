import { isDeepStrictEqual } from 'node:util'
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type CreateTableCommandInput,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
} from '@aws-sdk/client-dynamodb'

/**
 * The bill of one call to DynamoDB, counted where the SDK sends it: write units of 1 KB, read units of 4 KB.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
export interface Billed {
  readonly operation: string
  /** The beginning of the sort key, such as `TOKENS` or `STREAM`, or the name of the index that was queried. */
  readonly items: string
  /** False when the condition did not hold. Such a call is billed as a write too. */
  readonly done: boolean
  /** The size of the item written, or of all items read. */
  readonly bytes: number
  readonly readUnits: number
  readonly writeUnits: number
  /** The part of `writeUnits` that goes to each index, by its name. */
  readonly indexUnits: Readonly<Record<string, number>>
}

type Item = Readonly<Record<string, AttributeValue>>

interface Call {
  readonly TableName?: string
  readonly IndexName?: string
  readonly Key?: Item
  readonly Item?: Item
  readonly ConsistentRead?: boolean
  readonly ReturnValues?: string
  readonly ExpressionAttributeValues?: Item
}

interface Output {
  readonly Item?: Item
  readonly Items?: readonly Item[]
  readonly Attributes?: Item
}

/** Makes a meter for the calls of any number of clients to these tables, which must be empty at the beginning. */
export function capacityMeter(tables: readonly CreateTableCommandInput[]) {
  const stored = new Map<string, Item>()
  const tableOf = new Map(tables.map((table) => [table.TableName, table]))

  return (client: DynamoDBClient, onCall: (billed: Billed) => void) =>
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          const operation = commandName.replace(/Command$/, '')
          const call = args.input as Call
          const table = tableOf.get(call.TableName)
          if (table === undefined) return next(args)
          if (operation === 'GetItem' || operation === 'Query' || operation === 'Scan') {
            const result = await next(args)
            const { Item: item, Items: items = item === undefined ? [] : [item] } = result.output as Output
            onCall(billedRead(operation, call, items))
            return result
          }
          const place = placeOf(table, call.Key ?? call.Item ?? {})
          const before = stored.get(place)
          const head = { operation, items: nameOf(call.Key ?? call.Item), readUnits: 0 }
          try {
            const input = operation === 'UpdateItem' ? { ...args.input, ReturnValues: 'ALL_NEW' } : args.input
            const result = await next({ ...args, input } as typeof args)
            const after = operation === 'DeleteItem' ? undefined : (call.Item ?? (result.output as Output).Attributes)
            if (after === undefined) stored.delete(place)
            else stored.set(place, after)
            const indexes = table.GlobalSecondaryIndexes ?? []
            const indexUnits = Object.fromEntries(indexes.map((index) => [index.IndexName ?? '', indexWrite(table, index, before, after)]))
            const writeUnits = Math.max(writeUnitsOf(before), writeUnitsOf(after)) + Object.values(indexUnits).reduce((a, b) => a + b, 0)
            onCall({ ...head, done: true, bytes: sizeOf(after ?? before), writeUnits, indexUnits })
            return result
          } catch (error) {
            if (error instanceof ConditionalCheckFailedException)
              onCall({ ...head, done: false, bytes: sizeOf(before), writeUnits: writeUnitsOf(before), indexUnits: {} })
            throw error
          }
        },
      { step: 'initialize', name: 'capacityMeter' },
    )
}

function billedRead(operation: string, call: Call, items: readonly Item[]): Billed {
  const bytes = items.reduce((sum, item) => sum + sizeOf(item), 0)
  const readUnits = Math.max(1, Math.ceil(bytes / 4_096)) * (call.ConsistentRead === true ? 1 : 0.5)
  const prefixes = Object.values(call.ExpressionAttributeValues ?? {}).flatMap(({ S }) => (S === undefined ? [] : [S.split('#')[0] ?? '']))
  const name = call.IndexName ?? (call.Key === undefined ? prefixes.join(' ') : nameOf(call.Key))
  return { operation, items: name, done: true, bytes, readUnits, writeUnits: 0, indexUnits: {} }
}

/** An index is written when one of its projected attributes has changed: once, or twice when its key has changed, because that makes another entry. */
function indexWrite(
  table: CreateTableCommandInput,
  index: GlobalSecondaryIndex,
  before: Item | undefined,
  after: Item | undefined,
): number {
  const keyNames = (index.KeySchema ?? []).map(({ AttributeName = '' }) => AttributeName)
  const entryOf = (item: Item | undefined): Item | undefined => {
    if (item === undefined || keyNames.some((name) => item[name] === undefined)) return undefined
    const { ProjectionType, NonKeyAttributes = [] } = index.Projection ?? {}
    if (ProjectionType === 'ALL') return item
    const names = new Set([...keyNames, ...tableKeyNames(table), ...NonKeyAttributes])
    return Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)))
  }
  const oldEntry = entryOf(before)
  const newEntry = entryOf(after)
  if (oldEntry === undefined || newEntry === undefined) return oldEntry === newEntry ? 0 : writeUnitsOf(oldEntry ?? newEntry)
  if (isDeepStrictEqual(oldEntry, newEntry)) return 0
  const hasMoved = keyNames.some((name) => !isDeepStrictEqual(oldEntry[name], newEntry[name]))
  const [oldUnits, newUnits] = [writeUnitsOf(oldEntry), writeUnitsOf(newEntry)]
  return hasMoved ? oldUnits + newUnits : Math.max(oldUnits, newUnits)
}

function tableKeyNames(table: CreateTableCommandInput): string[] {
  return (table.KeySchema ?? []).map(({ AttributeName = '' }) => AttributeName)
}

function placeOf(table: CreateTableCommandInput, key: Item): string {
  return JSON.stringify([table.TableName, ...tableKeyNames(table).map((name) => key[name])])
}

function nameOf(key: Item | undefined): string {
  return key?.['sk']?.S?.split('#')[0] ?? ''
}

function writeUnitsOf(item: Item | undefined): number {
  return Math.max(1, Math.ceil(sizeOf(item) / 1_024))
}

/** Computes the size of an item (bytes). https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export function sizeOf(item: Item | undefined): number {
  return Object.entries(item ?? {}).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0)
}

function valueSize(value: AttributeValue): number {
  const sum = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0)
  if (value.S !== undefined) return Buffer.byteLength(value.S)
  if (value.N !== undefined) return numberSize(value.N)
  if (value.B !== undefined) return value.B.byteLength
  if (value.SS !== undefined) return sum(value.SS.map((text) => Buffer.byteLength(text)))
  if (value.NS !== undefined) return sum(value.NS.map(numberSize))
  if (value.BS !== undefined) return sum(value.BS.map(({ byteLength }) => byteLength))
  // A list or map takes three bytes, and each entry one more.
  if (value.L !== undefined) return 3 + sum(value.L.map((each) => 1 + valueSize(each)))
  if (value.M !== undefined) return 3 + sum(Object.entries(value.M).map(([name, each]) => 1 + Buffer.byteLength(name) + valueSize(each)))
  return 1
}

/** A number takes a byte for two significant digits, and one byte more; a minus sign takes another. */
function numberSize(text: string): number {
  const digits = text.replace(/[-.]/g, '').replace(/^0+|0+$/g, '')
  return Math.ceil(digits.length / 2) + 1 + (text.startsWith('-') ? 1 : 0)
}
