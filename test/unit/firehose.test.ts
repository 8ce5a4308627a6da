import { gunzipSync } from 'node:zlib'
import {
  FirehoseClient,
  PutRecordBatchCommand,
  type PutRecordBatchCommandInput,
  ServiceUnavailableException,
} from '@aws-sdk/client-firehose'
import { mockClient } from 'aws-sdk-client-mock'
import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { fittingLine } from '../../functions/adapters/firehose/fitting-line.ts'
import { firehoseSink } from '../../functions/adapters/firehose/sink.ts'
import type { RecordDetail } from '../../functions/domain/ports.ts'
import type { LakeRecord } from '../../functions/domain/record/record.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'
import { record } from '../../simulation/fakes/record.ts'

const KiB = 1024
/** The limits of Firehose for one request. https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
const batchRecordsMax = 500
const batchBytesMax = 4 * KiB * KiB
/** Firehose takes records of 1,000 KiB, and the sink leaves a tenth of that free. */
const recordBytesMax = 900 * KiB
/** Firehose does not take apart a record with more lines. */
const recordLinesMax = 500
/** A longer wait would take the run more time than the page itself (ms). */
const givesUpWithinMs = 2_000

const firehose = mockClient(FirehoseClient)
let clock: VirtualClock

beforeEach(() => {
  firehose.reset()
  clock = new VirtualClock()
})

function deliver(records: Iterable<LakeRecord>, detail?: RecordDetail) {
  const sink = firehoseSink({ client: new FirehoseClient({ region: 'us-east-1' }), deliveryStream: 'lake', clock })
  return clock.finish(sink.deliver(records, detail))
}

function acceptAll(): void {
  firehose.on(PutRecordBatchCommand).callsFake(({ Records = [] }: PutRecordBatchCommandInput) => ({
    FailedPutCount: 0,
    RequestResponses: Records.map((_, n) => ({ RecordId: String(n) })),
  }))
}

/** Refuses the first record of a batch `times` times. */
function refuseFirst(times: number, ErrorCode: string): void {
  let left = times
  firehose.on(PutRecordBatchCommand).callsFake(({ Records = [] }: PutRecordBatchCommandInput) => {
    const refused = left > 0
    left -= 1
    return {
      FailedPutCount: refused ? 1 : 0,
      RequestResponses: Records.map((_, n) => (refused && n === 0 ? { ErrorCode, ErrorMessage: 'no' } : { RecordId: String(n) })),
    }
  })
}

/** The Firehose records of each request, as bytes. */
function requests(): Uint8Array[][] {
  return firehose
    .commandCalls(PutRecordBatchCommand)
    .map((call) => (call.args[0].input.Records ?? []).map(({ Data }) => Data ?? new Uint8Array()))
}

function sentLines(): LakeRecord[] {
  const text = requests()
    .flat()
    .map((data) => Buffer.from(data).toString())
    .join('')
  expect(text.endsWith('\n')).toBe(true)
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** Two events of which a Firehose record holds only one. */
const two = [record('a', { location: 'x'.repeat(500 * KiB) }), record('b', { location: 'x'.repeat(500 * KiB) })]

describe('the sink on Firehose', () => {
  it('sends a page of 500 events as one record of NDJSON', async () => {
    acceptAll()
    const records = Array.from({ length: 500 }, (_, n) => record(String(n)))
    expect(await deliver(records)).toEqual({ ok: true, value: undefined })
    expect(requests().map((batch) => batch.length)).toEqual([1])
    expect(sentLines()).toEqual(records)
  })

  it('keeps within every limit of Firehose and keeps the order of the events, whatever their sizes', async () => {
    const size = fc.oneof({ weight: 20, arbitrary: fc.nat(2_000) }, { weight: 1, arbitrary: fc.nat(880 * KiB) })
    await fc.assert(
      fc.asyncProperty(fc.array(size, { maxLength: 1_500, size: 'max' }), async (sizes) => {
        firehose.reset()
        acceptAll()
        const records = sizes.map((characters, n) => record(String(n), { location: 'x'.repeat(characters) }))
        await deliver(records)
        for (const batch of requests()) {
          expect(batch.length).toBeLessThanOrEqual(batchRecordsMax)
          expect(batch.reduce((sum, data) => sum + data.byteLength, 0)).toBeLessThanOrEqual(batchBytesMax)
          for (const data of batch) {
            expect(data.byteLength).toBeLessThanOrEqual(recordBytesMax)
            expect(Buffer.from(data).toString().trimEnd().split('\n').length).toBeLessThanOrEqual(recordLinesMax)
          }
        }
        if (records.length > 0) expect(sentLines().map(({ id }) => id)).toEqual(records.map(({ id }) => id))
      }),
      { numRuns: 15 },
    )
  })

  it('takes each record once, also if it must send their lines again', async () => {
    refuseFirst(1, 'InternalFailure')
    const made: number[] = []
    function* records() {
      for (let n = 0; n < 3; n += 1) {
        made.push(n)
        yield record(String(n))
      }
    }
    expect(await deliver(records())).toEqual({ ok: true, value: undefined })
    expect(made).toEqual([0, 1, 2])
    expect(requests().map((batch) => batch.length)).toEqual([1, 3])
  })

  it('sends again only the records that were refused', async () => {
    refuseFirst(2, 'ServiceUnavailableException')
    expect(await deliver(two)).toMatchObject({ ok: true })
    expect(requests().map((batch) => batch.length)).toEqual([2, 1, 1])
    expect(JSON.parse(Buffer.from(requests()[2]![0]!).toString()).id).toBe('a')
  })

  it('gives up after five tries within two seconds, and fails as throttled', async () => {
    refuseFirst(Number.POSITIVE_INFINITY, 'ServiceUnavailableException')
    const began = clock.now()
    const result = await deliver(two)
    expect(result).toEqual({
      ok: false,
      failure: { code: 'sink-throttled', detail: 'Firehose refused 1 of 2 records 5 times: ServiceUnavailableException' },
      acknowledged: new Set([1]),
    })
    expect(requests()).toHaveLength(5)
    expect(clock.now() - began).toBeLessThanOrEqual(givesUpWithinMs)
  })

  it('fails differently if the refusal is no throttling', async () => {
    refuseFirst(Number.POSITIVE_INFINITY, 'InternalFailure')
    expect(await deliver(two)).toMatchObject({ ok: false, failure: { code: 'record-refused' } })
  })

  it.each([
    [new ServiceUnavailableException({ message: 'Slow down.', $metadata: {} }), 'sink-throttled'],
    [Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' }), 'sink-throttled'],
    [Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' }), 'sink-failed'],
    [Object.assign(new Error('no such stream'), { name: 'ResourceNotFoundException' }), 'sink-failed'],
    [Object.assign(new Error('connect ECONNREFUSED'), { name: 'Error' }), 'sink-failed'],
  ])('returns an error of the whole request as a failure, and does not throw: %s', async (error, code) => {
    firehose.on(PutRecordBatchCommand).rejects(error)
    expect(await deliver([record('a')])).toEqual({
      ok: false,
      failure: { code, detail: `Firehose failed with ${error.name}: ${error.message}` },
      acknowledged: new Set(),
    })
  })

  it('acknowledges what the requests before the one that failed have taken', async () => {
    const records = Array.from({ length: 1_200 }, (_, n) => record(String(n)))
    let calls = 0
    firehose.on(PutRecordBatchCommand).callsFake(({ Records = [] }: PutRecordBatchCommandInput) => {
      calls += 1
      // The page comes as three records and is refused; then its lines come alone, in three requests.
      if (calls === 1) return { FailedPutCount: Records.length, RequestResponses: Records.map(() => ({ ErrorCode: 'InternalFailure' })) }
      if (calls === 4) throw new Error('connect ECONNREFUSED')
      return { FailedPutCount: 0, RequestResponses: Records.map(() => ({ RecordId: 'ok' })) }
    })
    const result = await deliver(records)
    expect(result).toMatchObject({ ok: false, failure: { code: 'sink-failed' } })
    expect(result.ok ? undefined : result.acknowledged).toEqual(new Set(Array.from({ length: 1_000 }, (_, n) => n)))
  })

  it('stops at the first batch that fails', async () => {
    firehose.on(PutRecordBatchCommand).rejects(new Error('no'))
    await deliver(Array.from({ length: 20 }, (_, n) => record(String(n), { location: 'x'.repeat(800 * KiB) })))
    expect(requests()).toHaveLength(1)
  })
})

describe('a record that Firehose refuses for itself', () => {
  const poisonous = ({ Data }: { readonly Data?: Uint8Array | undefined }) => Buffer.from(Data ?? []).includes('"poison"')

  it('is sent alone, so that every other record of its page is acknowledged', async () => {
    firehose.on(PutRecordBatchCommand).callsFake(({ Records = [] }: PutRecordBatchCommandInput) => ({
      FailedPutCount: Records.filter(poisonous).length,
      RequestResponses: Records.map((each) => (poisonous(each) ? { ErrorCode: 'InternalFailure' } : { RecordId: 'ok' })),
    }))
    const records = Array.from({ length: 1_200 }, (_, n) => record(n === 700 ? 'poison' : String(n)))
    expect(await deliver(records)).toEqual({
      ok: false,
      failure: { code: 'record-refused', detail: 'Firehose refused 1 of 3 records 5 times: InternalFailure' },
      acknowledged: new Set(records.flatMap(({ id }, n) => (id === 'poison' ? [] : [n]))),
    })
    expect(requests().every((batch) => batch.length <= batchRecordsMax)).toBe(true)
  })

  /** Refuses the poison in these forms, and returns the lines that it takes. */
  function refuse(forms: readonly (string | undefined)[]): LakeRecord[] {
    const taken: LakeRecord[] = []
    firehose.on(PutRecordBatchCommand).callsFake(({ Records = [] }: PutRecordBatchCommandInput) => {
      const responses = Records.map((each) => {
        const lines: LakeRecord[] = Buffer.from(each.Data ?? [])
          .toString()
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line))
        if (lines.some((line) => line.id === 'poison' && forms.includes(formOf(line)))) return { ErrorCode: 'InternalFailure' }
        taken.push(...lines)
        return { RecordId: 'ok' }
      })
      return { FailedPutCount: responses.filter((each) => 'ErrorCode' in each).length, RequestResponses: responses }
    })
    return taken
  }
  const formOf = ({ raw_encoding, user }: LakeRecord) => (raw_encoding === undefined ? 'whole' : user === undefined ? 'bare' : 'cut')
  const page = ['a', 'poison', 'b'].map((id) => record(id, { user: 'ann', raw: 'x'.repeat(5_000) }))

  it.each([
    ['cut', ['whole'], 'cut'],
    ['bare', ['whole'], 'cut'],
    ['bare', ['whole', 'cut'], 'bare'],
  ] as const)(
    'is sent cut, as %s allows, only once it is refused as %j; the others of its page stay whole',
    async (detail, forms, takenAs) => {
      const taken = refuse(forms)
      expect(await deliver(page, detail)).toEqual({ ok: true, value: undefined })
      expect(taken.map((line) => [line.id, formOf(line)]).toSorted()).toEqual([
        ['a', 'whole'],
        ['b', 'whole'],
        ['poison', takenAs],
      ])
    },
  )

  it('is not sent cut if it may not be, or if it is refused for the rate', async () => {
    refuse(['whole'])
    expect(await deliver(page)).toMatchObject({ ok: false, failure: { code: 'record-refused' } })
    refuseFirst(Number.POSITIVE_INFINITY, 'ServiceUnavailableException')
    expect(await deliver([page[1]!], 'bare')).toMatchObject({ ok: false, failure: { code: 'sink-throttled' } })
    expect(sentLines().map(formOf)).not.toContain('cut')
  })

  it('is sent whole, whatever is allowed, if the refusals before were a fault of Firehose itself', async () => {
    const taken = refuse([])
    expect(await deliver(page, 'bare')).toEqual({ ok: true, value: undefined })
    expect(taken).toEqual(page)
  })
})

/** A text that gzip cannot make small. */
const noise = (() => {
  let seed = 1
  return Array.from({ length: 1_500_000 }, () => {
    seed = (seed * 48_271) % 2_147_483_647
    return String.fromCharCode(33 + (seed % 90))
  }).join('')
})()

/** Any text, long ones too, of characters that take one to six bytes in a line. */
const anyText = fc
  .tuple(fc.constantFrom('x', 'ü', '\u0000', '\u001b', '"', '\\\\', '😀', 'x😀', '\u2028'), fc.oneof(fc.nat(20), fc.nat(400_000)))
  .map(([unit, count]) => unit.repeat(count))
const anyRecord = fc
  .record({
    location: anyText,
    email_subject: anyText,
    email_recipients: fc.oneof(
      fc.array(anyText, { maxLength: 5 }),
      anyText.map((text) => Array.from({ length: 60 }, () => text.slice(0, 20_000))),
    ),
    dlp_templates: anyText.map((text) => Array.from({ length: 3_000 }, () => text.slice(0, 2_000))),
    raw: anyText.map((text) => JSON.stringify({ text })),
    many: fc.nat(30_000).map((count) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`field_${n}`, `value ${n}`]))),
  })
  .map(({ many, ...fields }) => record('any', { ...fields, vendor: many }))

describe('the line of any record, in any detail', () => {
  it('fits a Firehose record, is JSON of whole characters, and has the required fields', () => {
    return fc.assert(
      fc.property(anyRecord, fc.constantFrom('whole', 'cut', 'bare'), (any, detail) => {
        const line = fittingLine(any, detail)
        expect(Buffer.byteLength(`${line}\n`)).toBeLessThanOrEqual(recordBytesMax)
        expect(line).not.toContain('\n')
        const sent = JSON.parse(line) as LakeRecord
        expect(JSON.stringify(sent).isWellFormed()).toBe(true)
        expect(/\\ud[89a-f]/i.test(line)).toBe(false)
        expect(sent).toMatchObject({ id: any.id, timestamp: any.timestamp, connector_id: any.connector_id, msg_class: any.msg_class })
        const isWhole = sent.raw_encoding === undefined ? sent.raw === any.raw : sent.raw_encoding === 'gzip+base64'
        expect(isWhole || (sent.raw_encoding === 'truncated' && any.raw.startsWith(sent.raw.slice(0, -1)))).toBe(true)
        if (sent.raw_encoding === 'gzip+base64') expect(gunzipSync(Buffer.from(sent.raw, 'base64')).toString()).toBe(any.raw)
      }),
      { numRuns: 40 },
    )
  })

  it.each(['whole', 'cut', 'bare'] as const)('has all that the connector sets, whole (%s)', (detail) => {
    const own = {
      tenant_name: 't'.repeat(128),
      connector_id: 'c'.repeat(64),
      connector_name: 'n'.repeat(128),
      domain: `https://${'d'.repeat(63)}.${'d'.repeat(63)}.example`,
    }
    const large = record('a', { ...own, location: 'x'.repeat(1_500), raw: noise })
    const { syslog } = large
    const hostname = `${'d'.repeat(63)}.${'d'.repeat(63)}.example`
    const sent: LakeRecord = JSON.parse(fittingLine({ ...large, syslog: { ...syslog, hostname, message: 'x'.repeat(1_500) } }, detail))
    expect(sent.raw_encoding).toBe('truncated')
    expect(sent).toMatchObject({ ...own, syslog: { hostname } })
    expect(sent.syslog.message.length).toBeLessThan(1_500)
  })

  it.each([1, 0])('cuts no emoji in two, wherever the cut falls (%i)', (odd) => {
    const file_name = `${'x'.repeat(odd)}${'😀'.repeat(500_000)}`
    const sent = JSON.parse(fittingLine(record('a', { file_name, raw: '{}' }), 'whole')) as LakeRecord
    expect(sent.file_name?.isWellFormed()).toBe(true)
  })
})

describe('an event that is too large for a Firehose record', () => {
  it('is sent with its raw compressed and all else unchanged', async () => {
    acceptAll()
    const large = record('a', { raw: JSON.stringify({ text: 'Zürich '.repeat(300_000) }), location: 'x'.repeat(5_000) })
    await deliver([large])
    const [sent] = sentLines()
    const { raw, raw_encoding, ...others } = sent!
    const { raw: wholeRaw, ...wholeOthers } = large
    expect(others).toEqual(wholeOthers)
    expect(raw_encoding).toBe('gzip+base64')
    expect(gunzipSync(Buffer.from(raw, 'base64')).toString()).toBe(wholeRaw)
  })

  it('has its other long texts and lists cut and marked if that is not enough', async () => {
    acceptAll()
    const recipients = Array.from({ length: 100_000 }, (_, n) => `user${n}@example.com`)
    const large = record('a', { raw: JSON.stringify({ recipients }), email_recipients: recipients, email_subject: 'x'.repeat(900 * KiB) })
    await deliver([large])
    const [sent] = sentLines()
    expect(sent!.email_recipients).toEqual([...recipients.slice(0, 50), '…'])
    expect(sent!.email_subject).toBe(`${'x'.repeat(1_000)}…`)
    expect(JSON.parse(gunzipSync(Buffer.from(sent!.raw, 'base64')).toString())).toEqual({ recipients })
  })

  it('keeps only the beginning of its raw, marked, if it does not fit even compressed', async () => {
    acceptAll()
    await deliver([record('a', { raw: noise })])
    const [sent] = sentLines()
    expect(sent!.raw_encoding).toBe('truncated')
    expect(sent!.raw.length).toBeGreaterThan(100 * KiB)
    expect(noise.startsWith(sent!.raw.slice(0, -1))).toBe(true)
    expect(sent!.raw.endsWith('…')).toBe(true)
    expect(requests()[0]![0]!.byteLength).toBeLessThanOrEqual(recordBytesMax)
  })
})
