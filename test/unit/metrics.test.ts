import { afterEach, describe, expect, it, vi } from 'vitest'
import { embeddedMetrics } from '../../functions/adapters/metrics.ts'
import type { MetricValues } from '../../functions/domain/ports.ts'

const written: string[] = []
vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
  written.push(String(line))
  return true
})
afterEach(() => {
  written.length = 0
})

const publish = embeddedMetrics('Acme')

function lineOf(metrics: MetricValues) {
  publish(metrics)
  return written.map((line) => JSON.parse(line))
}

describe('a line of metrics', () => {
  it('has the vendor as its only dimension, and the connector as a property', () => {
    const [line] = lineOf({ vendor: 'trendmicro-cas', connectorId: 'acme-cas', values: { Requests: 4, TokenWait: 1_500 } })
    expect(line).toMatchObject({ vendor: 'trendmicro-cas', connectorId: 'acme-cas', Requests: 4, TokenWait: 1_500 })
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

  it('of events has the event type beside the vendor', () => {
    const [line] = lineOf({ vendor: 'trendmicro-cas', event: 'dlp', connectorId: 'acme-cas', values: { EventsDelivered: 7 } })
    expect(line).toMatchObject({ vendor: 'trendmicro-cas', event: 'dlp', EventsDelivered: 7 })
    expect(line._aws.CloudWatchMetrics[0].Dimensions).toEqual([['vendor', 'event']])
  })

  it('keeps nothing of the line before', () => {
    lineOf({ vendor: 'trendmicro-cas', event: 'dlp', connectorId: 'acme-cas', values: { EventsDelivered: 7 } })
    const line = lineOf({ vendor: 'other', values: { Connectors: 1 } }).at(-1)
    expect(Object.keys(line).sort()).toEqual(['Connectors', '_aws', 'vendor'])
    expect(line._aws.CloudWatchMetrics[0].Dimensions).toEqual([['vendor']])
  })
})
