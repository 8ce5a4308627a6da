import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { dueIndex, fleetIndex } from '../../functions/adapters/state-table/table-definitions.ts'
import type { EventMetric, FleetMetric, RunMetric } from '../../functions/domain/metrics.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'
import { functionNames, workingFunctions } from '../functions/function-names.ts'
import { deliveryMetric, eventMetric, eventTypesOf, everyVendor, fleetMetric, quotaUsed, runMetric } from './metrics.ts'
import type { ObservedPipeline } from './observed-pipeline.ts'

/** The alarms read the pipeline, and one metric of a rule that is made together with them. */
interface Watchable {
  readonly pipeline: ObservedPipeline
  /** Number of new objects under `errors/` of the lake. */
  readonly lakeErrors: Metric
}

/** The metrics of one row of the table. Each key ends the name of one alarm; the key `''` adds nothing. */
export type Watched = (watchable: Watchable) => Readonly<Record<string, Metric | MathExpression>>

export function eachVendorRun(name: RunMetric): Watched {
  return ({ pipeline }) => byVendor((vendor) => runMetric(pipeline, vendor, name))
}

export function eachVendorFleet(name: FleetMetric): Watched {
  return ({ pipeline }) => byVendor((vendor) => fleetMetric(pipeline, vendor, name))
}

/** Connectors that came near the retention limit, and ranges that began to be lost. One trouble shows first as the one, then as the other. */
export const eachVendorLosses: Watched = ({ pipeline }) =>
  byVendor((vendor) => total([fleetMetric(pipeline, vendor, 'NewlyWithin24h'), runMetric(pipeline, vendor, 'RangesLost')]))

/** Number of times that `dispatch` measured the fleet. */
export const eachVendorMeasurements: Watched = ({ pipeline }) =>
  byVendor((vendor) => fleetMetric(pipeline, vendor, 'Connectors').with({ statistic: 'SampleCount' }))

export function eachVendorEvents(name: EventMetric): Watched {
  return ({ pipeline }) => byVendor((vendor) => total(eventTypesOf(vendor).map((event) => eventMetric(pipeline, vendor, event, name))))
}

export function eachFunction(name: 'Errors' | 'Throttles'): Watched {
  return ({ pipeline: { functions } }) => {
    const named = workingFunctions.map((key) => [functionNames[key], functions[key].metric(name, { statistic: 'Sum' })])
    return Object.fromEntries(named)
  }
}

/**
 * Messages that were added, because messages stay for 14 days. SQS does not count those that it moves itself as sent, and reports no value
 * for a queue that was idle for 6 hours.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
export const eachDeadLetterQueue: Watched = ({ pipeline }) =>
  mapValues(
    pipeline.deadLetterQueues,
    (queue) =>
      new MathExpression({
        expression: 'DIFF(FILL(letters, 0))',
        label: 'New dead letters',
        usingMetrics: { letters: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }) },
      }),
  )

/**
 * Reads and writes that DynamoDB throttled, of a table and of its indexes. The metrics of a table leave out those of its indexes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
 */
export const eachTableThrottles: Watched = ({ pipeline: { stateTable, connectorsTable } }) => ({
  state: throttles(stateTable.tableName, dueIndex, fleetIndex),
  connectors: throttles(connectorsTable.tableName),
})

/**
 * Notifications that EventBridge could not hand to the topic, after its retries of 24 hours. Metrics of a rule on an own bus have both
 * dimensions. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
 */
export const failedNotifications: Watched = ({ pipeline: { bus, notificationsRuleName } }) => ({
  '': new Metric({
    namespace: 'AWS/Events',
    metricName: 'FailedInvocations',
    statistic: 'Sum',
    dimensionsMap: { EventBusName: bus.eventBusName, RuleName: notificationsRuleName },
  }),
})

export const ticksCarriedOut: Watched = ({ pipeline: { functions } }) => ({
  '': new MathExpression({
    expression: 'ticks - failed',
    label: 'Ticks carried out',
    usingMetrics: {
      ticks: functions.dispatch.metricInvocations({ statistic: 'Sum' }),
      failed: functions.dispatch.metricErrors({ statistic: 'Sum' }),
    },
  }),
})

export function delivery(name: string, statistic: string): Watched {
  return ({ pipeline }) => ({ '': deliveryMetric(pipeline, name, statistic) })
}

export const deliveryQuota: Watched = ({ pipeline }) => ({ '': quotaUsed(pipeline) })

export const lakeErrorObjects: Watched = ({ lakeErrors }) => ({ '': lakeErrors })

function throttles(TableName: string, ...indexes: readonly string[]): MathExpression {
  const places = [{ TableName }, ...indexes.map((GlobalSecondaryIndexName) => ({ TableName, GlobalSecondaryIndexName }))]
  return total(
    ['ReadThrottleEvents', 'WriteThrottleEvents'].flatMap((metricName) =>
      places.map((dimensionsMap) => new Metric({ namespace: 'AWS/DynamoDB', metricName, statistic: 'Sum', dimensionsMap })),
    ),
  )
}

function byVendor<T>(metric: (vendor: Vendor) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(everyVendor.map((vendor) => [vendor.type, metric(vendor)]))
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

/** The sum. A metric without a value counts as 0. */
function total(metrics: readonly Metric[]): MathExpression {
  return new MathExpression({ expression: 'SUM(FILL(METRICS(), 0))', label: metrics[0]?.metricName ?? '', usingMetrics: numbered(metrics) })
}

function numbered(metrics: readonly Metric[]): Record<string, Metric> {
  return Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]))
}
