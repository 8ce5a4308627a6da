import { Duration } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import type { Construct } from 'constructs'
import { dueIndex, fleetIndex } from '../../functions/adapters/state-schema.ts'
import { allow } from '../permissions.ts'
import { type AcceptingFunctionProps, acceptingEnvironment, acceptingPermissions } from './accepting-functions.ts'
import { PipelineFunction } from './pipeline-function.ts'

/** After a minute the next tick does what this one would have done. */
const tickLife = { maxEventAge: Duration.minutes(1), retryAttempts: 0 } as const

/** A tick a minute: sends out what is due, compares the tables, measures the fleet. */
export class DispatchFunction extends PipelineFunction<'dispatch'> {
  readonly tickRule: Rule

  constructor(scope: Construct, id: string, props: AcceptingFunctionProps) {
    const { settings, encryptionKey, connectorsTable, stateTable, deadLetters } = props
    super(scope, id, {
      settings,
      encryptionKey,
      name: 'dispatch',
      description: 'Each minute: sends out the connectors that are due, compares the tables, measures the fleet.',
      memoryMb: 512,
      timeout: Duration.minutes(5),
      environment: { ...acceptingEnvironment(props), CONNECTORS_TABLE: connectorsTable.tableName },
      permissions: [
        allow(['dynamodb:Scan'], connectorsTable.tableArn),
        stateTable.list(dueIndex, fleetIndex),
        ...acceptingPermissions(scope, props),
      ],
      options: { ...tickLife, onFailure: new SqsDestination(deadLetters) },
    })
    this.tickRule = new Rule(this, 'Tick', {
      ruleName: `${settings.namePrefix}-tick`,
      description: 'Wakes dispatch once a minute. Disabling it stops all collecting; enabling it goes on where it stopped.',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.handler, { ...tickLife, deadLetterQueue: deadLetters })],
    })
  }
}
