import { gzipSync } from 'node:zlib'
import { type FirehoseClient, PutRecordBatchCommand, type PutRecordBatchResponseEntry } from '@aws-sdk/client-firehose'
import { failure } from '../domain/failures.ts'
import type { Clock, Sink } from '../domain/ports.ts'
import { type LakeRecord, serialise as serialiseRecord } from '../domain/record/record.ts'
import { failed, ok, type Result } from '../domain/result.ts'

const KiB = 1024

/** More lines in one Firehose record break its de-aggregation. */
const linesMax = 500
/** Firehose allows 1,000 KiB a record; the rest is room for what it may count beside the data. */
const recordBytesMax = 900 * KiB
/** Limits of one PutRecordBatch. */
const batchRecordsMax = 500
const batchBytesMax = 4 * KiB * KiB

/** Each try sends only what was refused before. The waits between them come to 1.5 s. */
const triesMax = 5
const firstWaitMs = 100

/** What an event that is too large keeps of each text and each list; the whole of it is in `raw`. */
const textCharactersKept = 1_000
const listItemsKept = 50

/**
 * The lake by way of a Firehose delivery stream: one NDJSON line a record.
 *
 * A record whose line would not fit is sent smaller, never left out. In this order, until it fits: `raw` is compressed
 * (`raw_encoding` `gzip+base64`); texts and lists elsewhere are cut, each marked with a final `…` (`raw` still has them whole);
 * `raw` keeps its beginning only (`raw_encoding` `truncated`), which takes an item that is larger than 675 KiB when compressed.
 */
export function firehoseSink(options: {
  readonly client: FirehoseClient
  readonly deliveryStream: string
  readonly clock: Clock
  readonly serialise?: (record: LakeRecord) => string
}): Sink {
  const { client, deliveryStream, clock, serialise = serialiseRecord } = options

  async function put(batch: readonly Uint8Array[]): Promise<Result<void>> {
    let left = batch
    for (let attempt = 1; ; attempt += 1) {
      let answers: readonly PutRecordBatchResponseEntry[]
      try {
        const answer = await client.send(
          new PutRecordBatchCommand({ DeliveryStreamName: deliveryStream, Records: left.map((Data) => ({ Data })) }),
        )
        if ((answer.FailedPutCount ?? 0) === 0) return ok(undefined)
        answers = answer.RequestResponses ?? []
      } catch (thrown) {
        return failed(whyThrown(thrown))
      }
      left = left.filter((_, index) => answers[index]?.RecordId === undefined)
      if (left.length === 0) return ok(undefined)
      if (attempt === triesMax) return failed(whyRefused(answers, left.length, batch.length))
      await clock.sleepUntil(clock.now() + firstWaitMs * 2 ** (attempt - 1))
    }
  }

  return {
    async deliver(records) {
      const lines = records.map((record) => fittingLine(record, serialise))
      for (const batch of batches(packed(lines))) {
        const sent = await put(batch)
        if (!sent.ok) return sent
      }
      return ok(undefined)
    },
  }
}

/** Lines, packed into Firehose records. */
function packed(lines: readonly string[]): Uint8Array[] {
  const groups = grouped(lines, linesMax, recordBytesMax, (line) => Buffer.byteLength(line))
  return groups.map((group) => Buffer.from(group.join('')))
}

function batches(records: readonly Uint8Array[]): Uint8Array[][] {
  return grouped(records, batchRecordsMax, batchBytesMax, (record) => record.byteLength)
}

/** Cuts a list, in its order, into groups of at most so many items and bytes. */
function grouped<T>(items: readonly T[], itemsMax: number, bytesMax: number, sizeOf: (item: T) => number): T[][] {
  const groups: T[][] = []
  let group: T[] = []
  let bytes = 0
  for (const item of items) {
    const size = sizeOf(item)
    if (group.length === itemsMax || (group.length > 0 && bytes + size > bytesMax)) {
      groups.push(group)
      group = []
      bytes = 0
    }
    group.push(item)
    bytes += size
  }
  if (group.length > 0) groups.push(group)
  return groups
}

function fittingLine(record: LakeRecord, serialise: (record: LakeRecord) => string): string {
  // A UTF-16 unit takes at most 3 bytes, so most lines need not be measured.
  const fits = (line: string) => line.length * 3 <= recordBytesMax || Buffer.byteLength(line) <= recordBytesMax
  const lineOf = (changed: LakeRecord) => `${serialise(changed)}\n`

  const whole = lineOf(record)
  if (fits(whole)) return whole

  const raw = record.raw ?? ''
  const compressed = { raw: gzipSync(raw).toString('base64'), raw_encoding: 'gzip+base64' }
  const smaller = lineOf({ ...record, ...compressed })
  if (fits(smaller)) return smaller

  const cutRecord = cut({ ...record, raw: '' }) as LakeRecord
  const smallest = lineOf({ ...cutRecord, ...compressed })
  if (fits(smallest)) return smallest

  // A character takes at most 6 bytes in a line: an escaped control character.
  const room = recordBytesMax - Buffer.byteLength(lineOf({ ...cutRecord, raw: '…', raw_encoding: 'truncated' }))
  return lineOf({ ...cutRecord, raw: `${raw.slice(0, Math.floor(room / 6))}…`, raw_encoding: 'truncated' })
}

function cut(value: unknown): unknown {
  if (typeof value === 'string') return value.length > textCharactersKept ? `${value.slice(0, textCharactersKept)}…` : value
  if (Array.isArray(value)) {
    const kept = value.slice(0, listItemsKept).map(cut)
    return value.length > listItemsKept ? [...kept, '…'] : kept
  }
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cut(inner)]))
  return value
}

const throttling = new Set([
  'ServiceUnavailableException',
  'ThrottlingException',
  'Throttling',
  'LimitExceededException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
])

function whyThrown(thrown: unknown) {
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown))
  return failure(throttling.has(name) ? 'sink-throttled' : 'sink-failed', `Firehose answered ${name}: ${message}`)
}

function whyRefused(answers: readonly PutRecordBatchResponseEntry[], refused: number, of: number) {
  const codes = [...new Set(answers.flatMap(({ ErrorCode }) => ErrorCode ?? []))]
  const code = codes.every((each) => throttling.has(each)) ? 'sink-throttled' : 'sink-failed'
  return failure(code, `Firehose refused ${refused} of ${of} records ${triesMax} times: ${codes.join(', ') || 'no reason given'}`)
}
