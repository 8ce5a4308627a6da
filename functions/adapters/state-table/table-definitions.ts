import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'

/** The tables in the form of CreateTable. The local services create them from it, and the stack derives its tables from it. */

export const dueIndex = 'due'
export const fleetIndex = 'fleet'

/** The state table. Only the functions write it. Its indexes are sparse: an item without the attributes of their keys is not in them. */
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

/** The customer's table of connectors. Its stream starts `connector-changed`. */
export function connectorsTableDefinition(name: string) {
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'connectorId', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'connectorId', KeyType: 'HASH' }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
  } as const satisfies CreateTableCommandInput
}
