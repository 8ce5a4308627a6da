import { randomUUID } from 'node:crypto'
import { FirehoseClient } from '@aws-sdk/client-firehose'
import type * as z from 'zod/mini'
import { firehoseCheck, firehoseSink } from '../adapters/firehose/sink.ts'
import { httpSource } from '../adapters/http/http-source.ts'
import type { Clock } from '../domain/ports.ts'
import type { Vendor } from '../domain/vendor.ts'
import type { environments } from '../env.ts'
import { awsClient } from './aws-client.ts'

/** Makes the ways to the vendors and to the lake. */
export function wireDelivery(
  env: z.output<typeof environments.collect>,
  { clock, vendors }: { readonly clock: Clock; readonly vendors: ReadonlyMap<string, Vendor> },
) {
  const firehose = new FirehoseClient(awsClient)
  const source = httpSource({
    allowedHosts: env.ALLOWED_HOSTS,
    vendorHosts: (type) => vendors.get(type)?.hosts ?? [],
    proxy: env.HTTPS_PROXY === undefined ? undefined : { url: env.HTTPS_PROXY, exceptions: env.NO_PROXY },
    tlsVerificationOptional: env.TLS_VERIFICATION_OPTIONAL,
    bodyBytesMax: env.RESPONSE_BYTES_MAX,
    clock,
    newTraceId: randomUUID,
  })
  const stream = { client: firehose, deliveryStream: env.DELIVERY_STREAM, clock }
  return { firehose, source, sink: firehoseSink(stream), lakeCheck: firehoseCheck(stream) }
}
