import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  Color,
  CustomWidget,
  GraphWidget,
  type GraphWidgetProps,
  type IAlarm,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  PeriodOverride,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { dueIndex, fleetIndex } from '../../functions/adapters/state-schema.ts'
import type { EventMetric, FleetMetric, RunMetric } from '../../functions/domain/metrics.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'
import { deliveryMetric, eventMetric, eventTypesOf, everyVendor, fleetMetric, fleetPeriod, quotaUsed, runMetric } from './metrics.ts'
import type { ObservedPipeline } from './observed-pipeline.ts'

export interface DashboardProps {
  readonly pipeline: ObservedPipeline
  readonly alarms: readonly IAlarm[]
}

/** A line with its name in the legend. */
type Named = readonly [metric: IMetric, label: string]

const columns = 24
const graphHeight = 6

/** One dashboard of the stack, row by row from the connectors down to what costs money. Each row says what it means and what to do. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { pipeline, alarms }: DashboardProps) {
    super(scope, id)
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: pipeline.namePrefix,
      periodOverride: PeriodOverride.INHERIT,
      widgets: [
        ...connectorsRow(pipeline),
        ...alarmsRow(alarms),
        ...healthRow(pipeline),
        ...flowRow(pipeline),
        ...lakeRow(pipeline),
        ...platformRow(pipeline),
        ...costRow(pipeline),
      ],
    })
  }
}

function connectorsRow({ functions: { statusWidget } }: ObservedPipeline): IWidget[][] {
  if (statusWidget === undefined) return []
  return [
    text(
      'Connectors',
      'Every connector, the worst first: its state, why, how far its proof of completeness lags behind, and how long until unread events pass the vendor’s horizon. **The reason says what to do.** A connector that is missing here has no item in the connectors table, or none that was seen: see *dispatch* below.',
    ),
    [new CustomWidget({ title: 'Connectors', functionArn: statusWidget.functionArn, width: columns, height: 10, updateOnResize: false })],
  ]
}

function alarmsRow(alarms: readonly IAlarm[]): IWidget[][] {
  return [
    text(
      'Alarms',
      'Each alarm’s description names the first thing to do, and its entry in docs/operations.md. All green: nothing is needed.',
    ),
    [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: columns, height: 5 })],
  ]
}

function healthRow(pipeline: ObservedPipeline): IWidget[][] {
  const of = (...named: readonly (readonly [FleetMetric, string])[]) =>
    perVendor(([name, label], vendor): Named => [fleetMetric(pipeline, vendor, name), label], named)
  const kept = everyVendor.map(({ title, horizonMs }) => `${title}: ${horizonMs / hour} h`).join(', ')
  return [
    text(
      'Health of the fleet',
      `Measured every 5 minutes. **Lag** is how far the proof that nothing is missing stays behind now: 15 to 30 minutes is normal, since events may come late. **Time to the horizon** must stay near what the vendor keeps (${kept}); when it falls, a backlog is read more slowly than it ages: give that connector a key of its own, or fewer streams. **Holes** are losses, and stay on record. A gap in these lines means that nobody measured: see *dispatch* below.`,
    ),
    row(
      graph(
        'Connectors by state',
        of(
          ['ConnectorsOk', 'up to date'],
          ['ConnectorsCatchingUp', 'catching up'],
          ['ConnectorsThrottled', 'throttled by others'],
          ['ConnectorsFailing', 'failing'],
          ['ConnectorsLosingData', 'losing data'],
          ['ConnectorsRefused', 'refused'],
          ['Connectors', 'all that collect'],
        ),
      ),
      graph('Lag (minutes)', scaled(of(['LagMost', 'stalest'], ['LagP99', '99 %']), minute)),
      graph('Time to the horizon (hours)', scaled(of(['HorizonLeast', 'first to be lost']), hour), {
        leftAnnotations: [
          { value: 48, label: 'warns', color: Color.ORANGE },
          { value: 24, label: 'pages', color: Color.RED },
        ],
      }),
      graph(
        'Needs a look',
        of(
          ['HolesOnRecord', 'holes on record'],
          ['ConnectorsDroppedOff', 'dropped off'],
          ['KeysRejected', 'keys rejected'],
          ['VendorOutages', 'outages'],
        ),
      ),
    ),
    row(
      graph('Streams behind', of(['StreamsBehind', 'streams with unread events'])),
      graph(
        'Lost just now',
        perVendor(([name, label], vendor): Named => [runMetric(pipeline, vendor, name), label], lossMetrics),
      ),
      graph('Oldest API key (days)', scaled(of(['KeyAgeMost', 'oldest key']), 24 * hour), {
        leftAnnotations: [{ value: 335, label: 'warns', color: Color.ORANGE }],
      }),
    ),
  ]
}

const lossMetrics: readonly (readonly [RunMetric, string])[] = [
  ['HolesLost', 'holes lost'],
  ['SlicesSetAside', 'set aside'],
]

function flowRow(pipeline: ObservedPipeline): IWidget[][] {
  const of = (name: EventMetric) =>
    everyVendor.flatMap((vendor) =>
      eventTypesOf(vendor).map((event): Named => [eventMetric(pipeline, vendor, event, name), labelled(event, vendor)]),
    )
  const run = (...named: readonly (readonly [RunMetric, string])[]) =>
    perVendor(([name, label], vendor): Named => [runMetric(pipeline, vendor, name), label], named)
  return [
    text(
      'Flow of events',
      'What came from the vendor and what became of it, by event type. **Duplicates are normal**: slices overlap so that nothing falls between them. **Malformed** items are in the lake, marked: `SELECT raw FROM syslog WHERE malformed`. **Late** events were found by the daily second look: raise `lateArrivalMinutes` of that connector. **Refused requests (429)** although the limit is kept: something else uses the key.',
    ),
    row(
      graph('Delivered to the lake', of('EventsDelivered')),
      graph('Left out by log filters', of('EventsFiltered')),
      graph('Duplicates dropped', of('EventsDuplicate')),
      graph('Pages and requests', run(['PagesRead', 'pages'], ['Requests', 'requests'], ['RequestsThrottled', 'refused (429)'])),
    ),
    row(graph('Malformed', of('EventsMalformed')), graph('Late', of('EventsLate'))),
  ]
}

function lakeRow(pipeline: ObservedPipeline): IWidget[][] {
  const of = (name: string, statistic: string, label: string): Named => [deliveryMetric(pipeline, name, statistic), label]
  return [
    text(
      'Delivery to the lake',
      'Firehose takes records and writes them as objects about once a minute. **Freshness** above 15 minutes or **success** below 1: the bucket, its key or the role was changed; Firehose tries for 24 hours, then drops. **Quota** above 80 %: ask AWS for a higher one; what does not fit now is read again later, so nothing is lost, but lag grows. **Records not processed** lie under `errors/` in the bucket.',
    ),
    row(
      graph('Age of the oldest record not yet in the lake (s)', [of('DeliveryToS3.DataFreshness', 'Maximum', 'age')], {
        leftAnnotations: [{ value: 900, label: 'pages', color: Color.RED }],
      }),
      graph('Successful writes (share)', [of('DeliveryToS3.Success', 'Average', 'success')], { leftYAxis: { min: 0, max: 1 } }),
      graph('Used of the quota (%)', [[quotaUsed(pipeline), 'bytes, records or requests, the most used']], {
        leftAnnotations: [{ value: 80, label: 'warns', color: Color.ORANGE }],
      }),
      graph('Records', [
        of('IncomingRecords', 'Sum', 'taken'),
        of('DeliveryToS3.Records', 'Sum', 'written'),
        of('ThrottledRecords', 'Sum', 'throttled'),
      ]),
    ),
  ]
}

function platformRow(pipeline: ObservedPipeline): IWidget[][] {
  const { workQueue, deadLetterQueues, stateTable, connectorsTable, tickRule } = pipeline
  const functions = functionsOf(pipeline)
  const tables = [
    [stateTable, 'state'],
    [connectorsTable, 'connectors'],
  ] as const
  return [
    text(
      'Platform',
      'Errors here are bugs or broken infrastructure, never what a vendor answers. **Dispatch must run once a minute**: without it nothing is collected. A **work message** older than a few minutes: `collect` fails, is throttled, or `collectConcurrency` is too low. **Dead letters** are worth a look in the saved query *function failures*; nothing is lost by them, since the state table decides what runs next.',
    ),
    row(
      graph('Runs', [
        ...functions.map(([one, label]): Named => [one.metricInvocations({ statistic: 'Sum' }), label]),
        ...(tickRule === undefined ? [] : [ticks(tickRule.ruleName)]),
      ]),
      graph(
        'Failed runs',
        functions.map(([one, label]): Named => [one.metricErrors({ statistic: 'Sum' }), label]),
      ),
      graph(
        'Runs refused by Lambda',
        functions.map(([one, label]): Named => [one.metricThrottles({ statistic: 'Sum' }), label]),
      ),
      graph(
        'Duration, longest (s)',
        functions.map(([one, label]) => scaledOne([one.metricDuration({ statistic: 'Maximum' }), label], 1_000)),
      ),
    ),
    row(
      graph(
        'Runs at the same time',
        functions.map(([one, label]): Named => [one.metric('ConcurrentExecutions', { statistic: 'Maximum' }), label]),
      ),
      graph('Work queue', [[workQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }), 'waiting']], {
        right: [[workQueue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }), 'age of the oldest (s)']],
      }),
      graph(
        'Dead letters',
        Object.entries(deadLetterQueues).map(
          ([label, queue]): Named => [queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }), label],
        ),
      ),
      graph(
        'DynamoDB throttles',
        tables.flatMap(([{ tableName }, label]) => [
          tableMetric('ReadThrottleEvents', { TableName: tableName }, `${label}: reads`),
          tableMetric('WriteThrottleEvents', { TableName: tableName }, `${label}: writes`),
        ]),
      ),
    ),
  ]
}

function costRow(pipeline: ObservedPipeline): IWidget[][] {
  const { logGroups } = pipeline
  const functions = functionsOf(pipeline)
  const units = (name: string): Named[] => [
    tableMetric(name, { TableName: pipeline.stateTable.tableName }, 'state'),
    ...[dueIndex, fleetIndex].map((index) =>
      tableMetric(name, { TableName: pipeline.stateTable.tableName, GlobalSecondaryIndexName: index }, `state, index ${index}`),
    ),
    tableMetric(name, { TableName: pipeline.connectorsTable.tableName }, 'connectors'),
  ]
  return [
    text(
      'What it costs',
      'What AWS bills, in the units that it bills. **Waiting for tokens** is paid as Lambda time: much of it means that connectors share a key. **Log bytes** often cost more than all else once many pages are read. This dashboard reads more than 50 metrics, so it costs $3 a month.',
    ),
    row(
      graph(
        'Lambda time (s)',
        functions.map(([one, label]) => scaledOne([one.metricDuration({ statistic: 'Sum' }), label], 1_000)),
      ),
      graph(
        'Of which waiting for tokens (s)',
        scaled(
          perVendor(([name, label], vendor): Named => [runMetric(pipeline, vendor, name), label], [['TokenWait', 'waiting']] as const),
          1_000,
        ),
      ),
      graph('DynamoDB: read units', units('ConsumedReadCapacityUnits')),
      graph('DynamoDB: write units', units('ConsumedWriteCapacityUnits')),
    ),
    row(
      graph('Firehose: bytes taken', [[deliveryMetric(pipeline, 'IncomingBytes', 'Sum'), 'taken']]),
      graph('Log bytes', [
        logBytes(logGroups.collect.logGroupName, 'collect'),
        logBytes(logGroups.connectorChanged.logGroupName, 'connector-changed'),
        logBytes(logGroups.dispatch.logGroupName, 'dispatch'),
      ]),
    ),
  ]
}

function functionsOf({ functions }: ObservedPipeline) {
  return [
    [functions.collect, 'collect'],
    [functions.connectorChanged, 'connector-changed'],
    [functions.dispatch, 'dispatch'],
  ] as const
}

function ticks(ruleName: string): Named {
  const dimensionsMap = { RuleName: ruleName }
  return [new Metric({ namespace: 'AWS/Events', metricName: 'Invocations', statistic: 'Sum', dimensionsMap }), 'ticks of the rule']
}

function tableMetric(metricName: string, dimensionsMap: Record<string, string>, label: string): Named {
  return [new Metric({ namespace: 'AWS/DynamoDB', metricName, statistic: 'Sum', dimensionsMap }), label]
}

function logBytes(logGroupName: string, label: string): Named {
  const dimensionsMap = { LogGroupName: logGroupName }
  return [new Metric({ namespace: 'AWS/Logs', metricName: 'IncomingBytes', statistic: 'Sum', dimensionsMap }), label]
}

/** One line for each vendor and name; the legend names the vendor where there are several. */
function perVendor<T extends readonly [string, string]>(of: (one: T, vendor: Vendor) => Named, named: readonly T[]): readonly Named[] {
  return everyVendor.flatMap((vendor) =>
    named.map((one): Named => {
      const [metric, label] = of(one, vendor)
      return [metric, labelled(label, vendor)]
    }),
  )
}

function labelled(label: string, vendor: Vendor): string {
  return everyVendor.length === 1 ? label : `${vendor.type}: ${label}`
}

function scaled(lines: readonly Named[], divisor: number): readonly Named[] {
  return lines.map((line) => scaledOne(line, divisor))
}

/** In a unit that people read. */
function scaledOne([metric, label]: Named, divisor: number): Named {
  const id = `raw${label.replaceAll(/\W/g, '')}`
  return [new MathExpression({ expression: `${id} / ${divisor}`, usingMetrics: { [id]: metric }, period: fleetPeriod }), label]
}

function text(title: string, markdown: string): IWidget[] {
  return [new TextWidget({ markdown: `## ${title}\n${markdown}`, width: columns, height: 3 })]
}

/** Graphs side by side, equally wide. */
function row(...graphs: readonly ((width: number) => IWidget)[]): IWidget[] {
  return graphs.map((graphOf) => graphOf(columns / graphs.length))
}

function graph(
  title: string,
  lines: readonly Named[],
  options: Omit<GraphWidgetProps, 'left' | 'right' | 'title'> & { readonly right?: readonly Named[] } = {},
): (width: number) => GraphWidget {
  const { right = [], ...rest } = options
  const shown = ([metric, label]: Named) =>
    metric instanceof Metric || metric instanceof MathExpression ? metric.with({ label, period: fleetPeriod }) : metric
  return (width) =>
    new GraphWidget({
      title,
      left: lines.map(shown),
      right: right.map(shown),
      leftYAxis: { min: 0, showUnits: false },
      width,
      height: graphHeight,
      ...rest,
    })
}
