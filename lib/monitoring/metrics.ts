import { Duration } from 'aws-cdk-lib'
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { EventMetric, FleetMetric, RunMetric } from '../../functions/domain/metrics.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'
import { vendors } from '../../functions/vendors/index.ts'
import type { ObservedPipeline } from './observed-pipeline.ts'

/** `dispatch` measures the fleet this often, so a shorter period would show gaps. */
export const fleetPeriod = Duration.minutes(5)

/** Every vendor whose connectors the stack can run. */
export const everyVendor: readonly Vendor[] = [...vendors.values()]

/** The values of the dimension `event`: the event types that a connector collects by default. */
export function eventTypesOf(vendor: Vendor): readonly string[] {
  return vendor.attributes.parse({}).eventTypes
}

/** Sum over the runs of a vendor's connectors. */
export function runMetric(pipeline: ObservedPipeline, vendor: Vendor, name: RunMetric): Metric {
  return custom(pipeline, name, 'Sum', { vendor: vendor.type })
}

/** Sum over one event type of a vendor. */
export function eventMetric(pipeline: ObservedPipeline, vendor: Vendor, event: string, name: EventMetric): Metric {
  return custom(pipeline, name, 'Sum', { vendor: vendor.type, event })
}

/** The worst value of a period: the minimum of the time that is left, the maximum of everything else. */
export function fleetMetric(pipeline: ObservedPipeline, vendor: Vendor, name: FleetMetric): Metric {
  return custom(pipeline, name, name === 'RetentionLeftMin' ? 'Minimum' : 'Maximum', { vendor: vendor.type })
}

/** Names and units: https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html */
export function deliveryMetric(pipeline: ObservedPipeline, metricName: string, statistic: string): Metric {
  const dimensionsMap = { DeliveryStreamName: pipeline.deliveryStreamName }
  return new Metric({ namespace: 'AWS/Firehose', metricName, statistic, dimensionsMap, period: fleetPeriod })
}

/** The highest use of the three quotas (%): https://docs.aws.amazon.com/firehose/latest/dev/firehose-cloudwatch-metrics-best-practices.html */
export function quotaUsed(pipeline: ObservedPipeline): MathExpression {
  const share = (id: string, used: string, limit: string) =>
    new MathExpression({
      expression: `100 * ${id} / PERIOD(${id}) / ${id}Limit`,
      usingMetrics: { [id]: deliveryMetric(pipeline, used, 'Sum'), [`${id}Limit`]: deliveryMetric(pipeline, limit, 'Minimum') },
    })
  return new MathExpression({
    expression: 'MAX([usedBytes, usedRecords, usedPuts])',
    label: 'Used of the quota (%)',
    usingMetrics: {
      usedBytes: share('bytes', 'IncomingBytes', 'BytesPerSecondLimit'),
      usedRecords: share('records', 'IncomingRecords', 'RecordsPerSecondLimit'),
      usedPuts: share('puts', 'IncomingPutRequests', 'PutRequestsPerSecondLimit'),
    },
  })
}

function custom(pipeline: ObservedPipeline, metricName: string, statistic: string, dimensionsMap: Record<string, string>): Metric {
  return new Metric({ namespace: pipeline.metricsNamespace, metricName, statistic, dimensionsMap, period: fleetPeriod })
}
