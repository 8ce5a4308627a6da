import { CustomWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import { columns, text } from './widgets.ts'

export function connectorsRow({ functions: { statusWidget } }: ObservedPipeline): IWidget[][] {
  if (statusWidget === undefined) return []
  return [
    text(
      'Connectors',
      'All connectors, the worst first, each with its state, the reason, its lag, and the time until the vendor drops events that are not read yet. **The reason says what to do.** If a connector is missing, the connectors table has no item for it, or the item has not been processed: see *dispatch* below.',
    ),
    [new CustomWidget({ title: 'Connectors', functionArn: statusWidget.functionArn, width: columns, height: 10, updateOnResize: false })],
  ]
}
