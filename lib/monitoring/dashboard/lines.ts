import { type IMetric, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { EventMetric, FleetMetric, RunMetric } from '../../../functions/domain/metrics.ts'
import type { Vendor } from '../../../functions/domain/vendor.ts'
import { functionNames, workingFunctions } from '../../functions/function-names.ts'
import { deliveryMetric, eventMetric, eventTypesOf, everyVendor, fleetMetric, runMetric } from '../metrics.ts'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import type { Line } from './widgets.ts'

/** The name of a metric and its name in the legend. */
type Labelled<Name> = readonly [name: Name, label: string]

/** One line for each vendor and name. */
export function fleetLines(pipeline: ObservedPipeline, ...named: readonly Labelled<FleetMetric>[]): readonly Line[] {
  return eachVendor((vendor) => named.map(([name, label]): Line => [fleetMetric(pipeline, vendor, name), label]))
}

/** One line for each vendor and name. */
export function runLines(pipeline: ObservedPipeline, ...named: readonly Labelled<RunMetric>[]): readonly Line[] {
  return eachVendor((vendor) => named.map(([name, label]): Line => [runMetric(pipeline, vendor, name), label]))
}

/** One line for each vendor and event type. */
export function eventLines(pipeline: ObservedPipeline, name: EventMetric): readonly Line[] {
  return eachVendor((vendor) => eventTypesOf(vendor).map((event): Line => [eventMetric(pipeline, vendor, event, name), event]))
}

export function functionLines(pipeline: ObservedPipeline, metric: (one: IFunction) => IMetric): readonly Line[] {
  return workingFunctions.map((name): Line => [metric(pipeline.functions[name]), functionNames[name]])
}

export function deliveryLine(pipeline: ObservedPipeline, name: string, statistic: string, label: string): Line {
  return [deliveryMetric(pipeline, name, statistic), label]
}

export function tableLine(metricName: string, dimensionsMap: Readonly<Record<string, string>>, label: string): Line {
  return [new Metric({ namespace: 'AWS/DynamoDB', metricName, statistic: 'Sum', dimensionsMap }), label]
}

/** The legend names the vendor where there are several. */
function eachVendor(linesOf: (vendor: Vendor) => readonly Line[]): readonly Line[] {
  return everyVendor.flatMap((vendor) =>
    linesOf(vendor).map(([metric, label]): Line => [metric, everyVendor.length === 1 ? label : `${vendor.type}: ${label}`]),
  )
}
