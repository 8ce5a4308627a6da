import { FirehoseClient } from '@aws-sdk/client-firehose'
import { expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { firehoseHistory } from '../../functions/adapters/history-lake.ts'
import type { HistoryEntry } from '../../functions/domain/operate/operation.ts'
import { openLake } from '../../local/lake.ts'
import { localServices } from '../local-services.ts'

const entry: HistoryEntry = {
  connectorId: 'acme.cas',
  at: Date.UTC(2026, 10, 24),
  action: 'edit',
  requestId: 'request-1',
  awsRequestId: 'aws-1',
  tenantOfCaller: 'acme',
  says: 'Zoë "\u2028\n" 東京 🌊',
  before: { name: 'cas', tags: ['a', 'b'] },
  after: { name: 'mail', tags: [] },
  outcome: 'done',
}

it('the lake has each entry that was kept, once, also if it was sent twice, and fails with a code while it takes none', async () => {
  let isThrottled = false
  const services = await localServices({ fault: { firehose: () => (isThrottled ? { refused: [0] } : undefined) } })
  const client = new FirehoseClient({ ...services.clientConfig, endpoint: services.addresses.firehose })
  const clock = { now: () => entry.at, sleepUntil: async () => {} }
  const lake = firehoseHistory({ client, deliveryStream: 'lake', clock, digest })

  isThrottled = true
  expect(await lake.keep({ ...entry, requestId: 'request-0' })).toMatchObject({ ok: false, failure: { code: 'sink-throttled' } })
  isThrottled = false
  for (const kept of [entry, entry, { ...entry, requestId: 'request-2' }]) expect(await lake.keep(kept)).toMatchObject({ ok: true })

  await services.flush()
  const views = await openLake(services.dataDir)
  const rows = await views.query('SELECT request_id, says, before, after FROM operations ORDER BY request_id')
  expect(rows.map(({ request_id }) => request_id)).toEqual(['request-1', 'request-2'])
  expect(rows[0]).toMatchObject({ says: entry.says, before: JSON.stringify(entry.before), after: JSON.stringify(entry.after) })
  expect(await views.query('SELECT id FROM syslog_raw')).toEqual([])
  expect(await views.badLines(10)).toEqual([])
  views.close()
})
