import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'

/** The tables as CreateTable takes them: what local services create, and what the stack must agree with. */

export const dueIndex = 'due'
export const fleetIndex = 'fleet'

/** The state table; only the functions write it. Its indexes are sparse: an item without their keys is not in them. */
export function stateTableDefinition(name: string) {
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
      { AttributeName: 'dueShard', AttributeType: 'N' },
      { AttributeName: 'nextDueAt', AttributeType: 'N' },
      { AttributeName: 'fleetShard', AttributeType: 'N' },
      { AttributeName: 'connectorId', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: dueIndex,
        KeySchema: [
          { AttributeName: 'dueShard', KeyType: 'HASH' },
          { AttributeName: 'nextDueAt', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
      {
        IndexName: fleetIndex,
        KeySchema: [
          { AttributeName: 'fleetShard', KeyType: 'HASH' },
          { AttributeName: 'connectorId', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  } as const satisfies CreateTableCommandInput
}

/** The customer's table of connectors, whose stream wakes `connector-changed`. */
export function connectorsTableDefinition(name: string) {
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'connectorId', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'connectorId', KeyType: 'HASH' }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
  } as const satisfies CreateTableCommandInput
}
