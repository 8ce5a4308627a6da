import { MathExpression, type Metric } from 'aws-cdk-lib/aws-cloudwatch'
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

export const eachDeadLetterQueue: Watched = ({ pipeline }) =>
  mapValues(pipeline.deadLetterQueues, (queue) => queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }))

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
