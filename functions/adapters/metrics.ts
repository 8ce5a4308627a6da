import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import type { FleetHealth } from '../domain/fleet.ts'

const troubled = ['failing', 'losing-data', 'throttled', 'catching-up', 'refused'] as const

/** CloudWatch metrics of the whole fleet, by embedded metric format: without a dimension of its own, so a custom metric is paid for once, not once a connector. */
export function fleetMetrics(namespace: string): (health: FleetHealth) => void {
  const metrics = new Metrics({ namespace, serviceName: 'dispatch' })
  return (health) => {
    metrics.addMetric('Connectors', MetricUnit.Count, health.connectors)
    for (const state of troubled) metrics.addMetric(`Connectors-${state}`, MetricUnit.Count, health.byState[state] ?? 0)
    metrics.addMetric('LagMost', MetricUnit.Milliseconds, health.lagMostMs)
    if (health.horizonLeastMs !== undefined) metrics.addMetric('HorizonLeast', MetricUnit.Milliseconds, health.horizonLeastMs)
    metrics.publishStoredMetrics()
  }
}
