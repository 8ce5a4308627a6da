import { randomUUID } from 'node:crypto'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type StateTable, stateTable } from '../../functions/adapters/state-table/state-table.ts'
import { MemoryDynamoDb } from '../../simulation/fakes/dynamodb.ts'
import { acceptedContract } from './state/accepted.ts'
import { apiKeyContract } from './state/api-keys.ts'
import { dueContract } from './state/due.ts'
import type { Given } from './state/given.ts'
import { keyRegisterContract } from './state/key-register.ts'
import { newerReleaseContract, type OpenTable } from './state/newer-release.ts'
import { outageContract } from './state/outages.ts'
import { runStateContract } from './state/run-state.ts'
import { secretOriginContract } from './state/secret-origins.ts'
import { seenIdContract } from './state/seen-ids.ts'
import { statusContract } from './state/status.ts'
import { streamContract } from './state/streams.ts'
import { testContract } from './state/tests.ts'
import { ticketContract } from './state/tickets.ts'
import { accepted, list, start, status } from './state/values.ts'

/** A DynamoDB for tests. */
export interface StateDynamo {
  readonly client: DynamoDBClient
  /** Makes a state table, and returns when it can be used. */
  createStateTable(name: string): Promise<void>
  close(): Promise<void>
}

/** The promises of every store of the state table, kept by the adapter on the given DynamoDB and on the fake in memory. */
export function stateContract(name: string, startDynamo: () => Promise<StateDynamo>): void {
  let dynamo: StateDynamo
  const given: Given = { state: inMemory(), now: start }

  function inMemory(): StateTable {
    return stateTable({ client: new MemoryDynamoDb({ pageItemsMax: 7 }).client, table: 'state', now: () => given.now })
  }

  async function newTable(): Promise<OpenTable> {
    const { client } = dynamo
    const table = `state-${randomUUID()}`
    await dynamo.createStateTable(table)
    return { client, table, state: stateTable({ client, table, now: () => given.now }) }
  }

  beforeAll(async () => {
    dynamo = await startDynamo()
  })
  afterAll(() => dynamo.close())
  beforeEach(() => {
    given.now = start
  })

  const implementations: [string, () => Promise<StateTable>][] = [
    ['in memory', async () => inMemory()],
    [`on ${name}`, async () => (await newTable()).state],
  ]

  describe.each(implementations)('the state table %s', (_, open) => {
    beforeEach(async () => {
      given.state = await open()
    })

    runStateContract(given)
    acceptedContract(given)
    dueContract(given)
    statusContract(given)
    outageContract(given)
    streamContract(given)
    seenIdContract(given)
    apiKeyContract(given)
    keyRegisterContract(given)
    secretOriginContract(given)
    testContract(given)
    ticketContract(given)
  })

  it(`the listings have the same order in memory and on ${name}`, async () => {
    const orders = []
    for (const [, open] of implementations) {
      const state = await open()
      for (let i = 0; i < 30; i++) {
        await state.makeDue(`connector-${i}`, start + ((i * 7) % 30), start)
        await state.updateStatus(`connector-${i}`, () => status)
        await state.writeAccepted(accepted(`connector-${i}`), undefined)
      }
      const [due, fleet, all] = [await list(state.dueBefore(start + 20)), await list(state.fleet()), await list(state.allAccepted())]
      orders.push({ due, fleet: fleet.map(({ connectorId }) => connectorId), accepted: all.map(({ connector }) => connector.connectorId) })
    }
    expect(orders[0]).toEqual(orders[1])
  })

  newerReleaseContract(newTable)
}
