import { CustomWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import { columns, text } from './widgets.ts'

export function connectorsRow({ functions: { statusWidget } }: ObservedPipeline): IWidget[][] {
  if (statusWidget === undefined) return []
  return [
    text(
      'Connectors',
      'Every connector, the worst first: its state, why, how far its proof of completeness lags behind, and how long until unread events pass the vendor’s horizon. **The reason says what to do.** A connector that is missing here has no item in the connectors table, or none that was seen: see *dispatch* below.',
    ),
    [new CustomWidget({ title: 'Connectors', functionArn: statusWidget.functionArn, width: columns, height: 10, updateOnResize: false })],
  ]
}
