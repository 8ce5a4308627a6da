import type { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import { describe, expect, it, test } from 'vitest'
import { firehoseSink } from '../../functions/adapters/firehose/sink.ts'
import { failure } from '../../functions/domain/failures.ts'
import type { RecordDetail } from '../../functions/domain/ports.ts'
import type { LakeRecord } from '../../functions/domain/record/record.ts'
import { hour, minute } from '../../functions/domain/time.ts'
import { audit } from '../../simulation/audit.ts'
import { connectorItem, start, World } from '../../simulation/world.ts'

test('the records of a partly refused page that were acknowledged are not sent again, and each item is counted once', async () => {
  const world = new World({ vendor: { eventsPerHour: 3_000 }, pageItems: 100 })
  const deliver = world.sink.deliver.bind(world.sink)
  let deliveries = 0
  world.sink.deliver = async (given) => {
    const records = [...given]
    deliveries += 1
    if (deliveries % 4 === 0) return deliver(records)
    const taken = records.slice(0, Math.ceil(records.length / 2))
    await deliver(taken)
    return { ok: false, failure: failure('sink-throttled', 'Firehose refused some'), acknowledged: new Set(taken.keys()) }
  }
  await world.put(connectorItem())
  await world.run(2 * hour)
  const { missing, twice, expected } = await audit(world)
  expect({ missing, twice }).toEqual({ missing: [], twice: [] })
  expect(expected).toBeGreaterThan(1_500)
  const { fetched, delivered, filtered, alreadySeen } = (await world.stream('acme.cas', 'sharepoint/dlp')).counts
  expect(delivered + filtered + alreadySeen).toBe(fetched)
  expect(delivered).toBe(world.lake.records)
})

describe('a record that the lake refuses for itself', () => {
  /** A lake that refuses one record until it comes with as little detail as `takenAs`. */
  async function refusing(takenAs: RecordDetail | undefined) {
    const world = new World({ vendor: { eventsPerHour: 60 } })
    const deliver = world.sink.deliver.bind(world.sink)
    const tries: RecordDetail[] = []
    let refusedId: string | undefined
    const isRefused = ({ id, msg_class, event_type }: LakeRecord) => {
      if (msg_class.endsWith('sharepoint') && event_type === 'dlp') refusedId ??= id
      return id === refusedId
    }
    world.sink.deliver = async (given, detail = 'whole') => {
      const records = [...given]
      const refused = records.filter(isRefused)
      if (refused.length > 0) tries.push(detail)
      if (refused.length === 0 || detail === takenAs) return deliver(records)
      await deliver(records.filter((record) => !refused.includes(record)))
      const acknowledged = new Set(records.flatMap((record, number) => (refused.includes(record) ? [] : [number])))
      return { ok: false, failure: failure('record-refused', 'Firehose refused 1 record'), acknowledged }
    }
    await world.put(connectorItem({ eventTypes: ['dlp', 'securityrisk'] }))
    return { world, tries }
  }

  it('is delivered cut after three refusals; its stream waits, and the other streams go on', async () => {
    const { world, tries } = await refusing('cut')
    await world.run(hour)
    expect(tries).toEqual(['whole', 'whole', 'whole', 'cut'])
    const { missing, twice } = await audit(world)
    expect({ missing, twice }).toEqual({ missing: [], twice: [] })
    expect((await world.stream('acme.cas', 'sharepoint/dlp')).refusals).toBeUndefined()
  })

  it('is delivered bare after three more, and the status says meanwhile which stream waits', async () => {
    const { world, tries } = await refusing('bare')
    await world.run(3 * minute)
    for (let minutes = 0; minutes < 30 && tries.length < 4; minutes++) await world.run(minute)
    const other = await world.stream('acme.cas', 'sharepoint/securityrisk')
    expect(other.trouble).toBeUndefined()
    expect(await world.status('acme.cas')).toMatchObject({ state: 'failing', cause: 'record-refused' })
    expect((await world.status('acme.cas')).reason).toMatch(/^sharepoint\/dlp: Firehose refused 1 record\. /)
    await world.run(2 * hour)
    expect(tries).toEqual(['whole', 'whole', 'whole', 'cut', 'cut', 'cut', 'bare'])
    expect((await audit(world)).missing).toEqual([])
  })
})

test('a fault of Firehose itself that refuses every record for twenty minutes cuts none of them', async () => {
  const world = new World({ vendor: { eventsPerHour: 600 } })
  const taken: LakeRecord[] = []
  let refused = 0
  const send = async ({ input: { Records = [] } }: PutRecordBatchCommand) => {
    const now = world.clock.now()
    if (now > start + 20 * minute && now < start + 40 * minute) {
      refused += 1
      return { FailedPutCount: Records.length, RequestResponses: Records.map(() => ({ ErrorCode: 'InternalFailure' })) }
    }
    const lines = Records.flatMap(({ Data = [] }) => Buffer.from(Data).toString().trimEnd().split('\n'))
    taken.push(...lines.map((line): LakeRecord => JSON.parse(line)))
    return { FailedPutCount: 0, RequestResponses: Records.map(() => ({ RecordId: 'ok' })) }
  }
  const firehose = firehoseSink({ client: { send } as unknown as FirehoseClient, deliveryStream: 'lake', clock: world.clock })
  world.sink.deliver = async (records, detail) => {
    const delivery = await firehose.deliver(records, detail)
    if (delivery.ok) await world.lake.deliver(records)
    return delivery
  }
  await world.put(connectorItem({ intervalMinutes: 1 }))
  await world.run(hour)
  expect(refused).toBeGreaterThan(6 * 5)
  expect(taken.filter(({ raw_encoding }) => raw_encoding !== undefined)).toEqual([])
  expect(await audit(world)).toMatchObject({ missing: [], twice: [] })
})
