import { FirehoseClient } from '@aws-sdk/client-firehose'
import { describe, expect, it } from 'vitest'
import { firehoseSink } from '../../functions/adapters/firehose/sink.ts'
import { failure } from '../../functions/domain/failures.ts'
import type { Sink } from '../../functions/domain/ports.ts'
import type { LakeRecord } from '../../functions/domain/record/record.ts'
import { openLake } from '../../local/lake.ts'
import { VirtualClock } from '../../simulation/fakes/clock.ts'
import { record } from '../../simulation/fakes/record.ts'
import { MemorySink } from '../../simulation/fakes/sink.ts'
import { localServices } from '../local-services.ts'

interface Open {
  readonly sink: Sink
  throttle(on: boolean): void
  arrived(): Promise<readonly Pick<LakeRecord, 'id' | 'raw'>[]>
}

async function openMemory(): Promise<Open> {
  const sink = new MemorySink()
  return {
    sink,
    throttle(on) {
      sink.fault = () => (on ? { failure: failure('sink-throttled', 'Slow down') } : undefined)
    },
    arrived: async () => sink.records.map(({ id, raw }) => ({ id, raw })),
  }
}

async function openFirehose(): Promise<Open> {
  let throttled = false
  const services = await localServices({
    fault: { firehose: (records) => (throttled ? { refused: Array.from({ length: records }, (_, index) => index) } : undefined) },
  })
  const client = new FirehoseClient({ ...services.clientConfig, endpoint: services.addresses.firehose })
  const clock = new VirtualClock()
  const sink = firehoseSink({ client, deliveryStream: 'lake', clock })
  return {
    sink: { deliver: (records) => clock.finish(waited(sink.deliver(records), clock)) },
    throttle(on) {
      throttled = on
    },
    async arrived() {
      await services.flush()
      const lake = await openLake(services.dataDir)
      const rows = await lake.query('SELECT id, raw FROM syslog_raw ORDER BY id')
      lake.close()
      return rows.map(({ id, raw }) => ({ id: String(id), raw: String(raw) }))
    },
  }
}

/** Moves virtual time on while `work` waits for the network, because the virtual clock does not wait for sockets. */
function waited<T>(work: Promise<T>, clock: VirtualClock): Promise<T> {
  let done = false
  const end = () => {
    done = true
  }
  work.then(end, end)
  void (async () => {
    while (!done) await clock.sleepUntil(clock.now() + 1)
  })()
  return work
}

describe.each([
  ['in memory', openMemory],
  ['on Firehose', openFirehose],
])('the sink %s', (_, open) => {
  it('has every acknowledged record unchanged in the lake', async () => {
    const { sink, arrived } = await open()
    const records = [record('a'), record('b', { raw: 'Zürich "\n\u2028" 東京 🌊' })]
    expect(await sink.deliver(records)).toEqual({ ok: true, value: undefined })
    expect(await arrived()).toEqual(records.map(({ id, raw }) => ({ id, raw })))
  })

  it('delivers nothing if it gets no records', async () => {
    const { sink, arrived } = await open()
    await sink.deliver([record('a')])
    expect(await sink.deliver([])).toEqual({ ok: true, value: undefined })
    expect(await arrived()).toHaveLength(1)
  })

  it('fails while the lake takes no records, and delivers again afterwards', async () => {
    const { sink, throttle, arrived } = await open()
    throttle(true)
    expect(await sink.deliver([record('a')])).toMatchObject({ ok: false, failure: { code: 'sink-throttled' } })
    throttle(false)
    expect(await sink.deliver([record('a')])).toMatchObject({ ok: true })
    expect(await arrived()).toHaveLength(1)
  })

  it('takes more records than fit into one request', async () => {
    const { sink, arrived } = await open()
    const records = Array.from({ length: 1_200 }, (_, n) => record(String(n).padStart(4, '0'), { raw: 'x'.repeat(6_000) }))
    expect(await sink.deliver(records)).toMatchObject({ ok: true })
    expect((await arrived()).map(({ id }) => id)).toEqual(records.map(({ id }) => id))
  })
})
