import { Duration, Validations } from 'aws-cdk-lib'
import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  type IAlarm,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Rule } from 'aws-cdk-lib/aws-events'
import { EventBus } from 'aws-cdk-lib/aws-events-targets'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import type { EventMetric, FleetMetric, RunMetric } from '../../functions/domain/metrics.ts'
import { day, hour, minute } from '../../functions/domain/time.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'
import { errorsFolder } from '../lake/lake-layout.ts'
import { deliveryMetric, eventMetric, eventTypesOf, everyVendor, fleetMetric, quotaUsed, runMetric } from './metrics.ts'
import type { ObservedPipeline } from './observed-pipeline.ts'

interface AlarmRow {
  /** The heading of its entry in `docs/operations.md`, and the beginning of its name. */
  readonly key: string
  /** `page`: events are at stake within hours, or nobody would notice that they are. Its end is told as well. `warn`: within days. */
  readonly severity: 'warn' | 'page'
  readonly what: string
  /** The first thing to do. */
  readonly first: string
  /** By what the name of each alarm ends with; `''` is the only one. */
  readonly watched: Readonly<Record<string, Metric | MathExpression>>
  readonly when: { readonly above: number } | { readonly below: number }
  /** `[m, n, minutes]`: m of the last n periods of so many minutes. */
  readonly lasting: readonly [m: number, n: number, minutes: number]
  /**
   * - `fine`: no value is nothing wrong (a counter that nobody counted up; a value of a fleet without connectors).
   * - `unchanged`: it is measured every 5 minutes come what may, so no value means that nobody looked, which has alarms of its own.
   * - `bad`: its absence is the very thing.
   */
  readonly missing: 'fine' | 'unchanged' | 'bad'
}

export interface AlarmsProps {
  readonly pipeline: ObservedPipeline
  /** Every alarm but the composite one acts on it. */
  readonly topic: ITopic
  /** How far the proof of the stalest connector may lag behind. */
  readonly lagMostMinutes: number
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

    const made = alarmTable(props, this.lakeErrors(pipeline)).flatMap((row) =>
      Object.entries(row.watched).map(([subject, metric]) => {
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
        ...made.filter(({ severity }) => severity === 'page').map(({ alarm }) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM)),
      ),
    })
    this.all = [atRisk, ...made.map(({ alarm }) => alarm)]
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

/** Every alarm. One bad value pages only where one is a loss; `1 of n` keeps an alarm on between values, so that each episode is one mail. */
function alarmTable({ pipeline, lagMostMinutes }: AlarmsProps, lakeErrors: Metric): readonly AlarmRow[] {
  const { functions, deadLetterQueues } = pipeline
  const run = (name: RunMetric) => byVendor((vendor) => runMetric(pipeline, vendor, name))
  const fleet = (name: FleetMetric) => byVendor((vendor) => fleetMetric(pipeline, vendor, name))
  const events = (name: EventMetric) =>
    byVendor((vendor) => total(eventTypesOf(vendor).map((event) => eventMetric(pipeline, vendor, event, name))))
  const delivery = (name: string, statistic: string) => ({ '': deliveryMetric(pipeline, name, statistic) })
  const working = { collect: functions.collect, 'connector-changed': functions.connectorChanged, dispatch: functions.dispatch }
  const ofFunctions = (metric: 'Errors' | 'Throttles') => mapped(working, (one) => one.metric(metric, { statistic: 'Sum' }))

  return [
    {
      key: 'hole-lost',
      severity: 'page',
      what: "Events passed the vendor's horizon unread: they are lost.",
      first: 'run the saved query "holes lost" for whose and which, and stop more from following.',
      watched: run('HolesLost'),
      when: { above: 0 },
      lasting: [1, 12, 5],
      missing: 'fine',
    },
    {
      key: 'horizon-48h',
      severity: 'warn',
      what: "In less than 48 hours the first unread events pass the vendor's horizon.",
      first: "find the connector with the shortest time to the horizon in the dashboard's table, and read its reason.",
      watched: fleet('HorizonLeast'),
      when: { below: 48 * hour },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'horizon-24h',
      severity: 'page',
      what: "In less than 24 hours the first unread events pass the vendor's horizon and are lost.",
      first: "find the connector with the shortest time to the horizon in the dashboard's table, and give it a key of its own.",
      watched: fleet('HorizonLeast'),
      when: { below: 24 * hour },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'losing-data',
      severity: 'page',
      what: 'A connector is losing events, or is about to.',
      first: "read its reason in the dashboard's table; a key of its own is the quickest help.",
      watched: fleet('ConnectorsLosingData'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      missing: 'unchanged',
    },
    {
      key: 'lag',
      severity: 'warn',
      what: "For an hour a connector's proof of completeness has lagged further behind than it should.",
      first: 'run the saved query "why it was late" for the connector with the longest lag.',
      watched: fleet('LagMost'),
      when: { above: lagMostMinutes * minute },
      lasting: [12, 12, 5],
      missing: 'fine',
    },
    {
      key: 'connectors-failing',
      severity: 'warn',
      what: 'For an hour at least one connector has been failing: something must be mended.',
      first: "read the reasons in the dashboard's table; each says what to do.",
      watched: fleet('ConnectorsFailing'),
      when: { above: 0 },
      lasting: [12, 12, 5],
      missing: 'unchanged',
    },
    {
      key: 'key-rejected',
      severity: 'warn',
      what: 'The vendor rejects an API key; where a connector has others, they go on.',
      first: 'run the saved query "keys rejected" for the secret\'s name, and store a valid key in it.',
      watched: fleet('KeysRejected'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      missing: 'unchanged',
    },
    {
      key: 'key-old',
      severity: 'warn',
      what: 'An API key was stored more than 335 days ago; one that lasts a year ends within 30 days.',
      first: "look up in the vendor's console when it expires, and store a new one in the same secret.",
      watched: fleet('KeyAgeMost'),
      when: { above: 335 * day },
      lasting: [1, 1, 60],
      missing: 'fine',
    },
    {
      key: 'throttled-by-others',
      severity: 'warn',
      what: 'For half an hour the vendor has refused requests although the limit was kept: something else uses the key.',
      first: 'find out what else uses the key, or make one for this connector alone.',
      watched: fleet('ConnectorsThrottled'),
      when: { above: 0 },
      lasting: [6, 6, 5],
      missing: 'unchanged',
    },
    {
      key: 'dropped-off',
      severity: 'warn',
      what: 'A connector that delivered every day for six days delivered nothing on the last whole day.',
      first: "ask in the vendor's console whether there were events on that day, with the connector's event types and services.",
      watched: fleet('ConnectorsDroppedOff'),
      when: { above: 0 },
      lasting: [1, 1, 60],
      missing: 'unchanged',
    },
    {
      key: 'vendor-outage',
      severity: 'warn',
      what: 'For half an hour a site of the vendor has answered with errors of its own, or not at all.',
      first: "look at the vendor's status page; what is missed is read afterwards.",
      watched: fleet('VendorOutages'),
      when: { above: 0 },
      lasting: [6, 6, 5],
      missing: 'unchanged',
    },
    {
      key: 'events-malformed',
      severity: 'warn',
      what: 'The vendor sent items that are not what it documents. They are in the lake, marked malformed.',
      first: 'look at them in Athena: SELECT raw FROM syslog WHERE malformed.',
      watched: events('EventsMalformed'),
      when: { above: 0 },
      lasting: [1, 6, 60],
      missing: 'fine',
    },
    {
      key: 'slice-set-aside',
      severity: 'warn',
      what: 'A single millisecond could not be read to its end and is left alone for an hour at a time.',
      first: 'run the saved query "failures" for its trace id, and give it to the vendor.',
      watched: run('SlicesSetAside'),
      when: { above: 0 },
      lasting: [1, 6, 60],
      missing: 'fine',
    },
    {
      key: 'events-late',
      severity: 'warn',
      what: 'Events came later than lateArrivalMinutes; the daily second look found and delivered them.',
      first: 'raise lateArrivalMinutes of the connectors whose reason says so.',
      watched: events('EventsLate'),
      when: { above: 0 },
      lasting: [1, 24, 60],
      missing: 'fine',
    },
    {
      key: 'dispatch-silent',
      severity: 'page',
      what: 'For 10 minutes no tick has been carried out, so nothing is collected.',
      first: 'look whether dispatch fails (saved query "function failures") or is not invoked (is the tick\'s rule enabled?).',
      watched: {
        '': new MathExpression({
          expression: 'ticks - failed',
          label: 'Ticks carried out',
          usingMetrics: {
            ticks: functions.dispatch.metricInvocations({ statistic: 'Sum' }),
            failed: functions.dispatch.metricErrors({ statistic: 'Sum' }),
          },
        }),
      },
      when: { below: 1 },
      lasting: [2, 2, 5],
      missing: 'bad',
    },
    {
      key: 'fleet-unmeasured',
      severity: 'page',
      what: 'For half an hour nobody has measured the fleet: horizon, lag and failing connectors are not watched.',
      first: 'if dispatch-silent is on, see there; else run the saved query "function failures" for dispatch.',
      watched: mapped(fleet('Connectors'), (measured) => measured.with({ statistic: 'SampleCount' })),
      when: { below: 1 },
      lasting: [2, 2, 15],
      missing: 'bad',
    },
    {
      key: 'dead-letters',
      severity: 'warn',
      what: 'Messages that could not be handled, time after time, lie in a dead-letter queue: a bug, or broken infrastructure.',
      first: 'run the saved query "function failures"; redrive the queue once its cause is mended.',
      watched: mapped(deadLetterQueues, (queue) => queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' })),
      when: { above: 0 },
      lasting: [1, 1, 5],
      // SQS says nothing of a queue that has been idle for 6 hours, and its letters still lie there.
      missing: 'unchanged',
    },
    {
      key: 'function-errors',
      severity: 'warn',
      what: 'For 15 minutes a function has failed again and again: a bug, or broken infrastructure, never what a vendor answers.',
      first: 'run the saved query "function failures".',
      watched: ofFunctions('Errors'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'function-throttles',
      severity: 'warn',
      what: "For 15 minutes Lambda has refused to run a function: the account's concurrency is used up.",
      first: "compare ConcurrentExecutions with the account's quota, and ask for a higher one.",
      watched: ofFunctions('Throttles'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'lake-stale',
      severity: 'page',
      what: 'Firehose holds events that it has not written to the lake for 15 minutes; after 24 hours it drops them.',
      first: "look at Firehose's error log: mostly the bucket, its key or the delivery role was changed.",
      watched: delivery('DeliveryToS3.DataFreshness', 'Maximum'),
      when: { above: 900 },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'lake-writes-failing',
      severity: 'warn',
      what: "For 15 minutes some of Firehose's writes to the lake have failed; it tries again for 24 hours.",
      first: "look at Firehose's error log.",
      watched: delivery('DeliveryToS3.Success', 'Average'),
      when: { below: 1 },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'lake-errors',
      severity: 'page',
      what: 'Firehose put records that it could not process under errors/: no query finds them there.',
      first: 'open the newest object under errors/; each line says why, and holds the record.',
      watched: { '': lakeErrors },
      when: { above: 0 },
      lasting: [1, 12, 5],
      missing: 'fine',
    },
    {
      key: 'lake-quota',
      severity: 'warn',
      what: 'For 15 minutes Firehose has taken more than 80 % of what its quota allows; above it, collecting waits.',
      first: 'ask AWS for a higher quota of the delivery stream.',
      watched: { '': quotaUsed(pipeline) },
      when: { above: 80 },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
  ]
}

function byVendor<T>(metric: (vendor: Vendor) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(everyVendor.map((vendor) => [vendor.type, metric(vendor)]))
}

function mapped<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

/** A metric without a value does not count. */
function total(metrics: readonly Metric[]): MathExpression {
  return new MathExpression({ expression: 'SUM(FILL(METRICS(), 0))', label: metrics[0]?.metricName ?? '', usingMetrics: numbered(metrics) })
}

function numbered(metrics: readonly Metric[]): Record<string, Metric> {
  return Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]))
}
