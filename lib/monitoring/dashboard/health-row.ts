import { Color, type IWidget } from 'aws-cdk-lib/aws-cloudwatch'
import { day, hour, minute } from '../../../functions/domain/time.ts'
import { everyVendor } from '../metrics.ts'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import { horizonPageHours, horizonWarnHours, keyAgeMaxDays } from '../thresholds.ts'
import { fleetLines, runLines } from './lines.ts'
import { graph, inUnit, row, text } from './widgets.ts'

export function healthRow(pipeline: ObservedPipeline): IWidget[][] {
  const kept = everyVendor.map(({ title, horizonMs }) => `${title}: ${horizonMs / hour} h`).join(', ')
  return [
    text(
      'Health of the fleet',
      `Measured every 5 minutes. **Lag** is how far the proof that nothing is missing stays behind now: 15 to 30 minutes is normal, since events may come late. **Time to the horizon** must stay near what the vendor keeps (${kept}); when it falls, a backlog is read more slowly than it ages: give that connector a key of its own, or fewer streams. **Holes** are losses, and stay on record. A gap in these lines means that nobody measured: see *dispatch* below.`,
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
      graph('Lag (minutes)', inUnit(fleetLines(pipeline, ['LagMost', 'stalest'], ['LagP99', '99 %']), minute)),
      graph('Time to the horizon (hours)', inUnit(fleetLines(pipeline, ['HorizonLeast', 'first to be lost']), hour), {
        leftAnnotations: [
          { value: horizonWarnHours, label: 'warns', color: Color.ORANGE },
          { value: horizonPageHours, label: 'pages', color: Color.RED },
        ],
      }),
      graph(
        'Needs a look',
        fleetLines(
          pipeline,
          ['HolesOnRecord', 'holes on record'],
          ['ConnectorsDroppedOff', 'dropped off'],
          ['KeysRejected', 'keys rejected'],
          ['VendorOutages', 'outages'],
        ),
      ),
    ),
    row(
      graph('Streams behind', fleetLines(pipeline, ['StreamsBehind', 'streams with unread events'])),
      graph('Lost just now', runLines(pipeline, ['HolesLost', 'holes lost'], ['SlicesSetAside', 'set aside'])),
      graph('Oldest API key (days)', inUnit(fleetLines(pipeline, ['KeyAgeMost', 'oldest key']), day), {
        leftAnnotations: [{ value: keyAgeMaxDays, label: 'warns', color: Color.ORANGE }],
      }),
    ),
  ]
}
