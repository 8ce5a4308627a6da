import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { eventMetrics, fleetMetrics, runMetrics } from '../../functions/domain/metrics.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { Alarms } from '../../lib/monitoring/alarms.ts'
import { Dashboard } from '../../lib/monitoring/dashboard/dashboard.ts'
import { columns } from '../../lib/monitoring/dashboard/widgets.ts'
import { eventTypesOf } from '../../lib/monitoring/metrics.ts'
import { lagMaxMinutes, metricsNamespace, observedStack } from './observed-pipeline.ts'

const { stack, pipeline, notifications } = observedStack()
const alarms = new Alarms(stack, 'Alarms', { pipeline, topic: notifications.topic, lagMaxMinutes })
new Dashboard(stack, 'Dashboard', { pipeline, alarms: alarms.all })
const template = Template.fromStack(stack)

/** A dashboard of up to this many metrics is free. */
const freeMetricsMax = 50
/** Fewer means that the expression found no alarms. */
const alarmsFoundMin = 10

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
  it('the dashboard shows every metric that the functions write, and no other', () => {
    expect(new Set(custom.map(([, name]) => name))).toEqual(new Set(Object.keys(documented)))
  })

  it('the dashboard reads each metric with the dimensions that the functions write, for every vendor', () => {
    for (const [type, vendor] of vendors) {
      for (const name of Object.keys({ ...runMetrics, ...fleetMetrics }))
        expect(custom.filter((line) => line[1] === name).map(dimensionsOf)).toContainEqual({ vendor: type })
      for (const name of Object.keys(eventMetrics))
        for (const event of eventTypesOf(vendor))
          expect(custom.filter((line) => line[1] === name).map(dimensionsOf)).toContainEqual({ vendor: type, event })
    }
    expect(custom.map(dimensionsOf).filter(({ vendor }) => !vendors.has(String(vendor)))).toEqual([])
  })

  it('the dashboard begins with the table of connectors, drawn by the function that only reads', () => {
    const [first, second] = widgets
    expect(first?.properties.markdown).toContain('## Connectors')
    expect([second?.type, second?.properties.endpoint]).toEqual(['custom', 'arn:TOKEN:lambda:TOKEN:TOKEN:function:tributary-status-widget'])
  })

  it('the dashboard has no table of connectors if the stack has no function for it', () => {
    const bare = observedStack()
    const { statusWidget: _, ...functions } = bare.pipeline.functions
    new Dashboard(bare.stack, 'Dashboard', { pipeline: { ...bare.pipeline, functions }, alarms: [] })
    expect(JSON.stringify(Template.fromStack(bare.stack).toJSON())).not.toContain('status-widget')
  })

  it('each row has a text above it and fills the whole width', () => {
    const rows = Map.groupBy(widgets, ({ y }) => y)
    for (const row of rows.values()) expect(row.reduce((sum, { width }) => sum + width, 0)).toBe(columns)
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

  it('every graph has a title of its own', () => {
    const titles = widgets.filter(({ type }) => type === 'metric').map(({ properties: { title } }) => title)
    expect(new Set(titles).size).toBe(titles.length)
    expect(titles).not.toContain(undefined)
  })

  it('the dashboard says that it costs $3, because it reads more metrics than a free one may', () => {
    expect(new Set(shown.map((line) => JSON.stringify(line.slice(0, -1)))).size).toBeGreaterThan(freeMetricsMax)
    expect(widgets.some(({ properties: { markdown } }) => markdown?.includes('$3 a month'))).toBe(true)
  })

  it('the dashboard names no partition of AWS', () => {
    expect(JSON.stringify(template.toJSON())).not.toContain('arn:aws:')
  })
})

describe('the alarms', () => {
  it('the alarms read no custom metric that the functions do not write', () => {
    const json = JSON.stringify(template.findResources('AWS::CloudWatch::Alarm'))
    const read = [...json.matchAll(/"MetricName":"(\w+)","Namespace":"Tributary"/g)].map(([, name]) => name)
    expect(read.length).toBeGreaterThan(alarmsFoundMin)
    expect(read.filter((name) => name === undefined || !(name in documented))).toEqual([])
  })
})

describe('the event types of a vendor', () => {
  it.each([...vendors.values()])('the event types of $type are all that a connector may name', (vendor) => {
    const schema = z
      .object({ properties: z.object({ eventTypes: z.object({ items: z.object({ enum: z.array(z.string()) }) }) }) })
      .parse(z.toJSONSchema(vendor.attributes, { io: 'input' }))
    expect(eventTypesOf(vendor)).toEqual(schema.properties.eventTypes.items.enum)
  })
})
