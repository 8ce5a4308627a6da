import { Duration } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import type { Construct } from 'constructs'
import { dueIndex, fleetIndex } from '../../functions/adapters/state-table/table-definitions.ts'
import { allow } from '../permissions.ts'
import { type AcceptingFunctionProps, acceptingEnvironment, acceptingPermissions } from './accepting-functions.ts'
import { PipelineFunction } from './pipeline-function.ts'

/** No retry and no dead letter: a minute later the next tick does the same work. An alarm watches that ticks are completed. */
const tickLife = { maxEventAge: Duration.minutes(1), retryAttempts: 0 } as const

/** Sends out the connectors that are due, compares the tables and measures the fleet, once a minute. */
export class DispatchFunction extends PipelineFunction<'dispatch'> {
  readonly tickRule: Rule

  constructor(scope: Construct, id: string, props: AcceptingFunctionProps) {
    const { settings, encryptionKey, connectorsTable, stateTable } = props
    super(scope, id, {
      settings,
      encryptionKey,
      name: 'dispatch',
      description: 'Once a minute: sends out the connectors that are due, compares the tables, measures the fleet.',
      memoryMb: 512,
      timeout: Duration.minutes(5),
      environment: {
        ...acceptingEnvironment(props),
        CONNECTORS_TABLE: connectorsTable.tableName,
        COLLECT_CONCURRENCY: String(settings.collectConcurrency),
      },
      permissions: [
        allow(['dynamodb:Scan'], connectorsTable.tableArn),
        stateTable.queryIndexes(dueIndex, fleetIndex),
        ...acceptingPermissions(scope, props),
      ],
      options: tickLife,
    })
    this.tickRule = new Rule(this, 'Tick', {
      ruleName: `${settings.namePrefix}-tick`,
      description: 'Runs dispatch once a minute. Disable it to stop collecting; enable it to continue where collecting stopped.',
      // A rate may fire at any second. An expression fires in each minute once, so none is left out in which something is to be done.
      schedule: Schedule.cron({ minute: '*' }),
      targets: [new LambdaFunction(this.handler, tickLife)],
    })
  }
}
