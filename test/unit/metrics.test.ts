import { describe, expect, it } from 'vitest'
import { embeddedMetrics } from '../../functions/adapters/metrics.ts'
import type { MetricValues } from '../../functions/domain/ports.ts'

const at = Date.UTC(2026, 10, 24, 12)

function linesOf(...metrics: MetricValues[]) {
  const written: string[] = []
  const publish = embeddedMetrics({ namespace: 'Acme', clock: { now: () => at }, write: (line) => written.push(line) })
  for (const each of metrics) publish(each)
  return written.map((line) => JSON.parse(line))
}

describe('a line of metrics', () => {
  it('has the vendor as its only dimension, and the connector as a property', () => {
    const [line] = linesOf({ vendor: 'trendmicro-cas', connectorId: 'acme.cas', values: { Requests: 4, TokenWait: 1_500 } })
    expect(line).toMatchObject({ vendor: 'trendmicro-cas', connectorId: 'acme.cas', Requests: 4, TokenWait: 1_500 })
    expect(line._aws.CloudWatchMetrics).toEqual([
      {
        Namespace: 'Acme',
        Dimensions: [['vendor']],
        Metrics: [
          { Name: 'Requests', Unit: 'Count' },
          { Name: 'TokenWait', Unit: 'Milliseconds' },
        ],
      },
    ])
  })

  it('of events has the vendor and the event type as dimensions', () => {
    const [line] = linesOf({ vendor: 'trendmicro-cas', event: 'dlp', connectorId: 'acme.cas', values: { EventsDelivered: 7 } })
    expect(line).toMatchObject({ vendor: 'trendmicro-cas', event: 'dlp', EventsDelivered: 7 })
    expect(line._aws.CloudWatchMetrics[0].Dimensions).toEqual([['vendor', 'event']])
  })

  it('of the fleet names no connector, and has the time of the measurement', () => {
    const [line] = linesOf({ vendor: 'trendmicro-cas', values: { Connectors: 1 } })
    expect(Object.keys(line).sort()).toEqual(['Connectors', '_aws', 'vendor'])
    expect(line._aws.Timestamp).toBe(at)
  })
})
