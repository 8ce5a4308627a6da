import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { eventMetrics, fleetMetrics, runMetrics } from '../../functions/domain/metrics.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { Alarms } from '../../lib/monitoring/alarms.ts'
import { Dashboard } from '../../lib/monitoring/dashboard/dashboard.ts'
import { eventTypesOf } from '../../lib/monitoring/metrics.ts'
import { lagMaxMinutes, metricsNamespace, observedStack } from './observed-pipeline.ts'

const { stack, pipeline, notifications } = observedStack()
const alarms = new Alarms(stack, 'Alarms', { pipeline, topic: notifications.topic, lagMaxMinutes })
new Dashboard(stack, 'Dashboard', { pipeline, alarms: alarms.all })
const template = Template.fromStack(stack)

const widgetSchema = z.object({
  type: z.string(),
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
  properties: z.looseObject({
    title: z.string().optional(),
    markdown: z.string().optional(),
    endpoint: z.string().optional(),
    metrics: z.array(z.array(z.unknown())).optional(),
  }),
})
const joined = z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) })
const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'))
const body = joined.parse(dashboard?.['Properties'].DashboardBody)['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : 'TOKEN'))
const { widgets } = z.object({ widgets: z.array(widgetSchema) }).parse(JSON.parse(body.join('')))

/** `[namespace, name, …dimensions, options]`; the lines of an expression have no namespace. */
const shown = widgets.flatMap(({ properties }) => properties.metrics ?? []).filter(([namespace]) => typeof namespace === 'string')
const custom = shown.filter(([namespace]) => namespace === metricsNamespace)
const dimensionsOf = (line: readonly unknown[]) =>
  Object.fromEntries(Array.from({ length: (line.length - 3) / 2 }, (_, index) => [line[2 + 2 * index], line[3 + 2 * index]]))
const documented = { ...eventMetrics, ...runMetrics, ...fleetMetrics }

describe('the dashboard', () => {
  it('shows every metric that the functions write, and reads no other', () => {
    expect(new Set(custom.map(([, name]) => name))).toEqual(new Set(Object.keys(documented)))
  })

  it('reads each metric with the dimensions that it is written with, for every vendor', () => {
    for (const [type, vendor] of vendors) {
      for (const name of Object.keys({ ...runMetrics, ...fleetMetrics }))
        expect(custom.filter((line) => line[1] === name).map(dimensionsOf)).toContainEqual({ vendor: type })
      for (const name of Object.keys(eventMetrics))
        for (const event of eventTypesOf(vendor))
          expect(custom.filter((line) => line[1] === name).map(dimensionsOf)).toContainEqual({ vendor: type, event })
    }
    expect(custom.map(dimensionsOf).filter(({ vendor }) => !vendors.has(String(vendor)))).toEqual([])
  })

  it('begins with the table of connectors, drawn by the function that only reads', () => {
    const [first, second] = widgets
    expect(first?.properties.markdown).toContain('## Connectors')
    expect([second?.type, second?.properties.endpoint]).toEqual(['custom', 'arn:TOKEN:lambda:TOKEN:TOKEN:function:tributary-status-widget'])
  })

  it('does without the table where the stack has no such function', () => {
    const bare = observedStack()
    const { statusWidget: _, ...functions } = bare.pipeline.functions
    new Dashboard(bare.stack, 'Dashboard', { pipeline: { ...bare.pipeline, functions }, alarms: [] })
    expect(JSON.stringify(Template.fromStack(bare.stack).toJSON())).not.toContain('status-widget')
  })

  it('explains each row above it, and fills it from edge to edge', () => {
    const rows = Map.groupBy(widgets, ({ y }) => y)
    for (const row of rows.values()) expect(row.reduce((sum, { width }) => sum + width, 0)).toBe(24)
    const texts = widgets.flatMap(({ properties: { markdown } }) => (markdown === undefined ? [] : [markdown.split('\n')[0]]))
    expect(texts).toEqual([
      '## Connectors',
      '## Alarms',
      '## Health of the fleet',
      '## Flow of events',
      '## Delivery to the lake',
      '## Platform',
      '## Costs',
    ])
  })

  it('has a title on every graph, each once', () => {
    const titles = widgets.filter(({ type }) => type === 'metric').map(({ properties: { title } }) => title)
    expect(new Set(titles).size).toBe(titles.length)
    expect(titles).not.toContain(undefined)
  })

  it('costs $3, as it says: it reads more than the 50 metrics that would be free', () => {
    expect(new Set(shown.map((line) => JSON.stringify(line.slice(0, -1)))).size).toBeGreaterThan(50)
    expect(widgets.some(({ properties: { markdown } }) => markdown?.includes('$3 a month'))).toBe(true)
  })

  it('names no partition of AWS', () => {
    expect(JSON.stringify(template.toJSON())).not.toContain('arn:aws:')
  })
})

describe('the alarms', () => {
  it('read no metric of ours that is not written', () => {
    const json = JSON.stringify(template.findResources('AWS::CloudWatch::Alarm'))
    const read = [...json.matchAll(/"MetricName":"(\w+)","Namespace":"Tributary"/g)].map(([, name]) => name)
    expect(read.length).toBeGreaterThan(10)
    expect(read.filter((name) => name === undefined || !(name in documented))).toEqual([])
  })
})

describe('the event types of a vendor', () => {
  it.each([...vendors.values()])('are all that a connector of $type may name', (vendor) => {
    const schema = z
      .object({ properties: z.object({ eventTypes: z.object({ items: z.object({ enum: z.array(z.string()) }) }) }) })
      .parse(z.toJSONSchema(vendor.attributes, { io: 'input' }))
    expect(eventTypesOf(vendor)).toEqual(schema.properties.eventTypes.items.enum)
  })
})
