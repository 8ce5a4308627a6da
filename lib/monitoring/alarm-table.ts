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
import {
  deliveryAgeMaxSeconds,
  keyAgeMaxDays,
  quotaUsedMaxPercent,
  retentionPageHours,
  retentionWarnHours,
  vendorClockErrorMaxMinutes,
} from './thresholds.ts'

export interface AlarmRow {
  /** Heading of the entry in `docs/operations.md`. The name of the alarm begins with it. */
  readonly key: string
  /**
   * - `page`: events are at risk within hours, or nobody would notice the risk. The topic gets the end of the alarm as well.
   * - `warn`: somebody must act within days.
   */
  readonly severity: 'warn' | 'page'
  readonly problem: string
  readonly firstStep: string
  readonly watched: Watched
  readonly when: { readonly above: number } | { readonly below: number }
  /** `[m, n, minutes]`: m bad periods among the last n, each this many minutes long. */
  readonly lasting: readonly [m: number, n: number, minutes: number]
  /**
   * The meaning of a period without a value.
   * - `fine`: nothing is wrong. Nothing was counted, or there are no connectors.
   * - `unchanged`: nothing is known, so the alarm keeps its state. Other alarms watch that the fleet is measured.
   * - `bad`: the missing value is the problem.
   */
  readonly noValue: 'fine' | 'unchanged' | 'bad'
}

/**
 * Every alarm. One bad period is enough to page only if events are lost by it. `1 of n` keeps an alarm on between bad periods, so that one
 * episode sends one mail.
 */
export function alarmTable({ lagMaxMinutes }: { readonly lagMaxMinutes: number }): readonly AlarmRow[] {
  return [
    {
      key: 'range-lost',
      severity: 'page',
      problem: 'The vendor dropped events before they were read: they are lost.',
      firstStep: 'run the saved query "lost ranges" for the connector and the times, and fix the cause before more is lost.',
      watched: eachVendorRun('RangesLost'),
      when: { above: 0 },
      lasting: [1, 12, 5],
      noValue: 'fine',
    },
    {
      key: 'retention-limit-48h',
      severity: 'warn',
      problem: `In less than ${retentionWarnHours} hours the vendor drops events that are not read yet.`,
      firstStep: "find the connector with the least time left in the dashboard's table, and read its reason.",
      watched: eachVendorFleet('RetentionLeftMin'),
      when: { below: retentionWarnHours * hour },
      lasting: [3, 3, 5],
      noValue: 'fine',
    },
    {
      key: 'retention-limit-24h',
      severity: 'page',
      problem: `In less than ${retentionPageHours} hours the vendor drops events that are not read yet: then they are lost.`,
      firstStep: "find the connector with the least time left in the dashboard's table, and give it an API key of its own.",
      watched: eachVendorFleet('RetentionLeftMin'),
      when: { below: retentionPageHours * hour },
      lasting: [3, 3, 5],
      noValue: 'fine',
    },
    {
      key: 'losing-data',
      severity: 'page',
      problem: 'A connector is losing events, or will lose them within a day.',
      firstStep: "read its reason in the dashboard's table. An API key of its own helps fastest.",
      watched: eachVendorFleet('ConnectorsLosingData'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      noValue: 'unchanged',
    },
    {
      key: 'lag',
      severity: 'warn',
      problem: 'For an hour a connector has lagged behind by more than lagAlarmMinutes.',
      firstStep: 'run the saved query "why it was late" for the connector with the longest lag.',
      watched: eachVendorFleet('LagMax'),
      when: { above: lagMaxMinutes * minute },
      lasting: [12, 12, 5],
      noValue: 'fine',
    },
    {
      key: 'connectors-failing',
      severity: 'warn',
      problem: 'For an hour at least one connector has been failing. Somebody must fix its cause.',
      firstStep: "read the reasons in the dashboard's table. Each says what to do.",
      watched: eachVendorFleet('ConnectorsFailing'),
      when: { above: 0 },
      lasting: [12, 12, 5],
      noValue: 'unchanged',
    },
    {
      key: 'key-rejected',
      severity: 'warn',
      problem: 'The vendor rejects an API key. A connector with other keys goes on with them.',
      firstStep: 'run the saved query "keys rejected" for the name of the secret, and store a valid key in it.',
      watched: eachVendorFleet('KeysRejected'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      noValue: 'unchanged',
    },
    {
      key: 'key-old',
      severity: 'warn',
      problem: `An API key was stored more than ${keyAgeMaxDays} days ago. A key that is valid for a year expires within 30 days.`,
      firstStep: "look up in the vendor's console when the key expires, and store a new one in the same secret.",
      watched: eachVendorFleet('KeyAgeMax'),
      when: { above: keyAgeMaxDays * day },
      lasting: [1, 1, 60],
      noValue: 'fine',
    },
    {
      key: 'vendor-clock-off',
      severity: 'warn',
      problem: `The vendor's clock differs from ours by more than ${vendorClockErrorMaxMinutes} minutes. Its events are collected all the same, but their times are wrong.`,
      firstStep: "compare the header Date of the vendor's responses with the time, and tell the vendor.",
      watched: eachVendorFleet('VendorClockErrorMax'),
      when: { above: vendorClockErrorMaxMinutes * minute },
      lasting: [3, 3, 5],
      noValue: 'unchanged',
    },
    {
      key: 'throttled-by-others',
      severity: 'warn',
      problem: 'For half an hour the vendor has refused requests although the limit was kept: something else uses the key.',
      firstStep: 'find out what else uses the key, or create a key for this connector alone.',
      watched: eachVendorFleet('ConnectorsThrottled'),
      when: { above: 0 },
      lasting: [6, 6, 5],
      noValue: 'unchanged',
    },
    {
      key: 'dropped-off',
      severity: 'warn',
      problem: 'A connector delivered events on six days in a row, and none on the last whole day.',
      firstStep: "check in the vendor's console whether the connector's event types and services had events on that day.",
      watched: eachVendorFleet('ConnectorsDroppedOff'),
      when: { above: 0 },
      lasting: [1, 1, 60],
      noValue: 'unchanged',
    },
    {
      key: 'vendor-outage',
      severity: 'warn',
      problem: 'For half an hour an origin of the vendor has responded with server errors, or not at all.',
      firstStep: "look at the vendor's status page. Events that are missed now are read after the outage.",
      watched: eachVendorFleet('VendorOutages'),
      when: { above: 0 },
      lasting: [6, 6, 5],
      noValue: 'unchanged',
    },
    {
      key: 'events-malformed',
      severity: 'warn',
      problem: 'The vendor sent items that do not match its documentation. They are in the lake, marked malformed.',
      firstStep: 'look at them in Athena: SELECT raw FROM syslog WHERE malformed.',
      watched: eachVendorEvents('EventsMalformed'),
      when: { above: 0 },
      lasting: [1, 6, 60],
      noValue: 'fine',
    },
    {
      key: 'range-set-aside',
      severity: 'warn',
      problem: 'One millisecond of a stream cannot be read completely. It is tried again once an hour.',
      firstStep: 'run the saved query "failures" for the trace id, and send it to the vendor.',
      watched: eachVendorRun('RangesSetAside'),
      when: { above: 0 },
      lasting: [1, 6, 60],
      noValue: 'fine',
    },
    {
      key: 'events-late',
      severity: 'warn',
      problem: 'Events came later than lateArrivalMinutes. The daily re-read found and delivered them.',
      firstStep: 'raise lateArrivalMinutes of the connectors whose reason asks for it.',
      watched: eachVendorEvents('EventsLate'),
      when: { above: 0 },
      lasting: [1, 24, 60],
      noValue: 'fine',
    },
    {
      key: 'dispatch-silent',
      severity: 'page',
      problem: 'For 10 minutes dispatch has completed no tick, so nothing is collected.',
      firstStep: 'check whether dispatch fails (saved query "function failures") or is not invoked (is the rule of the tick enabled?).',
      watched: ticksCarriedOut,
      when: { below: 1 },
      lasting: [2, 2, 5],
      noValue: 'bad',
    },
    {
      key: 'fleet-unmeasured',
      severity: 'page',
      problem: 'For half an hour the fleet has not been measured: time to the retention limit, lag and failing connectors are not watched.',
      firstStep: 'if dispatch-silent is on, begin there. If not, run the saved query "function failures" for dispatch.',
      watched: eachVendorMeasurements,
      when: { below: 1 },
      lasting: [2, 2, 15],
      noValue: 'bad',
    },
    {
      key: 'dead-letters',
      severity: 'warn',
      problem: 'A dead-letter queue holds messages that failed at every attempt: a bug, or broken infrastructure.',
      firstStep: 'run the saved query "function failures", fix the cause, then redrive the queue.',
      watched: eachDeadLetterQueue,
      when: { above: 0 },
      lasting: [1, 1, 5],
      // SQS reports no value for a queue that was idle for 6 hours, and the messages are still in it.
      noValue: 'unchanged',
    },
    {
      key: 'function-errors',
      severity: 'warn',
      problem: 'For 15 minutes a function has failed again and again: a bug, or broken infrastructure, never an error of the vendor.',
      firstStep: 'run the saved query "function failures".',
      watched: eachFunction('Errors'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      noValue: 'fine',
    },
    {
      key: 'function-throttles',
      severity: 'warn',
      problem: "For 15 minutes Lambda has refused to run a function: the account's concurrency is used up.",
      firstStep: "compare ConcurrentExecutions with the account's quota, and request a higher one.",
      watched: eachFunction('Throttles'),
      when: { above: 0 },
      lasting: [3, 3, 5],
      noValue: 'fine',
    },
    {
      key: 'lake-stale',
      severity: 'page',
      problem: 'Events have waited in Firehose for more than 15 minutes. After 24 hours Firehose drops them.',
      firstStep: "read Firehose's error log. The usual cause is a change of the bucket, its key or the delivery role.",
      watched: delivery('DeliveryToS3.DataFreshness', 'Maximum'),
      when: { above: deliveryAgeMaxSeconds },
      lasting: [3, 3, 5],
      noValue: 'fine',
    },
    {
      key: 'lake-writes-failing',
      severity: 'warn',
      problem: "For 15 minutes some of Firehose's writes to the lake have failed. Firehose retries for 24 hours.",
      firstStep: "read Firehose's error log.",
      watched: delivery('DeliveryToS3.Success', 'Average'),
      when: { below: 1 },
      lasting: [3, 3, 5],
      noValue: 'fine',
    },
    {
      key: 'lake-errors',
      severity: 'page',
      problem: 'Firehose could not process records and put them under errors/, where no query finds them.',
      firstStep: 'open the newest object under errors/. Each line has the reason and the record.',
      watched: lakeErrorObjects,
      when: { above: 0 },
      lasting: [1, 12, 5],
      noValue: 'fine',
    },
    {
      key: 'lake-quota',
      severity: 'warn',
      problem: `For 15 minutes Firehose has received more than ${quotaUsedMaxPercent} % of its quota. Above the quota, collecting waits.`,
      firstStep: 'ask AWS for a higher quota of the delivery stream.',
      watched: deliveryQuota,
      when: { above: quotaUsedMaxPercent },
      lasting: [3, 3, 5],
      noValue: 'fine',
    },
  ]
}
