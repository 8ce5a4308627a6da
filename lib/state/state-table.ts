import type { RemovalPolicy } from 'aws-cdk-lib'
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import { stateTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'
import { allow } from '../permissions.ts'
import { SchemaTable } from './schema-table.ts'

const reading = ['dynamodb:GetItem', 'dynamodb:Query'] as const
const writing = ['dynamodb:PutItem', 'dynamodb:UpdateItem'] as const

/** The memory of the functions about each connector and key. Only the functions write it. */
export class StateTable extends SchemaTable {
  constructor(scope: Construct, id: string, props: { readonly removalPolicy: RemovalPolicy; readonly encryptionKey?: IKey }) {
    super(scope, id, { ...props, definition: stateTableDefinition(id), timeToLiveAttribute: 'expiresAt' })
  }

  /** Allows reading, writing and deleting items. Indexes are read only with `queryIndexes`. */
  readAndWrite(): PolicyStatement {
    return allow([...reading, ...writing, 'dynamodb:DeleteItem'], this.tableArn)
  }

  /** The same without deleting. */
  readAndPut(): PolicyStatement {
    return allow([...reading, ...writing], this.tableArn)
  }

  /** Allows reading these indexes. */
  queryIndexes(...indexes: readonly string[]): PolicyStatement {
    return allow(['dynamodb:Query'], ...indexes.map((index) => `${this.tableArn}/index/${index}`))
  }
}
