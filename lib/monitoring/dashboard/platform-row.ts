import { type IWidget, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { second } from '../../../functions/domain/time.ts'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import { functionLines, tableLine } from './lines.ts'
import { graph, inUnit, type Line, row, text } from './widgets.ts'

export function platformRow(pipeline: ObservedPipeline): IWidget[][] {
  const { workQueue, deadLetterQueues, stateTable, connectorsTable, tickRule } = pipeline
  const tables = [
    [stateTable, 'state'],
    [connectorsTable, 'connectors'],
  ] as const
  return [
    text(
      'Platform',
      'Errors here are bugs or broken infrastructure, never errors of a vendor. **Dispatch must run once a minute**: without it nothing is collected. A **work message** is older than a few minutes: `collect` fails, is throttled, or `collectConcurrency` is too low. **Dead letters**: run the saved query *function failures*. They lose no events, because the state table decides what runs next.',
    ),
    row(
      graph('Runs', [
        ...functionLines(pipeline, (one) => one.metricInvocations({ statistic: 'Sum' })),
        ...(tickRule === undefined ? [] : [ticks(tickRule.ruleName)]),
      ]),
      graph(
        'Failed runs',
        functionLines(pipeline, (one) => one.metricErrors({ statistic: 'Sum' })),
      ),
      graph(
        'Runs refused by Lambda',
        functionLines(pipeline, (one) => one.metricThrottles({ statistic: 'Sum' })),
      ),
      graph(
        'Longest duration (s)',
        inUnit(
          functionLines(pipeline, (one) => one.metricDuration({ statistic: 'Maximum' })),
          second,
        ),
      ),
    ),
    row(
      graph(
        'Runs at the same time',
        functionLines(pipeline, (one) => one.metric('ConcurrentExecutions', { statistic: 'Maximum' })),
      ),
      graph('Work queue', [[workQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }), 'waiting']], {
        right: [[workQueue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }), 'age of the oldest (s)']],
      }),
      graph(
        'Dead letters',
        Object.entries(deadLetterQueues).map(
          ([label, queue]): Line => [queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }), label],
        ),
      ),
      graph(
        'DynamoDB throttles',
        tables.flatMap(([{ tableName }, label]) => [
          tableLine('ReadThrottleEvents', { TableName: tableName }, `${label}: reads`),
          tableLine('WriteThrottleEvents', { TableName: tableName }, `${label}: writes`),
        ]),
      ),
    ),
  ]
}

function ticks(ruleName: string): Line {
  const dimensionsMap = { RuleName: ruleName }
  return [new Metric({ namespace: 'AWS/Events', metricName: 'Invocations', statistic: 'Sum', dimensionsMap }), 'ticks of the rule']
}
