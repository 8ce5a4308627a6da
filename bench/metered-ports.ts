import { gzipSync } from 'node:zlib'
import { FirehoseClient, type PutRecordBatchCommandInput } from '@aws-sdk/client-firehose'
import { type GetSecretValueCommandOutput, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { digest, keyedDigest } from '../functions/adapters/digest.ts'
import { firehoseSink } from '../functions/adapters/firehose/sink.ts'
import { readResponse } from '../functions/adapters/http/response.ts'
import { jsonLog } from '../functions/adapters/log.ts'
import { secretsManager } from '../functions/adapters/secrets.ts'
import { stateTable } from '../functions/adapters/state-table/state-table.ts'
import type { MetricValues, Source } from '../functions/domain/ports.ts'
import { second } from '../functions/domain/time.ts'
import { VendorClocks } from '../functions/domain/vendor-clock.ts'
import { vendors } from '../functions/vendors/index.ts'
import type { VendorModel } from '../local/simulator/model.ts'
import { key, start } from '../simulation/world.ts'
import { dynamoClient } from '../test/dynalite.ts'
import type { Billed, capacityMeter } from './capacity.ts'
import type { WorkClock } from './work-clock.ts'

/** The duration of each call, on the wire and at the other end (ms). */
const latencyMs = { dynamodb: 5, firehose: 30, secretsManager: 20, sqs: 10, eventBridge: 20, vendor: 500 } as const
/** Firehose bills each record in steps of 5 KiB. */
const firehoseStepBytes = 5 * 1_024

/** The resources that a function has used. */
export interface Usage {
  invocations: number
  /** The sum of all invocations from start to end, in virtual time: calls and waits, without CPU time. */
  busyMs: number
  readonly dynamodb: Billed[]
  vendorRequests: number
  secretReads: number
  messages: number
  notifications: number
  logLines: number
  logBytes: number
  firehoseCalls: number
  /** Each record is rounded up to a step. */
  firehoseBytes: number
  lakeBytes: number
  gzipBytes: number
  events: number
}

export function newUsage(): Usage {
  return {
    invocations: 0,
    busyMs: 0,
    dynamodb: [],
    vendorRequests: 0,
    secretReads: 0,
    messages: 0,
    notifications: 0,
    logLines: 0,
    logBytes: 0,
    firehoseCalls: 0,
    firehoseBytes: 0,
    lakeBytes: 0,
    gzipBytes: 0,
    events: 0,
  }
}

export interface MeteredWorld {
  readonly clock: WorkClock
  readonly model: VendorModel
  readonly meter: ReturnType<typeof capacityMeter>
  readonly endpoint: string
  readonly table: string
}

export interface MeteredFunction {
  readonly name: string
  /** Returns the usage that counts now. */
  readonly usage: () => Usage
  /** Runs `collect` later, as a message in the queue does. */
  readonly collectLater: (connectorId: string, delayMs: number) => Promise<void>
}

/** Makes the ports of one function: the shipped adapters where a call has a price by its content, and counters for the others. */
export function meteredPorts(world: MeteredWorld, { name, usage, collectLater }: MeteredFunction) {
  const { clock, model, meter, endpoint, table } = world
  const dynamodb = dynamoClient(endpoint)
  dynamodb.middlewareStack.add((next) => (args) => clock.outside(() => next(args), latencyMs.dynamodb), { step: 'initialize' })
  meter(dynamodb, (billed) => usage().dynamodb.push(billed))
  const write = (line: string) => {
    usage().logLines += 1
    usage().logBytes += Buffer.byteLength(line) + 1
  }
  const { log, addRedaction } = jsonLog({ clock, write })
  let number = 0
  return {
    clock,
    state: stateTable({ client: dynamodb, table, now: () => clock.now() }),
    secrets: secretsManager({ client: countingSecrets(clock, usage), clock, addRedaction }),
    sink: firehoseSink({ client: countingFirehose(clock, usage), deliveryStream: 'lake', clock }),
    source: simulatedSource(clock, model, usage),
    queue: {
      async send(connectorId: string, delaySeconds: number) {
        usage().messages += 1
        await clock.sleepUntil(clock.now() + latencyMs.sqs)
        void collectLater(connectorId, delaySeconds * second)
      },
    },
    bus: {
      async put(notifications: readonly unknown[]) {
        usage().notifications += notifications.length
        await clock.sleepUntil(clock.now() + latencyMs.eventBridge)
      },
    },
    publish: (published: MetricValues) => write(metricLine(published)),
    log,
    digest,
    sharedRateGroups: [],
    secretsBoundToOrigin: true,
    keyedDigest,
    vendors,
    random: () => 0.5,
    vendorClocks: new VendorClocks(),
    ownClock: { errorMs: () => 0 },
    clockSteps: () => 0,
    newFingerprintKey: () => '00'.repeat(32),
    process: `${name}-environment-0123456789abcdef`,
    nextNumber: () => {
      number += 1
      return number
    },
    stop: new AbortController().signal,
  }
}

function countingFirehose(clock: WorkClock, usage: () => Usage): FirehoseClient {
  const client = new FirehoseClient({ region: 'us-east-1' })
  respondLocally(client, clock, latencyMs.firehose, ({ Records = [] }: PutRecordBatchCommandInput) => {
    const used = usage()
    used.firehoseCalls += 1
    for (const { Data = new Uint8Array() } of Records) {
      used.firehoseBytes += Math.ceil(Data.byteLength / firehoseStepBytes) * firehoseStepBytes
      used.lakeBytes += Data.byteLength
      used.gzipBytes += gzipSync(Data).byteLength
      used.events += Buffer.from(Data).toString().split('\n').length - 1
    }
    return { FailedPutCount: 0, RequestResponses: [] }
  })
  return client
}

function countingSecrets(clock: WorkClock, usage: () => Usage): SecretsManagerClient {
  const client = new SecretsManagerClient({ region: 'us-east-1' })
  respondLocally(client, clock, latencyMs.secretsManager, (): Partial<GetSecretValueCommandOutput> => {
    usage().secretReads += 1
    return { SecretString: key, CreatedDate: new Date(start) }
  })
  return client
}

/** Makes a client of the SDK return `respond(input)` after `ms` of virtual time, without sending anything. */
function respondLocally<In>(
  client: { readonly middlewareStack: { add(middleware: unknown, options: object): void } },
  clock: WorkClock,
  ms: number,
  respond: (input: In) => object,
): void {
  const middleware =
    () =>
    async ({ input }: { readonly input: In }) => {
      await clock.sleepUntil(clock.now() + ms)
      return { output: { $metadata: {}, ...respond(input) }, response: {} }
    }
  client.middlewareStack.add(middleware, { step: 'initialize' })
}

function simulatedSource(clock: WorkClock, model: VendorModel, usage: () => Usage): Source {
  return {
    async fetch({ url }, apiKey) {
      usage().vendorRequests += 1
      const { pathname, search, origin } = new URL(url)
      const request = { path: pathname, query: search, authorization: `Bearer ${apiKey}`, origin }
      await clock.sleepUntil(clock.now() + latencyMs.vendor / 2)
      const { status, headers, body } = model.respond(request, clock.now())
      await clock.sleepUntil(clock.now() + latencyMs.vendor / 2)
      return readResponse(status, headers, body, clock.now())
    },
  }
}

/** Makes a line as long as the one in embedded metric format that the function would log. */
function metricLine(published: MetricValues): string {
  const { values, ...dimensions } = published
  const Metrics = Object.keys(values).map((Name) => ({ Name, Unit: 'Milliseconds' }))
  const directive = { Namespace: 'Tributary', Dimensions: [Object.keys(dimensions)], Metrics }
  return JSON.stringify({ _aws: { Timestamp: start, CloudWatchMetrics: [directive] }, ...dimensions, ...values })
}
