import { Duration } from 'aws-cdk-lib'
import type { IEventBus } from 'aws-cdk-lib/aws-events'
import { StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Construct } from 'constructs'
import type { ConnectorsTable } from './connectors-table.ts'
import { allow, PipelineFunction, type PipelineFunctionSettings, readSecrets, useKey } from './pipeline-function.ts'
import type { DeadLetterQueue, WorkQueue } from './queues.ts'
import type { Settings } from './settings.ts'
import type { StateTable } from './state-table.ts'

export interface ConnectorChangedFunctionProps extends PipelineFunctionSettings {
  readonly settings: Settings
  readonly metricsNamespace: string
  readonly connectorsTable: ConnectorsTable
  readonly stateTable: StateTable
  readonly workQueue: WorkQueue
  readonly bus: IEventBus
  /** Where the position of records goes that failed every time. The hourly comparison repairs what they would have done. */
  readonly deadLetters: DeadLetterQueue
}

/** Accepts, refuses or retires the connectors whose items have changed. */
export class ConnectorChangedFunction extends PipelineFunction<'connectorChanged'> {
  constructor(scope: Construct, id: string, props: ConnectorChangedFunctionProps) {
    const { settings, encryptionKey, connectorsTable, stateTable, workQueue, bus, deadLetters } = props
    super(scope, id, {
      settings,
      encryptionKey,
      entry: 'connector-changed',
      description: 'Accepts, refuses or retires connectors whose items have changed.',
      memoryMb: 512,
      timeout: Duration.minutes(2),
      environment: {
        STATE_TABLE: stateTable.tableName,
        QUEUE_URL: workQueue.queueUrl,
        EVENT_BUS: bus.eventBusName,
        METRICS_NAMESPACE: props.metricsNamespace,
        SECRET_PREFIX: settings.secretPrefix,
        ALLOWED_HOSTS: settings.allowedHosts.join(','),
        TLS_VERIFICATION_OPTIONAL: String(settings.tlsVerificationOptional),
      },
      permissions: [
        allow(['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'], connectorsTable.streamArn),
        // It takes no resource. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
        allow(['dynamodb:ListStreams'], '*'),
        stateTable.use(),
        readSecrets(scope, settings.secretPrefix),
        allow(['events:PutEvents'], bus.eventBusArn),
        allow(['sqs:SendMessage'], workQueue.queueArn, deadLetters.queueArn),
        ...useKey(encryptionKey, 'kms:Decrypt', 'kms:GenerateDataKey'),
      ],
    })
    this.handler.addEventSource(
      new DynamoEventSource(connectorsTable, {
        // LATEST would miss what is written while the mapping is made.
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        bisectBatchOnError: true,
        retryAttempts: 10,
        maxRecordAge: Duration.hours(6),
        onFailure: new SqsDlq(deadLetters),
      }),
    )
  }
}
