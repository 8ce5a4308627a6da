import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { serialise, toRecord } from '../../functions/domain/record/record.ts'
import { identityOf, recordId } from '../../functions/domain/record/record-id.ts'
import { recordSchema } from '../../functions/domain/record/record-schema.ts'
import { rfc5424 } from '../../functions/domain/record/syslog.ts'
import { lakeFields } from '../../functions/vendors/index.ts'
import { itemFields, messageFields } from '../../functions/vendors/trendmicro-cas/fields.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'

const digest = (text: string) => createHash('sha256').update(text).digest('hex')
const connector = { connectorId: 'c1', name: 'tenant-cas', tenantName: 'tenant', baseUrl: 'https://api.tmcas.trendmicro.com' }
const receivedAt = 1_595_199_090_000
const schema = recordSchema(lakeFields)

const wildText = fc.string({
  unit: fc.oneof(fc.constantFrom('\ud800', '\udc00', '\u0000', '\n', '\u2028', '|', '=', '\\'), fc.string({ minLength: 1, maxLength: 1 })),
})
const anyJson = fc.jsonValue({ maxDepth: 3 })
const anyTime = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  wildText,
  anyJson,
)

/** An item with the documented fields, each of any type or of the documented one. */
const anyItem = fc.record(
  {
    ...Object.fromEntries(Object.keys(itemFields).map((name) => [name, fc.oneof(wildText, anyJson)])),
    message: fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record(
          Object.fromEntries(
            Object.entries(messageFields).map(([name, { type }]) => [
              name,
              type === 'bigint' ? anyTime : fc.oneof(wildText, fc.array(wildText), anyJson),
            ]),
          ),
          { requiredKeys: [] },
        ),
      },
      { weight: 1, arbitrary: anyJson },
    ),
  },
  { requiredKeys: [] },
)

it('any JSON value becomes a record that the validator accepts, with the value in raw', () => {
  return fc.assert(
    fc.property(fc.oneof(anyItem, anyJson), fc.constantFrom('sharepoint/dlp', 'gmail/virtualanalyzer'), (value, stream) => {
      const raw = JSON.parse(JSON.stringify(value)) as unknown
      const page = trendmicroCas.parsePage({
        body: { security_events: [raw] },
        text: JSON.stringify({ security_events: [raw] }),
        receivedAt,
      })
      const item = page.ok ? page.value.items[0]! : undefined
      const body = trendmicroCas.normalise(item!, { stream, receivedAt })
      const identity = identityOf(item!, digest, new Set())
      const id = recordId(digest, connector.connectorId, stream, identity)
      const record = toRecord(body, { id, eventId: identity.vendorId, ingestedAt: receivedAt, ingestMode: 'backfill', connector })
      expect(schema.safeParse(record).error).toBeUndefined()
      const line = serialise(record)
      expect(line.isWellFormed()).toBe(true)
      expect(line).not.toContain('\n')
      expect(Buffer.from(line).toString()).toBe(line)
      expect(JSON.parse((JSON.parse(line) as { raw: string }).raw)).toEqual(raw)
      expect(rfc5424(record)).toMatch(/^<\d+>1 \d{4}-\d\d-\d\dT\S+Z api\.tmcas\.trendmicro\.com trendmicro_cas - [a-z]+ - /)
    }),
    { numRuns: 500 },
  )
})

it('any body becomes a page or a failure, never an exception', () => {
  const body = fc.oneof(
    anyJson,
    fc.record(
      { security_events: fc.oneof(fc.array(anyItem), anyJson), next_link: anyJson, traceId: anyJson, code: anyJson, msg: anyJson },
      { requiredKeys: [] },
    ),
  )
  return fc.assert(
    fc.property(body, (received) => {
      const page = trendmicroCas.parsePage({ body: received, text: JSON.stringify(received), receivedAt, traceId: 'sent' })
      if (page.ok)
        expect(page.value.items.map(({ value }) => value)).toEqual(
          (received as { security_events: unknown[] | null }).security_events ?? [],
        )
      else expect(page.failure).toMatchObject({ code: 'malformed-response', traceId: expect.any(String) })
    }),
    { numRuns: 500 },
  )
})
