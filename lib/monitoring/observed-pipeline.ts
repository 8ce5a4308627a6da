import type { ITable } from 'aws-cdk-lib/aws-dynamodb'
import type { IEventBus, IRule } from 'aws-cdk-lib/aws-events'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'

/** One of each for every function of the pipeline; `statusWidget` where the stack has it. */
interface OfFunctions<T> {
  readonly collect: T
  readonly connectorChanged: T
  readonly dispatch: T
  readonly statusWidget?: T
}

/** What the dashboard, the alarms and the saved queries look at. They change none of it. */
export interface ObservedPipeline {
  /** Begins the name of the dashboard, of each alarm and of each saved query. */
  readonly namePrefix: string
  /** As the functions have it in `METRICS_NAMESPACE`. */
  readonly metricsNamespace: string
  readonly functions: OfFunctions<IFunction>
  readonly logGroups: OfFunctions<ILogGroup>
  /** The rule that ticks once a minute. */
  readonly tickRule?: IRule
  readonly workQueue: IQueue
  readonly deadLetterQueues: { readonly work: IQueue; readonly changes: IQueue; readonly ticks: IQueue }
  readonly deliveryStreamName: string
  /** Sends its events to EventBridge; what Firehose could not process lies in it under `errors/`. */
  readonly lakeBucket: IBucket
  readonly stateTable: ITable
  readonly connectorsTable: ITable
  /** The stack's own, on which each change of a connector's state is one event. */
  readonly bus: IEventBus
}
