import type { ITable } from 'aws-cdk-lib/aws-dynamodb'
import type { IEventBus, IRule } from 'aws-cdk-lib/aws-events'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { EachWorkingFunction } from '../functions/function-names.ts'
import type { DeadLetterKind } from '../state/queues.ts'

/** The parts of the pipeline that the dashboard, the alarms and the saved queries read. None of them changes the pipeline. */
export interface ObservedPipeline {
  /** The names of the dashboard, of each alarm and of each saved query begin with it. */
  readonly namePrefix: string
  /** The functions have it in `METRICS_NAMESPACE`. */
  readonly metricsNamespace: string
  /** Without a status widget the dashboard has no table of connectors. */
  readonly functions: EachWorkingFunction<IFunction> & { readonly statusWidget?: IFunction }
  readonly logGroups: EachWorkingFunction<ILogGroup>
  /** The rule that invokes `dispatch` once a minute. */
  readonly tickRule?: IRule
  readonly workQueue: IQueue
  readonly deadLetterQueues: Readonly<Record<DeadLetterKind, IQueue>>
  readonly deliveryStreamName: string
  /** The bucket sends its events to EventBridge. Records that Firehose could not process are under `errors/`. */
  readonly lakeBucket: IBucket
  readonly stateTable: ITable
  readonly connectorsTable: ITable
  /** The stack's own bus. Each change of a connector's state is one event on it. */
  readonly bus: IEventBus
  /** The rule on the bus that sends notifications to people. */
  readonly notificationsRuleName: string
}
