import type { ITable } from 'aws-cdk-lib/aws-dynamodb'
import type { IEventBus, IRule } from 'aws-cdk-lib/aws-events'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { EachWorkingFunction } from '../functions/function-names.ts'
import type { DeadLetterKind } from '../state/queues.ts'

/** What the dashboard, the alarms and the saved queries look at. They change none of it. */
export interface ObservedPipeline {
  /** Begins the name of the dashboard, of each alarm and of each saved query. */
  readonly namePrefix: string
  /** As the functions have it in `METRICS_NAMESPACE`. */
  readonly metricsNamespace: string
  /** Without a status widget the dashboard has no table of connectors. */
  readonly functions: EachWorkingFunction<IFunction> & { readonly statusWidget?: IFunction }
  readonly logGroups: EachWorkingFunction<ILogGroup>
  /** The rule that ticks once a minute. */
  readonly tickRule?: IRule
  readonly workQueue: IQueue
  readonly deadLetterQueues: Readonly<Record<DeadLetterKind, IQueue>>
  readonly deliveryStreamName: string
  /** Sends its events to EventBridge; what Firehose could not process lies in it under `errors/`. */
  readonly lakeBucket: IBucket
  readonly stateTable: ITable
  readonly connectorsTable: ITable
  /** The stack's own, on which each change of a connector's state is one event. */
  readonly bus: IEventBus
}
