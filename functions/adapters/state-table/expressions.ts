import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'

export type Attributes = Readonly<Record<string, unknown>>

/**
 * In expressions `#name` is an attribute and `:name` one of `values`; `:now` (epoch seconds) and `:schemaVersion` are always there. Put
 * a disjunction in parentheses, and nothing else: DynamoDB refuses parentheses that are not needed.
 */
export interface Condition {
  readonly holds: string
  readonly values?: Attributes
}

/** Parts of conditions. An expired item counts as absent, because DynamoDB deletes it late. */
export const isAbsent = '(attribute_not_exists(#pk) OR #expiresAt <= :now)'
export const isLive = 'attribute_exists(#pk) AND (attribute_not_exists(#expiresAt) OR #expiresAt > :now)'
/** Part of every write, so that no write replaces an item of a newer release. */
export const isReadable = '(attribute_not_exists(#pk) OR #schemaVersion <= :schemaVersion)'

/** Part of a write that a later acceptance must not lose to this one (`:acceptedAt`). Earlier releases store no version. */
export const notLater = '(attribute_not_exists(#acceptedAt) OR #acceptedAt <= :acceptedAt)'

/** The names and values that the expressions use, for a request. The others are left out, because DynamoDB refuses unused ones. */
export function bind(expressions: string, values: Attributes) {
  const used = (mark: string) => [...new Set(expressions.match(new RegExp(`${mark}\\w+`, 'g')))]
  const bound = used(':').map((value) => [value, values[value.slice(1)]])
  return {
    ExpressionAttributeNames: Object.fromEntries(used('#').map((name) => [name, name.slice(1)])),
    ...(bound.length === 0 ? {} : { ExpressionAttributeValues: typed(Object.fromEntries(bound)) }),
  }
}

/** The value in DynamoDB's typed JSON. */
export function typed(value: object): Record<string, AttributeValue> {
  return marshall(value, { removeUndefinedValues: true })
}
