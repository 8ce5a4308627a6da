/**
 * All metrics: the functions write no others, and the dashboard and the alarms read no others.
 *
 * Each has the dimension `vendor` (a connector's `type`); `eventMetrics` have the vendor's event type as well. A connector's id is a
 * property of the log line that carries a metric, never a dimension: CloudWatch bills each combination of dimensions.
 */

type Unit = 'Count' | 'Milliseconds' | 'Percent'

/** Each run writes these for the events that it read. Their dimensions are the vendor and the event type. */
export const eventMetrics = {
  /** Events that Firehose acknowledged. */
  EventsDelivered: 'Count',
  /** Events that a log filter dropped. */
  EventsFiltered: 'Count',
  /** Events that were read again and dropped: ranges overlap by design. */
  EventsDuplicate: 'Count',
  /** Items that differ from the vendor's documentation. They are in the lake, marked malformed. */
  EventsMalformed: 'Count',
  /** Events later than lateArrivalMinutes, found and delivered by the daily re-read. */
  EventsLate: 'Count',
  /** Events that came again with other content: updates. They are delivered or filtered, and never late. */
  EventsChanged: 'Count',
  /** Events that held an API key of their connector. They are delivered or filtered without it. */
  EventsRedacted: 'Count',
} as const satisfies Record<string, Unit>

/** Each run writes these. Their dimension is the vendor. */
export const runMetrics = {
  /** Requests to the vendor. */
  Requests: 'Count',
  /** Requests that the vendor refused with 429. */
  RequestsThrottled: 'Count',
  /** Pages read and delivered. */
  PagesRead: 'Count',
  /** Time that runs spent waiting for tokens; a run that would wait too long ends instead. */
  TokenWait: 'Milliseconds',
  /** Ranges of events that began to be lost for good. A range that grows while its trouble lasts counts once. */
  RangesLost: 'Count',
  /** Ranges of one millisecond that could not be read to their end and are left alone for an hour. */
  RangesSetAside: 'Count',
} as const satisfies Record<string, Unit>

/**
 * `dispatch` measures these over the whole fleet every 5 minutes. Their dimension is the vendor. The new ones (`Newly…`) count a trouble
 * for half an hour after it began, so that an alarm tells a second one while the first lasts. They are not published when they are 0.
 */
export const fleetMetrics = {
  /** Connectors that collect. */
  Connectors: 'Count',
  /** Connectors that are up to date. */
  ConnectorsOk: 'Count',
  /** Connectors that still read older events. */
  ConnectorsCatchingUp: 'Count',
  /** Connectors whose key something else uses as well. */
  ConnectorsThrottled: 'Count',
  /** Connectors that somebody must correct, or whose vendor has an outage. */
  ConnectorsFailing: 'Count',
  /** Connectors whose unread events are about to pass the retention limit, or have passed it. */
  ConnectorsLosingData: 'Count',
  /** Items that were never accepted. */
  ConnectorsRefused: 'Count',
  /** Connectors that delivered events on each of six days, and none on the whole day after them nor since. Counted until noon (UTC). */
  ConnectorsDroppedOff: 'Count',
  /** Streams with final events that are not yet proven complete. */
  StreamsBehind: 'Count',
  /** Lost ranges that the ledgers record. */
  LostRangesOnRecord: 'Count',
  /** Time since the instant up to which the stalest connector is proven complete. */
  LagMax: 'Milliseconds',
  /** The lag that a tenth of the connectors reach, and at least two where there are two. Failing ones are left out. */
  LagP90: 'Milliseconds',
  /** Age of the oldest due connector: time since it was due and no run of it has begun. */
  DueAgeMax: 'Milliseconds',
  /** Time until the first unread event of any connector passes the retention limit. */
  RetentionLeftMin: 'Milliseconds',
  /** Connectors whose first unread event came within 48 hours of the retention limit. Failing ones are left out: each was notified. */
  NewlyWithin48h: 'Count',
  /** Connectors whose first unread event came within 24 hours of the retention limit, for whatever reason. */
  NewlyWithin24h: 'Count',
  /** Share of the connectors that fail for a reason that is no outage. Not published for one alone: it was notified. */
  FailingShare: 'Percent',
  /** API keys that the vendor rejected and that are in backoff. */
  KeysRejected: 'Count',
  /** API keys that the vendor began to reject. Their connectors go on with other keys, so no notification tells. */
  KeysNewlyRejected: 'Count',
  /** Age of the oldest API key in use, by the date of its secret’s version. */
  KeyAgeMax: 'Milliseconds',
  /** Connectors whose oldest API key became old (335 days). Counted again each week until it is replaced. */
  KeysNewlyOld: 'Count',
  /** The largest error of the vendor's clock that a connector sees, in either direction. */
  VendorClockErrorMax: 'Milliseconds',
  /** Origins of the vendor that respond with errors of their own, or not at all. */
  VendorOutages: 'Count',
} as const satisfies Record<string, Unit>

export type EventMetric = keyof typeof eventMetrics
export type RunMetric = keyof typeof runMetrics
export type FleetMetric = keyof typeof fleetMetrics
