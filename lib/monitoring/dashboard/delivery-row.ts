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
      'Firehose receives records and writes them as objects about once a minute. **Age** above 15 minutes or **success** below 1: the bucket, its key or the role was changed. Firehose retries for 24 hours, then drops the records. **Quota** above 80 %: ask AWS for a higher one. Pages that do not fit are read again later, so nothing is lost, but lag grows. Records that Firehose cannot process are under `errors/` in the bucket.',
    ),
    row(
      graph('Age of the oldest record not yet in the lake (s)', [deliveryLine(pipeline, 'DeliveryToS3.DataFreshness', 'Maximum', 'age')], {
        leftAnnotations: [{ value: deliveryAgeMaxSeconds, label: 'pages', color: Color.RED }],
      }),
      graph('Successful writes (share)', [deliveryLine(pipeline, 'DeliveryToS3.Success', 'Average', 'success')], {
        leftYAxis: { min: 0, max: 1 },
      }),
      graph('Used of the quota (%)', [[quotaUsed(pipeline), 'the highest of bytes, records and requests']], {
        leftAnnotations: [{ value: quotaUsedMaxPercent, label: 'warns', color: Color.ORANGE }],
      }),
      graph('Records', [
        deliveryLine(pipeline, 'IncomingRecords', 'Sum', 'received'),
        deliveryLine(pipeline, 'DeliveryToS3.Records', 'Sum', 'written'),
        deliveryLine(pipeline, 'ThrottledRecords', 'Sum', 'throttled'),
      ]),
    ),
  ]
}
