import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { marshall } from '@aws-sdk/util-dynamodb'
import { systemClock as clock } from '../functions/adapters/clock.ts'
import { connectorsTable } from '../functions/adapters/connectors-table.ts'
import { sqsQueue } from '../functions/adapters/queue.ts'
import { type StateTable, stateTable } from '../functions/adapters/state-table/state-table.ts'
import { streamAfterTest } from '../functions/domain/operate/test/after-test.ts'
import type { Log } from '../functions/domain/ports.ts'
import { floorToSecond, iso } from '../functions/domain/time.ts'
import { dispatchDue } from '../functions/flows/dispatch-due.ts'
import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import { connectorsTableName, type Services, stateTableName } from './services/services.ts'
import { StartupError } from './services/startup-error.ts'
import { concurrencyMaxDefault } from './triggers/queue-trigger.ts'

/** The names of all secrets of this machine begin with it. */
export const secretPrefix = 'tributary/'

/** The program's own access to the services, beside the functions. */
export interface Control {
  readonly state: StateTable
  /** The connectors table, sorted by id. An item without a text for its id cannot be in it. */
  connectorItems(): Promise<readonly ConnectorItem[]>
  /** The ids in the connectors table, sorted. */
  connectorIds(): Promise<string[]>
  /** Deletes these items of the connectors table, so that their connectors are retired. */
  deleteConnectors(ids: readonly string[]): Promise<void>
  /** Writes these items to the connectors table. Throws `StartupError` when one cannot be stored. */
  putConnectors(items: readonly ConnectorItem[]): Promise<void>
  /** Makes connectors that were stopped or failing in an earlier start ready to run at once. Only the owner may call it, when none of its own functions run. */
  resetConnectors(): Promise<void>
  /** Ends the waits of the connectors that name one of these secrets, and makes them due now: a key was stored there. */
  collectWithStored(secrets: readonly string[]): Promise<void>
  /** Makes accepted connectors due now. */
  collectNow(ids: readonly string[]): Promise<void>
  /** Does the same as a tick of the rule. Each line of its log goes to `onLine`. */
  dispatch(onLine: (line: string) => void): Promise<void>
}

export function connect({ addresses, clientConfig }: Services): Control {
  const dynamodb = new DynamoDBClient({ ...clientConfig, endpoint: addresses.dynamodb })
  const state = stateTable({ client: dynamodb, table: stateTableName, now: clock.now })
  const connectors = connectorsTable({ client: dynamodb, table: connectorsTableName })
  const queue = sqsQueue({
    client: new SQSClient({ ...clientConfig, endpoint: new URL(addresses.queueUrl).origin }),
    queueUrl: addresses.queueUrl,
  })

  async function connectorItems(): Promise<readonly ConnectorItem[]> {
    const items: ConnectorItem[] = []
    for await (const item of connectors.items()) items.push(item)
    return items.sort((a, b) => (String(a['connectorId']) < String(b['connectorId']) ? -1 : 1))
  }

  async function connectorIds(): Promise<string[]> {
    return (await connectorItems()).map(({ connectorId }) => String(connectorId))
  }

  return {
    state,
    connectorItems,
    connectorIds,
    async deleteConnectors(ids) {
      for (const id of ids) {
        await dynamodb.send(new DeleteItemCommand({ TableName: connectorsTableName, Key: { connectorId: { S: id } } }))
      }
    },
    async putConnectors(items) {
      for (const item of items) await putConnector(dynamodb, item)
    },
    async resetConnectors() {
      for (const id of await connectorIds()) await resetConnector(state, id)
    },
    async collectWithStored(secrets) {
      for (const { connectorId, apiKeySecrets } of await connectorItems()) {
        const names = Array.isArray(apiKeySecrets) ? apiKeySecrets.map((reference) => String(reference).split('#')[0] ?? '') : []
        if (!names.some((name) => secrets.includes(name))) continue
        await endWaits(state, String(connectorId))
        await collectConnectorNow(state, String(connectorId))
      }
    },
    async collectNow(ids) {
      for (const id of ids) await collectConnectorNow(state, id)
    },
    async dispatch(onLine) {
      const log: Log = (entry) => onLine(JSON.stringify({ time: iso(clock.now()), ...entry }))
      await dispatchDue({ clock, state, queue, log }, concurrencyMaxDefault)
    },
  }
}

async function putConnector(client: DynamoDBClient, item: ConnectorItem): Promise<void> {
  try {
    await client.send(new PutItemCommand({ TableName: connectorsTableName, Item: marshall(item, { removeUndefinedValues: true }) }))
  } catch (error) {
    throw new StartupError(
      `The item of connector ${String(item['connectorId'])} cannot be stored: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/**
 * Ends leases: the runs that held them ended together with the services that they wrote to. Forgets failures: their cause may have
 * been fixed since, such as a missing secret, so the next run tries at once.
 */
async function resetConnector(state: StateTable, connectorId: string): Promise<void> {
  const { status, streams } = await state.readRun(connectorId)
  for (const [id, stream] of streams) {
    const { lease, trouble, ...kept } = stream
    if (lease !== undefined || trouble !== undefined) await state.writeStream(connectorId, id, { ...kept, version: kept.version + 1 })
  }
  if (status !== undefined) await forgetFailure(state, connectorId)
}

/** Unlike a reset it leaves leases and failures of streams as they are, because runs may be in progress. */
async function endWaits(state: StateTable, connectorId: string): Promise<void> {
  const { streams } = await state.readRun(connectorId)
  for (const [id, stream] of streams) {
    const eased = streamAfterTest(stream, clock.now())
    if (eased !== undefined) await state.writeStream(connectorId, id, eased)
  }
  await forgetFailure(state, connectorId)
}

async function forgetFailure(state: StateTable, connectorId: string): Promise<void> {
  await state.updateStatus(connectorId, (before) => {
    if (before === undefined) return undefined
    const { trouble: _, ...kept } = before
    return { ...kept, rejectedKeys: {} }
  })
}

/** Acceptance makes a new connector due by itself; one that was accepted in an earlier start becomes due here. */
async function collectConnectorNow(state: StateTable, connectorId: string): Promise<void> {
  const accepted = await state.readAccepted(connectorId)
  if (accepted === undefined || accepted.retiredAt !== undefined || !accepted.connector.enabled) return
  const now = clock.now()
  await state.makeDue(connectorId, now, floorToSecond(now))
}
