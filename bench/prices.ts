/**
 * List prices in us-east-1, on demand, in US dollars, without free tiers and discounts. Each price names its page. They were recorded
 * in November 2026 from quotations of these pages in 2025 and 2026, and a price marked "from memory" has no source. Prices change, so
 * look them up before a decision depends on them.
 */
const million = 1_000_000
/** AWS bills a GB as 2^30 bytes. */
const GB = 2 ** 30

export const prices = {
  /** https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  dynamodb: { writeUnit: 0.625 / million, readUnit: 0.125 / million },
  /** arm64, first tier. https://aws.amazon.com/lambda/pricing/ */
  lambda: { gbSecond: 0.0000133334, request: 0.2 / million },
  /**
   * A standard queue. Messages with a group, which make it a fair queue, cost 0.10 a million more.
   * https://aws.amazon.com/sqs/pricing/
   */
  sqs: { request: 0.4 / million, fairRequest: 0.5 / million },
  /** Direct PUT, first 500 TB, each record rounded up to the next 5 KiB. From memory. https://aws.amazon.com/firehose/pricing/ */
  firehose: { byte: 0.029 / GB },
  /** Standard, first 50 TB. https://aws.amazon.com/s3/pricing/ */
  s3: { put: 0.005 / 1_000, byteMonth: 0.023 / GB },
  /** https://aws.amazon.com/secrets-manager/pricing/ */
  secretsManager: { secretMonth: 0.4, call: 0.05 / 10_000 },
  /** Logs, first tiers (a month of storage from memory); custom metrics, first 10,000. https://aws.amazon.com/cloudwatch/pricing/ */
  cloudWatch: {
    logByte: 0.5 / GB,
    logByteMonth: 0.03 / GB,
    metricMonth: 0.3,
    alarmMonth: 0.1,
    compositeAlarmMonth: 0.5,
    dashboardMonth: 3,
  },
  /** Custom events and the events of S3; scheduled rules cost nothing. https://aws.amazon.com/eventbridge/pricing/ */
  eventBridge: { event: 1 / million },
} as const
