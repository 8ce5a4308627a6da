import { Duration } from 'aws-cdk-lib'
import { type IEventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import type { Construct } from 'constructs'
import { dueIndex, fleetIndex } from '../functions/adapters/state-schema.ts'
import type { ConnectorsTable } from './connectors-table.ts'
import { allow, PipelineFunction, type PipelineFunctionSettings, readSecrets, useKey } from './pipeline-function.ts'
import type { DeadLetterQueue, WorkQueue } from './queues.ts'
import type { Settings } from './settings.ts'
import type { StateTable } from './state-table.ts'

export interface DispatchFunctionProps extends PipelineFunctionSettings {
  readonly settings: Settings
  readonly metricsNamespace: string
  readonly connectorsTable: ConnectorsTable
  readonly stateTable: StateTable
  readonly workQueue: WorkQueue
  readonly bus: IEventBus
  /** Where a tick goes that was not handled. */
  readonly deadLetters: DeadLetterQueue
}

/** After a minute the next tick does what this one would have done. */
const tickLife = { maxEventAge: Duration.minutes(1), retryAttempts: 0 } as const

/** A tick a minute: sends out what is due, compares the tables, measures the fleet. */
export class DispatchFunction extends PipelineFunction<'dispatch'> {
  readonly tickRule: Rule

  constructor(scope: Construct, id: string, props: DispatchFunctionProps) {
    const { settings, encryptionKey, connectorsTable, stateTable, workQueue, bus, deadLetters } = props
    super(scope, id, {
      settings,
      encryptionKey,
      entry: 'dispatch',
      description: 'Each minute: sends out the connectors that are due, compares the tables, measures the fleet.',
      memoryMb: 512,
      timeout: Duration.minutes(5),
      environment: {
        STATE_TABLE: stateTable.tableName,
        CONNECTORS_TABLE: connectorsTable.tableName,
        QUEUE_URL: workQueue.queueUrl,
        EVENT_BUS: bus.eventBusName,
        METRICS_NAMESPACE: props.metricsNamespace,
        SECRET_PREFIX: settings.secretPrefix,
        ALLOWED_HOSTS: settings.allowedHosts.join(','),
        TLS_VERIFICATION_OPTIONAL: String(settings.tlsVerificationOptional),
      },
      permissions: [
        allow(['dynamodb:Scan'], connectorsTable.tableArn),
        stateTable.use(),
        stateTable.list(dueIndex, fleetIndex),
        readSecrets(scope, settings.secretPrefix),
        allow(['events:PutEvents'], bus.eventBusArn),
        allow(['sqs:SendMessage'], workQueue.queueArn, deadLetters.queueArn),
        ...useKey(encryptionKey, 'kms:Decrypt', 'kms:GenerateDataKey'),
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
