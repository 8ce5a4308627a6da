import { isDeepStrictEqual } from 'node:util'
import { inThisProcess } from '../../functions/adapters/later.ts'
import type { Caller } from '../../functions/domain/operate/operation.ts'
import type { ConnectorTest } from '../../functions/domain/operate/test/connector-test.ts'
import type { TestAnswer } from '../../functions/domain/operate/test/test-answer.ts'
import type { ConnectorItems } from '../../functions/domain/ports.ts'
import { ok } from '../../functions/domain/result.ts'
import { minute } from '../../functions/domain/time.ts'
import type { ConnectorItem } from '../../functions/flows/item-digest.ts'
import { answerCall } from '../../functions/flows/operate/call.ts'
import type { OperatePorts } from '../../functions/flows/operate/carry.ts'
import { policy, type World } from '../../simulation/world.ts'

const provider: Caller = { tenant: 'all', awsRequestId: 'aws-1' }

/** Lambda's longest invocation (ms). */
const invocationMs = 15 * minute

/** Tests connectors of a world as the function `operate` does, in the world's time. */
export class Tester {
  readonly world: World
  /** The connectors table. */
  readonly items = new Map<string, ConnectorItem>()
  /** Every state of a Test that was written, as JSON. */
  readonly written: string[] = []
  /** Calls that went on with a Test. */
  calls = 0
  /** The last of them. */
  going: Promise<unknown> = Promise.resolve()
  /** The time of each call: with less of it, it hands over to the next one (ms). */
  callMs = invocationMs
  private readonly changed: Partial<OperatePorts>
  private requests = 0

  constructor(world: World, changed: Partial<OperatePorts> = {}) {
    this.world = world
    this.changed = changed
  }

  async save(item: ConnectorItem): Promise<void> {
    this.items.set(String(item['connectorId']), item)
    await this.world.put(item)
  }

  ports(): OperatePorts {
    const of = this.world.ports(0)
    const ports: OperatePorts = {
      ...of,
      items: this.table(),
      policy: { ...policy, vendors: of.vendors },
      state: {
        ...of.state,
        writeTest: (next, before) => {
          this.written.push(JSON.stringify(next))
          return of.state.writeTest(next, before)
        },
      },
      historyLake: { keep: async () => ok(undefined) },
      newTicket: () => {
        this.requests += 1
        return String(this.requests).padStart(32, '0')
      },
      later: inThisProcess((payload, caller) => {
        this.calls += 1
        this.going = answerCall(ports, payload, caller, of.clock.now() + this.callMs)
        return this.going
      }),
      ...this.changed,
    }
    return ports
  }

  async call(request: object, caller = provider) {
    this.requests += 1
    const id = 'action' in request && request.action === 'test-result' ? {} : { requestId: `request-${this.requests}` }
    return answerCall(this.ports(), { ...request, ...id }, caller, Number.POSITIVE_INFINITY)
  }

  begin(connectorId = 'acme.cas', item?: ConnectorItem, caller = provider) {
    return this.call({ action: 'test', connectorId, ...(item === undefined ? {} : { item }) }, caller)
  }

  /** Begins a Test, lets so much time pass, and returns its result. */
  async run(item?: ConnectorItem, forMs = 10 * minute, connectorId = 'acme.cas'): Promise<TestAnswer> {
    const begun = await this.begin(connectorId, item)
    if (!begun.ok) throw new Error(begun.failure.message)
    await this.world.run(forMs)
    return this.result(connectorId)
  }

  async result(connectorId = 'acme.cas'): Promise<TestAnswer> {
    const answer = await this.call({ action: 'test-result', connectorId })
    if (!answer.ok) throw new Error(answer.failure.message)
    return answer.value as TestAnswer
  }

  async stored(connectorId = 'acme.cas'): Promise<ConnectorTest> {
    const test = await this.world.state.readTest(connectorId)
    if (test === undefined) throw new Error('No Test is stored')
    return test
  }

  private table(): ConnectorItems {
    return {
      readItem: async (id) => this.items.get(id),
      writeItem: async (item, before) => {
        const id = String(item['connectorId'])
        return isDeepStrictEqual(this.items.get(id), before) && this.items.set(id, item) === this.items
      },
      deleteItem: async (before) => this.items.delete(String(before['connectorId'])),
    }
  }
}

/** The words of the steps: "passed", or the codes and statuses of what failed. */
export function states({ steps }: TestAnswer): readonly string[] {
  return steps.map(({ state }) => state)
}
