import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import { stateTableDefinition } from '../functions/adapters/state-table/table-definitions.ts'
import { minute, second } from '../functions/domain/time.ts'
import { acceptConnector } from '../functions/flows/accept-connector.ts'
import { collectConnector } from '../functions/flows/collect/collect-connector.ts'
import { compareTables } from '../functions/flows/compare-tables.ts'
import { dispatchDue } from '../functions/flows/dispatch-due.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import { measureFleet } from '../functions/flows/measure-fleet.ts'
import { VendorModel } from '../local/simulator/model.ts'
import type { SimulatorOptions } from '../local/simulator/options.ts'
import { policy, start } from '../simulation/world.ts'
import { startDynalite } from '../test/dynalite.ts'
import { capacityMeter } from './capacity.ts'
import { type MeteredWorld, meteredPorts, newUsage, type Usage } from './metered-ports.ts'
import { WorkClock } from './work-clock.ts'

/** The time limit of `collect`, without the time that it keeps for its last writes (ms). */
const runMaxMs = 5 * minute - 10 * second
/** The entry point of `dispatch` has the same. */
const measureEveryMinutes = 5

export type FunctionName = 'collect' | 'dispatch' | 'connectorChanged'

/** Makes the stack, with DynamoDB at `options.dynamodb` or else in memory. */
export async function startMetered(vendor: SimulatorOptions, options: { readonly dynamodb?: string } = {}): Promise<MeteredStack> {
  const ownDynamodb = options.dynamodb === undefined ? await startDynalite() : undefined
  const table = 'state'
  const definition: CreateTableCommandInput = stateTableDefinition(table)
  await ownDynamodb?.create(definition)
  const endpoint = options.dynamodb ?? ownDynamodb?.endpoint ?? ''
  const meter = capacityMeter([definition])
  const world = { clock: new WorkClock(start), model: new VendorModel(vendor), meter, endpoint, table }
  return new MeteredStack(world, async () => ownDynamodb?.close())
}

/**
 * Runs the shipped flows and adapters on real items in virtual time. Time stands still during a call and then passes by the latency
 * that is assumed for it. The vendor is simulated; Firehose, Secrets Manager, the queue and the bus only count.
 */
class MeteredStack {
  readonly close: () => Promise<void>
  readonly #clock: WorkClock
  readonly #functions: Readonly<Record<FunctionName, ReturnType<typeof meteredPorts>>>
  readonly #items = new Map<string, ConnectorItem>()
  readonly #crashes: unknown[] = []
  #usages = newUsages()

  constructor(world: MeteredWorld, close: () => Promise<void>) {
    this.close = close
    this.#clock = world.clock
    const collectLater = (connectorId: string, delayMs: number) => this.#collectLater(connectorId, delayMs)
    const portsOf = (name: FunctionName) => meteredPorts(world, { name, usage: () => this.#usages[name], collectLater })
    this.#functions = { collect: portsOf('collect'), dispatch: portsOf('dispatch'), connectorChanged: portsOf('connectorChanged') }
    void this.#tickForEver()
  }

  /** Writes an item of the connectors table and passes the record of its stream. */
  async put(item: ConnectorItem): Promise<void> {
    const connectorId = String(item['connectorId'])
    this.#items.set(connectorId, item)
    void this.#invoke('connectorChanged', () => acceptConnector(this.#functions.connectorChanged, policy, connectorId, item))
    await this.#clock.run(this.#clock.now())
  }

  /** Throws the error of a function that crashed. */
  async run(forMs: number): Promise<void> {
    await this.#clock.run(this.#clock.now() + forMs)
    if (this.#crashes.length > 0) throw this.#crashes[0]
  }

  /** Returns the usage since the last call. */
  take(): Readonly<Record<FunctionName, Usage>> {
    const taken = this.#usages
    this.#usages = newUsages()
    return taken
  }

  async #invoke(name: FunctionName, work: () => Promise<unknown>): Promise<void> {
    const from = this.#clock.now()
    try {
      await work()
    } catch (error) {
      this.#crashes.push(error)
    }
    this.#usages[name].invocations += 1
    this.#usages[name].busyMs += this.#clock.now() - from
  }

  async #collectLater(connectorId: string, delayMs: number): Promise<void> {
    await this.#clock.sleepUntil(this.#clock.now() + delayMs)
    await this.#invoke('collect', () => collectConnector(this.#functions.collect, connectorId, this.#clock.now() + runMaxMs))
  }

  async #tickForEver(): Promise<never> {
    for (;;) {
      const at = this.#clock.now()
      await this.#invoke('dispatch', () => this.#dispatch(at))
      await this.#clock.sleepUntil(at + minute)
    }
  }

  async #dispatch(at: number): Promise<void> {
    const ports = this.#functions.dispatch
    await dispatchDue(ports, Number.POSITIVE_INFINITY)
    if (new Date(at).getUTCMinutes() % measureEveryMinutes === 0) await measureFleet(ports)
    await compareTables(ports, policy, this.#listItems(), at)
  }

  async *#listItems() {
    yield* this.#items.values()
  }
}

function newUsages(): Record<FunctionName, Usage> {
  return { collect: newUsage(), dispatch: newUsage(), connectorChanged: newUsage() }
}
