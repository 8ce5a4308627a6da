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
const pages = ({ AlarmDescription }: Alarm) => AlarmDescription.endsWith('(page)')
const topic = { Ref: Object.keys(template.findResources('AWS::SNS::Topic'))[0] }

describe('every alarm', () => {
  it('every alarm acts on the topic', () => {
    expect(alarms.filter(({ AlarmActions }) => JSON.stringify(AlarmActions) !== JSON.stringify([topic]))).toEqual([])
  })

  it('only an alarm that pages reports its end', () => {
    for (const alarm of alarms) expect([alarm.AlarmName, alarm.OKActions]).toEqual([alarm.AlarmName, pages(alarm) ? [topic] : undefined])
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
    expect(atOnce.sort()).toEqual(['tributary-lake-errors', 'tributary-range-lost-trendmicro-cas'])
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
    const calls = named('retention-limit-24h-trendmicro-cas')
    expect([warns.MetricName, warns.Threshold, pages(warns)]).toEqual(['RetentionLeftMin', 172_800_000, false])
    expect([calls.MetricName, calls.Threshold, pages(calls)]).toEqual(['RetentionLeftMin', 86_400_000, true])
  })

  it('the alarms watch each dead-letter queue and each function that does work', () => {
    const subjects = (key: string) =>
      alarms
        .map(({ AlarmName }) => AlarmName)
        .flatMap((name) => (name.startsWith(`tributary-${key}-`) ? [name.slice(`tributary-${key}-`.length)] : []))
    expect(subjects('dead-letters')).toEqual(['work', 'changes', 'ticks'])
    for (const key of ['function-errors', 'function-throttles']) expect(subjects(key)).toEqual(['collect', 'connector-changed', 'dispatch'])
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

  it('the composite alarm joins the alarms that page, and only those, and notifies nobody a second time', () => {
    const [composite] = Object.values(template.findResources('AWS::CloudWatch::CompositeAlarm')).map(({ Properties }) => Properties)
    const paging = Object.entries(found).flatMap(([id, { Properties }]) => (pages(Properties) ? [id] : []))
    const joined = [...JSON.stringify(composite.AlarmRule).matchAll(/"Fn::GetAtt":\["(\w+)","Arn"\]/g)].map(([, id]) => id)
    expect(joined.sort()).toEqual(paging.sort())
    expect([composite.AlarmName, composite.AlarmActions, composite.OKActions]).toEqual(['tributary-pipeline-at-risk', undefined, undefined])
  })

  it('the alarms name no partition of AWS', () => {
    expect(JSON.stringify(template.toJSON())).not.toContain('arn:aws:')
  })
})
