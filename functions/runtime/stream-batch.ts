import type { DynamoDBBatchResponse, DynamoDBRecord } from 'aws-lambda'
import type { Log } from '../domain/ports.ts'

/**
 * Handles the records of a batch in their order, each by itself. Returns those that failed: Lambda gives the batch again, from the first of
 * them on, so every other one is handled twice. After a failure the later records of the same item wait for that, so that no older
 * version overtakes a newer one.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export async function eachRecord(
  records: readonly DynamoDBRecord[],
  log: Log,
  handle: (record: DynamoDBRecord) => Promise<void>,
): Promise<DynamoDBBatchResponse> {
  const failed = new Set<string>()
  const batchItemFailures: DynamoDBBatchResponse['batchItemFailures'] = []
  for (const record of records) {
    const item = JSON.stringify(record.dynamodb?.Keys)
    if (!failed.has(item)) {
      try {
        await handle(record)
        continue
      } catch (error) {
        failed.add(item)
        log({ level: 'error', event: 'record-failed', message: 'A change of the connectors table was not handled. It comes again.', error })
      }
    }
    batchItemFailures.push({ itemIdentifier: record.dynamodb?.SequenceNumber ?? '' })
  }
  return { batchItemFailures }
}
