import { describe, expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { compileFilters } from '../../functions/domain/connector/log-filters.ts'
import { failure } from '../../functions/domain/failures.ts'
import { SeenItems } from '../../functions/domain/stream/seen-ids.ts'
import { deliverPage } from '../../functions/flows/collect/deliver-page.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'
import { connector } from '../../simulation/fakes/connector.ts'
import { MemorySink } from '../../simulation/fakes/sink.ts'
import { now, range } from './streams.ts'

/** A page of items of which every tenth is of the user that the filter drops. `more`: characters of each item beside its fields. */
function pageOf(count: number, more = 0) {
  const items = Array.from({ length: count }, (_, n) => {
    const value = { log_item_id: `id-${n}`, message: { affected_user: n % 10 === 0 ? 'dropped@acme.example' : 'kept@acme.example' } }
    return { id: value.log_item_id, value, raw: JSON.stringify({ ...value, more: 'x'.repeat(more) }) }
  })
  return { items, requestedAt: now, receivedAt: now }
}

function deliver(sink: MemorySink, page: ReturnType<typeof pageOf>) {
  const filters = compileFilters([
    {
      name: 'one-user',
      action: 'exclude',
      shadow: false,
      conditions: [{ field: 'user', operator: 'equals', values: ['dropped@acme.example'] }],
    },
  ])
  const context = { connector: connector(), vendor: trendmicroCas, filters, stream: 'sharepoint/dlp', apiKeys: new Set<string>() }
  const options = { seen: new SeenItems(''), detail: 'whole', countsLate: false } as const
  return deliverPage({ sink, digest }, context, range('tail', now, now), page, options)
}

it('a page of more items than were asked for is delivered 500 items at a time', async () => {
  const sink = new MemorySink()
  const sizes: number[] = []
  sink.fault = (records) => void sizes.push(records.length)
  const { delivered } = await deliver(sink, pageOf(1_300))
  expect(sizes).toEqual([450, 450, 270])
  expect(delivered.counts).toMatchObject({ pages: 1, fetched: 1_300, delivered: 1_170, filtered: 130, alreadySeen: 0 })
  expect(delivered.newIds).toHaveLength(1_300)
})

it('a page of large items is delivered half a million characters at a time, and an item that is larger alone', async () => {
  const sink = new MemorySink()
  const sizes: number[] = []
  sink.fault = (records) => void sizes.push(records.length)
  const page = pageOf(11, 100_000)
  const { delivered } = await deliver(sink, { ...page, items: page.items.toSpliced(7, 1, pageOf(8, 600_000).items[7]!) })
  expect(sizes).toEqual([4, 2, 1, 2])
  expect(delivered.counts).toMatchObject({ pages: 1, fetched: 11, delivered: 9, filtered: 2 })
})

it('the items of such a page that came before a failure count as delivered, and no other', async () => {
  const sink = new MemorySink()
  let deliveries = 0
  sink.fault = () => (++deliveries === 2 ? { failure: failure('sink-throttled', 'Firehose refused all') } : undefined)
  const { delivered, failure: why } = await deliver(sink, pageOf(1_300))
  expect(why?.code).toBe('sink-throttled')
  expect(deliveries).toBe(2)
  expect(delivered.counts).toMatchObject({ fetched: 500, delivered: 450, filtered: 50 })
  expect(delivered.counts).not.toHaveProperty('pages')
  expect(delivered.newIds).toHaveLength(500)
})

describe('an event that holds an API key of its connector', () => {
  const apiKey = '5f0c7f0e-2b43-4c3b-9a0e-0123456789ab'
  const value = { log_item_id: `of ${apiKey}`, message: { affected_user: `ann ${apiKey}`, file_name: 'a.txt' } }
  const page = { items: [{ id: value.log_item_id, value, raw: JSON.stringify(value) }], requestedAt: now, receivedAt: now }
  const filters = compileFilters([
    {
      name: 'by-key',
      action: 'exclude',
      shadow: true,
      conditions: [{ field: 'user', operator: 'contains', values: [apiKey] }],
    },
    {
      name: 'redacted',
      action: 'exclude',
      shadow: true,
      conditions: [{ field: 'user', operator: 'contains', values: ['[redacted]'] }],
    },
  ])

  async function delivered(apiKeys: readonly string[], seen = new SeenItems('')) {
    const sink = new MemorySink()
    const context = { connector: connector(), vendor: trendmicroCas, filters, stream: 'sharepoint/dlp', apiKeys: new Set(apiKeys) }
    const result = await deliverPage({ sink, digest }, context, range('tail', now, now), page, { seen, detail: 'whole', countsLate: false })
    return { records: sink.records, ...result.delivered }
  }

  it('is delivered without the key, marked, and counted', async () => {
    const { records, counts } = await delivered([apiKey])
    expect(records).toMatchObject([{ user: 'ann [redacted]', file_name: 'a.txt', redacted: true, event_id: 'of [redacted]' }])
    expect(JSON.stringify(records)).not.toContain(apiKey)
    expect(counts).toMatchObject({ delivered: 1, redacted: 1, malformed: 0 })
  })

  it('has the identity that it has for a run that does not know the key', async () => {
    const [known, unknown] = [await delivered([apiKey]), await delivered(['another-key-0123456789'])]
    expect(known.records[0]?.id).toBe(unknown.records[0]?.id)
    expect(known.newIds).toEqual(unknown.newIds)
    expect(unknown.records[0]).not.toHaveProperty('redacted')
    expect(unknown.counts.redacted).toBe(0)
  })

  it('is seen when it comes again', async () => {
    const seen = new SeenItems('')
    for (const { hash, content } of (await delivered(['another-key-0123456789'], seen)).newIds) seen.add(hash, content)
    expect((await delivered([apiKey], seen)).counts).toMatchObject({ delivered: 0, alreadySeen: 1, redacted: 0 })
  })

  it('comes to the log filters without the key', async () => {
    expect((await delivered([apiKey])).counts.byFilter).toEqual({ redacted: 1 })
  })
})
