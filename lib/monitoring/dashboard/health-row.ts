import { Color, type IWidget } from 'aws-cdk-lib/aws-cloudwatch'
import { day, hour, minute, second } from '../../../functions/domain/time.ts'
import { everyVendor } from '../metrics.ts'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import { dueAgeMaxSeconds, failingShareMaxPercent, keyAgeMaxDays, retentionPageHours, retentionWarnHours } from '../thresholds.ts'
import { fleetLines, runLines } from './lines.ts'
import { graph, inUnit, row, text } from './widgets.ts'

export function healthRow(pipeline: ObservedPipeline): IWidget[][] {
  const limits = everyVendor.map(({ title, retentionMs }) => `${title}: ${retentionMs / hour} h`).join(', ')
  return [
    text(
      'Health of the fleet',
      `Measured every 5 minutes. **Lag** is the time since the last instant up to which no event is missing: 15 to 30 minutes are normal, because events may come late. **Time to the retention limit** must stay near the vendor’s limit (${limits}). If it falls, a backlog ages faster than it is read: give that connector an API key of its own, or fewer streams. **Lost ranges** stay on record. A gap in these lines means that the fleet was not measured: see *dispatch* below.`,
    ),
    row(
      graph(
        'Connectors by state',
        fleetLines(
          pipeline,
          ['ConnectorsOk', 'up to date'],
          ['ConnectorsCatchingUp', 'catching up'],
          ['ConnectorsThrottled', 'throttled by others'],
          ['ConnectorsFailing', 'failing'],
          ['ConnectorsLosingData', 'losing data'],
          ['ConnectorsRefused', 'refused'],
          ['Connectors', 'all that collect'],
        ),
      ),
      graph('Lag (minutes)', inUnit(fleetLines(pipeline, ['LagMax', 'stalest'], ['LagP90', 'a tenth of the connectors']), minute)),
      graph('Time to the retention limit (hours)', inUnit(fleetLines(pipeline, ['RetentionLeftMin', 'least time left']), hour), {
        leftAnnotations: [
          { value: retentionWarnHours, label: 'warns', color: Color.ORANGE },
          { value: retentionPageHours, label: 'pages', color: Color.RED },
        ],
      }),
      graph(
        'Needs a look',
        fleetLines(
          pipeline,
          ['LostRangesOnRecord', 'lost ranges on record'],
          ['ConnectorsDroppedOff', 'dropped off'],
          ['KeysRejected', 'keys rejected'],
          ['VendorOutages', 'outages'],
        ),
      ),
    ),
    row(
      graph('Streams behind', fleetLines(pipeline, ['StreamsBehind', 'streams with unread events'])),
      graph('Lost just now', runLines(pipeline, ['RangesLost', 'lost ranges'], ['RangesSetAside', 'set aside'])),
      graph("Error of the vendor's clock (minutes)", inUnit(fleetLines(pipeline, ['VendorClockErrorMax', 'largest']), minute)),
      graph('Oldest API key (days)', inUnit(fleetLines(pipeline, ['KeyAgeMax', 'oldest key']), day), {
        leftAnnotations: [{ value: keyAgeMaxDays, label: 'warns', color: Color.ORANGE }],
      }),
    ),
    row(
      graph(
        'New in the last half hour',
        fleetLines(
          pipeline,
          ['NewlyWithin48h', 'within 48 h of the limit'],
          ['NewlyWithin24h', 'within 24 h of the limit'],
          ['KeysNewlyRejected', 'keys rejected'],
          ['KeysNewlyOld', 'keys old'],
        ),
      ),
      graph('Failing, not by an outage (%)', fleetLines(pipeline, ['FailingShare', 'share of the connectors']), {
        leftAnnotations: [{ value: failingShareMaxPercent, label: 'warns', color: Color.ORANGE }],
      }),
      graph('Longest wait of a due connector (s)', inUnit(fleetLines(pipeline, ['DueAgeMax', 'oldest due']), second), {
        leftAnnotations: [{ value: dueAgeMaxSeconds, label: 'warns', color: Color.ORANGE }],
      }),
    ),
  ]
}
