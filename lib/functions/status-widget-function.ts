import { Duration } from 'aws-cdk-lib'
import type { Alias } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { fleetIndex } from '../../functions/adapters/state-table/table-definitions.ts'
import { useKey } from '../permissions.ts'
import type { Settings } from '../settings.ts'
import type { StateTable } from '../state/state-table.ts'
import { addAliases } from './aliases.ts'
import { PipelineFunction, type PipelineFunctionSettings } from './pipeline-function.ts'

export interface StatusWidgetFunctionProps extends PipelineFunctionSettings {
  readonly settings: Settings
  readonly stateTable: StateTable
}

/** Draws the table of connectors on the dashboard. It may read one index, and write nothing. A call by a tenant's alias shows that tenant only. */
export class StatusWidgetFunction extends PipelineFunction<'statusWidget'> {
  /** The alias for all tenants. */
  readonly all: Alias

  constructor(scope: Construct, id: string, props: StatusWidgetFunctionProps) {
    const { settings, encryptionKey, stateTable } = props
    super(scope, id, {
      settings,
      encryptionKey,
      name: 'statusWidget',
      description: 'Draws the table of connectors on the dashboard; reads only.',
      memoryMb: 256,
      timeout: Duration.seconds(30),
      environment: { STATE_TABLE: stateTable.tableName },
      permissions: [stateTable.queryIndexes(fleetIndex), ...useKey(encryptionKey, ['kms:Decrypt'], 'dynamodb')],
    })
    this.all = addAliases(this.handler, settings.tenantsWithOperators).all
  }
}
