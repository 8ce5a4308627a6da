import { Duration, Validations } from 'aws-cdk-lib'
import { Alarm, ComparisonOperator, type IAlarm, type MathExpression, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Rule } from 'aws-cdk-lib/aws-events'
import { EventBus } from 'aws-cdk-lib/aws-events-targets'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { errorsFolder } from '../lake/lake-layout.ts'
import { allow, roleOfRule } from '../permissions.ts'
import { type AlarmRow, alarmTable } from './alarm-table.ts'
import type { ObservedPipeline } from './observed-pipeline.ts'

export interface AlarmsProps {
  readonly pipeline: ObservedPipeline
  /** Receives every alarm. */
  readonly topic: ITopic
  /** Largest lag of a connector that raises no alarm. */
  readonly lagMaxMinutes: number
}

const runbook = 'docs/operations.md'
const treatMissing = { fine: TreatMissingData.NOT_BREACHING, unchanged: TreatMissingData.IGNORE, bad: TreatMissingData.BREACHING } as const

/** Alarms for everything that needs a person: problems that last, and problems that no connector can report itself. Notifications name the connector. */
export class Alarms extends Construct {
  readonly all: readonly IAlarm[]

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id)
    const { pipeline, topic } = props
    const act = new SnsAction(topic)
    const watchable = { pipeline, lakeErrors: this.lakeErrors(pipeline) }

    this.all = alarmTable(props).flatMap((row) =>
      Object.entries(row.watched(watchable)).map(([subject, metric]) => {
        const name = subject === '' ? row.key : `${row.key}-${subject}`
        const alarm = new Alarm(this, name, { alarmName: `${pipeline.namePrefix}-${name}`, ...alarmProps(row, metric) })
        alarm.addAlarmAction(act)
        if (row.severity === 'page' && row.countsNew === undefined) alarm.addOkAction(act)
        return alarm
      }),
    )
  }

  /**
   * Counts new objects under `errors/`. Firehose has no metric for them, and one mail for each object could be one a minute. The rule
   * sends them to the pipeline's own bus, so that a rule of the user can read the names of the objects.
   */
  private lakeErrors({ lakeBucket, bus }: ObservedPipeline): Metric {
    const description = 'EventBridge sends new objects under errors/ to the bus.'
    const role = roleOfRule(this, 'LakeErrorsRole', description, allow(['events:PutEvents'], bus.eventBusArn))
    const rule = new Rule(this, 'LakeErrors', {
      description: 'Sends new objects under errors/ of the lake to the bus: records that Firehose could not process.',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [lakeBucket.bucketName] }, object: { key: [{ prefix: errorsFolder }] } },
      },
      targets: [new EventBus(bus, { role: role.withoutPolicyUpdates() })],
    })
    Validations.of(rule).acknowledge({
      id: 'Serverless-EventBusDLQ',
      reason: 'An alarm counts the invocations of the rule, even those that fail, and the objects stay in the bucket.',
    })
    return new Metric({ namespace: 'AWS/Events', metricName: 'Invocations', statistic: 'Sum', dimensionsMap: { RuleName: rule.ruleName } })
  }
}

function alarmProps({ key, severity, problem, firstStep, when, lasting, noValue }: AlarmRow, metric: Metric | MathExpression) {
  const [datapointsToAlarm, evaluationPeriods, minutes] = lasting
  const above = 'above' in when
  return {
    metric: metric.with({ period: Duration.minutes(minutes) }),
    alarmDescription: `${problem} First: ${firstStep} Runbook: ${runbook}#${key} (${severity})`,
    threshold: above ? when.above : when.below,
    comparisonOperator: above ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
    datapointsToAlarm,
    evaluationPeriods,
    treatMissingData: treatMissing[noValue],
  }
}
