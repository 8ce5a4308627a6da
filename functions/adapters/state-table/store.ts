import { createHash, randomUUID } from 'node:crypto'
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import * as z from 'zod'
import { NewerSchema, StateUnavailable } from '../../domain/state-errors.ts'
import { type Instant, second } from '../../domain/time.ts'

/** What every item of the state table has in common: keys, schema version, expiry, and how a write finds out whether it took place. */

const schemaVersion = 1

/** Partitions of each index (count): enough for thousands of connectors, few enough to be read one by one. */
export const shards = 8

/** The same for the same connector, for good. */
export function shardOf(connectorId: string): number {
  return (createHash('sha256').update(connectorId).digest()[0] ?? 0) % shards
}

export interface Key {
  readonly pk: string
  readonly sk: string
}

/**
 * In expressions `#name` is an attribute and `:name` one of `values`; `:now` (epoch seconds) is always there. A disjunction
 * stands in parentheses, all else without: DynamoDB refuses those that are not needed.
 */
interface Condition {
  readonly holds: string
  readonly values?: Readonly<Record<string, unknown>>
}

export type Attributes = Readonly<Record<string, unknown>>

/** Parts of conditions: an item that has expired counts as absent, though DynamoDB deletes it late. */
export const isAbsent = '(attribute_not_exists(#pk) OR #expiresAt <= :now)'
export const isLive = 'attribute_exists(#pk) AND (attribute_not_exists(#expiresAt) OR #expiresAt > :now)'
/** Part of every write: what a newer release wrote is not written over. */
const isKnown = '(attribute_not_exists(#pk) OR #schemaVersion <= :schemaVersion)'

const common = z.object({
  pk: z.string(),
  sk: z.string(),
  schemaVersion: z.number(),
  writeId: z.string().optional(),
})

export interface Store {
  /** Strongly consistent; nothing when it is absent or has expired. */
  get<T>(key: Key, schema: z.ZodType<T>): Promise<T | undefined>
  /** Every item that has not expired, page by page: strongly consistent unless by an index. */
  query(query: { readonly index?: string; readonly where: string; readonly values: Attributes }): AsyncIterable<Attributes>
  /** Throws `NewerSchema`, or `StateUnavailable` for what no release writes. */
  parse<T>(item: Attributes, schema: z.ZodType<T>): T
  /** Writes the whole item if `condition` holds; else answers false and has written nothing. */
  put(
    key: Key,
    attributes: Attributes,
    options?: { readonly condition?: Condition; readonly expiresAt?: Instant | undefined },
  ): Promise<boolean>
  /** Changes a part of an item, which is made if it is absent, if `condition` holds; else answers false and has written nothing. */
  update(
    key: Key,
    change: { readonly set?: Attributes; readonly expressions?: readonly string[]; readonly remove?: readonly string[] },
    condition: Condition,
  ): Promise<boolean>
  remove(key: Key): Promise<void>
}

export interface StoreOptions {
  readonly client: DynamoDBClient
  readonly table: string
  readonly now: () => Instant
}

export function dynamodbStore({ client, table, now }: StoreOptions): Store {
  const nowSeconds = () => Math.floor(now() / second)

  /** Names and values of an expression: DynamoDB refuses those that are not used. */
  function bind(expressions: string, values: Attributes = {}) {
    const used = (mark: string) => [...new Set(expressions.match(new RegExp(`${mark}\\w+`, 'g')))]
    const known: Attributes = { now: nowSeconds(), schemaVersion, ...values }
    const bound = used(':').map((value) => [value, known[value.slice(1)]])
    return {
      ExpressionAttributeNames: Object.fromEntries(used('#').map((name) => [name, name.slice(1)])),
      ...(bound.length === 0 ? {} : { ExpressionAttributeValues: typed(Object.fromEntries(bound)) }),
    }
  }

  function guard(condition: Condition | undefined): string {
    return condition === undefined ? isKnown : `${isKnown} AND ${condition.holds}`
  }

  async function ask<T>(operation: string, about: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (cause) {
      if (cause instanceof ConditionalCheckFailedException) throw cause
      const name = cause instanceof Error ? cause.name : 'unknown error'
      const message = `The state table did not do ${operation} of ${about} (${name}). It is tried again with the next run; if it lasts, check the table's throttling and the function's permissions.`
      throw new StateUnavailable(message, { cause })
    }
  }

  async function read(key: Key): Promise<Attributes | undefined> {
    const get = new GetItemCommand({ TableName: table, Key: typed(key), ConsistentRead: true })
    const { Item } = await ask('GetItem', formatKey(key), () => client.send(get))
    return Item === undefined ? undefined : unmarshall(Item)
  }

  /**
   * The SDK sends a write again when its answer is lost. The first may have taken place all the same:
   *
   *     this process        table
   *     put, version 7  ──► 6 → 7, the answer is lost
   *     put, version 7  ──► 7: the condition fails
   *
   * A failed condition is therefore an answer only after a look at what is stored: each write leaves an id of its own.
   * Where somebody has written over it since, false is right again: whoever asked must read anew.
   */
  async function tookPlace(key: Key, writeId: string, operation: string, send: () => Promise<unknown>): Promise<boolean> {
    try {
      await ask(operation, formatKey(key), send)
      return true
    } catch (refusal) {
      if (!(refusal instanceof ConditionalCheckFailedException)) throw refusal
      const stored = refusal.Item === undefined ? await read(key) : unmarshall(refusal.Item)
      return stored !== undefined && parse(stored, common).writeId === writeId
    }
  }

  function expired({ expiresAt }: Attributes): boolean {
    return typeof expiresAt === 'number' && expiresAt <= nowSeconds()
  }

  function parse<T>(item: Attributes, schema: z.ZodType<T>): T {
    const head = common.safeParse(item)
    if (head.success && head.data.schemaVersion > schemaVersion) {
      throw new NewerSchema(formatKey(head.data), head.data.schemaVersion, schemaVersion)
    }
    const parsed = head.success ? schema.safeParse(item) : head
    if (parsed.success) return parsed.data as T
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
    const which = head.success ? formatKey(head.data) : 'without a key or version'
    throw new StateUnavailable(
      `The state item ${which} is not what a release writes (${wrong}). Restore it from a backup, or delete it to begin anew.`,
    )
  }

  return {
    parse,

    async get(key, schema) {
      const item = await read(key)
      return item === undefined || expired(item) ? undefined : parse(item, schema)
    },

    async *query({ index, where, values }) {
      const request = {
        TableName: table,
        KeyConditionExpression: where,
        ...bind(where, values),
        ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
      }
      const about = index === undefined ? String(values['pk']) : `the index ${index}`
      let start: QueryCommandOutput['LastEvaluatedKey']
      do {
        const from = start
        const page: QueryCommandOutput = await ask('Query', about, () =>
          client.send(new QueryCommand({ ...request, ExclusiveStartKey: from })),
        )
        for (const typedItem of page.Items ?? []) {
          const item = unmarshall(typedItem)
          if (!expired(item)) yield item
        }
        start = page.LastEvaluatedKey
      } while (start !== undefined)
    },

    put(key, attributes, { condition, expiresAt } = {}) {
      const writeId = randomUUID()
      const item = {
        ...attributes,
        ...key,
        schemaVersion,
        writeId,
        expiresAt: expiresAt === undefined ? undefined : Math.ceil(expiresAt / second),
      }
      const holds = guard(condition)
      return tookPlace(key, writeId, 'PutItem', () =>
        client.send(
          new PutItemCommand({
            TableName: table,
            Item: typed(item),
            ConditionExpression: holds,
            ...bind(holds, condition?.values),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      )
    },

    update(key, { set = {}, expressions = [], remove = [] }, condition) {
      const writeId = randomUUID()
      const holds = guard(condition)
      // The rest of the item stays what its writer made it, and so does its version.
      const always = ['#schemaVersion = if_not_exists(#schemaVersion, :schemaVersion)', '#writeId = :writeId']
      const sets = [...Object.keys(set).map((name) => `#${name} = :set_${name}`), ...expressions, ...always]
      const change = `SET ${sets.join(', ')}${remove.length === 0 ? '' : ` REMOVE ${remove.map((name) => `#${name}`).join(', ')}`}`
      const values = Object.fromEntries(Object.entries(set).map(([name, value]) => [`set_${name}`, value]))
      return tookPlace(key, writeId, 'UpdateItem', () =>
        client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: typed(key),
            UpdateExpression: change,
            ConditionExpression: holds,
            ...bind(`${change} ${holds}`, { ...condition.values, ...values, writeId }),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      )
    },

    async remove(key) {
      await tookPlace(key, '', 'DeleteItem', () =>
        client.send(
          new DeleteItemCommand({
            TableName: table,
            Key: typed(key),
            ConditionExpression: isKnown,
            ...bind(isKnown),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      )
    },
  }
}

/** For a write that only a newer item can refuse, and that one was gone when it was looked at. */
export async function mustWrite(key: Key, written: Promise<boolean>): Promise<void> {
  if (await written) return
  throw new StateUnavailable(`The state item ${formatKey(key)} was written and removed by a newer release meanwhile. Try again.`)
}

function typed(value: Attributes | Key): Record<string, AttributeValue> {
  return marshall(value, { removeUndefinedValues: true })
}

function formatKey({ pk, sk }: Key): string {
  return `${pk} ${sk}`
}
