import { randomUUID } from 'node:crypto'
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb'
import type { StateTable } from '../../functions/adapters/state-table/state-table.ts'
import { stateTableDefinition } from '../../functions/adapters/state-table/table-definitions.ts'
import type { Clock, Sink } from '../../functions/domain/ports.ts'
import { type Instant, minute, second } from '../../functions/domain/time.ts'
import type { Vendor } from '../../functions/domain/vendor.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { type Audit, audit } from '../../simulation/audit.ts'
import { policy, World } from '../../simulation/world.ts'
import type { WorldOptions } from '../../simulation/world-options.ts'
import type { Dynamo } from './dynamo.ts'
import { presentRelease, type Release, type StoredState } from './release.ts'

/** A limit counts requests, not items, so small pages keep a test short (items). */
export const pageItems = 25
/** The time-out of the function `collect` (ms). */
const runMaxMs = 5 * minute

type Item = Readonly<Record<string, AttributeValue>>

/** One process of a release: its functions, with its own adapter of the shared table. */
export interface Process {
  readonly state: StateTable
  accept(item: ConnectorItem): Promise<void>
  retire(connectorId: string): Promise<void>
  reconcile(items: readonly ConnectorItem[]): Promise<void>
  collect(connectorId: string, sink?: Sink, claim?: Instant): Promise<void>
  dispatch(): Promise<unknown>
  measure(): Promise<unknown>
}

/**
 * A deployment in virtual time, like the simulation, but its table is a DynamoDB, so any release can be deployed to it, and two
 * releases at once. Time stands still during a command of the table.
 */
export class Deployment {
  readonly world: World
  /** The table as this release reads it. */
  readonly state: StateTable
  /** The release that the next invocation runs. */
  deployed: () => Release = () => presentRelease
  /** By the name of a release: the runs that began, and how many of them have not ended. */
  readonly runs: Record<string, { begun: number; underWay: number }> = {}
  /** The sort keys of writes that a condition refused. */
  readonly refused: string[] = []
  /** Runs and ticks that threw. */
  readonly crashes: unknown[] = []
  /** `items`: the connectors table, as far as the test has written it. */
  private readonly database: { readonly client: DynamoDBClient; readonly table: string; readonly items: Map<string, ConnectorItem> }
  private readonly progress = { sleepers: [] as Instant[], commandsUnderWay: 0, invocations: 0 }

  static async open(dynamo: Dynamo, options: WorldOptions = {}): Promise<Deployment> {
    const table = `state-${randomUUID()}`
    await dynamo.create(stateTableDefinition(table))
    return new Deployment(dynamo.client, table, options)
  }

  private constructor(client: DynamoDBClient, table: string, options: WorldOptions) {
    this.world = new World({ clocksOffMs: [0, 400, -400, 300], ...options, ticking: false })
    this.database = { client: this.watched(client), table, items: new Map() }
    this.watchSleepers()
    this.state = this.process(presentRelease).state
  }

  get clock(): Clock {
    return this.world.clock
  }

  /** Starts a process of a release. Its clock is off, and its adapter has cached nothing yet. */
  process({ functions }: Release): Process {
    this.progress.invocations += 1
    const common = this.world.ports(this.progress.invocations)
    const state = functions.stateTable({ ...this.database, now: () => common.clock.now() })
    const vendors = new Map([...functions.vendors].map(([type, vendor]) => [type, withSmallPages(vendor)]))
    const ports = {
      ...common,
      state,
      vendors,
      queue: {
        send: async (connectorId: string, delaySeconds: number, claim?: Instant) =>
          void this.invoke(connectorId, delaySeconds * second, claim),
      },
      publish: () => {},
    }
    return {
      state,
      accept: (item) => {
        this.database.items.set(String(item['connectorId']), item)
        return functions.acceptConnector(ports, policy, String(item['connectorId']), item)
      },
      retire: (connectorId) => {
        this.database.items.delete(connectorId)
        return functions.retireConnector(ports, connectorId)
      },
      reconcile: (items) => functions.reconcileConnectors(ports, policy, each(items)),
      collect: (connectorId, sink = ports.sink, claim) =>
        functions.collectConnector({ ...ports, sink }, connectorId, ports.clock.now() + runMaxMs, claim),
      dispatch: async () => {
        await functions.dispatchDue(ports, Number.POSITIVE_INFINITY)
        // A restored state has connectors whose items the test does not know.
        if (this.database.items.size > 0)
          await functions.compareTables(ports, policy, each([...this.database.items.values()]), this.clock.now())
      },
      measure: () => functions.measureFleet(ports),
    }
  }

  /** Dispatches once a minute, as the rule does. It never ends. */
  async tick(): Promise<never> {
    for (;;) {
      await this.process(this.deployed())
        .dispatch()
        .catch((error: unknown) => this.crashes.push(error))
      await this.clock.sleepUntil(this.clock.now() + minute)
    }
  }

  /** Receives a work message: it starts a run of the release that is deployed at that time. */
  async invoke(connectorId: string, delayMs: number, claim?: Instant): Promise<void> {
    await this.clock.sleepUntil(this.clock.now() + delayMs)
    const release = this.deployed()
    this.runs[release.name] ??= { begun: 0, underWay: 0 }
    const runs = this.runs[release.name]!
    runs.begun += 1
    runs.underWay += 1
    await this.process(release)
      .collect(connectorId, undefined, claim)
      .catch((error: unknown) => this.crashes.push(error))
    runs.underWay -= 1
  }

  async run(forMs: number): Promise<void> {
    const until = this.clock.now() + forMs
    await this.idle()
    while ((await this.jump(until)) !== undefined);
    await this.world.clock.run(until)
  }

  /** Measures the fleet every five minutes, as `dispatch` does, with the release that is deployed at that time. */
  async runAndMeasure(forMs: number): Promise<void> {
    for (let passed = 0; passed < forMs; passed += 5 * minute) {
      await this.run(5 * minute)
      await this.finish(this.process(this.deployed()).measure())
    }
  }

  /** Lets time pass until `work` is done. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let done = false
    const end = () => {
      done = true
    }
    work.then(end, end)
    await this.idle()
    while (!done)
      if ((await this.jump(Number.POSITIVE_INFINITY)) === undefined)
        throw new Error('The work is not done, and nothing will happen any more')
    return work
  }

  /** Lets time pass until the condition holds. Fails if it does not hold after an hour. */
  async runUntil(condition: () => boolean): Promise<void> {
    const until = this.clock.now() + 60 * minute
    await this.idle()
    while (!condition()) if ((await this.jump(until)) === undefined) throw new Error('The condition did not hold within an hour')
  }

  audit(): Promise<Audit> {
    const { lake, model, clock, secrets } = this.world
    return audit({ lake, model, clock, secrets, state: this.state })
  }

  async stored(): Promise<StoredState> {
    const items: Item[] = []
    let start: Item | undefined
    do {
      const page = await this.database.client.send(new ScanCommand({ TableName: this.database.table, ExclusiveStartKey: start }))
      items.push(...(page.Items ?? []))
      start = page.LastEvaluatedKey
    } while (start !== undefined)
    return { at: this.clock.now(), items }
  }

  /** Puts the items into the table unchanged, and sets the clock to their time. */
  async restore({ at, items }: StoredState): Promise<void> {
    for (const item of items) await this.database.client.send(new PutItemCommand({ TableName: this.database.table, Item: item }))
    await this.world.clock.run(at)
  }

  /** Jumps to the instant of the next sleeper, if it is not after `until`. */
  private async jump(until: Instant): Promise<Instant | undefined> {
    const now = this.clock.now()
    const next = Math.min(...this.progress.sleepers.splice(0).filter((at) => at > now && this.progress.sleepers.push(at) > 0))
    if (next > until) return undefined
    await this.world.clock.run(next)
    await this.idle()
    return next
  }

  /** Resolves when no promise can go on at this instant, and every command of the table has its response. */
  private async idle(): Promise<void> {
    do await new Promise((drained) => setImmediate(drained))
    while (this.progress.commandsUnderWay > 0)
  }

  private watchSleepers(): void {
    const { clock } = this.world
    const sleepUntil = clock.sleepUntil.bind(clock)
    clock.sleepUntil = (at) => {
      this.progress.sleepers.push(at)
      return sleepUntil(at)
    }
  }

  private watched(client: DynamoDBClient): DynamoDBClient {
    const send = async (command: Parameters<DynamoDBClient['send']>[0]) => {
      this.progress.commandsUnderWay += 1
      try {
        return await client.send(command)
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) this.refused.push(sortKeyOf(command.input))
        throw error
      } finally {
        this.progress.commandsUnderWay -= 1
      }
    }
    return new Proxy(client, { get: (target, name) => (name === 'send' ? send : Reflect.get(target, name)) })
  }
}

function sortKeyOf(input: object): string {
  const key: unknown = 'Key' in input ? input.Key : 'Item' in input ? input.Item : undefined
  return (key as Item | undefined)?.['sk']?.S ?? ''
}

async function* each<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items
}

function withSmallPages(vendor: Vendor): Vendor {
  return {
    ...vendor,
    pageItemsMax: pageItems,
    firstRequest(...asked) {
      const url = new URL(vendor.firstRequest(...asked).url)
      url.searchParams.set('limit', String(pageItems))
      return { url: url.href }
    },
  }
}
