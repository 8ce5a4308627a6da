import { eventMetrics, fleetMetrics, runMetrics } from '../domain/metrics.ts'
import type { Clock, PublishMetrics } from '../domain/ports.ts'

const units: Readonly<Record<string, 'Count' | 'Milliseconds' | 'Percent'>> = { ...eventMetrics, ...runMetrics, ...fleetMetrics }

/**
 * CloudWatch metrics in the embedded metric format: each is a line of the log, so no request is made that could fail. The vendor and its
 * event type are dimensions; the connector's id is a property of the line. `write` gets each line without its newline.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function embeddedMetrics(options: {
  readonly namespace: string
  readonly clock: Pick<Clock, 'now'>
  readonly write?: (line: string) => void
}): PublishMetrics {
  const { namespace, clock, write = (line) => process.stdout.write(`${line}\n`) } = options
  return ({ values, ...properties }) => {
    const directive = {
      Namespace: namespace,
      Dimensions: [['vendor', ...('event' in properties ? ['event'] : [])]],
      Metrics: Object.keys(values).map((name) => ({ Name: name, Unit: units[name] ?? 'Count' })),
    }
    write(JSON.stringify({ _aws: { Timestamp: clock.now(), CloudWatchMetrics: [directive] }, ...properties, ...values }))
  }
}
