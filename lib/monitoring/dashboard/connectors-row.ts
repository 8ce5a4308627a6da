import { CustomWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import { operateDashboardName } from './operate-dashboard.ts'
import { columns, text } from './widgets.ts'

export function connectorsRow({ namePrefix, functions: { statusWidget } }: ObservedPipeline): IWidget[][] {
  if (statusWidget === undefined) return []
  return [
    text(
      'Connectors',
      `All connectors, the worst first, each with its state, the reason, its lag, and the time until the vendor drops events that are not read yet. **The reason says what to do.** If a connector is missing, the connectors table has no item for it, or the item has not been processed: see *dispatch* below. This dashboard only reads: [operate the connectors](#dashboards:name=${operateDashboardName(namePrefix)}).`,
    ),
    [new CustomWidget({ title: 'Connectors', functionArn: statusWidget.functionArn, width: columns, height: 10, updateOnResize: false })],
  ]
}
