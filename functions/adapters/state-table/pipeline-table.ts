import type {
  AcceptedStore,
  DueStore,
  KeyRegisterStore,
  KeyUserStore,
  OriginStore,
  OutageStore,
  RunState,
  RunStore,
  SecretOriginStore,
  SeenIdStore,
  StatusStore,
  StreamStore,
  TokenStore,
} from '../../domain/ports.ts'
import { afterEmptyReads } from '../../domain/stream/empty-reads.ts'
import type { StreamId, StreamState } from '../../domain/stream/stream.ts'
import { acceptedItems } from './accepted.ts'
import { dueItems } from './due.ts'
import type { Attributes } from './expressions.ts'
import { parseItem } from './item.ts'
import { acceptedKey, dueKey, heldKeysKey, statusKey, streamOfSk } from './item-keys.ts'
import { apiKeyItems } from './keys/api-keys.ts'
import { keyRegisterItems } from './keys/key-register.ts'
import { secretOriginItems } from './keys/secret-origins.ts'
import { originItems, outageItems } from './outages.ts'
import { acceptedSchema, dueSchema, heldKeysSchema, streamSchema } from './schemas.ts'
import { seenItems } from './seen.ts'
import { parseStatus, statusItems } from './status.ts'
import { dynamodbStore, type Store, type StoreOptions } from './store.ts'
import { streamItems, streamRetention } from './streams.ts'

/** The stores of the state table that the pipeline uses: all but those of what people ask for. */
export type PipelineTable = RunStore &
  AcceptedStore &
  DueStore &
  StatusStore &
  OutageStore &
  OriginStore &
  StreamStore &
  SeenIdStore &
  TokenStore &
  KeyUserStore &
  KeyRegisterStore &
  SecretOriginStore

/**
 * The state table on DynamoDB. Reads are strongly consistent, except the listings by an index. No method parses or replaces an item of a
 * newer release: it throws `NewerSchema`. The listings of connectors, statuses and outages leave such an item out, and report it. Every other error throws `StateUnavailable`, after the retries of the SDK; the write may or may
 * not have taken place.
 */
export function pipelineTable(options: StoreOptions): PipelineTable {
  const store = dynamodbStore(options)
  return {
    readRun: (connectorId) => readRun(store, connectorId),
    ...acceptedItems(store, streamRetention(store)),
    ...dueItems(store),
    ...statusItems(store),
    ...streamItems(store),
    ...seenItems(store),
    ...apiKeyItems(store),
    ...keyRegisterItems(store, options.now),
    ...secretOriginItems(store),
    ...outageItems(store),
    ...originItems(store, options.now),
  }
}

/** The seen ids are many, and a run reads them later. ACCEPTED, DUE and KEYS sort before them, STATUS and STREAM after: so two queries skip them. */
async function readRun(store: Store, connectorId: string): Promise<RunState> {
  const { pk, sk: accepted } = acceptedKey(connectorId)
  const { sk: due } = dueKey(connectorId)
  const { sk: heldKeys } = heldKeysKey(connectorId)
  const { sk: statusSk } = statusKey(connectorId)
  const [before, after] = await Promise.all([
    collect(store.query({ where: '#pk = :pk AND #sk <= :heldKeys', values: { pk, heldKeys } })),
    collect(store.query({ where: '#pk = :pk AND #sk >= :statusSk', values: { pk, statusSk } })),
  ])
  const acceptedItem = before.find(({ sk }) => sk === accepted)
  const dueItem = before.find(({ sk }) => sk === due)
  const heldKeysItem = before.find(({ sk }) => sk === heldKeys)
  const statusItem = after.find(({ sk }) => sk === statusSk)
  const status = statusItem === undefined ? undefined : parseStatus(statusItem)
  const streams = new Map<StreamId, StreamState>()
  const saved = new Map<StreamId, StreamState>()
  for (const item of after) {
    const id = streamOfSk(item['sk'])
    if (id === undefined) continue
    const stream = parseItem(item, streamSchema)
    const read = afterEmptyReads(stream, status?.emptyReads?.[id])
    streams.set(id, read)
    if (read !== stream) saved.set(id, stream)
  }
  return {
    ...(acceptedItem === undefined ? {} : { accepted: parseItem(acceptedItem, acceptedSchema) }),
    ...(dueItem === undefined ? {} : { due: parseItem(dueItem, dueSchema) }),
    ...(status === undefined ? {} : { status }),
    ...(heldKeysItem === undefined ? {} : { heldKeys: parseItem(heldKeysItem, heldKeysSchema) }),
    streams,
    ...(saved.size === 0 ? {} : { saved }),
  }
}

async function collect(items: AsyncIterable<Attributes>): Promise<Attributes[]> {
  const collected: Attributes[] = []
  for await (const item of items) collected.push(item)
  return collected
}
