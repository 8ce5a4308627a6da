import { digest, keyedDigest } from '../../functions/adapters/digest.ts'
import { readResponse } from '../../functions/adapters/http/response.ts'
import type { StateTable } from '../../functions/adapters/state-table/state-table.ts'
import { failure } from '../../functions/domain/failures.ts'
import type { Bus, Clock, LogEntry, MetricValues, Queue, Sink, Source } from '../../functions/domain/ports.ts'
import type { LakeRecord } from '../../functions/domain/record/record.ts'
import { failed, ok, type Result } from '../../functions/domain/result.ts'
import type { StreamState } from '../../functions/domain/stream/stream.ts'
import { type Instant, minute, second } from '../../functions/domain/time.ts'
import { requestTimeoutMs } from '../../functions/domain/token-bucket.ts'
import type { Vendor, VendorResponse } from '../../functions/domain/vendor.ts'
import { acceptConnector } from '../../functions/flows/accept-connector.ts'
import { collectConnector } from '../../functions/flows/collect/collect-connector.ts'
import { dispatchDue } from '../../functions/flows/dispatch-due.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { retireConnector } from '../../functions/flows/retire-connector.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'
import type { StreamName } from '../../local/simulator/catalogue.ts'
import { type SimulatedRequest, type SimulatedResponse, VendorModel } from '../../local/simulator/model.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'
import { MemoryBus } from '../fakes/bus.ts'
import { VirtualClock } from '../fakes/clock.ts'
import { MemorySecrets } from '../fakes/secrets.ts'
import { MemoryState } from '../fakes/state.ts'

class Killed extends Error {}

interface InsteadOfTheModel {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A deployment in virtual time: the real flows, the simulated vendor, everything else in memory. */

export const start: Instant = Date.UTC(2026, 10, 24, 12)
export const key = 'simulated-key-0123456789abcdef'
export const secretName = 'tributary/simulated'
export const policy = { secretPrefix: 'tributary/', allowedHosts: [], tlsVerificationOptional: true }
/** As long as a function may run (ms). */
const runMaxMs = 5 * minute

export interface WorldOptions {
  readonly vendor?: SimulatorOptions
  /** How far each process's clock is off (ms); as many processes as there are entries. */
  readonly clocksOffMs?: readonly number[]
  /** One way on the wire (ms). */
  readonly networkMs?: number
  /** False: nobody dispatches but the test. */
  readonly ticking?: boolean
  /** How likely a process is killed at each of its effects: before it, or when it has happened but nobody was told. */
  readonly killRate?: number
  /** How likely a delivery is refused, in part or wholly. */
  readonly sinkFaultRate?: number
  /** Items of a page: fewer than the vendor's 500 make many requests of few events. */
  readonly pageItems?: number
}

export class World {
  readonly clock = new VirtualClock(start)
  readonly state = new MemoryState(this.clock)
  readonly lake = new LakeOfIds()
  readonly secrets = new MemorySecrets({ [secretName]: key })
  readonly bus = new MemoryBus()
  readonly metrics: (MetricValues & { readonly at: Instant })[] = []
  readonly log: LogEntry[] = []
  readonly model: VendorModel
  /** Runs that threw. */
  readonly crashes: unknown[] = []
  /** Runs that were killed. */
  kills = 0
  /** Until it is calm, processes are killed and deliveries refused. */
  calm = false
  private readonly processes: readonly Process[]
  private readonly networkMs: number
  private readonly killRate: number
  private readonly sinkFaultRate: number
  private readonly vendors: ReadonlyMap<string, Vendor>
  private readonly queue: Queue
  private runs = 0

  constructor({
    vendor = {},
    clocksOffMs = [0],
    networkMs = 50,
    ticking = true,
    killRate = 0,
    sinkFaultRate = 0,
    pageItems = trendmicroCas.pageItemsMax,
  }: WorldOptions = {}) {
    this.model = new VendorModel(vendor)
    this.networkMs = networkMs
    this.killRate = killRate
    this.sinkFaultRate = sinkFaultRate
    this.vendors = new Map([[trendmicroCas.type, withPagesOf(pageItems)]])
    this.processes = clocksOffMs.map((offMs, i) => new Process(`p${i}`, offMs === 0 ? this.clock : this.clock.skewed(offMs), i))
    this.queue = {
      send: async (connectorId, delaySeconds) => {
        void this.runLater(connectorId, delaySeconds * second)
      },
    }
    if (ticking) void this.tick()
  }

  /** The table's stream: an item was written. */
  async put(item: ConnectorItem): Promise<void> {
    await acceptConnector({ ...this.ports(0), state: this.state }, policy, String(item['connectorId']), item)
  }

  async remove(connectorId: string): Promise<void> {
    await retireConnector({ ...this.ports(0), state: this.state }, connectorId)
  }

  /** What the simulator has no option for; without an answer it answers as ever. */
  vendorResponds(answer: (asked: URLSearchParams, now: Instant) => InsteadOfTheModel | undefined): void {
    const asEver = this.model.respond.bind(this.model)
    this.model.respond = (request: SimulatedRequest, now: Instant): SimulatedResponse => {
      const instead = answer(new URLSearchParams(request.query), now)
      if (instead === undefined) return asEver(request, now)
      const { status, headers = {}, body = { code: -status, msg: 'No' } } = instead
      return { status, headers, body: JSON.stringify(body), delayMs: 0 }
    }
  }

  run(forMs: number): Promise<void> {
    return this.clock.advance(forMs)
  }

  ports(process: number) {
    const { name, clock, random, nextNumber } = this.processes[process % this.processes.length]!
    return {
      clock,
      state: this.mortal(this.state as StateTable, random),
      secrets: this.secrets,
      sink: this.mortal(this.faulty(random), random),
      source: this.mortal(this.source(clock), random),
      queue: this.queue,
      bus: this.mortal(this.bus as Bus, random),
      publish: (metrics: MetricValues) => void this.metrics.push({ at: this.clock.now(), ...metrics }),
      log: (entry: LogEntry) => void this.log.push({ at: this.clock.now(), ...entry }),
      digest,
      keyedDigest,
      vendors: this.vendors,
      random,
      newFingerprintKey: () => '00'.repeat(32),
      process: name,
      nextNumber,
      stop: new AbortController().signal,
    }
  }

  /** A port whose user may be killed at each call. */
  private mortal<T extends object>(port: T, random: () => number): T {
    if (this.killRate === 0) return port
    return new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return (...args: unknown[]) => {
          const chance = this.calm ? 1 : random()
          if (chance < this.killRate / 2) throw new Killed()
          const answer: unknown = Reflect.apply(method, target, args)
          if (!(answer instanceof Promise)) return answer
          return answer.then((value: unknown) => {
            if (chance < this.killRate) throw new Killed()
            return value
          })
        }
      },
    })
  }

  private faulty(random: () => number): Sink {
    return {
      deliver: async (records) => {
        if (this.calm || random() >= this.sinkFaultRate) return this.lake.deliver(records)
        await this.lake.deliver(records.slice(0, Math.floor(random() * records.length)))
        return failed(failure('sink-throttled', 'Firehose refused some of the records'))
      },
    }
  }

  /** The vendor, as a process with this clock sees it. */
  private source(clock: Clock): Source {
    return { fetch: ({ url }, apiKey) => this.fetch(clock, url, apiKey) }
  }

  private async fetch(clock: Clock, url: string, apiKey: string): Promise<Result<VendorResponse>> {
    const sentAt = this.clock.now()
    await this.clock.sleepUntil(sentAt + this.networkMs)
    const { pathname, search, origin } = new URL(url)
    const answer = this.model.respond({ path: pathname, query: search, authorization: `Bearer ${apiKey}`, origin }, this.clock.now())
    const doneAt = this.clock.now() + answer.delayMs + this.networkMs
    if (doneAt - sentAt > requestTimeoutMs) {
      await this.clock.sleepUntil(sentAt + requestTimeoutMs)
      return failed(failure('timed-out', 'The vendor did not answer within 30 s'))
    }
    await this.clock.sleepUntil(doneAt)
    const { status, headers, body, truncateAt } = answer
    if (truncateAt !== undefined && truncateAt < body.length) return failed(failure('malformed-response', 'The answer broke off'))
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
    this.runs += 1
    const ports = this.ports(this.runs)
    try {
      await collectConnector(ports, connectorId, ports.clock.now() + runMaxMs)
    } catch (error) {
      if (error instanceof Killed) this.kills += 1
      else this.crashes.push(error)
    }
  }
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

/** What of a lake an audit needs: how often each item arrived. */
class LakeOfIds implements Sink {
  readonly byConnector = new Map<string, Map<string, number>>()
  /** Items that are no events may well be equal, and then have one id. */
  readonly malformed = new Set<string>()
  records = 0

  async deliver(records: readonly LakeRecord[]): Promise<Result<void>> {
    for (const { connector_id, id, malformed } of records) {
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
