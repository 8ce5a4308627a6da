import { Duration } from 'aws-cdk-lib'
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { EventMetric, FleetMetric, RunMetric } from '../../functions/domain/metrics.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'
import { vendors } from '../../functions/vendors/index.ts'
import type { ObservedPipeline } from './observed-pipeline.ts'

/** How often `dispatch` measures the fleet; shorter periods would show gaps. */
export const fleetPeriod = Duration.minutes(5)

/** Every vendor whose connectors the stack can run. */
export const everyVendor: readonly Vendor[] = [...vendors.values()]

/** What a vendor's `event` can be: the event types that a connector collects unless it names fewer. */
export function eventTypesOf(vendor: Vendor): readonly string[] {
  return vendor.attributes.parse({}).eventTypes
}

/** Sum of what the runs of a vendor's connectors counted. */
export function runMetric(pipeline: ObservedPipeline, vendor: Vendor, name: RunMetric): Metric {
  return custom(pipeline, name, 'Sum', { vendor: vendor.type })
}

/** Sum of what was read of one event type. */
export function eventMetric(pipeline: ObservedPipeline, vendor: Vendor, event: string, name: EventMetric): Metric {
  return custom(pipeline, name, 'Sum', { vendor: vendor.type, event })
}

/** The worst value of a period: the least of what is left until the horizon, the most of all else. */
export function fleetMetric(pipeline: ObservedPipeline, vendor: Vendor, name: FleetMetric): Metric {
  return custom(pipeline, name, name === 'HorizonLeast' ? 'Minimum' : 'Maximum', { vendor: vendor.type })
}

/** Names and units: https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html */
export function deliveryMetric(pipeline: ObservedPipeline, metricName: string, statistic: string): Metric {
  const dimensionsMap = { DeliveryStreamName: pipeline.deliveryStreamName }
  return new Metric({ namespace: 'AWS/Firehose', metricName, statistic, dimensionsMap, period: fleetPeriod })
}

/** The most used of the three quotas (%): https://docs.aws.amazon.com/firehose/latest/dev/firehose-cloudwatch-metrics-best-practices.html */
export function quotaUsed(pipeline: ObservedPipeline): MathExpression {
  const share = (id: string, used: string, limit: string) =>
    new MathExpression({
      expression: `100 * ${id} / PERIOD(${id}) / ${id}Most`,
      usingMetrics: { [id]: deliveryMetric(pipeline, used, 'Sum'), [`${id}Most`]: deliveryMetric(pipeline, limit, 'Minimum') },
    })
  return new MathExpression({
    expression: 'MAX([ofBytes, ofRecords, ofPuts])',
    label: 'Of the quota (%)',
    usingMetrics: {
      ofBytes: share('bytes', 'IncomingBytes', 'BytesPerSecondLimit'),
      ofRecords: share('records', 'IncomingRecords', 'RecordsPerSecondLimit'),
      ofPuts: share('puts', 'IncomingPutRequests', 'PutRequestsPerSecondLimit'),
    },
  })
}

function custom(pipeline: ObservedPipeline, metricName: string, statistic: string, dimensionsMap: Record<string, string>): Metric {
  return new Metric({ namespace: pipeline.metricsNamespace, metricName, statistic, dimensionsMap, period: fleetPeriod })
}
