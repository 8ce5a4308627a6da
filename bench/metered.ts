import { setImmediate as turn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import { FirehoseClient, type PutRecordBatchCommandInput } from '@aws-sdk/client-firehose'
import { type GetSecretValueCommandOutput, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { readResponse } from '../functions/adapters/http/response.ts'
import { digest, keyedDigest } from '../functions/adapters/digest.ts'
import { firehoseSink } from '../functions/adapters/firehose.ts'
import { jsonLog } from '../functions/adapters/log.ts'
import { secretsManager } from '../functions/adapters/secrets.ts'
import { stateTable as stateSchema } from '../functions/adapters/state-table/table-definitions.ts'
import { stateTable } from '../functions/adapters/state-table/state-table.ts'
import type { Clock, MetricValues, Source } from '../functions/domain/ports.ts'
import { type Instant, minute, second } from '../functions/domain/time.ts'
import { acceptConnector, type ConnectorItem, reconcileConnectors } from '../functions/flows/accept-connector.ts'
import { collectConnector } from '../functions/flows/collect/collect-connector.ts'
import { dispatchDue } from '../functions/flows/dispatch-due.ts'
import { measureFleet } from '../functions/flows/measure-fleet.ts'
import { vendors } from '../functions/vendors/index.ts'
import { VendorModel } from '../local/simulator/model.ts'
import type { SimulatorOptions } from '../local/simulator/options.ts'
import { key, policy, start } from '../simulation/world.ts'
import { dynamoClient, startDynalite } from '../test/dynalite.ts'
import { type Billed, capacityMeter } from './capacity.ts'

/** How long an answer takes, on the wire and at the other end (ms). */
const latencyMs = { dynamodb: 5, firehose: 30, secretsManager: 20, sqs: 10, eventBridge: 20, vendor: 500 } as const
/** As long as `collect` may run, less what it keeps for its last writes (ms). */
const runMaxMs = 5 * minute - 10 * second
/** When `dispatch` compares the tables, and how often it measures the fleet, as its entry point says. */
const comparisonMinute = 17
const measureEveryMinutes = 5
const firehoseStepBytes = 5 * 1_024

export type FunctionName = 'collect' | 'dispatch' | 'connectorChanged'

/** What a function has used. */
export class Usage {
  invocations = 0
  /** From the start of each invocation to its end, in virtual time: calls and waits, without the CPU's share. */
  busyMs = 0
  readonly dynamodb: Billed[] = []
  vendorRequests = 0
  secretReads = 0
  messages = 0
  notifications = 0
  logLines = 0
  logBytes = 0
  firehoseCalls = 0
  /** Each record rounded up to the 5 KiB that Firehose bills. */
  firehoseBytes = 0
  lakeBytes = 0
  gzipBytes = 0
  events = 0
}

/**
 * The shipped flows and adapters, on real items, in virtual time: time stands still while a call is under way, and then passes by
 * what `latencyMs` says. The vendor is simulated; Firehose, Secrets Manager, the queue and the bus only count.
 */
export async function startMetered(vendor: SimulatorOptions, options: { readonly dynamodb?: string } = {}) {
  const own = options.dynamodb === undefined ? await startDynalite() : undefined
  const endpoint = options.dynamodb ?? own?.endpoint ?? ''
  const table = 'state'
  const schema: CreateTableCommandInput = stateSchema(table)
  await own?.create(schema)

  const clock = new WorkClock(start)
  const model = new VendorModel(vendor)
  const meter = capacityMeter([schema])
  const items = new Map<string, ConnectorItem>()
  const crashes: unknown[] = []
  let usages = { collect: new Usage(), dispatch: new Usage(), connectorChanged: new Usage() }

  const functions = { collect: portsOf('collect'), dispatch: portsOf('dispatch'), connectorChanged: portsOf('connectorChanged') }

  function portsOf(name: FunctionName) {
    const dynamodb = dynamoClient(endpoint)
    dynamodb.middlewareStack.add((next) => (args) => clock.outside(() => next(args), latencyMs.dynamodb), { step: 'initialize' })
    meter(dynamodb, (billed) => usages[name].dynamodb.push(billed))

    const firehose = new FirehoseClient({ region: 'us-east-1' })
    answered(firehose, latencyMs.firehose, ({ Records = [] }: PutRecordBatchCommandInput) => {
      const usage = usages[name]
      usage.firehoseCalls += 1
      for (const { Data = new Uint8Array() } of Records) {
        usage.firehoseBytes += Math.ceil(Data.byteLength / firehoseStepBytes) * firehoseStepBytes
        usage.lakeBytes += Data.byteLength
        usage.gzipBytes += gzipSync(Data).byteLength
        usage.events += Buffer.from(Data).toString().split('\n').length - 1
      }
      return { FailedPutCount: 0, RequestResponses: [] }
    })
    const secretsClient = new SecretsManagerClient({ region: 'us-east-1' })
    answered(secretsClient, latencyMs.secretsManager, (): Partial<GetSecretValueCommandOutput> => {
      usages[name].secretReads += 1
      return { SecretString: key, CreatedDate: new Date(start) }
    })
    // Whatever client: the answer is made here, a moment later.
    function answered<In>(
      client: { readonly middlewareStack: { add(middleware: unknown, options: object): void } },
      ms: number,
      answer: (input: In) => object,
    ): void {
      const middleware =
        () =>
        async ({ input }: { readonly input: In }) => {
          await clock.sleepUntil(clock.now() + ms)
          return { output: { $metadata: {}, ...answer(input) }, response: {} }
        }
      client.middlewareStack.add(middleware, { step: 'initialize' })
    }

    const write = (line: string) => {
      usages[name].logLines += 1
      usages[name].logBytes += Buffer.byteLength(line) + 1
    }
    const { log, addRedaction } = jsonLog({ clock, write })
    let number = 0
    return {
      clock,
      state: stateTable({ client: dynamodb, table, now: () => clock.now() }),
      secrets: secretsManager({ client: secretsClient, clock, addRedaction }),
      sink: firehoseSink({ client: firehose, deliveryStream: 'lake', clock }),
      source: sourceOf(name),
      queue: {
        async send(connectorId: string, delaySeconds: number) {
          usages[name].messages += 1
          await clock.sleepUntil(clock.now() + latencyMs.sqs)
          void collectLater(connectorId, delaySeconds * second)
        },
      },
      bus: {
        async put(notifications: readonly unknown[]) {
          usages[name].notifications += notifications.length
          await clock.sleepUntil(clock.now() + latencyMs.eventBridge)
        },
      },
      publish: (published: MetricValues) => write(metricLine(published)),
      log,
      digest,
      keyedDigest,
      vendors,
      random: () => 0.5,
      newFingerprintKey: () => '00'.repeat(32),
      process: `${name}-environment-0123456789abcdef`,
      nextNumber: () => {
        number += 1
        return number
      },
      stop: new AbortController().signal,
    }
  }

  function sourceOf(name: FunctionName): Source {
    return {
      async fetch({ url }, apiKey) {
        usages[name].vendorRequests += 1
        const { pathname, search, origin } = new URL(url)
        const request = { path: pathname, query: search, authorization: `Bearer ${apiKey}`, origin }
        await clock.sleepUntil(clock.now() + latencyMs.vendor / 2)
        const { status, headers, body } = model.respond(request, clock.now())
        await clock.sleepUntil(clock.now() + latencyMs.vendor / 2)
        return readResponse(status, headers, body, clock.now(), { apiKey })
      },
    }
  }

  async function invoke(name: FunctionName, work: () => Promise<unknown>): Promise<void> {
    const from = clock.now()
    try {
      await work()
    } catch (error) {
      crashes.push(error)
    }
    usages[name].invocations += 1
    usages[name].busyMs += clock.now() - from
  }

  async function collectLater(connectorId: string, delayMs: number): Promise<void> {
    await clock.sleepUntil(clock.now() + delayMs)
    await invoke('collect', () => collectConnector(functions.collect, connectorId, clock.now() + runMaxMs))
  }

  async function tick(): Promise<never> {
    for (;;) {
      const at = clock.now()
      await invoke('dispatch', async () => {
        await dispatchDue(functions.dispatch)
        const minutes = new Date(at).getUTCMinutes()
        if (minutes === comparisonMinute) await reconcileConnectors(functions.dispatch, policy, listed())
        if (minutes % measureEveryMinutes === 0) await measureFleet(functions.dispatch)
      })
      await clock.sleepUntil(at + minute)
    }
  }

  async function* listed() {
    yield* items.values()
  }

  void tick()
  return {
    /** An item of the connectors table, and the record of its stream. */
    async put(item: ConnectorItem): Promise<void> {
      const connectorId = String(item['connectorId'])
      items.set(connectorId, item)
      void invoke('connectorChanged', () => acceptConnector(functions.connectorChanged, policy, connectorId, item))
      await clock.run(clock.now())
    },
    /** Throws what a function threw. */
    async run(forMs: number): Promise<void> {
      await clock.run(clock.now() + forMs)
      if (crashes.length > 0) throw crashes[0]
    },
    /** What was used since it was last asked. */
    take() {
      const taken = usages
      usages = { collect: new Usage(), dispatch: new Usage(), connectorChanged: new Usage() }
      return taken
    },
    async close() {
      await own?.close()
    },
  }
}

/** As long as the line in embedded metric format that says it. */
function metricLine(published: MetricValues): string {
  const { values, ...dimensions } = published
  const Metrics = Object.keys(values).map((Name) => ({ Name, Unit: 'Milliseconds' }))
  const directive = { Namespace: 'Tributary', Dimensions: [Object.keys(dimensions)], Metrics }
  return JSON.stringify({ _aws: { Timestamp: start, CloudWatchMetrics: [directive] }, ...dimensions, ...values })
}

/** Virtual time that stands still while work outside it (a socket) is under way. */
class WorkClock implements Clock {
  #now: Instant
  #outside = 0
  #sleepers: { readonly at: Instant; readonly wake: () => void }[] = []

  constructor(now: Instant) {
    this.#now = now
  }

  now(): Instant {
    return this.#now
  }

  sleepUntil(at: Instant): Promise<void> {
    if (at <= this.#now) return Promise.resolve()
    return new Promise((wake) => {
      const after = this.#sleepers.findIndex((sleeper) => sleeper.at > at)
      this.#sleepers.splice(after === -1 ? this.#sleepers.length : after, 0, { at, wake })
    })
  }

  /** Work that takes real time, and `ms` of virtual time. */
  async outside<T>(work: () => Promise<T>, ms: number): Promise<T> {
    this.#outside += 1
    try {
      return await work()
    } finally {
      this.#outside -= 1
      await this.sleepUntil(this.#now + ms)
    }
  }

  async run(until: Instant): Promise<void> {
    for (;;) {
      do await turn()
      while (this.#outside > 0)
      const next = this.#sleepers[0]
      if (next === undefined || next.at > until) break
      this.#sleepers.shift()
      this.#now = next.at
      next.wake()
    }
    this.#now = until
  }
}
