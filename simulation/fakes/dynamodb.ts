import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { dueIndex, fleetIndex } from '../../functions/adapters/state-table/table-definitions.ts'
import { type Bound, conditionOf, type Item, order, updated } from './expressions.ts'

type Command = GetItemCommand | PutItemCommand | UpdateItemCommand | DeleteItemCommand | QueryCommand | ScanCommand

/** The key attributes of each index. */
const indexKeys: Readonly<Record<string, readonly [hash: string, range: string]>> = {
  [dueIndex]: ['dueShard', 'nextDueAt'],
  [fleetIndex]: ['fleetShard', 'connectorId'],
}

/**
 * One table of DynamoDB in memory, at the level of the client: the real adapters run over it, so each of their calls can fail by itself. The
 * contract tests hold it against dynalite and DynamoDB Local. Expired items stay until `deleteExpired`, as DynamoDB deletes late.
 */
export class MemoryDynamoDb {
  private readonly partitions = new Map<string, Partition>()
  /** The items of each index, by their keys. */
  private readonly indexes = new Map(Object.keys(indexKeys).map((index) => [index, new Map<string, Item>()]))
  /** Items of one page of a query at most (count), so that a listing takes several calls. */
  private readonly pageItemsMax: number

  constructor({ pageItemsMax = 1_000 }: { readonly pageItemsMax?: number } = {}) {
    this.pageItemsMax = pageItemsMax
  }

  /** The part of a client that the state table uses. */
  get client(): DynamoDBClient {
    return this as unknown as DynamoDBClient
  }

  async send(command: Command): Promise<unknown> {
    if (command instanceof GetItemCommand) return { Item: this.find(command.input.Key) }
    if (command instanceof PutItemCommand) return this.write(command.input.Item, command.input, () => command.input.Item)
    if (command instanceof DeleteItemCommand) return this.write(command.input.Key, command.input, () => undefined)
    if (command instanceof UpdateItemCommand) {
      const { Key, UpdateExpression = '' } = command.input
      return this.write(Key, command.input, (item) => updated({ ...Key, ...item }, UpdateExpression, boundOf(command.input)))
    }
    if (command instanceof QueryCommand) return this.query(command.input)
    return { Items: [...this.partitions.values()].flatMap(({ items }) => [...items.values()]) }
  }

  /** Deletes the items that expired before this instant (s), as DynamoDB does by and by. */
  deleteExpired(before: number): void {
    for (const partition of this.partitions.values()) {
      for (const [sk, { expiresAt }] of partition.items) if (Number(expiresAt?.N ?? before) < before) partition.set(sk, undefined)
    }
  }

  private find(key: Item | undefined): Item | undefined {
    return this.partitions.get(key?.['pk']?.S ?? '')?.items.get(key?.['sk']?.S ?? '')
  }

  private write(key: Item | undefined, input: ConditionInput, change: (item: Item | undefined) => Item | undefined) {
    const item = this.find(key)
    const { ConditionExpression } = input
    if (ConditionExpression !== undefined && !conditionOf(ConditionExpression)(item ?? {}, boundOf(input))) {
      throw new ConditionalCheckFailedException({
        message: 'The condition failed',
        $metadata: {},
        ...(item === undefined ? {} : { Item: item }),
      })
    }
    const [pk, sk] = [key?.['pk']?.S ?? '', key?.['sk']?.S ?? '']
    const next = change(item)
    const partition = this.partitions.get(pk) ?? new Partition()
    this.partitions.set(pk, partition)
    partition.set(sk, next)
    for (const [index, items] of this.indexes) {
      if (next?.[indexKeys[index]?.[0] ?? ''] === undefined) items.delete(`${pk}\n${sk}`)
      else items.set(`${pk}\n${sk}`, next)
    }
    return {}
  }

  private query({ IndexName, KeyConditionExpression = '', ExclusiveStartKey, ...input }: QueryCommand['input']) {
    const bound = boundOf(input)
    const holds = conditionOf(KeyConditionExpression)
    const [, range] = IndexName === undefined ? ['pk', 'sk'] : (indexKeys[IndexName] ?? ['pk', 'sk'])
    const matching = this.candidates(IndexName, KeyConditionExpression, bound)
      .filter((item) => holds(item, bound))
      .sort((a, b) => order(a[range], b[range]) || order(a['pk'], b['pk']) || order(a['sk'], b['sk']))
    const from = ExclusiveStartKey === undefined ? 0 : 1 + matching.findIndex((item) => isAt(item, ExclusiveStartKey))
    const page = matching.slice(from, from + this.pageItemsMax)
    const last = page.at(-1)
    const isMore = from + page.length < matching.length && last !== undefined
    return { Items: page, ...(isMore ? { LastEvaluatedKey: keysOf(last, range) } : {}) }
  }

  private candidates(index: string | undefined, expression: string, bound: Bound): readonly Item[] {
    if (index !== undefined) return [...(this.indexes.get(index)?.values() ?? [])]
    const textOf = (pattern: RegExp) => bound.values[pattern.exec(expression)?.[1] ?? '']?.S
    const first = textOf(/#sk (?:>=|BETWEEN) (:\w+)/) ?? textOf(/begins_with\(#sk, (:\w+)\)/) ?? ''
    const last = textOf(/#sk <= (:\w+)/) ?? textOf(/#sk BETWEEN :\w+ AND (:\w+)/) ?? `${textOf(/begins_with\(#sk, (:\w+)\)/) ?? ''}\uffff`
    return this.partitions.get(textOf(/#pk = (:\w+)/) ?? '')?.between(first, last) ?? []
  }
}

/** The items of one partition, also in the order of their sort keys. */
class Partition {
  readonly items = new Map<string, Item>()
  private readonly keys: string[] = []

  set(sk: string, item: Item | undefined): void {
    const isThere = this.items.has(sk)
    if (item === undefined) this.items.delete(sk)
    else this.items.set(sk, item)
    if (isThere === (item !== undefined)) return
    this.keys.splice(this.place(sk), item === undefined ? 1 : 0, ...(item === undefined ? [] : [sk]))
  }

  /** From `first` to `last`, both included. */
  between(first: string, last: string): readonly Item[] {
    const found: Item[] = []
    for (let at = this.place(first); at < this.keys.length; at++) {
      const key = this.keys[at]
      if (key === undefined || key > last) break
      const item = this.items.get(key)
      if (item !== undefined) found.push(item)
    }
    return found
  }

  /** The place of the first key that is not before `sk`. */
  private place(sk: string): number {
    let low = 0
    let high = this.keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.keys[middle] ?? '') < sk) low = middle + 1
      else high = middle
    }
    return low
  }
}

interface ConditionInput {
  readonly ConditionExpression?: string | undefined
  readonly ExpressionAttributeNames?: Record<string, string> | undefined
  readonly ExpressionAttributeValues?: Record<string, AttributeValue> | undefined
}

function boundOf({ ExpressionAttributeNames = {}, ExpressionAttributeValues = {} }: Omit<ConditionInput, 'ConditionExpression'>): Bound {
  return { names: ExpressionAttributeNames, values: ExpressionAttributeValues }
}

function keysOf(item: Item, range: string): Item {
  return Object.fromEntries(['pk', 'sk', range].flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])))
}

function isAt(item: Item, key: Item): boolean {
  return item['pk']?.S === key['pk']?.S && item['sk']?.S === key['sk']?.S
}
