import { Duration } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import type { Construct } from 'constructs'
import { dueIndex, fleetIndex } from '../../functions/adapters/state-table/table-definitions.ts'
import { allow } from '../permissions.ts'
import { type AcceptingFunctionProps, acceptingEnvironment, acceptingPermissions } from './accepting-functions.ts'
import { PipelineFunction } from './pipeline-function.ts'

/** No retry: a minute later the next tick does the same work. */
const tickLife = { maxEventAge: Duration.minutes(1), retryAttempts: 0 } as const

/** Sends out the connectors that are due, compares the tables and measures the fleet, once a minute. */
export class DispatchFunction extends PipelineFunction<'dispatch'> {
  readonly tickRule: Rule

  constructor(scope: Construct, id: string, props: AcceptingFunctionProps) {
    const { settings, encryptionKey, connectorsTable, stateTable, deadLetters } = props
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
      options: { ...tickLife, onFailure: new SqsDestination(deadLetters) },
    })
    this.tickRule = new Rule(this, 'Tick', {
      ruleName: `${settings.namePrefix}-tick`,
      description: 'Runs dispatch once a minute. Disable it to stop collecting; enable it to continue where collecting stopped.',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.handler, { ...tickLife, deadLetterQueue: deadLetters })],
    })
  }
}
