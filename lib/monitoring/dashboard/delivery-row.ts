import { Color, type IWidget } from 'aws-cdk-lib/aws-cloudwatch'
import { quotaUsed } from '../metrics.ts'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import { deliveryAgeMaxSeconds, quotaUsedMaxPercent } from '../thresholds.ts'
import { deliveryLine } from './lines.ts'
import { graph, row, text } from './widgets.ts'

export function deliveryRow(pipeline: ObservedPipeline): IWidget[][] {
  return [
    text(
      'Delivery to the lake',
      'Firehose takes records and writes them as objects about once a minute. **Freshness** above 15 minutes or **success** below 1: the bucket, its key or the role was changed; Firehose tries for 24 hours, then drops. **Quota** above 80 %: ask AWS for a higher one; what does not fit now is read again later, so nothing is lost, but lag grows. **Records not processed** lie under `errors/` in the bucket.',
    ),
    row(
      graph('Age of the oldest record not yet in the lake (s)', [deliveryLine(pipeline, 'DeliveryToS3.DataFreshness', 'Maximum', 'age')], {
        leftAnnotations: [{ value: deliveryAgeMaxSeconds, label: 'pages', color: Color.RED }],
      }),
      graph('Successful writes (share)', [deliveryLine(pipeline, 'DeliveryToS3.Success', 'Average', 'success')], {
        leftYAxis: { min: 0, max: 1 },
      }),
      graph('Used of the quota (%)', [[quotaUsed(pipeline), 'bytes, records or requests, the most used']], {
        leftAnnotations: [{ value: quotaUsedMaxPercent, label: 'warns', color: Color.ORANGE }],
      }),
      graph('Records', [
        deliveryLine(pipeline, 'IncomingRecords', 'Sum', 'taken'),
        deliveryLine(pipeline, 'DeliveryToS3.Records', 'Sum', 'written'),
        deliveryLine(pipeline, 'ThrottledRecords', 'Sum', 'throttled'),
      ]),
    ),
  ]
}
