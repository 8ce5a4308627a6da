import { Metrics } from '@aws-lambda-powertools/metrics'
import { eventMetrics, fleetMetrics, runMetrics } from '../domain/metrics.ts'
import type { PublishMetrics } from '../domain/ports.ts'

const units: Readonly<Record<string, { readonly unit: 'Count' | 'Milliseconds' }>> = { ...eventMetrics, ...runMetrics, ...fleetMetrics }

/**
 * CloudWatch metrics by embedded metric format: a line of the log, so nothing is called and nothing can fail. The vendor and its
 * event type are dimensions; the connector's id is a property of the line.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function embeddedMetrics(namespace: string): PublishMetrics {
  const metrics = new Metrics({ namespace })
  // The library's own dimension, `service`, would say nothing.
  metrics.clearDefaultDimensions()
  return (published) => {
    metrics.addDimension('vendor', published.vendor)
    if ('event' in published) metrics.addDimension('event', published.event)
    if ('connectorId' in published) metrics.addMetadata('connectorId', published.connectorId)
    for (const [name, value] of Object.entries(published.values)) metrics.addMetric(name, units[name]?.unit ?? 'Count', value)
    metrics.publishStoredMetrics()
  }
}
