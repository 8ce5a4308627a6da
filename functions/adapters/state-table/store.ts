import { randomUUID } from 'node:crypto'
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import type * as z from 'zod/mini'
import { NewerSchema, StateUnavailable } from '../../domain/state-errors.ts'
import { type Instant, second } from '../../domain/time.ts'
import { type Attributes, bind, type Condition, isReadable, typed } from './expressions.ts'
import { parseItem, schemaVersion, writeIdOf } from './item.ts'
import { formatKey, type Key } from './item-keys.ts'

/**
 * Reads and writes items of the state table. Whatever goes wrong throws `StateUnavailable`, after the retries of the SDK. A write
 * that throws may or may not have taken place. No method parses or replaces an item of a newer release: it throws `NewerSchema`.
 */
export interface Store {
  /** Strongly consistent. Returns nothing if the item is absent or has expired. */
  get<T>(key: Key, schema: z.ZodMiniType<T>): Promise<T | undefined>
  /** Every item that has not expired, page by page. Strongly consistent unless by an index. The items are not parsed. */
  query(query: { readonly index?: string; readonly where: string; readonly values: Attributes }): AsyncIterable<Attributes>
  /** Writes the whole item if `condition` holds. Otherwise it writes nothing and returns false. */
  put(
    key: Key,
    attributes: Attributes,
    options?: { readonly condition?: Condition; readonly expiresAt?: Instant | undefined },
  ): Promise<boolean>
  /** Changes a part of the item, or makes the item, if `condition` holds. Otherwise it writes nothing and returns false. */
  update(
    key: Key,
    change: { readonly set?: Attributes; readonly expressions?: readonly string[]; readonly remove?: readonly string[] },
    condition: Condition,
  ): Promise<boolean>
  /** Removes the item if `condition` holds, or does nothing. */
  remove(key: Key, condition?: Condition): Promise<void>
  /** Parses an item of a listing. Returns nothing if it cannot be read, so that one item does not stop the work on all others. */
  listed<T>(item: Attributes, schema: z.ZodMiniType<T>): T | undefined
}

export interface StoreOptions {
  readonly client: DynamoDBClient
  readonly table: string
  readonly now: () => Instant
  /** Called with each item that a listing leaves out, because a newer release wrote it or it cannot be read. */
  readonly onUnreadable?: (why: NewerSchema | StateUnavailable) => void
}

export function dynamodbStore({ client, table, now, onUnreadable = () => {} }: StoreOptions): Store {
  const nowSeconds = () => Math.floor(now() / second)
  const bindValues = (expressions: string, values: Attributes = {}) => bind(expressions, { now: nowSeconds(), schemaVersion, ...values })
  const isExpired = ({ expiresAt }: Attributes) => typeof expiresAt === 'number' && expiresAt <= nowSeconds()

  async function read(key: Key): Promise<Attributes | undefined> {
    const get = new GetItemCommand({ TableName: table, Key: typed(key), ConsistentRead: true })
    const { Item } = await call('GetItem', formatKey(key), () => client.send(get))
    return Item === undefined ? undefined : unmarshall(Item)
  }

  /**
   * Sends a write, and returns whether it took place. The SDK sends a write again when the response is lost, but the first one may
   * have taken place:
   *
   *     this process        table
   *     put, version 7  ──► 6 → 7, the response is lost
   *     put, version 7  ──► 7: the condition fails
   *
   * So each write leaves an id of its own, and a failed condition is compared with the id that is stored. If another process has
   * replaced the item since, false is right again: the caller must read the item again.
   */
  async function tookPlace(key: Key, writeId: string, operation: string, send: () => Promise<unknown>): Promise<boolean> {
    try {
      await call(operation, formatKey(key), send)
      return true
    } catch (refusal) {
      if (!(refusal instanceof ConditionalCheckFailedException)) throw refusal
      const stored = refusal.Item === undefined ? await read(key) : unmarshall(refusal.Item)
      return stored !== undefined && writeIdOf(stored) === writeId
    }
  }

  return {
    async get(key, schema) {
      const item = await read(key)
      return item === undefined || isExpired(item) ? undefined : parseItem(item, schema)
    },

    async *query({ index, where, values }) {
      const request = {
        TableName: table,
        KeyConditionExpression: where,
        ...bindValues(where, values),
        ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
      }
      const about = index === undefined ? String(values['pk']) : `the index ${index}`
      let start: QueryCommandOutput['LastEvaluatedKey']
      do {
        const from = start
        const page: QueryCommandOutput = await call('Query', about, () =>
          client.send(new QueryCommand({ ...request, ExclusiveStartKey: from })),
        )
        for (const typedItem of page.Items ?? []) {
          const item = unmarshall(typedItem)
          if (!isExpired(item)) yield item
        }
        start = page.LastEvaluatedKey
      } while (start !== undefined)
    },

    put(key, attributes, { condition, expiresAt } = {}) {
      const writeId = randomUUID()
      const expiry = { expiresAt: expiresAt === undefined ? undefined : Math.ceil(expiresAt / second) }
      const holds = condition === undefined ? isReadable : `${isReadable} AND ${condition.holds}`
      return tookPlace(key, writeId, 'PutItem', () =>
        client.send(
          new PutItemCommand({
            TableName: table,
            Item: typed({ ...attributes, ...key, schemaVersion, writeId, ...expiry }),
            ConditionExpression: holds,
            ...bindValues(holds, condition?.values),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      )
    },

    update(key, { set = {}, expressions = [], remove = [] }, condition) {
      const writeId = randomUUID()
      const holds = `${isReadable} AND ${condition.holds}`
      // The other attributes stay as their writer made them, and so does the version.
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
            ...bindValues(`${change} ${holds}`, { ...condition.values, ...values, writeId }),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      )
    },

    listed(item, schema) {
      try {
        return parseItem(item, schema)
      } catch (error) {
        if (!(error instanceof NewerSchema || error instanceof StateUnavailable)) throw error
        onUnreadable(error)
        return undefined
      }
    },

    async remove(key, condition) {
      const holds = condition === undefined ? isReadable : `${isReadable} AND ${condition.holds}`
      await tookPlace(key, '', 'DeleteItem', () =>
        client.send(
          new DeleteItemCommand({
            TableName: table,
            Key: typed(key),
            ConditionExpression: holds,
            ...bindValues(holds, condition?.values),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      )
    },
  }
}

/** Lets a failed condition pass. Every other error becomes `StateUnavailable`. */
async function call<T>(operation: string, about: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (cause) {
    if (cause instanceof ConditionalCheckFailedException) throw cause
    const name = cause instanceof Error ? cause.name : 'unknown error'
    const message = `The state table failed on ${operation} of ${about} (${name}). The next run tries again; if it keeps failing, check the table's throttling and the function's permissions.`
    throw new StateUnavailable(message, { cause })
  }
}

/** A write without a condition fails only if a newer release wrote the item. Here that item was gone when it was read. */
export async function mustWrite(key: Key, written: Promise<boolean>): Promise<void> {
  if (await written) return
  throw new StateUnavailable(`A newer release wrote and removed the state item ${formatKey(key)} meanwhile. Try again.`)
}
