import type { RemovalPolicy } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import { connectorsTable } from '../../functions/adapters/state-schema.ts'
import { SchemaTable } from './schema-table.ts'

/** The customer’s connectors; users write it, and its stream wakes `connector-changed`. */
export class ConnectorsTable extends SchemaTable {
  constructor(scope: Construct, id: string, props: { readonly removalPolicy: RemovalPolicy; readonly encryptionKey?: IKey }) {
    super(scope, id, { ...props, schema: connectorsTable(id) })
  }

  /** The ARN of its stream. */
  get streamArn(): string {
    if (this.tableStreamArn === undefined) throw new Error('The schema of the connectors table has no stream')
    return this.tableStreamArn
  }
}
