import type { RemovalPolicy } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import { connectorsTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'
import { SchemaTable } from './schema-table.ts'

/** The connectors as users write them. The stream of the table invokes `connector-changed`. */
export class ConnectorsTable extends SchemaTable {
  constructor(scope: Construct, id: string, props: { readonly removalPolicy: RemovalPolicy; readonly encryptionKey?: IKey }) {
    super(scope, id, { ...props, definition: connectorsTableDefinition(id) })
  }

  get streamArn(): string {
    if (this.tableStreamArn === undefined) throw new Error('The definition of the connectors table has no stream.')
    return this.tableStreamArn
  }
}
