import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { eventMetrics, fleetMetrics, runMetrics } from '../../functions/domain/metrics.ts'
import { changeNotification, notificationSource } from '../../functions/domain/status/notifications.ts'
import { vendors } from '../../functions/vendors/index.ts'
import { logQueries } from '../../lib/monitoring/log-queries.ts'
import { eventTypesOf } from '../../lib/monitoring/metrics.ts'
import { alarmsTemplate } from './observed-pipeline.ts'

const docs = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
const runbook = docs.slice(docs.indexOf('\n## Runbook'))
const entries = new Map(
  runbook
    .split('\n### ')
    .slice(1)
    .map((entry) => {
      const [heading = '', ...lines] = entry.split('\n')
      return [heading, lines.join('\n')] as const
    }),
)

/** Fewer means that the expressions found no queries. */
const queriesFoundMin = 20

const template = alarmsTemplate()
const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties)
const descriptions: readonly string[] = alarms.map(({ AlarmDescription }) => AlarmDescription)
const keys = descriptions.map((description) => /#([a-z0-9-]+)/.exec(description)?.[1] ?? description)

describe('the runbook', () => {
  it('the runbook has an entry for every alarm, and no other entry', () => {
    expect(new Set(entries.keys())).toEqual(new Set(keys))
  })

  it('each entry says what the alarm means, what is at stake, where to look, what to do and when it ends', () => {
    for (const [key, entry] of entries)
      for (const part of ['Means', 'At stake', 'Look', 'Do', 'Ends'])
        expect(entry, key).toMatch(new RegExp(`^- \\*\\*${part}:\\*\\* .`, 'm'))
  })

  it('the heading of each entry begins the name of its alarm', () => {
    for (const { AlarmName, AlarmDescription } of alarms) {
      const key = /#([a-z0-9-]+)/.exec(AlarmDescription)?.[1]
      expect(AlarmName).toMatch(new RegExp(`^tributary-${key}(-|$)`))
    }
  })

  it('every query that the runbook or an alarm names is saved', () => {
    const saved = Object.keys(logQueries).map((name) => name.split(': ')[1])
    const named = [
      ...descriptions.flatMap((text) => [...text.matchAll(/"([a-z ]+)"/g)]),
      ...runbook.matchAll(/quer(?:y|ies) \*([a-z ]+)\*(?:, and \*([a-z ]+)\*)?/g),
    ].flatMap(([, ...names]) => names.filter((name) => name !== undefined))
    expect(named.length).toBeGreaterThan(queriesFoundMin)
    expect(named.filter((name) => !saved.includes(name))).toEqual([])
  })
})

describe('the example of a notification', () => {
  it('the example is the notification that is sent', () => {
    const shown = /<!-- notification -->\n```json\n([\s\S]+?)```/.exec(docs)?.[1] ?? ''
    const { detail } = changeNotification(
      { connectorId: 'contoso.cas', tenantName: 'contoso', vendor: 'trendmicro-cas' },
      { from: 'ok', to: 'failing', reason: JSON.parse(shown).reason, since: Date.UTC(2026, 10, 24, 20, 35), cause: 'unauthorized' },
    )
    expect(JSON.parse(shown)).toEqual(detail)
  })
})

describe('the example of a rule', () => {
  const pattern: unknown = JSON.parse(/--event-bus-name tributary .*--event-pattern '(.+)'/.exec(docs)?.[1] ?? '')
  const { source, detail: wanted } = z
    .strictObject({ source: z.array(z.string()), detail: z.record(z.string(), z.array(z.string())) })
    .parse(pattern)
  const sends = (connectorId: string, tenantName: string) => {
    const connector = { connectorId, tenantName, vendor: 'trendmicro-cas' }
    const { detail } = changeNotification(connector, { from: 'ok', to: 'failing', reason: '', since: 0 })
    return Object.entries(wanted).every(([name, values]) => values.some((value) => new Map(Object.entries(detail)).get(name) === value))
  }

  it('the rule sends the changes of its tenant', () => {
    expect(source).toEqual([notificationSource])
    expect(sends('contoso.cas', 'Contoso Ltd')).toBe(true)
  })

  it('the rule sends nothing of another tenant, whatever name that gives itself', () => {
    expect(sends('acme.cas', 'contoso')).toBe(false)
    expect(sends('cas', 'contoso')).toBe(false)
  })
})

describe('the costs of watching', () => {
  it('the costs are those of the alarms and metrics that the stack has', () => {
    const read = alarms.reduce(
      (sum, { Metrics }) => sum + (Metrics?.filter(({ MetricStat }: { MetricStat?: object }) => MetricStat).length ?? 1),
      0,
    )
    const [vendor] = vendors.values()
    const events = vendor === undefined ? 0 : eventTypesOf(vendor).length
    const written = Object.keys(runMetrics).length + Object.keys(fleetMetrics).length + Object.keys(eventMetrics).length * events
    const costs = docs.slice(docs.indexOf('## What watching costs'), docs.indexOf('## Runbook'))
    expect(costs).toContain(`has ${alarms.length} alarms`)
    expect(costs).toContain(`read ${read} metrics: $${(read * 0.1).toFixed(2)}`)
    expect(costs).toContain(`${written} for a vendor with four event types, $${(written * 0.3).toFixed(2)}`)
    expect(events).toBe(4)
  })
})
