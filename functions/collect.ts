import './runtime/heap.ts'
import type { SQSEvent } from 'aws-lambda'
import * as z from 'zod/mini'
import { pipelineTable } from './adapters/state-table/pipeline-table.ts'
import { environments, parseEnvironment } from './env.ts'
import { collectConnector } from './flows/collect/collect-connector.ts'
import { wireDelivery } from './runtime/delivery.ts'
import { lambda } from './runtime/lambda.ts'
import { wireCore } from './runtime/wiring.ts'

const env = parseEnvironment(environments.collect, process.env)
const { ports } = wireCore(env, pipelineTable)
const { clock } = ports
const { source, sink } = wireDelivery(env, ports)

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
