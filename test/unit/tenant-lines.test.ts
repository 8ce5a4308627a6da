import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { historyLine } from '../../functions/domain/operate/history-line.ts'
import { serialise } from '../../functions/domain/record/record.ts'
import { countLines, withoutRecords } from '../../operator/tenant-lines.ts'
import { record } from '../../simulation/fakes/record.ts'

const pause = (connectorId: string) =>
  historyLine(
    {
      ...{ connectorId, at: 1, action: 'pause', requestId: 'request-1', awsRequestId: 'aws-1', tenantOfCaller: 'all' },
      ...{ outcome: 'done', after: { enabled: false } },
    },
    digest,
  )

it('the history of a tenant goes with its records, and the history of the others stays byte by byte', async () => {
  const own = [`${serialise(record('a', { connector_id: 'acme.cas', tenant: 'acme' }))}\n`, pause('acme.cas')]
  const others = [pause('globex.cas'), pause('acme-cas'), pause('acme-2.cas')]
  const object = gzipSync([...own, ...others].join(''))
  expect(await countLines(Readable.from([object]), 'acme')).toEqual({ records: 2, unclear: 0 })
  const rest = await withoutRecords(Readable.from([object]), 'acme')
  expect(gunzipSync(rest!).toString()).toBe(others.join(''))
})
