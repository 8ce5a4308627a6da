import { randomUUID } from 'node:crypto'
import { FirehoseClient } from '@aws-sdk/client-firehose'
import type { SQSEvent } from 'aws-lambda'
import * as z from 'zod/mini'
import { firehoseSink } from './adapters/firehose.ts'
import { httpSource } from './adapters/http/http-source.ts'
import { environments, parseEnvironment } from './env.ts'
import { collectConnector } from './flows/collect/collect-connector.ts'
import { awsClient } from './runtime/aws-client.ts'
import { lambda } from './runtime/lambda.ts'
import { wireCore } from './runtime/wiring.ts'

const env = parseEnvironment(environments.collect, process.env)
const { ports } = wireCore(env)
const { clock } = ports
const source = httpSource({
  allowedHosts: env.ALLOWED_HOSTS,
  vendorHosts: (type) => ports.vendors.get(type)?.hosts ?? [],
  proxy: env.HTTPS_PROXY === undefined ? undefined : { url: env.HTTPS_PROXY, exceptions: env.NO_PROXY },
  tlsVerificationOptional: env.TLS_VERIFICATION_OPTIONAL,
  bodyBytesMax: env.RESPONSE_BYTES_MAX,
  clock,
  newTraceId: randomUUID,
})
const sink = firehoseSink({ client: new FirehoseClient(awsClient), deliveryStream: env.DELIVERY_STREAM, clock })

const message = z.object({ connectorId: z.string().check(z.minLength(1)), claim: z.optional(z.number()) })
/** The time that a run leaves for its last checkpoint and its status before Lambda stops the function (ms). */
const spareMs = 10_000

/** Runs one connector for each work message. */
export const handler = lambda('collect', ports.log, async (event: SQSEvent, context) => {
  const deadline = clock.now() + context.getRemainingTimeInMillis() - spareMs
  for (const { body, attributes } of event.Records) {
    const { connectorId, claim } = message.parse(JSON.parse(body))
    // The claim of a message whose run failed is gone. It runs again all the same, so that what always fails becomes a dead letter.
    const isAgain = Number(attributes.ApproximateReceiveCount) > 1
    await collectConnector({ ...ports, source, sink }, connectorId, deadline, isAgain ? undefined : claim)
  }
})
