import {
  FirehoseClient,
  PutRecordBatchCommand,
  type PutRecordBatchCommandInput,
  ServiceUnavailableException,
} from '@aws-sdk/client-firehose'
import { mockClient } from 'aws-sdk-client-mock'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { firehoseHistory } from '../../functions/adapters/history-lake.ts'
import { historyLine, operationFields } from '../../functions/domain/operate/history-line.ts'
import type { HistoryEntry } from '../../functions/domain/operate/operation.ts'
import { recordFields } from '../../functions/domain/record/fields.ts'
import { recordSchema } from '../../functions/domain/record/record-schema.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'

const firehose = mockClient(FirehoseClient)
let clock: VirtualClock

beforeEach(() => {
  firehose.reset()
  clock = new VirtualClock()
})

const entry: HistoryEntry = {
  connectorId: 'acme.cas',
  at: 1,
  action: 'pause',
  requestId: 'request-1',
  awsRequestId: 'aws-1',
  tenantOfCaller: 'all',
  outcome: 'done',
}

function keep() {
  const lake = firehoseHistory({ client: new FirehoseClient({ region: 'us-east-1' }), deliveryStream: 'lake', clock, digest })
  return clock.finish(lake.keep(entry))
}

describe('an entry of the history on its way to the lake', () => {
  it('is one record of the delivery stream: one line', async () => {
    firehose.on(PutRecordBatchCommand).resolves({ FailedPutCount: 0 })
    expect(await keep()).toMatchObject({ ok: true })
    const sent = firehose.commandCalls(PutRecordBatchCommand).map(({ args }) => args[0].input) as PutRecordBatchCommandInput[]
    expect(sent.map(({ DeliveryStreamName }) => DeliveryStreamName)).toEqual(['lake'])
    expect(sent[0]?.Records?.map(({ Data }) => Buffer.from(Data!).toString())).toEqual([historyLine(entry, digest)])
  })

  it('is sent again while Firehose refuses it, up to five times within two seconds', async () => {
    const refusal = { FailedPutCount: 1, RequestResponses: [{ ErrorCode: 'ServiceUnavailableException' }] }
    firehose.on(PutRecordBatchCommand).resolvesOnce(refusal).resolvesOnce(refusal).resolves({ FailedPutCount: 0 })
    expect(await keep()).toMatchObject({ ok: true })
    firehose.reset()
    firehose.on(PutRecordBatchCommand).resolves(refusal)
    const from = clock.now()
    expect(await keep()).toMatchObject({ failure: { code: 'sink-throttled' } })
    expect(firehose.calls()).toHaveLength(5)
    expect(clock.now() - from).toBeLessThan(2_000)
  })

  it.each<[Error, string]>([
    [new ServiceUnavailableException({ message: 'slow', $metadata: {} }), 'sink-throttled'],
    [Object.assign(new Error('no'), { name: 'AccessDeniedException' }), 'sink-failed'],
  ])('fails with a code if Firehose does: %s', async (error, code) => {
    firehose.on(PutRecordBatchCommand).rejects(error)
    expect(await keep()).toMatchObject({ failure: { code } })
  })
})

const anyText = fc.string({ unit: 'binary', minLength: 1 })
const anyEntry: fc.Arbitrary<HistoryEntry> = fc.record(
  {
    connectorId: fc.oneof(fc.constant('acme.cas'), fc.string({ unit: 'binary' })),
    at: fc.nat(),
    action: fc.constantFrom('pause', 'edit', 'create'),
    requestId: anyText,
    awsRequestId: anyText,
    tenantOfCaller: fc.constantFrom('all', 'acme'),
    says: anyText,
    before: fc.dictionary(fc.string(), fc.jsonValue()),
    after: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
    outcome: fc.constantFrom('done', 'conflict'),
    message: anyText,
  },
  { requiredKeys: ['connectorId', 'at', 'action', 'requestId', 'awsRequestId', 'tenantOfCaller', 'outcome'] },
)

describe('a line of the history', () => {
  it('is one line of JSON with the columns of the table, and never has the id of a record', () => {
    const own = recordSchema({ operation: { ...operationFields.operation, required: true } })
    const holds = (given: HistoryEntry): void => {
      const line = historyLine(given, digest)
      expect(line.indexOf('\n')).toBe(line.length - 1)
      const { tenant, connector_id, operation, ...others } = JSON.parse(line)
      expect(others).toEqual({})
      expect(tenant).toBe(given.connectorId === 'acme.cas' ? 'acme' : tenant)
      expect(connector_id).toBe(given.connectorId.toWellFormed())
      expect(own.safeParse({ operation }).error).toBeUndefined()
    }
    fc.assert(fc.property(anyEntry, holds))
    expect(Object.keys(recordFields)).not.toContain('operation')
  })

  it('has another identity for another request, connector, action, time or caller', () => {
    const others = [{}, { requestId: 'r' }, { connectorId: 'acme.b' }, { action: 'resume' }, { at: 2 }, { tenantOfCaller: 'acme' }] as const
    const identities = others.map((more) => JSON.parse(historyLine({ ...entry, ...more }, digest)).operation.id)
    expect(new Set(identities).size).toBe(others.length)
    expect(JSON.parse(historyLine({ ...entry, outcome: 'failed', message: 'x' }, digest)).operation.id).toBe(identities[0])
  })

  it('fits into a record of Firehose, whatever the values are', () => {
    for (const character of ['a', '"', '\u0001', '\ud83d', 'ü', '\\']) {
      const before = { value: character.repeat(200_000) }
      const line = historyLine({ ...entry, before, after: before }, digest)
      expect(Buffer.byteLength(line)).toBeLessThan(1_000 * 1_024)
    }
  })
})
