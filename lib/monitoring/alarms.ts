import { Duration, Validations } from 'aws-cdk-lib'
import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  type IAlarm,
  type MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Rule } from 'aws-cdk-lib/aws-events'
import { EventBus } from 'aws-cdk-lib/aws-events-targets'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { errorsFolder } from '../lake/lake-layout.ts'
import { type AlarmRow, alarmTable } from './alarm-table.ts'
import type { ObservedPipeline } from './observed-pipeline.ts'

export interface AlarmsProps {
  readonly pipeline: ObservedPipeline
  /** Every alarm but the composite one acts on it. */
  readonly topic: ITopic
  /** How far the proof of the stalest connector may lag behind. */
  readonly lagMaxMinutes: number
}

/** The composite alarm's heading in `docs/operations.md`. */
const atRiskKey = 'pipeline-at-risk'
const runbook = 'docs/operations.md'
const treatMissing = { fine: TreatMissingData.NOT_BREACHING, unchanged: TreatMissingData.IGNORE, bad: TreatMissingData.BREACHING } as const

/** Whatever needs a person. Which connector it is, the notices say; the alarms say that it lasts, or what no connector can say of itself. */
export class Alarms extends Construct {
  readonly all: readonly IAlarm[]

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id)
    const { pipeline, topic } = props
    const act = new SnsAction(topic)
    const watchable = { pipeline, lakeErrors: this.lakeErrors(pipeline) }

    const alarms = alarmTable(props).flatMap((row) =>
      Object.entries(row.watched(watchable)).map(([subject, metric]) => {
        const name = subject === '' ? row.key : `${row.key}-${subject}`
        const alarm = new Alarm(this, name, { alarmName: `${pipeline.namePrefix}-${name}`, ...alarmProps(row, metric) })
        alarm.addAlarmAction(act)
        if (row.severity === 'page') alarm.addOkAction(act)
        return { alarm, severity: row.severity }
      }),
    )
    // It acts on nothing: each of its alarms has told already, and a second that joins the first would not be told by it.
    const atRisk = new CompositeAlarm(this, atRiskKey, {
      compositeAlarmName: `${pipeline.namePrefix}-${atRiskKey}`,
      alarmDescription: `Events are at risk: at least one alarm that pages is on. First: open that one. Runbook: ${runbook}#${atRiskKey}`,
      alarmRule: AlarmRule.anyOf(
        ...alarms.filter(({ severity }) => severity === 'page').map(({ alarm }) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM)),
      ),
    })
    this.all = [atRisk, ...alarms.map(({ alarm }) => alarm)]
  }

  /**
   * How often an object came to lie under `errors/`. No metric of Firehose counts them, and a mail for each object would be one a minute.
   * The rule's target is the pipeline's own bus, where whoever routes notices finds the objects' names as well.
   */
  private lakeErrors({ lakeBucket, bus }: ObservedPipeline): Metric {
    const rule = new Rule(this, 'LakeErrors', {
      description: "What Firehose could not process came to lie in the lake's bucket.",
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [lakeBucket.bucketName] }, object: { key: [{ prefix: errorsFolder }] } },
      },
      targets: [new EventBus(bus)],
    })
    Validations.of(rule).acknowledge({
      id: 'Serverless-EventBusDLQ',
      reason: 'An alarm counts its invocations, delivered or not, and the objects themselves stay in the bucket.',
    })
    return new Metric({ namespace: 'AWS/Events', metricName: 'Invocations', statistic: 'Sum', dimensionsMap: { RuleName: rule.ruleName } })
  }
}

function alarmProps({ key, severity, what, first, when, lasting, missing }: AlarmRow, metric: Metric | MathExpression) {
  const [datapointsToAlarm, evaluationPeriods, minutes] = lasting
  const above = 'above' in when
  return {
    metric: metric.with({ period: Duration.minutes(minutes) }),
    alarmDescription: `${what} First: ${first} Runbook: ${runbook}#${key} (${severity})`,
    threshold: above ? when.above : when.below,
    comparisonOperator: above ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
    datapointsToAlarm,
    evaluationPeriods,
    treatMissingData: treatMissing[missing],
  }
}
