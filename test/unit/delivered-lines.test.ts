import { hash } from 'node:crypto'
import { FirehoseClient } from '@aws-sdk/client-firehose'
import { expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { firehoseSink } from '../../functions/adapters/firehose/sink.ts'
import { readResponse } from '../../functions/adapters/http/response.ts'
import { compileFilters } from '../../functions/domain/connector/log-filters.ts'
import { SeenItems } from '../../functions/domain/stream/seen-ids.ts'
import { hour } from '../../functions/domain/time.ts'
import { deliverPage, parsePage } from '../../functions/flows/collect/deliver-page.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'
import { streamNames } from '../../local/simulator/catalogue.ts'
import { VendorModel } from '../../local/simulator/model.ts'
import { connector } from '../../simulation/fakes/connector.ts'
import { noon, range as query, readAll } from '../local/simulator-client.ts'
import { fuzzedItems } from './fuzzed-items.ts'
import { now, range } from './streams.ts'
import { documented, mail, message } from './trendmicro-cas-samples.ts'

/**
 * The lake must have the same bytes for the same events, whatever makes them faster. The digests are of the lines of release 0.4.0. A change
 * that alters lines on purpose writes new ones here.
 */

/** Firehose, which keeps the bytes of each request. */
function firehose() {
  const lines: Buffer[] = []
  const client = new FirehoseClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    requestHandler: {
      async handle({ body }: { readonly body: string | Uint8Array }) {
        const { Records } = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)) as {
          readonly Records: readonly { readonly Data: string }[]
        }
        lines.push(...Records.map(({ Data }) => Buffer.from(Data, 'base64')))
        const taken = { FailedPutCount: 0, RequestResponses: Records.map(() => ({ RecordId: 'taken' })) }
        return { response: { statusCode: 200, headers: {}, body: Buffer.from(JSON.stringify(taken)) } }
      },
    },
  })
  return { client, lines }
}

/** Delivers pages as a run does, and returns the number of their lines, their bytes and their SHA-256. */
async function deliver(stream: string, bodies: readonly (string | Buffer)[], apiKeys: readonly string[] = []) {
  const { client, lines } = firehose()
  const clock = { now: () => now, sleepUntil: async () => {} }
  const sink = firehoseSink({ client, deliveryStream: 'lake', clock })
  const context = { connector: connector(), vendor: trendmicroCas, filters: compileFilters([]), stream, apiKeys: new Set(apiKeys) }
  for (const body of bodies) {
    const response = readResponse(200, { 'content-type': 'application/json' }, body, noon)
    const page = response.ok ? parsePage(trendmicroCas, response.value, noon) : response
    if (!page.ok) throw new Error(page.failure.detail)
    const options = { seen: new SeenItems(''), detail: 'whole', countsLate: false } as const
    const { failure } = await deliverPage({ sink, digest }, context, range('tail', now, now), page.value, options)
    expect(failure).toBeUndefined()
  }
  const bytes = Buffer.concat(lines)
  return { lines: bytes.toString().split('\n').length - 1, bytes: bytes.length, sha256: hash('sha256', bytes) }
}

function pageOf(items: readonly string[]): string {
  return `{"next_link":"","security_events":[${items.join(', ')}]}`
}

it('the lines of a simulated vendor stay the same, byte for byte', async () => {
  const model = new VendorModel({ requestsPerMinute: 0, eventsPerHour: 60, malformedItemRate: 0.02 })
  const delivered = []
  for (const stream of streamNames) {
    const [service = '', event = ''] = stream.split('/')
    const pages = readAll(model, noon, query(noon - hour, noon, { service, event }))
    delivered.push(
      await deliver(
        stream,
        pages.map((page) => JSON.stringify(page)),
      ),
    )
  }
  expect(hash('sha256', JSON.stringify(delivered))).toMatchInlineSnapshot(
    `"a1d0eb15f5a4272f2586f7884bd3fee73c298ffa291e52c044ceab926f979a5f"`,
  )
})

it('the lines of the documented items stay the same, byte for byte', async () => {
  const items = [documented, mail, { message }, null, 7, 'CEF:0|', [], {}, { log_item_id: 'x', message: 'text' }]
  expect(await deliver('exchange/securityrisk', [pageOf(items.map((item) => JSON.stringify(item)))])).toMatchInlineSnapshot(`
    {
      "bytes": 13897,
      "lines": 9,
      "sha256": "5f798df22614acdd868e4d41d0bb1531c390dc81889295c3b7ce6409d4b23f31",
    }
  `)
})

it('the lines of items that nobody documents stay the same, byte for byte', async () => {
  const pages = Array.from({ length: 20 }, (_, seed) => pageOf(fuzzedItems(seed, 100)))
  expect(await deliver('gmail/dlp', pages, ['0123456789abcdef'])).toMatchInlineSnapshot(`
    {
      "bytes": 5561599,
      "lines": 1997,
      "sha256": "6d3befc5b5db89c4889926af2f8ea18d5e5df308f5bd3c2f48cf6304a557f69f",
    }
  `)
})

it('the lines of bytes that are not of the charset stay the same, byte for byte', async () => {
  const text = pageOf(fuzzedItems(99, 50))
  const body = Buffer.concat([
    Buffer.from(text.slice(0, -2)),
    Buffer.from(', {"message":{"file_name":"'),
    Buffer.from([0xff, 0xe3, 0x81]),
    Buffer.from('"}}]}'),
  ])
  expect(await deliver('teams/virtualanalyzer', [body])).toMatchInlineSnapshot(`
    {
      "bytes": 153313,
      "lines": 51,
      "sha256": "ec5e614b30d7051fd33ddd986b4c1dd8df12e896e8d3ff2c146afaf38ce9872e",
    }
  `)
})

it('the lines of items that are larger than a record stay the same, byte for byte', async () => {
  const large = [...'a"é予'].map((character) =>
    JSON.stringify({ log_item_id: character, message: { file_name: character.repeat(500_000) } }),
  )
  expect(await deliver('box/ransomware', [pageOf(large)])).toMatchInlineSnapshot(`
    {
      "bytes": 32932,
      "lines": 4,
      "sha256": "5c7e17e1a701b2e44c682cf9c22b3478f4f809772d4c1bcc1ffe004836726433",
    }
  `)
})
