import { gzipSync } from 'node:zlib'
import { type FirehoseClient, PutRecordBatchCommand, type PutRecordBatchResponseEntry } from '@aws-sdk/client-firehose'
import { failure } from '../domain/failures.ts'
import type { Clock, Sink } from '../domain/ports.ts'
import { type LakeRecord, serialise as serialiseRecord } from '../domain/record/record.ts'
import { failed, ok, type Result } from '../domain/result.ts'
import { wholeCharacters } from '../domain/text.ts'

const KiB = 1024

/** Firehose takes apart a record with at most this many lines (count). https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-multirecord-deaggergation.html */
const linesMax = 500
/** The largest record (bytes). Firehose allows 1,000 KiB; this leaves room for what it may count beside the data. */
const recordBytesMax = 900 * KiB
/** The limits of one PutRecordBatch. https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
const batchRecordsMax = 500
const batchBytesMax = 4 * KiB * KiB

/** Each try sends only the records that were refused before. The waits between the tries add up to 1.5 s. */
const triesMax = 5
const firstWaitMs = 100

/** A record that is too large keeps this much of each text and each list. `raw` still holds all of them. */
const textCharactersKept = 1_000
const listItemsKept = 50

/**
 * The lake behind a Firehose delivery stream: one NDJSON line for each record. Fails with `sink-throttled` or `sink-failed`, after five
 * tries for refused records; some records may have been delivered then.
 *
 * A record whose line does not fit is made smaller, never left out. These steps are taken in this order until it fits:
 * 1. `raw` is compressed (`raw_encoding` `gzip+base64`).
 * 2. Texts and lists outside `raw` are cut, and end with `…`. `raw` still holds all of them.
 * 3. `raw` keeps only its beginning (`raw_encoding` `truncated`). This happens only to an item of over 675 KiB when compressed.
 */
export function firehoseSink(options: {
  readonly client: FirehoseClient
  readonly deliveryStream: string
  readonly clock: Clock
  readonly serialise?: (record: LakeRecord) => string
}): Sink {
  const { client, deliveryStream, clock, serialise = serialiseRecord } = options

  async function put(batch: readonly Uint8Array[]): Promise<Result<void>> {
    let unsent = batch
    for (let attempt = 1; ; attempt += 1) {
      let entries: readonly PutRecordBatchResponseEntry[]
      try {
        const response = await client.send(
          new PutRecordBatchCommand({ DeliveryStreamName: deliveryStream, Records: unsent.map((Data) => ({ Data })) }),
        )
        if ((response.FailedPutCount ?? 0) === 0) return ok(undefined)
        entries = response.RequestResponses ?? []
      } catch (thrown) {
        return failed(whyThrown(thrown))
      }
      unsent = unsent.filter((_, index) => entries[index]?.RecordId === undefined)
      if (unsent.length === 0) return ok(undefined)
      if (attempt === triesMax) return failed(whyRefused(entries, unsent.length, batch.length))
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

/** Packs lines into Firehose records. */
function packed(lines: readonly string[]): Uint8Array[] {
  const groups = grouped(lines, linesMax, recordBytesMax, (line) => Buffer.byteLength(line))
  return groups.map((group) => Buffer.from(group.join('')))
}

function batches(records: readonly Uint8Array[]): Uint8Array[][] {
  return grouped(records, batchRecordsMax, batchBytesMax, (record) => record.byteLength)
}

/** Cuts a list, in its order, into groups of at most `itemsMax` items and `bytesMax` bytes. An item that is larger makes a group alone. */
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
  // A UTF-16 unit takes at most 3 bytes, so most lines fit without being measured.
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

  // A character takes at most 6 bytes in a line, as an escaped control character does.
  const room = recordBytesMax - Buffer.byteLength(lineOf({ ...cutRecord, raw: '…', raw_encoding: 'truncated' }))
  return lineOf({ ...cutRecord, raw: `${wholeCharacters(raw, Math.floor(room / 6))}…`, raw_encoding: 'truncated' })
}

function cut(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.length > textCharactersKept ? `${wholeCharacters(value, textCharactersKept)}…` : value
  }
  if (Array.isArray(value)) {
    const kept = value.slice(0, listItemsKept).map(cut)
    return value.length > listItemsKept ? [...kept, '…'] : kept
  }
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cut(inner)]))
  return value
}

/** The names by which AWS services refuse a request for its rate. */
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
  return failure(throttling.has(name) ? 'sink-throttled' : 'sink-failed', `Firehose failed with ${name}: ${message}`)
}

function whyRefused(entries: readonly PutRecordBatchResponseEntry[], refused: number, of: number) {
  const codes = [...new Set(entries.flatMap(({ ErrorCode }) => ErrorCode ?? []))]
  const code = codes.every((name) => throttling.has(name)) ? 'sink-throttled' : 'sink-failed'
  return failure(code, `Firehose refused ${refused} of ${of} records ${triesMax} times: ${codes.join(', ') || 'no reason given'}`)
}
