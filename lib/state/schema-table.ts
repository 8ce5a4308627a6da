import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import { RemovalPolicy } from 'aws-cdk-lib'
import {
  type Attribute,
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'

export interface SchemaTableProps {
  /** Input of CreateTable. Its table name is ignored: with a fixed name, a retained table would block the next stack. */
  readonly definition: Required<Pick<CreateTableCommandInput, 'AttributeDefinitions' | 'KeySchema'>> & CreateTableCommandInput
  /** Absent: items never expire. */
  readonly timeToLiveAttribute?: string
  readonly removalPolicy: RemovalPolicy
  /** Absent: a key that AWS manages. */
  readonly encryptionKey?: IKey
}

/** A table made from the functions' own definition of it. */
export class SchemaTable extends Table {
  constructor(scope: Construct, id: string, { definition, timeToLiveAttribute, removalPolicy, encryptionKey }: SchemaTableProps) {
    const { AttributeDefinitions, GlobalSecondaryIndexes = [], StreamSpecification } = definition
    const view = StreamSpecification?.StreamViewType
    super(scope, id, {
      ...keysOf(definition, AttributeDefinitions),
      ...(view === undefined ? {} : { stream: StreamViewType[view] }),
      ...(timeToLiveAttribute === undefined ? {} : { timeToLiveAttribute }),
      billingMode: BillingMode.PAY_PER_REQUEST,
      ...(encryptionKey === undefined ? {} : { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey }),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: removalPolicy === RemovalPolicy.RETAIN,
      removalPolicy,
    })
    for (const { IndexName = '', KeySchema, Projection } of GlobalSecondaryIndexes) {
      this.addGlobalSecondaryIndex({
        indexName: IndexName,
        ...keysOf({ KeySchema }, AttributeDefinitions),
        projectionType: ProjectionType[Projection?.ProjectionType ?? 'ALL'],
      })
    }
  }
}

function keysOf(
  { KeySchema }: Pick<CreateTableCommandInput, 'KeySchema'>,
  definitions: CreateTableCommandInput['AttributeDefinitions'],
): { readonly partitionKey: Attribute; readonly sortKey?: Attribute } {
  const [partitionKey, sortKey] = (KeySchema ?? []).map(({ AttributeName: name = '' }) => {
    const type = definitions?.find(({ AttributeName }) => AttributeName === name)?.AttributeType
    return { name, type: type === 'N' ? AttributeType.NUMBER : AttributeType.STRING }
  })
  if (partitionKey === undefined) throw new Error('A table or index has no key.')
  return { partitionKey, ...(sortKey === undefined ? {} : { sortKey }) }
}
