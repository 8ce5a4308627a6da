import { minute, second } from '../../functions/domain/time.ts'
import {
  delivery,
  deliveryQuota,
  eachDeadLetterQueue,
  eachFunction,
  eachTableThrottles,
  eachVendorEvents,
  eachVendorFleet,
  eachVendorLosses,
  eachVendorMeasurements,
  eachVendorRun,
  failedNotifications,
  lakeErrorObjects,
  ticksCarriedOut,
  type Watched,
} from './alarm-metrics.ts'
import {
  deliveryAgeMaxSeconds,
  dueAgeMaxSeconds,
  failingShareMaxPercent,
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
  /** The metric counts what is new. The alarm ends by itself while the trouble may last, so its end is not sent. */
  readonly countsNew?: true
}

/**
 * Every alarm. CloudWatch sends nothing while an alarm stays on, so one lasting trouble of one connector may keep none on: a second one
 * would not be told. An alarm watches a share of the fleet, the age of the oldest work, or a count of what is new. The troubles of one
 * connector are notifications; an alarm repeats none of them, except that time runs out.
 *
 * One bad period is enough to page only if something is lost by it. `1 of n` keeps an alarm on between bad periods, so that one episode
 * sends one mail.
 */
export function alarmTable({ lagMaxMinutes }: { readonly lagMaxMinutes: number }): readonly AlarmRow[] {
  return [
    {
      key: 'losing-data',
      severity: 'page',
      problem: `In less than ${retentionPageHours} hours events of another connector are lost, or their loss has begun.`,
      firstStep: "find the connector with the least time left in the dashboard's table, and do what its reason says.",
      watched: eachVendorLosses,
      when: { above: 0 },
      lasting: [1, 1, 5],
      noValue: 'fine',
      countsNew: true,
    },
    {
      key: 'retention-limit-48h',
      severity: 'warn',
      problem: `In less than ${retentionWarnHours} hours the vendor drops events of another connector that are not read yet. It does not fail: it is too slow.`,
      firstStep: "find the connector with the least time left in the dashboard's table, and read its reason.",
      watched: eachVendorFleet('NewlyWithin48h'),
      when: { above: 0 },
      lasting: [1, 1, 5],
      noValue: 'fine',
      countsNew: true,
    },
    {
      key: 'lag',
      severity: 'warn',
      problem: 'For an hour a tenth of the connectors have lagged behind by more than lagAlarmMinutes.',
      firstStep: 'look at the rows Platform and Delivery of the dashboard: collect may be throttled, or the quota of Firehose used up.',
      watched: eachVendorFleet('LagP90'),
      when: { above: lagMaxMinutes * minute },
      lasting: [12, 12, 5],
      noValue: 'fine',
    },
    {
      key: 'connectors-waiting',
      severity: 'warn',
      problem: `For 15 minutes a connector has been due for more than ${dueAgeMaxSeconds} seconds, and no run of it has begun.`,
      firstStep: 'compare collectConcurrency with the formula in docs/settings.md, and check that collect is invoked and not throttled.',
      watched: eachVendorFleet('DueAgeMax'),
      when: { above: dueAgeMaxSeconds * second },
      lasting: [3, 3, 5],
      noValue: 'fine',
    },
    {
      key: 'connectors-failing',
      severity: 'warn',
      problem: `For half an hour more than ${failingShareMaxPercent} % of the connectors have failed, and not by an outage: they may have one cause.`,
      firstStep: "compare the reasons in the dashboard's table. Each says what to do.",
      watched: eachVendorFleet('FailingShare'),
      when: { above: failingShareMaxPercent },
      lasting: [6, 6, 5],
      noValue: 'fine',
    },
    {
      key: 'key-rejected',
      severity: 'warn',
      problem: 'The vendor has begun to reject an API key. Its connector goes on with its other keys.',
      firstStep: 'run the saved query "keys rejected" for the name of the secret, and store a valid key in it.',
      watched: eachVendorFleet('KeysNewlyRejected'),
      when: { above: 0 },
      lasting: [1, 1, 5],
      noValue: 'fine',
      countsNew: true,
    },
    {
      key: 'key-old',
      severity: 'warn',
      problem: `An API key was stored ${keyAgeMaxDays} days ago, or whole weeks more. A key that is valid for a year expires within 30 days.`,
      firstStep: "look up in the vendor's console when the key expires, and store a new one in the same secret.",
      watched: eachVendorFleet('KeysNewlyOld'),
      when: { above: 0 },
      lasting: [1, 1, 5],
      noValue: 'fine',
      countsNew: true,
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
      key: 'dropped-off',
      severity: 'warn',
      problem: 'A connector delivered events on six days in a row, and none on the last whole day.',
      firstStep: "check in the vendor's console whether the connector's event types and services had events on that day.",
      watched: eachVendorFleet('ConnectorsDroppedOff'),
      when: { above: 0 },
      lasting: [1, 1, 60],
      noValue: 'unchanged',
      countsNew: true,
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
      lasting: [1, 1, 60],
      noValue: 'fine',
      countsNew: true,
    },
    {
      key: 'events-late',
      severity: 'warn',
      problem: 'Events came later than lateArrivalMinutes. The daily re-read found and delivered them.',
      firstStep: 'raise lateArrivalMinutes of the connectors whose reason asks for it.',
      watched: eachVendorEvents('EventsLate'),
      when: { above: 0 },
      // Each connector is re-read once a day. With a whole day, one connector would keep the alarm on for ever.
      lasting: [1, 6, 60],
      noValue: 'fine',
      countsNew: true,
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
      problem: 'A message that failed at every attempt was put into a dead-letter queue: a bug, or broken infrastructure.',
      firstStep: 'run the saved query "function failures", fix the cause, then redrive the queue.',
      watched: eachDeadLetterQueue,
      when: { above: 0 },
      // A difference needs the period before.
      lasting: [1, 2, 5],
      noValue: 'fine',
      countsNew: true,
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
      key: 'table-throttles',
      severity: 'warn',
      problem:
        'For 15 minutes DynamoDB has throttled requests for a table or its indexes. The functions repeat them, so collecting is slower.',
      firstStep: "look at the graph DynamoDB throttles, and compare the table's traffic with the quotas of the account.",
      watched: eachTableThrottles,
      when: { above: 0 },
      lasting: [3, 3, 5],
      noValue: 'fine',
    },
    {
      key: 'notifications-failing',
      severity: 'page',
      problem: 'EventBridge could not hand notifications to the topic. Nobody was told of the problems that they name.',
      firstStep: "look at the dashboard's table for the problems, then mend the policy of the topic, or of its key.",
      watched: failedNotifications,
      when: { above: 0 },
      lasting: [1, 1, 5],
      noValue: 'fine',
      countsNew: true,
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
      countsNew: true,
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
