import { type FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import type { Digest } from '../domain/digest.ts'
import { type Failure, failure } from '../domain/failures.ts'
import { historyLine } from '../domain/operate/history-line.ts'
import type { Clock, HistoryLake } from '../domain/ports.ts'
import { failed, ok, type Result } from '../domain/result.ts'
import { firstWaitMs, throttling, triesMax, whyThrown } from './firehose/sink.ts'

/** The history in the lake, by the delivery stream of the records: a line for each entry. A refused line is sent again up to four times. */
export function firehoseHistory(options: {
  readonly client: FirehoseClient
  readonly deliveryStream: string
  readonly clock: Clock
  readonly digest: Digest
}): HistoryLake {
  const { client, deliveryStream, clock, digest } = options

  async function send(Data: Uint8Array): Promise<Result<void>> {
    try {
      const sent = await client.send(new PutRecordBatchCommand({ DeliveryStreamName: deliveryStream, Records: [{ Data }] }))
      return (sent.FailedPutCount ?? 0) === 0 ? ok(undefined) : failed(whyRefused(sent.RequestResponses?.[0]?.ErrorCode))
    } catch (thrown) {
      return failed(whyThrown(thrown))
    }
  }

  return {
    async keep(entry) {
      const line = Buffer.from(historyLine(entry, digest))
      for (let attempt = 1; ; attempt += 1) {
        const sent = await send(line)
        if (sent.ok || attempt === triesMax) return sent
        await clock.sleepUntil(clock.now() + firstWaitMs * 2 ** (attempt - 1))
      }
    },
  }
}

function whyRefused(code: string | undefined): Failure {
  const isThrottled = code === undefined || throttling.has(code)
  return failure(isThrottled ? 'sink-throttled' : 'record-refused', `Firehose refused a line of the history: ${code ?? 'no reason given'}`)
}
