import { expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { compileFilters } from '../../functions/domain/connector/log-filters.ts'
import { failure } from '../../functions/domain/failures.ts'
import { SeenItems } from '../../functions/domain/stream/seen-ids.ts'
import { deliverPage } from '../../functions/flows/collect/deliver-page.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'
import { connector } from '../../simulation/fakes/connector.ts'
import { MemorySink } from '../../simulation/fakes/sink.ts'
import { now, range } from './streams.ts'

/** A page of items of which every tenth is of the user that the filter drops. */
function pageOf(count: number) {
  const items = Array.from({ length: count }, (_, n) => {
    const value = { log_item_id: `id-${n}`, message: { affected_user: n % 10 === 0 ? 'dropped@acme.example' : 'kept@acme.example' } }
    return { id: value.log_item_id, value, raw: JSON.stringify(value) }
  })
  return { items, requestedAt: now, receivedAt: now }
}

function deliver(sink: MemorySink, count: number) {
  const filters = compileFilters([
    {
      name: 'one-user',
      action: 'exclude',
      shadow: false,
      conditions: [{ field: 'user', operator: 'equals', values: ['dropped@acme.example'] }],
    },
  ])
  const context = { connector: connector(), vendor: trendmicroCas, filters, stream: 'sharepoint/dlp' }
  const options = { seen: new SeenItems(''), detail: 'whole', countsLate: false } as const
  return deliverPage({ sink, digest }, context, range('tail', now, now), pageOf(count), options)
}

it('a page of more items than were asked for is delivered 500 items at a time', async () => {
  const sink = new MemorySink()
  const sizes: number[] = []
  sink.fault = (records) => void sizes.push(records.length)
  const { delivered } = await deliver(sink, 1_300)
  expect(sizes).toEqual([450, 450, 270])
  expect(delivered.counts).toMatchObject({ pages: 1, fetched: 1_300, delivered: 1_170, filtered: 130, alreadySeen: 0 })
  expect(delivered.newIds).toHaveLength(1_300)
})

it('the items of such a page that came before a failure count as delivered, and no other', async () => {
  const sink = new MemorySink()
  let deliveries = 0
  sink.fault = () => (++deliveries === 2 ? { failure: failure('sink-throttled', 'Firehose refused all') } : undefined)
  const { delivered, failure: why } = await deliver(sink, 1_300)
  expect(why?.code).toBe('sink-throttled')
  expect(deliveries).toBe(2)
  expect(delivered.counts).toMatchObject({ fetched: 500, delivered: 450, filtered: 50 })
  expect(delivered.counts).not.toHaveProperty('pages')
  expect(delivered.newIds).toHaveLength(500)
})
