/**
 * Every metric there is: the functions write no other, and the dashboard and the alarms read no other.
 *
 * Their dimensions are the vendor (a connector's `type`) and, of `eventMetrics`, the vendor's event type. A connector's id is a property of
 * the log line that carries a metric, never a dimension: CloudWatch bills each combination of dimensions.
 */

type Unit = 'Count' | 'Milliseconds'

/** By vendor and event type; written by each run for what it read. */
export const eventMetrics = {
  /** Events that Firehose acknowledged. */
  EventsDelivered: 'Count',
  /** Events that a log filter dropped. */
  EventsFiltered: 'Count',
  /** Events that came again and were dropped: ranges overlap by design. */
  EventsDuplicate: 'Count',
  /** Items that are not what the vendor documents; in the lake, marked malformed. */
  EventsMalformed: 'Count',
  /** Events later than lateArrivalMinutes, found and delivered by the daily second look. */
  EventsLate: 'Count',
} as const satisfies Record<string, Unit>

/** By vendor; written by each run. */
export const runMetrics = {
  /** Requests to the vendor. */
  Requests: 'Count',
  /** Requests that were answered 429. */
  RequestsThrottled: 'Count',
  /** Pages read and delivered. */
  PagesRead: 'Count',
  /** Time that runs waited in place for tokens. */
  TokenWait: 'Milliseconds',
  /** Times that a range of events was lost for good. */
  RangesLost: 'Count',
  /** Single milliseconds that could not be read to their end and are left alone for an hour. */
  RangesSetAside: 'Count',
} as const satisfies Record<string, Unit>

/** By vendor; the whole fleet, measured every 5 minutes by `dispatch`. */
export const fleetMetrics = {
  /** Connectors that collect. */
  Connectors: 'Count',
  /** Connectors that are up to date. */
  ConnectorsOk: 'Count',
  /** Connectors that still read older events. */
  ConnectorsCatchingUp: 'Count',
  /** Connectors whose key somebody else uses as well. */
  ConnectorsThrottled: 'Count',
  /** Connectors of which something must be mended. */
  ConnectorsFailing: 'Count',
  /** Connectors whose unread events are about to pass the horizon, or have. */
  ConnectorsLosingData: 'Count',
  /** Items that were never accepted. */
  ConnectorsRefused: 'Count',
  /** Connectors that delivered every day for six days, and nothing on the last whole day. */
  ConnectorsDroppedOff: 'Count',
  /** Streams with settled events that are not yet proven complete. */
  StreamsBehind: 'Count',
  /** Lost ranges that the ledgers record. */
  LostRangesOnRecord: 'Count',
  /** How far the proof of the stalest connector lags behind now. */
  LagMax: 'Milliseconds',
  /** The same of the connector that 1 % lag behind more than. */
  LagP99: 'Milliseconds',
  /** Until the first unread event of any connector passes the horizon. */
  RetentionLeftMin: 'Milliseconds',
  /** API keys that the vendor rejected and that rest. */
  KeysRejected: 'Count',
  /** Since the oldest API key in use was stored, by the date of its secret’s version. */
  KeyAgeMax: 'Milliseconds',
  /** Sites of the vendor that answer with errors of their own, or not at all. */
  VendorOutages: 'Count',
} as const satisfies Record<string, Unit>

export type EventMetric = keyof typeof eventMetrics
export type RunMetric = keyof typeof runMetrics
export type FleetMetric = keyof typeof fleetMetrics
