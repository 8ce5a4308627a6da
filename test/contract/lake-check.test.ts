import { FirehoseClient } from '@aws-sdk/client-firehose'
import { expect, it } from 'vitest'
import { firehoseCheck, firehoseSink } from '../../functions/adapters/firehose/sink.ts'
import { openLake } from '../../local/lake.ts'
import { record } from '../../simulation/fakes/record.ts'
import { localServices } from '../local-services.ts'

it('the lake takes the line of a Test beside its records, no view and no list of bad lines shows it, and it fails with a code while the lake takes none', async () => {
  let isThrottled = false
  const services = await localServices({ fault: { firehose: () => (isThrottled ? { refused: [0] } : undefined) } })
  const client = new FirehoseClient({ ...services.clientConfig, endpoint: services.addresses.firehose })
  const stream = { client, deliveryStream: 'lake', clock: { now: () => Date.UTC(2026, 10, 24), sleepUntil: async () => {} } }
  const check = firehoseCheck(stream)

  isThrottled = true
  expect(await check.takeLine()).toMatchObject({ ok: false, failure: { code: 'sink-throttled' } })
  isThrottled = false
  expect(await check.takeLine()).toMatchObject({ ok: true })
  await firehoseSink(stream).deliver([record('a')])
  expect(await check.takeLine()).toMatchObject({ ok: true })
  const elsewhere = new FirehoseClient({ ...services.clientConfig, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 })
  expect(await firehoseCheck({ ...stream, client: elsewhere }).takeLine()).toMatchObject({ ok: false, failure: { code: 'sink-failed' } })

  await services.flush()
  const lake = await openLake(services.dataDir)
  for (const view of ['syslog', 'syslog_exact', 'syslog_newest', 'syslog_raw']) {
    expect(await lake.query(`SELECT id FROM ${view}`)).toEqual([{ id: 'a' }])
  }
  expect(await lake.query('SELECT id FROM operations')).toEqual([])
  expect(await lake.badLines(10)).toEqual([])
  lake.close()
})
