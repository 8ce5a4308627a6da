import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { putRecords } from '../../functions/adapters/firehose/put-records.ts'

/** The requests that a client sends over the wire. */
async function sent(command: PutRecordBatchCommand, answers = [200]) {
  const requests: { readonly headers: Readonly<Record<string, string>>; readonly body: string }[] = []
  const client = new FirehoseClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    requestHandler: {
      async handle({ headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string | Uint8Array }) {
        requests.push({ headers, body: typeof body === 'string' ? body : new TextDecoder().decode(body) })
        const statusCode = answers[requests.length - 1] ?? 200
        return { response: { statusCode, headers: {}, body: Buffer.from('{"FailedPutCount":0,"RequestResponses":[]}') } }
      },
    },
  })
  await client.send(command)
  return requests
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 50 }),
  fc.integer({ min: 24 * 1024 - 4, max: 50 * 1024 }).map((length) => new Uint8Array(length).fill(length)),
)

it('the request of any records is the one that the SDK would write, with its length and its hash signed', () => {
  return fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 5 }), fc.string(), async (all, stream) => {
      const records = all.map((each) => Buffer.from(each))
      const [own] = await sent(putRecords(stream, records))
      const [sdks] = await sent(new PutRecordBatchCommand({ DeliveryStreamName: stream, Records: records.map((Data) => ({ Data })) }))
      expect(JSON.parse(own!.body)).toEqual(JSON.parse(sdks!.body))
      for (const name of ['content-length', 'content-type', 'x-amz-target', 'host'])
        expect(Number(own!.headers[name]) || own!.headers[name]).toEqual(Number(sdks!.headers[name]) || sdks!.headers[name])
      expect(Number(own!.headers['content-length'])).toBe(Buffer.byteLength(own!.body))
      expect(own!.headers['authorization']).toMatch(/^AWS4-HMAC-SHA256 /)
    }),
    { numRuns: 40 },
  )
})

it('a request that is sent again has the same body', async () => {
  const [first, second] = await sent(putRecords('lake', [Buffer.from('a line\n')]), [500, 200])
  expect(JSON.parse(first!.body)).toEqual({ DeliveryStreamName: 'lake', Records: [{ Data: 'YSBsaW5lCg==' }] })
  expect(second!.body).toBe(first!.body)
})
