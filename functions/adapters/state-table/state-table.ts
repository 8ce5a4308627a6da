import type {
  AcceptedStore,
  DueStore,
  KeyUserStore,
  OutageStore,
  RunState,
  RunStore,
  SeenIdStore,
  StatusStore,
  StreamStore,
  TokenStore,
} from '../../domain/ports.ts'
import type { StreamId, StreamState } from '../../domain/stream/stream.ts'
import { acceptedItems, acceptedKey } from './accepted.ts'
import { dueItems, dueKey } from './due.ts'
import { keyItems } from './keys.ts'
import { outageItems } from './outages.ts'
import { acceptedSchema, dueSchema, streamSchema } from './schemas.ts'
import { seenItems } from './seen.ts'
import { parseStatus, statusItems, statusKey } from './status.ts'
import { type Attributes, dynamodbStore, type Store, type StoreOptions } from './store.ts'
import { streamItems, streamOf, streamRetention } from './streams.ts'

/** Every store of the state table. */
export type StateTable = RunStore &
  AcceptedStore &
  DueStore &
  StatusStore &
  OutageStore &
  StreamStore &
  SeenIdStore &
  TokenStore &
  KeyUserStore

/**
 * The state table on DynamoDB. Reads are strongly consistent but for the listings. Every write leaves what a newer release
 * wrote as it is and throws `NewerSchema`; whatever else goes wrong throws `StateUnavailable`, after the retries of the SDK,
 * and may or may not have taken place.
 */
export function stateTable(options: StoreOptions): StateTable {
  const store = dynamodbStore(options)
  return {
    readRun: (connectorId) => readRun(store, connectorId),
    ...acceptedItems(store, streamRetention(store)),
    ...dueItems(store),
    ...statusItems(store),
    ...streamItems(store),
    ...seenItems(store),
    ...keyItems(store),
    ...outageItems(store),
  }
}

/** ACCEPTED and DUE sort before the seen ids, STATUS and STREAM after them: two queries read all the rest. */
async function readRun(store: Store, connectorId: string): Promise<RunState> {
  const { pk, sk: accepted } = acceptedKey(connectorId)
  const { sk: due } = dueKey(connectorId)
  const { sk: status } = statusKey(connectorId)
  const [before, after] = await Promise.all([
    collect(store.query({ where: '#pk = :pk AND #sk <= :due', values: { pk, due } })),
    collect(store.query({ where: '#pk = :pk AND #sk >= :status', values: { pk, status } })),
  ])
  const acceptedItem = before.find(({ sk }) => sk === accepted)
  const dueItem = before.find(({ sk }) => sk === due)
  const statusItem = after.find(({ sk }) => sk === status)
  const streams = new Map<StreamId, StreamState>()
  for (const item of after) {
    const stream = streamOf(item['sk'])
    if (stream !== undefined) streams.set(stream, store.parse(item, streamSchema))
  }
  return {
    ...(acceptedItem === undefined ? {} : { accepted: store.parse(acceptedItem, acceptedSchema) }),
    ...(dueItem === undefined ? {} : { due: store.parse(dueItem, dueSchema) }),
    ...(statusItem === undefined ? {} : { status: parseStatus(store, statusItem) }),
    streams,
  }
}

async function collect(items: AsyncIterable<Attributes>): Promise<Attributes[]> {
  const collected: Attributes[] = []
  for await (const item of items) collected.push(item)
  return collected
}
