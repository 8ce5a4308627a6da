import { PutRecordBatchCommand } from '@aws-sdk/client-firehose'

/**
 * The SDK's `PutRecordBatch`, but its body is written here, in one buffer of the right size. The SDK encodes base64 byte by byte in
 * JavaScript, into a buffer that it doubles again and again. Endpoint, headers, signature and retries stay with the SDK.
 */
export function putRecords(deliveryStream: string, records: readonly Buffer[]): PutRecordBatchCommand {
  const command = new PutRecordBatchCommand({ DeliveryStreamName: deliveryStream, Records: records.map((Data) => ({ Data })) })
  const { middlewareStack } = command
  // Before the SDK's serializer: it gets nothing to write.
  middlewareStack.add((next) => (args) => next({ ...args, input: { ...args.input, Records: [] } }), { step: 'serialize', priority: 'high' })
  // After it. Later steps read the length of the body, and sign it.
  middlewareStack.add((next) => (args) => next({ ...args, request: withBody(args.request, bodyOf(deliveryStream, records)) }), {
    step: 'serialize',
    priority: 'low',
  })
  return command
}

/** Throws if the SDK has made no request: a body without records would be taken as delivered. */
function withBody(request: unknown, body: Buffer): object {
  if (typeof request !== 'object' || request === null || !('body' in request)) throw new Error('The SDK made no request with a body')
  request.body = body
  return request
}

/** Encoded at a time, so that no long text is made (bytes). A multiple of 3, so that the parts join without padding. */
const partBytes = 24 * 1024

/** The body as the SDK writes it, in JSON with the data in base64. */
function bodyOf(deliveryStream: string, records: readonly Buffer[]): Buffer {
  const begin = `{"DeliveryStreamName":${JSON.stringify(deliveryStream)},"Records":[`
  const bytes = records.reduce((sum, { length }) => sum + 4 * Math.ceil(length / 3) + '{"Data":""},'.length, Buffer.byteLength(begin) + 2)
  const body = Buffer.allocUnsafe(bytes)
  let at = body.write(begin)
  for (const [index, data] of records.entries()) {
    at += body.write(index === 0 ? '{"Data":"' : ',{"Data":"', at, 'latin1')
    for (let from = 0; from < data.length; from += partBytes)
      at += body.write(data.toString('base64', from, from + partBytes), at, 'latin1')
    at += body.write('"}', at, 'latin1')
  }
  at += body.write(']}', at, 'latin1')
  return body.subarray(0, at)
}
