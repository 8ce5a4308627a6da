import { Duration } from 'aws-cdk-lib'
import { StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Construct } from 'constructs'
import { allow } from '../permissions.ts'
import type { DeadLetterQueue } from '../state/queues.ts'
import { type AcceptingFunctionProps, acceptingEnvironment, acceptingPermissions } from './accepting-functions.ts'
import { PipelineFunction } from './pipeline-function.ts'

export interface ConnectorChangedFunctionProps extends AcceptingFunctionProps {
  /** Receives records that failed. The hourly comparison of the tables does their work later. */
  readonly deadLetters: DeadLetterQueue
}

/** Accepts, refuses or retires each connector whose item has changed. */
export class ConnectorChangedFunction extends PipelineFunction<'connectorChanged'> {
  constructor(scope: Construct, id: string, props: ConnectorChangedFunctionProps) {
    const { settings, encryptionKey, connectorsTable, deadLetters } = props
    super(scope, id, {
      settings,
      encryptionKey,
      name: 'connectorChanged',
      description: 'Accepts, refuses or retires connectors whose items have changed.',
      memoryMb: 512,
      timeout: Duration.minutes(2),
      environment: acceptingEnvironment(props),
      permissions: [
        allow(['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'], connectorsTable.streamArn),
        // This action takes no resource. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
        allow(['dynamodb:ListStreams'], '*'),
        ...acceptingPermissions(scope, props),
        allow(['sqs:SendMessage'], deadLetters.queueArn),
      ],
    })
    this.handler.addEventSource(
      new DynamoEventSource(connectorsTable, {
        // LATEST would miss items that are written while the mapping is created.
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        bisectBatchOnError: true,
        // One record that fails keeps none of the others back.
        reportBatchItemFailures: true,
        retryAttempts: 10,
        maxRecordAge: Duration.hours(6),
        onFailure: new SqsDlq(deadLetters),
      }),
    )
  }
}
