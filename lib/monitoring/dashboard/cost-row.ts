import { type IWidget, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import { dueIndex, fleetIndex } from '../../../functions/adapters/state-table/table-definitions.ts'
import { second } from '../../../functions/domain/time.ts'
import { functionNames, workingFunctions } from '../../functions/function-names.ts'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import { deliveryLine, functionLines, runLines, tableLine } from './lines.ts'
import { graph, inUnit, type Line, row, text } from './widgets.ts'

export function costRow(pipeline: ObservedPipeline): IWidget[][] {
  const units = (name: string): Line[] => [
    tableLine(name, { TableName: pipeline.stateTable.tableName }, 'state'),
    ...[dueIndex, fleetIndex].map((index) =>
      tableLine(name, { TableName: pipeline.stateTable.tableName, GlobalSecondaryIndexName: index }, `state, index ${index}`),
    ),
    tableLine(name, { TableName: pipeline.connectorsTable.tableName }, 'connectors'),
  ]
  return [
    text(
      'Costs',
      'Usage in the units that AWS bills. **Waiting for tokens** is billed as Lambda time: a high value means that connectors share a key. **Log bytes** often cost the most if many pages are read. This dashboard reads more than 50 metrics, so it costs $3 a month.',
    ),
    row(
      graph(
        'Lambda time (s)',
        inUnit(
          functionLines(pipeline, (one) => one.metricDuration({ statistic: 'Sum' })),
          second,
        ),
      ),
      graph('Lambda time spent waiting for tokens (s)', inUnit(runLines(pipeline, ['TokenWait', 'waiting']), second)),
      graph('DynamoDB: read units', units('ConsumedReadCapacityUnits')),
      graph('DynamoDB: write units', units('ConsumedWriteCapacityUnits')),
    ),
    row(
      graph('Firehose: bytes received', [deliveryLine(pipeline, 'IncomingBytes', 'Sum', 'received')]),
      graph(
        'Log bytes',
        workingFunctions.map((name) => logBytes(pipeline.logGroups[name], functionNames[name])),
      ),
    ),
  ]
}

function logBytes({ logGroupName }: ILogGroup, label: string): Line {
  const dimensionsMap = { LogGroupName: logGroupName }
  return [new Metric({ namespace: 'AWS/Logs', metricName: 'IncomingBytes', statistic: 'Sum', dimensionsMap }), label]
}
