import { Duration } from 'aws-cdk-lib'
import type { IEventBus } from 'aws-cdk-lib/aws-events'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Construct } from 'constructs'
import { allow, readSecrets, useKey } from '../permissions.ts'
import type { Settings } from '../settings.ts'
import type { WorkQueue } from '../state/queues.ts'
import type { StateTable } from '../state/state-table.ts'
import { heapFlags, responseBytesMax } from './collect-memory.ts'
import { PipelineFunction, type PipelineFunctionSettings } from './pipeline-function.ts'

export interface CollectFunctionProps extends PipelineFunctionSettings {
  readonly settings: Settings
  readonly metricsNamespace: string
  readonly stateTable: StateTable
  readonly workQueue: WorkQueue
  readonly bus: IEventBus
  readonly deliveryStreamName: string
  readonly deliveryStreamArn: string
}

/** Runs one connector for each message of the work queue. */
export class CollectFunction extends PipelineFunction<'collect'> {
  constructor(scope: Construct, id: string, props: CollectFunctionProps) {
    const { settings, encryptionKey, stateTable, workQueue, bus, deliveryStreamName, deliveryStreamArn } = props
    super(scope, id, {
      settings,
      encryptionKey,
      name: 'collect',
      description: 'One run: reads the streams of one connector and delivers their events.',
      memoryMb: settings.collectMemoryMb,
      timeout: Duration.minutes(5),
      nodeFlags: heapFlags(settings.collectMemoryMb),
      environment: {
        STATE_TABLE: stateTable.tableName,
        DELIVERY_STREAM: deliveryStreamName,
        EVENT_BUS: bus.eventBusName,
        METRICS_NAMESPACE: props.metricsNamespace,
        ALLOWED_HOSTS: settings.allowedHosts.join(','),
        SECRETS_BOUND_TO_ORIGIN: 'true',
        SHARED_RATE_GROUPS: settings.sharedRateGroups.join(','),
        HTTPS_PROXY: settings.httpsProxy ?? '',
        NO_PROXY: settings.noProxy.join(','),
        TLS_VERIFICATION_OPTIONAL: String(settings.tlsVerificationOptional),
        RESPONSE_BYTES_MAX: String(responseBytesMax(settings.collectMemoryMb)),
      },
      permissions: [
        stateTable.readAndWrite(),
        readSecrets(scope, settings.secretPrefix),
        allow(['firehose:PutRecordBatch'], deliveryStreamArn),
        allow(['events:PutEvents'], bus.eventBusArn),
        allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], workQueue.queueArn),
        ...useKey(encryptionKey, ['kms:Decrypt'], 'dynamodb', 'secretsmanager', 'sqs'),
      ],
      options: { reservedConcurrentExecutions: settings.reservedConcurrency },
    })
    this.handler.addEventSource(new SqsEventSource(workQueue, { batchSize: 1, maxConcurrency: settings.collectConcurrency }))
  }
}
