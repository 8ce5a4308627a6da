import { describe, expect, it } from 'vitest'
import { alarmsTemplate } from './observed-pipeline.ts'

interface Alarm {
  readonly AlarmName: string
  readonly AlarmDescription: string
  readonly AlarmActions?: readonly unknown[]
  readonly OKActions?: readonly unknown[]
  readonly TreatMissingData: string
  readonly Namespace?: string
  readonly Period?: number
  readonly EvaluationPeriods: number
  readonly DatapointsToAlarm: number
  readonly Threshold: number
  readonly MetricName?: string
  readonly Metrics?: readonly { readonly Expression?: string; readonly MetricStat?: { readonly Metric: WatchedMetric } }[]
}

interface WatchedMetric {
  readonly MetricName: string
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[]
}

/** CloudWatch takes no longer description (characters). */
const descriptionCharactersMax = 1_024
/** CloudWatch evaluates at most a day. */
const lookBackSecondsMax = 86_400

const template = alarmsTemplate()
const found = template.findResources('AWS::CloudWatch::Alarm')
const alarms = Object.values(found).map(({ Properties }): Alarm => Properties)
const named = (name: string) => {
  const alarm = alarms.find(({ AlarmName }) => AlarmName === `tributary-${name}`)
  if (alarm === undefined) throw new Error(`There is no alarm ${name}`)
  return alarm
}
const metricsOf = ({ Metrics = [] }: Alarm) => Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? [])
const pages = ({ AlarmDescription }: Alarm) => AlarmDescription.endsWith('(page)')
const topic = { Ref: Object.keys(template.findResources('AWS::SNS::Topic'))[0] }

describe('every alarm', () => {
  it('every alarm acts on the topic', () => {
    expect(alarms.filter(({ AlarmActions }) => JSON.stringify(AlarmActions) !== JSON.stringify([topic]))).toEqual([])
  })

  it('only an alarm that pages reports its end, and only if its end means that the trouble is over', () => {
    const reporting = alarms.filter(({ OKActions }) => OKActions !== undefined)
    expect(reporting.map(({ OKActions }) => OKActions)).toEqual(reporting.map(() => [topic]))
    expect(reporting.map(({ AlarmName }) => AlarmName).sort()).toEqual([
      'tributary-dispatch-silent',
      'tributary-fleet-unmeasured-trendmicro-cas',
      'tributary-lake-stale',
    ])
    const counting = ['losing-data-trendmicro-cas', 'lake-errors', 'notifications-failing'].map(named)
    expect(alarms.filter(pages)).toHaveLength(reporting.length + counting.length)
    expect(counting.map(pages)).toEqual([true, true, true])
  })

  it('every description says what to do first and names the runbook entry, in ASCII and within the limit of CloudWatch', () => {
    for (const { AlarmDescription } of alarms) {
      expect(AlarmDescription).toMatch(/^[\x20-\x7e]+$/)
      expect(AlarmDescription.length).toBeLessThanOrEqual(descriptionCharactersMax)
      expect(AlarmDescription).toMatch(/ First: .+\. Runbook: docs\/operations\.md#[a-z0-9-]+ \((warn|page)\)$/)
    }
  })

  it('an alarm pages at one bad value only if that value is a loss', () => {
    const atOnce = alarms.filter((alarm) => pages(alarm) && alarm.DatapointsToAlarm === 1).map(({ AlarmName }) => AlarmName)
    expect(atOnce.sort()).toEqual(['tributary-lake-errors', 'tributary-losing-data-trendmicro-cas', 'tributary-notifications-failing'])
  })

  it('no alarm looks back longer than CloudWatch can', () => {
    for (const { EvaluationPeriods, Period = 3_600 } of alarms) expect(EvaluationPeriods * Period).toBeLessThanOrEqual(lookBackSecondsMax)
  })

  it('only two alarms treat missing data as a problem: no other alarm would report it', () => {
    const silent = alarms.filter(({ TreatMissingData }) => TreatMissingData === 'breaching').map(({ AlarmName }) => AlarmName)
    expect(silent.sort()).toEqual(['tributary-dispatch-silent', 'tributary-fleet-unmeasured-trendmicro-cas'])
    expect(alarms.filter(({ TreatMissingData }) => !['breaching', 'notBreaching', 'ignore'].includes(TreatMissingData))).toEqual([])
  })
})

describe('the alarms', () => {
  it('the alarms of the retention limit warn 48 hours and page 24 hours before events are lost', () => {
    const warns = named('retention-limit-48h-trendmicro-cas')
    const calls = named('losing-data-trendmicro-cas')
    expect([warns.MetricName, warns.Threshold, pages(warns)]).toEqual(['NewlyWithin48h', 0, false])
    expect([metricsOf(calls).map(({ MetricName }) => MetricName), calls.Threshold, pages(calls)]).toEqual([
      ['NewlyWithin24h', 'RangesLost'],
      0,
      true,
    ])
  })

  it('a connector that waits for a run for more than 300 s is told', () => {
    const { MetricName, Threshold } = named('connectors-waiting-trendmicro-cas')
    expect([MetricName, Threshold]).toEqual(['DueAgeMax', 300_000])
  })

  it('the alarms watch the throttles of both tables and of each index', () => {
    const places = (table: string) =>
      metricsOf(named(`table-throttles-${table}`)).map(({ MetricName, Dimensions = [] }) => [
        MetricName,
        ...Dimensions.filter(({ Name }) => Name === 'GlobalSecondaryIndexName').map(({ Value }) => Value),
      ])
    expect(places('connectors')).toEqual([['ReadThrottleEvents'], ['WriteThrottleEvents']])
    expect(places('state')).toEqual([
      ['ReadThrottleEvents'],
      ['ReadThrottleEvents', 'due'],
      ['ReadThrottleEvents', 'fleet'],
      ['WriteThrottleEvents'],
      ['WriteThrottleEvents', 'due'],
      ['WriteThrottleEvents', 'fleet'],
    ])
  })

  it('the alarm notifications-failing counts what the rule of the notifications cannot hand over', () => {
    const [rule, bus] = ['AWS::Events::Rule', 'AWS::Events::EventBus'].map((type) => Object.entries(template.findResources(type)))
    const [, { Properties } = { Properties: {} }] = rule?.find(([, each]) => each['Properties'].EventBusName) ?? []
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'tributary-notifications-failing',
      Namespace: 'AWS/Events',
      MetricName: 'FailedInvocations',
      Dimensions: [
        { Name: 'EventBusName', Value: { Ref: bus?.[0]?.[0] } },
        { Name: 'RuleName', Value: Properties['Name'] },
      ],
    })
    expect(Properties['Name']).toBe('tributary-notifications')
  })

  it('the alarms of dead letters count what is added, so that a letter that lies there hides no other', () => {
    for (const queue of ['work', 'changes']) {
      const [expression] = (named(`dead-letters-${queue}`).Metrics ?? []).flatMap(({ Expression }) => Expression ?? [])
      expect(expression).toBe('DIFF(FILL(letters, 0))')
    }
  })

  it('the alarms watch each dead-letter queue and each function that does work', () => {
    const subjects = (key: string) =>
      alarms
        .map(({ AlarmName }) => AlarmName)
        .flatMap((name) => (name.startsWith(`tributary-${key}-`) ? [name.slice(`tributary-${key}-`.length)] : []))
    expect(subjects('dead-letters')).toEqual(['work', 'changes'])
    for (const key of ['function-errors', 'function-throttles'])
      expect(subjects(key)).toEqual(['collect', 'connector-changed', 'dispatch', 'operate'])
  })

  it('the alarm lake-errors counts objects under errors/ of the lake’s bucket, and of no other bucket', () => {
    const [id] = Object.entries(template.findResources('AWS::Events::Rule')).find(([, { Properties }]) => !Properties.EventBusName) ?? []
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { bucket: { name: ['lake-bucket'] }, object: { key: [{ prefix: 'errors/' }] } },
      },
    })
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'tributary-lake-errors',
      Namespace: 'AWS/Events',
      MetricName: 'Invocations',
      Dimensions: [{ Name: 'RuleName', Value: { Ref: id } }],
    })
  })

  it('no composite alarm holds several together: it would stay on for the first, and tell no second', () => {
    template.resourceCountIs('AWS::CloudWatch::CompositeAlarm', 0)
  })

  it('the alarms name no partition of AWS', () => {
    expect(JSON.stringify(template.toJSON())).not.toContain('arn:aws:')
  })
})
