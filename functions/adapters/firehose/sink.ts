import type { FirehoseClient, PutRecordBatchResponseEntry } from '@aws-sdk/client-firehose'
import { type Failure, failure } from '../../domain/failures.ts'
import type { Clock, LakeCheck, RecordDetail, Sink } from '../../domain/ports.ts'
import { testLine } from '../../domain/record/own-lines.ts'
import type { LakeRecord } from '../../domain/record/record.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { fittingLine, wholeLine } from './fitting-line.ts'
import { linesOf, type Pack, packed } from './packs.ts'
import { putRecords } from './put-records.ts'

/** The limits of one PutRecordBatch. https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
const batchRecordsMax = 500
const batchBytesMax = 4 * 1024 * 1024

/** Each try sends only the records that were refused before. The waits between the tries add up to 1.5 s. */
export const triesMax = 5
export const firstWaitMs = 100

/** The smaller forms of a record that is refused whole, one after the other. */
const smallerForms = { whole: [], cut: ['cut'], bare: ['cut', 'bare'] } as const satisfies Record<RecordDetail, readonly RecordDetail[]>

/**
 * The lake behind a Firehose delivery stream: one NDJSON line for each record. After five tries for refused records it fails with
 * `sink-throttled`, or with `record-refused` if a record was refused for another reason than the rate. `acknowledged` has the numbers of the
 * records that were taken; of the others some may be in the lake as well.
 */
export function firehoseSink(options: { readonly client: FirehoseClient; readonly deliveryStream: string; readonly clock: Clock }): Sink {
  const { client, deliveryStream, clock } = options

  /** Adds to `acknowledged` what Firehose takes. */
  async function put(batch: readonly Pack[], smaller: SmallerForms, acknowledged: Set<number>): Promise<Failure | undefined> {
    let unsent = batch
    for (let attempt = 1; ; attempt += 1) {
      const sent = await send(unsent, acknowledged)
      if (!sent.ok) return sent.failure
      const refusals = sent.value
      if (refusals.length === 0) return undefined
      if (attempt === triesMax) return await putSmaller(refusals, batch.length, smaller, acknowledged)
      // Each line alone, so that one line that is refused for itself keeps no other out.
      unsent = refusals.every(isThrottled) ? refusals.map(({ pack }) => pack) : refusals.flatMap(({ pack }) => linesOf(pack))
      await clock.sleepUntil(clock.now() + firstWaitMs * 2 ** (attempt - 1))
    }
  }

  /**
   * Sends lines in a smaller form, if Firehose has just refused them whole and alone. Firehose has one code for such a line and for a
   * fault of its own. A fault refuses the smaller form as well, so it costs no content: it would have to end between the two requests.
   */
  async function putSmaller(
    refusals: readonly Refusal[],
    of: number,
    smaller: SmallerForms,
    acknowledged: Set<number>,
  ): Promise<Failure | undefined> {
    let left = refusals
    for (const form of smaller.forms) {
      const isSuspect = (refusal: Refusal) => refusal.pack.count === 1 && !isThrottled(refusal)
      const again = left
        .filter(isSuspect)
        .map(({ pack }) => ({ ...pack, data: Buffer.from(`${fittingLine(smaller.recordOf(pack), form)}\n`) }))
      const sent = await send(again, acknowledged)
      if (!sent.ok) return sent.failure
      left = [...left.filter((refusal) => !isSuspect(refusal)), ...sent.value]
    }
    return left.length === 0 ? undefined : whyRefused(left, of)
  }

  /** Returns what was refused. What a former batch took stays acknowledged when a later one fails. */
  async function send(packs: readonly Pack[], acknowledged: Set<number>): Promise<Result<readonly Refusal[]>> {
    const refusals: Refusal[] = []
    for (const batch of batches(packs)) {
      const sent = await sendBatch(batch)
      if (!sent.ok) return sent
      for (const [index, pack] of batch.entries()) {
        const entry = sent.value[index]
        if (entry?.RecordId === undefined) refusals.push({ pack, code: entry?.ErrorCode })
        else for (let line = 0; line < pack.count; line += 1) acknowledged.add(pack.first + line)
      }
    }
    return ok(refusals)
  }

  async function sendBatch(packs: readonly Pack[]): Promise<Result<readonly PutRecordBatchResponseEntry[]>> {
    const records = packs.map(({ data }) => data)
    try {
      const response = await client.send(putRecords(deliveryStream, records))
      const taken = { RecordId: 'taken' }
      return ok((response.FailedPutCount ?? 0) === 0 ? packs.map(() => taken) : (response.RequestResponses ?? []))
    } catch (thrown) {
      return failed(whyThrown(thrown))
    }
  }

  return {
    async deliver(records, detail = 'whole') {
      const shortened = new Map<number, LakeRecord>()
      const recordOf = ({ data, first }: Pack): LakeRecord => shortened.get(first) ?? JSON.parse(data.toString())
      const smaller = { forms: smallerForms[detail], recordOf }
      const acknowledged = new Set<number>()
      let refusal: Failure | undefined
      for (const batch of batches(packed(linesOfRecords(records, shortened)))) {
        const failure = await put(batch, smaller, acknowledged)
        if (failure === undefined) continue
        // A record that is refused for itself says nothing about the batches after it.
        if (failure.code !== 'record-refused') return { ok: false, failure, acknowledged }
        refusal = failure
      }
      return refusal === undefined ? ok(undefined) : { ok: false, failure: refusal, acknowledged }
    },
  }
}

/** The same stream for the Test of a connector: one line, sent once, because a person waits for the outcome. */
export function firehoseCheck(options: {
  readonly client: FirehoseClient
  readonly deliveryStream: string
  readonly clock: Clock
}): LakeCheck {
  const { client, deliveryStream, clock } = options
  return {
    async takeLine() {
      try {
        const response = await client.send(putRecords(deliveryStream, [Buffer.from(testLine(clock.now()))]))
        if ((response.FailedPutCount ?? 0) === 0) return ok(undefined)
        const code = response.RequestResponses?.[0]?.ErrorCode ?? 'no reason given'
        return failed(failure(throttling.has(code) ? 'sink-throttled' : 'record-refused', `Firehose refused the line: ${code}`))
      } catch (thrown) {
        return failed(whyThrown(thrown))
      }
    },
  }
}

/** The forms in which a line that is refused whole may be sent. */
interface SmallerForms {
  readonly forms: readonly RecordDetail[]
  /** The record of a pack of one line. */
  readonly recordOf: (pack: Pack) => LakeRecord
}

/** Keeps only the records of which a line does not have all; the others can be read from their lines. */
function* linesOfRecords(records: Iterable<LakeRecord>, shortened: Map<number, LakeRecord>): Iterable<string> {
  let number = 0
  for (const record of records) {
    const whole = wholeLine(record)
    if (whole === undefined) shortened.set(number, record)
    yield whole ?? fittingLine(record, 'whole')
    number += 1
  }
}

interface Refusal {
  readonly pack: Pack
  readonly code: string | undefined
}

/** Also without a code: then nothing says that the record is to blame. */
function isThrottled({ code }: Refusal): boolean {
  return code === undefined || throttling.has(code)
}

/** Cuts packs, in their order, into requests. */
function batches(packs: readonly Pack[]): readonly Pack[][] {
  const groups: Pack[][] = []
  let group: Pack[] = []
  let bytes = 0
  for (const pack of packs) {
    if (group.length === batchRecordsMax || (group.length > 0 && bytes + pack.data.length > batchBytesMax)) {
      groups.push(group)
      group = []
      bytes = 0
    }
    group.push(pack)
    bytes += pack.data.length
  }
  if (group.length > 0) groups.push(group)
  return groups
}

/** The names by which AWS services refuse a request for its rate. */
export const throttling: ReadonlySet<string> = new Set([
  'ServiceUnavailableException',
  'ThrottlingException',
  'Throttling',
  'LimitExceededException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
])

export function whyThrown(thrown: unknown): Failure {
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown))
  return failure(throttling.has(name) ? 'sink-throttled' : 'sink-failed', `Firehose failed with ${name}: ${message}`)
}

function whyRefused(refusals: readonly Refusal[], of: number): Failure {
  const codes = [...new Set(refusals.flatMap(({ code }) => code ?? []))]
  const code = codes.every((name) => throttling.has(name)) ? 'sink-throttled' : 'record-refused'
  return failure(code, `Firehose refused ${refusals.length} of ${of} records ${triesMax} times: ${codes.join(', ') || 'no reason given'}`)
}
