import type { IWidget } from 'aws-cdk-lib/aws-cloudwatch'
import type { EventMetric } from '../../../functions/domain/metrics.ts'
import type { ObservedPipeline } from '../observed-pipeline.ts'
import { eventLines, runLines } from './lines.ts'
import { graph, row, text } from './widgets.ts'

export function flowRow(pipeline: ObservedPipeline): IWidget[][] {
  const events = (name: EventMetric) => eventLines(pipeline, name)
  return [
    text(
      'Flow of events',
      'Events from the vendor to the lake, by event type. **Duplicates are normal**: ranges overlap so that no event falls between them. **Malformed** items are in the lake, marked: `SELECT raw FROM syslog WHERE malformed`. **Late** events were found by the daily re-read: raise `lateArrivalMinutes` of that connector. **Changed** events came again with other content: each is a record of its own, and `syslog_newest` shows the newest. **Keys removed**: the vendor put an API key of the connector into these events; they are in the lake without it, marked: `WHERE redacted`. Store a new key. **Refused requests (429)** although the limit was kept: something else uses the key.',
    ),
    row(
      graph('Delivered to the lake', events('EventsDelivered')),
      graph('Dropped by log filters', events('EventsFiltered')),
      graph('Duplicates dropped', events('EventsDuplicate')),
      graph(
        'Pages and requests',
        runLines(pipeline, ['PagesRead', 'pages'], ['Requests', 'requests'], ['RequestsThrottled', 'refused (429)']),
      ),
    ),
    row(
      graph('Malformed', events('EventsMalformed')),
      graph('Late', events('EventsLate')),
      graph('Changed', events('EventsChanged')),
      graph('Keys removed', events('EventsRedacted')),
    ),
  ]
}
