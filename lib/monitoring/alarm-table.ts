import { day, hour, minute } from '../../functions/domain/time.ts'
import {
  delivery,
  deliveryQuota,
  eachDeadLetterQueue,
  eachFunction,
  eachVendorEvents,
  eachVendorFleet,
  eachVendorMeasurements,
  eachVendorRun,
  lakeErrorObjects,
  ticksCarriedOut,
  type Watched,
} from './alarm-metrics.ts'
import { deliveryAgeMaxSeconds, horizonPageHours, horizonWarnHours, keyAgeMaxDays, quotaUsedMaxPercent } from './thresholds.ts'

export interface AlarmRow {
  /** The heading of its entry in `docs/operations.md`, and the beginning of its name. */
  readonly key: string
  /** `page`: events are at stake within hours, or nobody would notice that they are. Its end is told as well. `warn`: within days. */
  readonly severity: 'warn' | 'page'
  readonly what: string
  /** The first thing to do. */
  readonly first: string
  readonly watched: Watched
  readonly when: { readonly above: number } | { readonly below: number }
  /** `[m, n, minutes]`: m of the last n periods of so many minutes. */
  readonly lasting: readonly [m: number, n: number, minutes: number]
  /**
   * - `fine`: no value is nothing wrong (a counter that nobody counted up; a value of a fleet without connectors).
   * - `unchanged`: it is measured every 5 minutes come what may, so no value means that nobody looked, which has alarms of its own.
   * - `bad`: its absence is the very thing.
   */
  readonly missing: 'fine' | 'unchanged' | 'bad'
}

/** Every alarm. One bad value pages only where one is a loss; `1 of n` keeps an alarm on between values, so that each episode is one mail. */
export function alarmTable({ lagMaxMinutes }: { readonly lagMaxMinutes: number }): readonly AlarmRow[] {
  return [
    {
      key: 'hole-lost',
      severity: 'page',
      what: "Events passed the vendor's horizon unread: they are lost.",
      first: 'run the saved query "holes lost" for whose and which, and stop more from following.',
      watched: eachVendorRun('HolesLost'),
      when: { above: 0 },
      lasting: [1, 12, 5],
      missing: 'fine',
    },
    {
      key: 'horizon-48h',
      severity: 'warn',
      what: "In less than 48 hours the first unread events pass the vendor's horizon.",
      first: "find the connector with the shortest time to the horizon in the dashboard's table, and read its reason.",
      watched: eachVendorFleet('HorizonLeast'),
      when: { below: horizonWarnHours * hour },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'horizon-24h',
      severity: 'page',
      what: "In less than 24 hours the first unread events pass the vendor's horizon and are lost.",
      first: "find the connector with the shortest time to the horizon in the dashboard's table, and give it a key of its own.",
      watched: eachVendorFleet('HorizonLeast'),
      when: { below: horizonPageHours * hour },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'losing-data',
      severity: 'page',
      what: 'A connector is losing events, or is about to.',
      first: "read its reason in the dashboard's table; a key of its own is the quickest help.",
      watched: eachVendorFleet('ConnectorsLosingData'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      missing: 'unchanged',
    },
    {
      key: 'lag',
      severity: 'warn',
      what: "For an hour a connector's proof of completeness has lagged further behind than it should.",
      first: 'run the saved query "why it was late" for the connector with the longest lag.',
      watched: eachVendorFleet('LagMost'),
      when: { above: lagMaxMinutes * minute },
      lasting: [12, 12, 5],
      missing: 'fine',
    },
    {
      key: 'connectors-failing',
      severity: 'warn',
      what: 'For an hour at least one connector has been failing: something must be mended.',
      first: "read the reasons in the dashboard's table; each says what to do.",
      watched: eachVendorFleet('ConnectorsFailing'),
      when: { above: 0 },
      lasting: [12, 12, 5],
      missing: 'unchanged',
    },
    {
      key: 'key-rejected',
      severity: 'warn',
      what: 'The vendor rejects an API key; where a connector has others, they go on.',
      first: 'run the saved query "keys rejected" for the secret\'s name, and store a valid key in it.',
      watched: eachVendorFleet('KeysRejected'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      missing: 'unchanged',
    },
    {
      key: 'key-old',
      severity: 'warn',
      what: 'An API key was stored more than 335 days ago; one that lasts a year ends within 30 days.',
      first: "look up in the vendor's console when it expires, and store a new one in the same secret.",
      watched: eachVendorFleet('KeyAgeMost'),
      when: { above: keyAgeMaxDays * day },
      lasting: [1, 1, 60],
      missing: 'fine',
    },
    {
      key: 'throttled-by-others',
      severity: 'warn',
      what: 'For half an hour the vendor has refused requests although the limit was kept: something else uses the key.',
      first: 'find out what else uses the key, or make one for this connector alone.',
      watched: eachVendorFleet('ConnectorsThrottled'),
      when: { above: 0 },
      lasting: [6, 6, 5],
      missing: 'unchanged',
    },
    {
      key: 'dropped-off',
      severity: 'warn',
      what: 'A connector that delivered every day for six days delivered nothing on the last whole day.',
      first: "ask in the vendor's console whether there were events on that day, with the connector's event types and services.",
      watched: eachVendorFleet('ConnectorsDroppedOff'),
      when: { above: 0 },
      lasting: [1, 1, 60],
      missing: 'unchanged',
    },
    {
      key: 'vendor-outage',
      severity: 'warn',
      what: 'For half an hour a site of the vendor has answered with errors of its own, or not at all.',
      first: "look at the vendor's status page; what is missed is read afterwards.",
      watched: eachVendorFleet('VendorOutages'),
      when: { above: 0 },
      lasting: [6, 6, 5],
      missing: 'unchanged',
    },
    {
      key: 'events-malformed',
      severity: 'warn',
      what: 'The vendor sent items that are not what it documents. They are in the lake, marked malformed.',
      first: 'look at them in Athena: SELECT raw FROM syslog WHERE malformed.',
      watched: eachVendorEvents('EventsMalformed'),
      when: { above: 0 },
      lasting: [1, 6, 60],
      missing: 'fine',
    },
    {
      key: 'slice-set-aside',
      severity: 'warn',
      what: 'A single millisecond could not be read to its end and is left alone for an hour at a time.',
      first: 'run the saved query "failures" for its trace id, and give it to the vendor.',
      watched: eachVendorRun('SlicesSetAside'),
      when: { above: 0 },
      lasting: [1, 6, 60],
      missing: 'fine',
    },
    {
      key: 'events-late',
      severity: 'warn',
      what: 'Events came later than lateArrivalMinutes; the daily second look found and delivered them.',
      first: 'raise lateArrivalMinutes of the connectors whose reason says so.',
      watched: eachVendorEvents('EventsLate'),
      when: { above: 0 },
      lasting: [1, 24, 60],
      missing: 'fine',
    },
    {
      key: 'dispatch-silent',
      severity: 'page',
      what: 'For 10 minutes no tick has been carried out, so nothing is collected.',
      first: 'look whether dispatch fails (saved query "function failures") or is not invoked (is the tick\'s rule enabled?).',
      watched: ticksCarriedOut,
      when: { below: 1 },
      lasting: [2, 2, 5],
      missing: 'bad',
    },
    {
      key: 'fleet-unmeasured',
      severity: 'page',
      what: 'For half an hour nobody has measured the fleet: horizon, lag and failing connectors are not watched.',
      first: 'if dispatch-silent is on, see there; else run the saved query "function failures" for dispatch.',
      watched: eachVendorMeasurements,
      when: { below: 1 },
      lasting: [2, 2, 15],
      missing: 'bad',
    },
    {
      key: 'dead-letters',
      severity: 'warn',
      what: 'Messages that could not be handled, time after time, lie in a dead-letter queue: a bug, or broken infrastructure.',
      first: 'run the saved query "function failures"; redrive the queue once its cause is mended.',
      watched: eachDeadLetterQueue,
      when: { above: 0 },
      lasting: [1, 1, 5],
      // SQS says nothing of a queue that has been idle for 6 hours, and its letters still lie there.
      missing: 'unchanged',
    },
    {
      key: 'function-errors',
      severity: 'warn',
      what: 'For 15 minutes a function has failed again and again: a bug, or broken infrastructure, never what a vendor answers.',
      first: 'run the saved query "function failures".',
      watched: eachFunction('Errors'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'function-throttles',
      severity: 'warn',
      what: "For 15 minutes Lambda has refused to run a function: the account's concurrency is used up.",
      first: "compare ConcurrentExecutions with the account's quota, and ask for a higher one.",
      watched: eachFunction('Throttles'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'lake-stale',
      severity: 'page',
      what: 'Firehose holds events that it has not written to the lake for 15 minutes; after 24 hours it drops them.',
      first: "look at Firehose's error log: mostly the bucket, its key or the delivery role was changed.",
      watched: delivery('DeliveryToS3.DataFreshness', 'Maximum'),
      when: { above: deliveryAgeMaxSeconds },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'lake-writes-failing',
      severity: 'warn',
      what: "For 15 minutes some of Firehose's writes to the lake have failed; it tries again for 24 hours.",
      first: "look at Firehose's error log.",
      watched: delivery('DeliveryToS3.Success', 'Average'),
      when: { below: 1 },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
    {
      key: 'lake-errors',
      severity: 'page',
      what: 'Firehose put records that it could not process under errors/: no query finds them there.',
      first: 'open the newest object under errors/; each line says why, and holds the record.',
      watched: lakeErrorObjects,
      when: { above: 0 },
      lasting: [1, 12, 5],
      missing: 'fine',
    },
    {
      key: 'lake-quota',
      severity: 'warn',
      what: 'For 15 minutes Firehose has taken more than 80 % of what its quota allows; above it, collecting waits.',
      first: 'ask AWS for a higher quota of the delivery stream.',
      watched: deliveryQuota,
      when: { above: quotaUsedMaxPercent },
      lasting: [3, 3, 5],
      missing: 'fine',
    },
  ]
}
