/**
 * Every metric there is: the functions write no other, and the dashboard and the alarms read no other.
 *
 * Their dimensions are the vendor (a connector's `type`) and, of `eventMetrics`, the vendor's event type. A connector's id is a property of
 * the log line that carries a metric, never a dimension: CloudWatch bills each combination of dimensions.
 */

interface Metric {
  readonly unit: 'Count' | 'Milliseconds'
  readonly doc: string
}

/** By vendor and event type; written by each run for what it read. */
export const eventMetrics = {
  EventsDelivered: { unit: 'Count', doc: 'Events that Firehose acknowledged.' },
  EventsFiltered: { unit: 'Count', doc: 'Events that a log filter dropped.' },
  EventsDuplicate: { unit: 'Count', doc: 'Events that came again and were dropped: slices overlap by design.' },
  EventsMalformed: { unit: 'Count', doc: 'Items that are not what the vendor documents; in the lake, marked malformed.' },
  EventsLate: { unit: 'Count', doc: 'Events later than lateArrivalMinutes, found and delivered by the daily second look.' },
} as const satisfies Record<string, Metric>

/** By vendor; written by each run. */
export const runMetrics = {
  Requests: { unit: 'Count', doc: 'Requests to the vendor.' },
  RequestsThrottled: { unit: 'Count', doc: 'Requests that were answered 429.' },
  PagesRead: { unit: 'Count', doc: 'Pages read and delivered.' },
  TokenWait: { unit: 'Milliseconds', doc: 'Time that runs waited in place for tokens.' },
  HolesLost: { unit: 'Count', doc: 'Times that a range of events was lost for good.' },
  SlicesSetAside: { unit: 'Count', doc: 'Single milliseconds that could not be read to their end and are left alone for an hour.' },
} as const satisfies Record<string, Metric>

/** By vendor; the whole fleet, measured every 5 minutes by `dispatch`. */
export const fleetMetrics = {
  Connectors: { unit: 'Count', doc: 'Connectors that collect.' },
  ConnectorsOk: { unit: 'Count', doc: 'Connectors that are up to date.' },
  ConnectorsCatchingUp: { unit: 'Count', doc: 'Connectors that still read older events.' },
  ConnectorsThrottled: { unit: 'Count', doc: 'Connectors whose key somebody else uses as well.' },
  ConnectorsFailing: { unit: 'Count', doc: 'Connectors of which something must be mended.' },
  ConnectorsLosingData: { unit: 'Count', doc: 'Connectors whose unread events are about to pass the horizon, or have.' },
  ConnectorsRefused: { unit: 'Count', doc: 'Items that were never accepted.' },
  ConnectorsDroppedOff: { unit: 'Count', doc: 'Connectors that delivered every day for six days, and nothing on the last whole day.' },
  StreamsBehind: { unit: 'Count', doc: 'Streams with settled events that are not yet proven complete.' },
  HolesOnRecord: { unit: 'Count', doc: 'Lost ranges that the ledgers record.' },
  LagMost: { unit: 'Milliseconds', doc: 'How far the proof of the stalest connector lags behind now.' },
  LagP99: { unit: 'Milliseconds', doc: 'The same of the connector that 1 % lag behind more than.' },
  HorizonLeast: { unit: 'Milliseconds', doc: 'Until the first unread event of any connector passes the horizon.' },
  KeysRejected: { unit: 'Count', doc: 'API keys that the vendor rejected and that rest.' },
  KeyAgeMost: { unit: 'Milliseconds', doc: 'Since the oldest API key in use was stored, by the date of its secret’s version.' },
  VendorOutages: { unit: 'Count', doc: 'Sites of the vendor that fail for every connector.' },
} as const satisfies Record<string, Metric>

export type EventMetric = keyof typeof eventMetrics
export type RunMetric = keyof typeof runMetrics
export type FleetMetric = keyof typeof fleetMetrics
