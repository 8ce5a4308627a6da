import { digest, keyedDigest } from '../functions/adapters/digest.ts'
import { readResponse } from '../functions/adapters/http/response.ts'
import type { StateTable } from '../functions/adapters/state-table/state-table.ts'
import { failure } from '../functions/domain/failures.ts'
import type { Bus, Clock, Delivery, LogEntry, MetricValues, Queue, RecordDetail, Sink, Source } from '../functions/domain/ports.ts'
import type { LakeRecord } from '../functions/domain/record/record.ts'
import { failed, ok, type Result } from '../functions/domain/result.ts'
import type { StreamState } from '../functions/domain/stream/stream.ts'
import { type Instant, minute, second } from '../functions/domain/time.ts'
import { requestTimeoutMs } from '../functions/domain/token-bucket.ts'
import type { Vendor, VendorResponse } from '../functions/domain/vendor.ts'
import { VendorClocks } from '../functions/domain/vendor-clock.ts'
import { acceptConnector } from '../functions/flows/accept-connector.ts'
import { collectConnector } from '../functions/flows/collect/collect-connector.ts'
import { dispatchDue } from '../functions/flows/dispatch-due.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import { retireConnector } from '../functions/flows/retire-connector.ts'
import { trendmicroCas } from '../functions/vendors/trendmicro-cas/index.ts'
import type { StreamName } from '../local/simulator/catalogue.ts'
import { type SimulatedRequest, type SimulatedResponse, VendorModel } from '../local/simulator/model.ts'
import type { SimulatorOptions } from '../local/simulator/options.ts'
import { brief, type Effect, intercepted } from './effects.ts'
import { eventKey } from './expected-record.ts'
import { MemoryBus } from './fakes/bus.ts'
import { VirtualClock } from './fakes/clock.ts'
import { MemorySecrets } from './fakes/secrets.ts'
import { MemoryState } from './fakes/state.ts'

class Killed extends Error {}

export const start: Instant = Date.UTC(2026, 10, 24, 12)
export const key = 'simulated-key-0123456789abcdef'
export const secretName = 'tributary/simulated'
/** Secret name → API key. The second is for connectors with a pool of keys. */
export const secrets = { [secretName]: key, 'tributary/simulated-second': 'simulated-second-key-0123456789abcdef' } as const
export const policy = { secretPrefix: 'tributary/', allowedHosts: [], tlsVerificationOptional: true }
/** The time-out of the function `collect` (ms). */
const runMaxMs = 5 * minute

export interface WorldOptions {
  readonly vendor?: SimulatorOptions
  /** One entry for each process: how far its clock is off (ms). */
  readonly clocksOffMs?: readonly number[]
  /** One way on the wire (ms). */
  readonly networkMs?: number
  /** The time that a call of the state table takes (ms). */
  readonly stateMs?: number
  /** If false, only the test dispatches. */
  readonly ticking?: boolean
  /** The probability that a process is killed at a call: before the call, or after it but before it has the result. */
  readonly killRate?: number
  /** The probability that a delivery is refused, in part or as a whole. */
  readonly sinkFaultRate?: number
  /** Items of a page. Fewer than the vendor's 500 make many requests of few events. */
  readonly pageItems?: number
  /** Seeds the random numbers of the processes: when they are killed, how long they back off. */
  readonly seed?: number
  /** Called with each step of each process, in order. */
  readonly onEffect?: (effect: Effect) => void
}

const defaults: Required<Omit<WorldOptions, 'onEffect'>> = {
  vendor: {},
  clocksOffMs: [0],
  networkMs: 50,
  stateMs: 0,
  ticking: true,
  killRate: 0,
  sinkFaultRate: 0,
  pageItems: trendmicroCas.pageItemsMax,
  seed: 0,
}

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
  /** Runs that were killed. */
  kills: number
  /** Runs that began. */
  runs: number
  /** Deliveries that were refused, in part or as a whole. */
  refusedDeliveries: number
}

interface Setup {
  readonly options: WorldOptions & typeof defaults
  readonly vendors: ReadonlyMap<string, Vendor>
  readonly processes: readonly Process[]
  readonly queue: Queue
  isCalm: boolean
}

/** A deployment in virtual time: the real flows, the simulated vendor, everything else in memory. */
export class World {
  readonly clock = new VirtualClock(start)
  readonly state = new MemoryState(this.clock)
  readonly lake = new LakeOfIds()
  readonly secrets = new MemorySecrets(secrets)
  readonly bus = new MemoryBus()
  readonly model: VendorModel
  readonly record: WorldRecord = { metrics: [], log: [], crashes: [], kills: 0, runs: 0, refusedDeliveries: 0 }
  private readonly setup: Setup

  constructor(given: WorldOptions = {}) {
    const options = { ...defaults, ...given }
    const { vendor, pageItems, clocksOffMs, seed } = options
    this.model = new VendorModel(vendor)
    this.setup = {
      options,
      vendors: new Map([[trendmicroCas.type, withPagesOf(pageItems)]]),
      processes: clocksOffMs.map((offMs, i) => new Process(`p${i}`, offMs === 0 ? this.clock : this.clock.skewed(offMs), seed + i)),
      queue: {
        send: async (connectorId, delaySeconds) => {
          this.trace('queue', () => `${connectorId} is due in ${delaySeconds} s`)
          void this.runLater(connectorId, delaySeconds * second)
        },
      },
      isCalm: false,
    }
    if (options.ticking) void this.tick()
  }

  /** From now on no process is killed and no delivery is refused. */
  calmDown(): void {
    this.setup.isCalm = true
  }

  /** Writes an item, as the stream of the customer's table reports it. */
  async put(item: ConnectorItem): Promise<void> {
    await acceptConnector({ ...this.ports(0), state: this.state }, policy, String(item['connectorId']), item)
  }

  async remove(connectorId: string): Promise<void> {
    await retireConnector({ ...this.ports(0), state: this.state }, connectorId)
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

  ports(process: number) {
    const by = this.setup.processes[process % this.setup.processes.length]
    if (by === undefined) throw new Error('A world has at least one process: clocksOffMs is empty')
    const { name, clock, random, nextNumber } = by
    return {
      clock,
      state: this.mortal('state', this.state as StateTable, by),
      secrets: this.secrets,
      sink: this.mortal('sink', this.faulty(random), by),
      source: this.mortal('source', this.source(clock), by),
      queue: this.setup.queue,
      bus: this.mortal('bus', this.bus as Bus, by),
      publish: (metrics: MetricValues) => void this.record.metrics.push({ at: this.clock.now(), ...metrics }),
      log: (entry: LogEntry) => {
        this.record.log.push({ at: this.clock.now(), ...entry })
        this.traceLogged(name, entry)
      },
      digest,
      keyedDigest,
      vendors: this.setup.vendors,
      vendorClocks: by.vendorClocks,
      ownClock: { errorMs: () => clock.now() - this.clock.now() },
      random,
      newFingerprintKey: () => '00'.repeat(32),
      process: name,
      nextNumber,
      stop: new AbortController().signal,
    }
  }

  /** Wraps a port: each call takes its time and is traced, and the process that calls may be killed. */
  private mortal<T extends object>(portName: string, port: T, { name, random }: Process): T {
    const { killRate, stateMs, onEffect } = this.setup.options
    const takesMs = portName === 'state' ? stateMs : 0
    if (killRate === 0 && takesMs === 0 && onEffect === undefined) return port
    return intercepted(port, (method, args, call) => {
      const chance = killRate === 0 || this.setup.isCalm ? 1 : random()
      const callText = () => `${portName}.${method}(${argsText(portName, args)})`
      if (chance < killRate / 2) {
        this.trace(name, () => `KILLED before ${callText()}`)
        throw new Killed()
      }
      const result = call()
      if (!(result instanceof Promise)) {
        this.trace(name, callText)
        return result
      }
      return result.then(async (value: unknown) => {
        if (takesMs > 0) await this.clock.sleepUntil(this.clock.now() + takesMs)
        this.trace(name, () => `${callText()}${resultText(portName, value)}`)
        if (chance >= killRate) return value
        this.trace(name, () => `KILLED after ${portName}.${method}`)
        throw new Killed()
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

  private faulty(random: () => number): Sink {
    return {
      deliver: async (records, detail) => {
        if (this.setup.isCalm || random() >= this.setup.options.sinkFaultRate) return this.lake.deliver(records, detail)
        this.record.refusedDeliveries += 1
        const taken = records.slice(0, Math.floor(random() * records.length))
        await this.lake.deliver(taken, detail)
        const why = failure('sink-throttled', 'Firehose refused some of the records')
        // The acknowledgement of what was taken may be lost as well.
        return random() < 0.5 ? failed(why) : { ok: false, failure: why, acknowledged: new Set(taken) }
      },
    }
  }

  /** The vendor for a process with this clock. */
  private source(clock: Clock): Source {
    return { fetch: ({ url }, apiKey) => this.fetch(clock, url, apiKey) }
  }

  private async fetch(clock: Clock, url: string, apiKey: string): Promise<Result<VendorResponse>> {
    const sentAt = this.clock.now()
    await this.clock.sleepUntil(sentAt + this.setup.options.networkMs)
    const { pathname, search, origin } = new URL(url)
    const response = this.model.respond({ path: pathname, query: search, authorization: `Bearer ${apiKey}`, origin }, this.clock.now())
    const doneAt = this.clock.now() + response.delayMs + this.setup.options.networkMs
    if (doneAt - sentAt > requestTimeoutMs) {
      await this.clock.sleepUntil(sentAt + requestTimeoutMs)
      return failed(failure('timed-out', 'The vendor did not respond within 30 s'))
    }
    await this.clock.sleepUntil(doneAt)
    const { status, headers, body, truncateAt } = response
    if (truncateAt !== undefined && truncateAt < body.length) return failed(failure('malformed-response', 'The response broke off'))
    return readResponse(status, headers, body, clock.now(), { apiKey })
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
    for (;;) {
      await dispatchDue({ ...this.ports(0), state: this.state })
      await this.clock.sleepUntil(this.clock.now() + minute)
    }
  }

  private async runLater(connectorId: string, delayMs: number): Promise<void> {
    await this.clock.sleepUntil(this.clock.now() + delayMs)
    this.record.runs += 1
    const ports = this.ports(this.record.runs)
    const traceRun = (text: string) => this.trace(ports.process, () => `${connectorId} run ${text}`)
    try {
      traceRun('begins')
      await collectConnector(ports, connectorId, ports.clock.now() + runMaxMs)
      traceRun('ends')
    } catch (error) {
      if (error instanceof Killed) this.record.kills += 1
      else this.record.crashes.push(error)
      traceRun(error instanceof Killed ? 'is dead' : `CRASHED: ${String(error)}`)
    }
  }
}

/** Leaves out the key of a request. */
function argsText(portName: string, args: readonly unknown[]): string {
  return (portName === 'source' ? args.slice(0, 1) : args).map(brief).join(', ')
}

function resultText(portName: string, result: unknown): string {
  if (result === undefined) return ''
  const isOk = portName !== 'state' && typeof result === 'object' && result !== null && 'ok' in result && result.ok === true
  return ` → ${isOk ? 'ok' : brief(result)}`
}

function withPagesOf(pageItemsMax: number): Vendor {
  return {
    ...trendmicroCas,
    pageItemsMax,
    firstRequest(...asked) {
      const url = new URL(trendmicroCas.firstRequest(...asked).url)
      url.searchParams.set('limit', String(pageItemsMax))
      return { url: url.href }
    },
  }
}

/** A lake that keeps only what an audit needs: how often each item arrived, by `eventKey`. */
class LakeOfIds implements Sink {
  readonly byConnector = new Map<string, Map<string, number>>()
  /** Ids of malformed items. Two of them may be equal and have the same id. */
  readonly malformed = new Set<string>()
  records = 0

  async deliver(records: readonly LakeRecord[], _detail?: RecordDetail): Promise<Delivery> {
    for (const { connector_id, raw, malformed } of records) {
      const id = eventKey(raw)
      if (malformed === true) this.malformed.add(id)
      const ids = this.byConnector.get(connector_id) ?? new Map<string, number>()
      ids.set(id, (ids.get(id) ?? 0) + 1)
      this.byConnector.set(connector_id, ids)
    }
    this.records += records.length
    return ok(undefined)
  }
}

class Process {
  readonly name: string
  readonly clock: Clock
  readonly vendorClocks = new VendorClocks()
  private seed: number
  private number = 0

  constructor(name: string, clock: Clock, seed: number) {
    this.name = name
    this.clock = clock
    this.seed = seed
  }

  readonly random = () => {
    this.seed = (this.seed * 1_103_515_245 + 12_345) % 2 ** 31
    return this.seed / 2 ** 31
  }

  readonly nextNumber = () => {
    this.number += 1
    return this.number
  }
}

export function connectorItem(more: ConnectorItem = {}): ConnectorItem {
  return {
    connectorId: 'acme-cas',
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
