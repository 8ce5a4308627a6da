import { Duration } from 'aws-cdk-lib'
import type { IEventBus } from 'aws-cdk-lib/aws-events'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Construct } from 'constructs'
import { allow, readSecrets, useKey } from '../permissions.ts'
import type { Settings } from '../settings.ts'
import type { WorkQueue } from '../state/queues.ts'
import type { StateTable } from '../state/state-table.ts'
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

/** Memory of a run outside the heap: code, stacks and bodies of responses (MB). */
const outsideHeapMb = 64

/**
 * Limits of the heap that fit this memory. By default Node collects short-lived objects only after 128 MB of them, and until then they
 * keep their buffers outside the heap.
 */
function heapFlags(memoryMb: number): readonly string[] {
  return [`--max-old-space-size=${memoryMb - outsideHeapMb}`, '--max-semi-space-size=8']
}

/** Memory of the process without a page (MB). Measured: 150; the rest is a margin. */
const processMb = 192

/** A page is in memory as text, items, records and request to Firehose at once. Measured: 25 bytes a byte; the rest is a margin. */
const memoryBytesPerPageByte = 28

/** The largest page that a run with this memory can read. */
function responseBytesMax(memoryMb: number): number {
  return Math.floor(((memoryMb - processMb) / memoryBytesPerPageByte) * 1024 ** 2)
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
