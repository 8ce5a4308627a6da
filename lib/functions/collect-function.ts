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

/** Outside the heap of a run: code, stacks and bodies of answers (MB). */
const outsideHeapMb = 64

/**
 * A heap for this memory. On a machine with more, Node lets short-lived objects pile up to 128 MB, and what they hold outside
 * the heap with them, before it collects the few MB that live.
 */
function heapFlags(memoryMb: number): readonly string[] {
  return [`--max-old-space-size=${memoryMb - outsideHeapMb}`, '--max-semi-space-size=8']
}

/**
 * A page is in memory as text, as items, as records and as what Firehose is sent, all at once. Measured at its peak, the whole process takes
 * 150 MB and 25 bytes for each byte of the page.
 */
function responseBytesMax(memoryMb: number): number {
  return Math.floor(((memoryMb - 192) / 28) * 1024 ** 2)
}

/** One message of the work queue is one run of one connector. */
export class CollectFunction extends PipelineFunction<'collect'> {
  constructor(scope: Construct, id: string, props: CollectFunctionProps) {
    const { settings, encryptionKey, stateTable, workQueue, bus, deliveryStreamName, deliveryStreamArn } = props
    super(scope, id, {
      settings,
      encryptionKey,
      name: 'collect',
      description: 'A run: reads the streams of one connector and delivers their events.',
      memoryMb: settings.collectMemoryMb,
      timeout: Duration.minutes(5),
      nodeFlags: heapFlags(settings.collectMemoryMb),
      environment: {
        STATE_TABLE: stateTable.tableName,
        DELIVERY_STREAM: deliveryStreamName,
        EVENT_BUS: bus.eventBusName,
        METRICS_NAMESPACE: props.metricsNamespace,
        ALLOWED_HOSTS: settings.allowedHosts.join(','),
        TLS_VERIFICATION_OPTIONAL: String(settings.tlsVerificationOptional),
        ANSWER_BYTES_MAX: String(responseBytesMax(settings.collectMemoryMb)),
      },
      permissions: [
        stateTable.use(),
        readSecrets(scope, settings.secretPrefix),
        allow(['firehose:PutRecordBatch'], deliveryStreamArn),
        allow(['events:PutEvents'], bus.eventBusArn),
        allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], workQueue.queueArn),
        ...useKey(encryptionKey, 'kms:Decrypt'),
      ],
      options: { reservedConcurrentExecutions: settings.reservedConcurrency },
    })
    this.handler.addEventSource(new SqsEventSource(workQueue, { batchSize: 1, maxConcurrency: settings.collectConcurrency }))
  }
}
