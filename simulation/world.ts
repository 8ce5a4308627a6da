import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import type { FirehoseClient } from '@aws-sdk/client-firehose'
import { eventBridgeBus } from '../functions/adapters/bus.ts'
import { digest, keyedDigest } from '../functions/adapters/digest.ts'
import { firehoseCheck, firehoseSink } from '../functions/adapters/firehose/sink.ts'
import { acceptedKey, connectorOfPk, streamPrefix } from '../functions/adapters/state-table/item-keys.ts'
import { type StateTable, stateTable } from '../functions/adapters/state-table/state-table.ts'
import type { Bus, Delivery, LakeCheck, LogEntry, MetricValues, Queue, Secrets, Sink } from '../functions/domain/ports.ts'
import type { LakeRecord } from '../functions/domain/record/record.ts'
import type { StreamState } from '../functions/domain/stream/stream.ts'
import { hour, type Instant, minute, second } from '../functions/domain/time.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import { acceptConnector } from '../functions/flows/accept-connector.ts'
import { collectConnector } from '../functions/flows/collect/collect-connector.ts'
import { compareTables } from '../functions/flows/compare-tables.ts'
import { dispatchDue } from '../functions/flows/dispatch-due.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import { measureFleet } from '../functions/flows/measure-fleet.ts'
import { retireConnector } from '../functions/flows/retire-connector.ts'
import { trendmicroCas } from '../functions/vendors/trendmicro-cas/index.ts'
import type { StreamName } from '../local/simulator/catalogue.ts'
import { type SimulatedRequest, type SimulatedResponse, VendorModel } from '../local/simulator/model.ts'
import { type Random, randomFrom, unit } from '../local/simulator/random.ts'
import { brief, callText, intercepted, resultText } from './effects.ts'
import { MemoryBus } from './fakes/bus.ts'
import { VirtualClock } from './fakes/clock.ts'
import { MemoryConnectors } from './fakes/connectors.ts'
import { MemoryDynamoDb } from './fakes/dynamodb.ts'
import { type BatchFault, MemoryFirehose } from './fakes/firehose.ts'
import { LakeOfIds } from './fakes/lake.ts'
import { MemorySecrets } from './fakes/secrets.ts'
import { type WorkMessage, WorkQueue } from './fakes/work-queue.ts'
import type { FaultKind } from './faults.ts'
import { Invocations } from './invocations.ts'
import { key as keyInEvents, withKeyInEvents } from './key-in-events.ts'
import { Process } from './process.ts'
import { withPagesOf } from './vendor-pages.ts'
import { Wire } from './wire.ts'
import { type WorldOptions, worldDefaults } from './world-options.ts'

export const start: Instant = Date.UTC(2026, 10, 24, 12)
export const key = keyInEvents
export const secretName = 'tributary/acme/simulated'
/** Secret name → API key. The second is for connectors with a pool of keys. */
export const secrets = { [secretName]: key, 'tributary/acme/simulated-second': 'simulated-second-key-0123456789abcdef' } as const
/** The same key as the first, in a secret of another tenant. */
export const secretNameOfGlobex = 'tributary/globex/simulated'
/** The secret of each further connector. Both tenants have the same key there. */
export function secretNameOf(index: number, tenant: 'acme' | 'globex' = 'acme'): string {
  return `tributary/${tenant}/simulated-${index}`
}
export const policy = { secretPrefix: 'tributary/', allowedHosts: [], tlsVerificationOptional: true }
/** The deadline of a run (ms). */
const runMaxMs = 5 * minute
/** The function `collect` is timed out this long after the deadline of its run (ms). */
const spareMs = 10 * second
/** DynamoDB deletes an expired item so much later (ms). */
const expiredKeptMs = 6 * hour
/** The stream of the connectors table gives a record to a process this often at most (count). */
const changeTriesMax = 20

/** A response of the vendor that no option of the simulator gives. */
interface InsteadOfTheModel {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** The history of a world up to now. */
interface WorldRecord {
  readonly metrics: (MetricValues & { readonly at: Instant })[]
  readonly log: LogEntry[]
  /** Runs that threw. */
  readonly crashes: unknown[]
  /** Faults that happened, by kind. */
  readonly faults: Map<FaultKind, number>
  /** Runs that began. */
  runs: number
}

interface Setup {
  readonly options: WorldOptions & typeof worldDefaults
  readonly vendors: ReadonlyMap<string, Vendor>
  readonly dynamodb: MemoryDynamoDb
  readonly sink: Sink
  readonly lakeCheck: LakeCheck
  readonly bus: Bus
  readonly processes: readonly Process[]
  readonly queue: Queue
  readonly connectors: MemoryConnectors
  readonly invocations: Invocations
  readonly wire: Wire
  readonly random: Random
  readonly written: Set<string>
}

/** A deployment in virtual time: the real flows, the simulated vendor, everything else in memory. */
export class World {
  readonly clock = new VirtualClock(start)
  /** The adapter over the table in memory. Each call of the client is an effect of the invocation that makes it. */
  readonly state: StateTable
  readonly lake = new LakeOfIds()
  readonly secrets = new MemorySecrets({ ...secrets, [secretNameOfGlobex]: key })
  readonly bus = new MemoryBus()
  readonly model: VendorModel
  readonly record: WorldRecord = { metrics: [], log: [], crashes: [], faults: new Map(), runs: 0 }
  private readonly setup: Setup

  constructor(given: WorldOptions = {}) {
    const options = { ...worldDefaults, ...given }
    const { vendor, pageItems, clocksOffMs, seed } = options
    this.model = new VendorModel(vendor)
    const dynamodb = new MemoryDynamoDb()
    this.state = this.stateOver(dynamodb)
    this.setup = {
      options,
      vendors: new Map([[trendmicroCas.type, withPagesOf(pageItems)]]),
      dynamodb,
      ...this.lakeOver(
        new MemoryFirehose(
          (records) => this.lake.deliver(records),
          (records) => this.batchFault(records),
        ),
      ),
      bus: this.busOver(this.bus),
      processes: clocksOffMs.map((offMs, i) => new Process(`p${i}`, this.clock, offMs, seed + i)),
      queue: this.queue(options.runsMax),
      connectors: new MemoryConnectors(),
      invocations: new Invocations({
        ...options,
        clock: this.clock,
        happened: (kind) => this.happened(kind),
        trace: (by, text) => this.trace(by, text),
      }),
      wire: new Wire({
        clock: this.clock,
        networkMs: options.networkMs,
        troubles: options.originTroubles,
        model: () => this.model,
        ...(options.keyInEvents ? { rewrite: withKeyInEvents } : {}),
        happened: (kind) => this.happened(kind),
      }),
      random: randomFrom(seed, 0, 0),
      written: new Set(),
    }
    for (let index = 1; index <= options.furtherKeys; index++) {
      for (const tenant of ['acme', 'globex'] as const) this.secrets.values.set(secretNameOf(index, tenant), `${key}-${index}`)
    }
    if (options.ticking) void this.tick()
  }

  private queue(places: number): Queue {
    const happened = (kind: FaultKind) => this.happened(kind)
    const queue = new WorkQueue({ clock: this.clock, places, run: (message) => this.receive(message), happened })
    return {
      send: (connectorId, delaySeconds, claim) => {
        this.trace('queue', () => `${connectorId} is due in ${delaySeconds} s`)
        return queue.send(connectorId, delaySeconds, claim)
      },
    }
  }

  private stateOver(dynamodb: MemoryDynamoDb): StateTable {
    const send = async (command: Parameters<MemoryDynamoDb['send']>[0]) => {
      const item = command instanceof PutItemCommand ? command.input.Item : undefined
      const sk = item?.['sk']?.S ?? ''
      const isCheckpoint = sk.startsWith(streamPrefix)
      const result = await this.setup.invocations.effect('dynamodb', async () => {
        const done = await dynamodb.send(command)
        if (isCheckpoint || sk === acceptedKey('').sk) this.setup.written.add(connectorOfPk(item?.['pk']?.S ?? ''))
        return done
      })
      if (isCheckpoint) this.lake.settle(this.setup.invocations.checkpoint())
      return result
    }
    return stateTable({ client: { send } as unknown as DynamoDBClient, table: 'state', now: () => this.clock.now() })
  }

  /** The adapter over a delivery stream in memory. Each call of the client is an effect of the invocation that makes it. */
  get sink(): Sink {
    return this.setup.sink
  }

  /** The connectors whose acceptance or streams were written since the last call. */
  takeWritten(): readonly string[] {
    const { written } = this.setup
    const ids = [...written]
    written.clear()
    return ids
  }

  private lakeOver(firehose: MemoryFirehose): Pick<Setup, 'sink' | 'lakeCheck'> {
    const send = (command: Parameters<MemoryFirehose['send']>[0]) => this.setup.invocations.effect('firehose', () => firehose.send(command))
    const stream = { client: { send } as unknown as FirehoseClient, deliveryStream: 'lake', clock: this.clock }
    return { sink: firehoseSink(stream), lakeCheck: firehoseCheck(stream) }
  }

  private busOver(bus: MemoryBus): Bus {
    const send = (command: Parameters<MemoryBus['send']>[0]) => this.setup.invocations.effect('eventbridge', () => bus.send(command))
    return eventBridgeBus({ client: { send } as unknown as EventBridgeClient, bus: 'bus' })
  }

  private batchFault(records: number): BatchFault | undefined {
    const { random, options, invocations } = this.setup
    if (options.sinkFaultRate === 0 || invocations.isCalm || unit(random) >= options.sinkFaultRate) return undefined
    const taken = Math.floor(unit(random) * records)
    const isLost = unit(random) < 0.5
    this.happened(isLost ? 'acknowledgement lost' : 'delivery refused in part')
    if (isLost) return { kind: 'lost', taken: records }
    return { kind: 'refused', taken, errorCode: unit(random) < 0.5 ? 'ServiceUnavailableException' : 'InternalFailure' }
  }

  /** From now on no fault happens. */
  calmDown(): void {
    this.setup.invocations.isCalm = true
  }

  /** Writes an item, as the stream of the customer's table reports it. */
  async put(item: ConnectorItem): Promise<void> {
    await acceptConnector({ ...this.ports(0), state: this.state }, policy, String(item['connectorId']), item)
  }

  async remove(connectorId: string): Promise<void> {
    await retireConnector({ ...this.ports(0), state: this.state }, connectorId)
  }

  /** A user writes or deletes an item. The stream of the table reports it, and goes on until a process has taken it. */
  async change(connectorId: string, item: ConnectorItem | undefined): Promise<void> {
    const { connectors } = this.setup
    if (item === undefined) connectors.byId.delete(connectorId)
    else connectors.put(item)
    for (let tries = 1; tries <= changeTriesMax; tries++) {
      const isDone = await this.invoke('connector-changed', (ports) =>
        item === undefined ? retireConnector(ports, connectorId) : acceptConnector(ports, policy, connectorId, item),
      )
      if (isDone) return
      await this.clock.sleepUntil(this.clock.now() + tries * second)
    }
  }

  private async invoke(name: string, work: (ports: ReturnType<World['ports']>) => Promise<unknown>, timeoutAt?: Instant): Promise<boolean> {
    this.record.runs += 1
    const { runs } = this.record
    const process = this.processOf(runs)
    const end = await this.setup.invocations.invoke(process, () => work(this.ports(runs)), timeoutAt)
    if (end.error !== undefined) this.record.crashes.push(end.error)
    if (!end.isDone) this.trace(process.name, () => `${name} ${end.isDead ? 'is dead' : `FAILED: ${String(end.error ?? 'by a fault')}`}`)
    return end.isDone
  }

  happened(kind: FaultKind): void {
    this.record.faults.set(kind, (this.record.faults.get(kind) ?? 0) + 1)
  }

  /** Replaces responses of the vendor that no option of the simulator gives. The usual response follows if `respond` returns undefined. */
  vendorResponds(respond: (asked: URLSearchParams, now: Instant) => InsteadOfTheModel | undefined): void {
    const usual = this.model.respond.bind(this.model)
    this.model.respond = (request: SimulatedRequest, now: Instant): SimulatedResponse => {
      const instead = respond(new URLSearchParams(request.query), now)
      if (instead === undefined) return usual(request, now)
      const { status, headers = {}, body = { code: -status, msg: 'No' } } = instead
      return { status, headers, body: JSON.stringify(body), delayMs: 0 }
    }
  }

  run(forMs: number): Promise<void> {
    return this.clock.advance(forMs)
  }

  private processOf(number: number): Process {
    const { processes } = this.setup
    const process = processes[number % processes.length]
    if (process === undefined) throw new Error('A world has at least one process: clocksOffMs is empty')
    return process
  }

  ports(process: number) {
    const by = this.processOf(process)
    const { name, clock, random, nextNumber } = by
    return {
      clock,
      state: this.mortal('state', this.state, by),
      secrets: this.mortal('secrets', this.secrets as Secrets, by),
      sink: listing(this.mortal('sink', this.sink, by)),
      lakeCheck: this.setup.lakeCheck,
      source: this.mortal('source', this.setup.wire.source(clock), by),
      queue: this.mortal('queue', this.setup.queue, by),
      bus: this.mortal('bus', this.setup.bus, by),
      publish: (metrics: MetricValues) => void this.record.metrics.push({ at: this.clock.now(), ...metrics }),
      log: (entry: LogEntry) => {
        this.record.log.push({ at: this.clock.now(), ...entry })
        this.traceLogged(name, entry)
      },
      digest,
      keyedDigest,
      vendors: this.setup.vendors,
      sharedRateGroups: this.setup.options.sharedRateGroups,
      secretsBoundToOrigin: true,
      vendorClocks: by.vendorClocks,
      ownClock: { errorMs: () => clock.now() - this.clock.now() },
      random,
      newFingerprintKey: () => '00'.repeat(32),
      process: name,
      clockSteps: clock.steps,
      nextNumber,
      stop: new AbortController().signal,
    }
  }

  /** Wraps a port: each call takes its time and is traced, and is an effect at which a fault may happen. */
  private mortal<T extends object>(portName: string, port: T, { name }: Process): T {
    const { faults, stateMs, onEffect } = this.setup.options
    const takesMs = portName === 'state' ? stateMs : 0
    if (Object.keys(faults).length === 0 && takesMs === 0 && onEffect === undefined && portName === 'state') return port
    return intercepted(port, (method, args, call) => {
      const text = () => callText(portName, method, args)
      // Each call of the client of these is an effect already.
      const isOverClient = portName === 'state' || portName === 'sink' || portName === 'bus'
      const result = isOverClient ? call() : this.setup.invocations.effect(portName, async () => call())
      if (!(result instanceof Promise)) {
        this.trace(name, text)
        return result
      }
      return result.then(async (value: unknown) => {
        if (takesMs > 0) await this.clock.sleepUntil(this.clock.now() + takesMs)
        this.trace(name, () => `${text()}${resultText(portName, value)}`)
        if (portName === 'sink') this.setup.invocations.acknowledge(args[0] as readonly LakeRecord[], value as Delivery)
        return value
      })
    })
  }

  private trace(by: string, text: () => string): void {
    this.setup.options.onEffect?.({ at: this.clock.now(), by, text: text() })
  }

  private traceLogged(by: string, { level, event, message, connectorId = '', stream = '', ...details }: LogEntry): void {
    const about = [level, event, connectorId, stream].filter((part) => part !== '').join(' ')
    this.trace(by, () => `log ${about}: ${message}${Object.keys(details).length === 0 ? '' : ` ${brief(details)}`}`)
  }

  async stream(connectorId: string, stream: StreamName): Promise<StreamState> {
    const { streams } = await this.state.readRun(connectorId)
    const found = streams.get(stream)
    if (found === undefined) throw new Error(`${connectorId} has no stream ${stream}`)
    return found
  }

  async status(connectorId: string) {
    const status = await this.state.readStatus(connectorId)
    if (status === undefined) throw new Error(`${connectorId} has no status`)
    return status
  }

  private async tick(): Promise<void> {
    for (let minutes = 0; ; minutes++) {
      await this.invoke('dispatch', (ports) => dispatchDue(ports, this.setup.options.runsMax))
      if (this.setup.options.wholeDispatch) {
        const tickAt = start + minutes * minute
        await this.invoke('comparison', (ports) => compareTables(ports, policy, this.setup.connectors.items(), tickAt))
        if (minutes % 60 === 0) this.setup.dynamodb.deleteExpired((this.clock.now() - expiredKeptMs) / second)
        if (minutes % 5 === 0) await this.invoke('measurement', (ports) => measureFleet(ports))
      }
      await this.clock.sleepUntil(Math.max(this.clock.now(), start + (minutes + 1) * minute))
    }
  }

  /** A message that a run failed would be shown again after it has expired, so it never comes twice. */
  private async receive({ connectorId, claim }: WorkMessage): Promise<void> {
    const { clock } = this
    await this.invoke(
      `${connectorId} run`,
      async (ports) => {
        this.trace(ports.process, () => `${connectorId} run begins`)
        await collectConnector(ports, connectorId, ports.clock.now() + runMaxMs, claim)
        this.trace(ports.process, () => `${connectorId} run ends`)
      },
      clock.now() + runMaxMs + spareMs,
    )
  }
}

/** A trace shows the records, so they are all made before the call. */
function listing(sink: Sink): Sink {
  return { deliver: (records, detail) => sink.deliver([...records], detail) }
}

export function connectorItem(more: ConnectorItem = {}): ConnectorItem {
  return {
    connectorId: 'acme.cas',
    type: 'trendmicro-cas',
    name: 'acme-cas',
    tenantName: 'Acme',
    baseUrl: 'https://api.tmcas.trendmicro.com',
    apiKeySecrets: [secretName],
    contentTypes: ['sharepoint'],
    eventTypes: ['dlp'],
    lateArrivalMinutes: 10,
    ...more,
  }
}
