import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { StateTable } from '../../functions/adapters/state-table/state-table.ts'
import type { KeyUser } from '../../functions/domain/ports.ts'
import { hour } from '../../functions/domain/time.ts'
import { start } from '../../simulation/world.ts'
import type { StoredState } from './release.ts'

/** Later than every time that a test stores. */
const farFuture = start + 1_000 * hour

export type Everything = Awaited<ReturnType<typeof everything>>

/** Reads a whole state table with the functions of a release. A release finds only the items that it knows: 0.1.0 knows no outages. */
export async function everything(state: StateTable, { items }: StoredState) {
  const idsOf = (sk: string) => items.filter((item) => text(item, 'sk') === sk).map((item) => text(item, 'pk').replace(/^\w+#/, ''))
  const connectorIds = [...new Set([...idsOf('ACCEPTED'), ...idsOf('STATUS')])]
  const buckets = idsOf('TOKENS')
  const runs = Object.entries(await eachOf(connectorIds, (id) => state.readRun(id)))
  const streams = Object.fromEntries(
    runs.flatMap(([id, run]) => [...run.streams].map(([name, stream]) => [`${id} ${name}`, stream] as const)),
  )
  const seen: Record<string, unknown> = {}
  for (const [id, run] of runs) {
    for (const [name, { seenClasses }] of run.streams) {
      const marks: Record<string, string> = {}
      const classes = Object.keys(seenClasses).map(Number)
      await state.readSeen(id, name, { from: 0, to: farFuture }, classes, (hash, mark) => {
        marks[hash] = mark
      })
      seen[`${id} ${name}`] = marks
    }
  }
  return {
    accepted: await listOf(state.allAccepted()),
    runs: Object.fromEntries(runs.map(([id, { streams: _, ...run }]) => [id, run])),
    due: await listOf(state.dueBefore(Number.MAX_SAFE_INTEGER)),
    fleet: await listOf(state.fleet()),
    statuses: await eachOf(idsOf('STATUS'), async (id) => (await state.readStatus(id))!),
    streams,
    seen,
    tokens: await eachOf(buckets, (bucket) => state.readTokens(bucket)),
    users: await eachOf(buckets, (bucket) => usersOf(state, bucket)),
    fingerprintKey: await state.fingerprintKey('ff'.repeat(32)),
    ...('outages' in state ? { outages: await state.outages() } : {}),
  }
}

/** The users of a key, as releases up to 0.3.0 can read them: only by a registration, which is removed again. */
interface FormerKeyUsers {
  registerKeyUser(bucket: string, user: KeyUser, now: number): Promise<readonly KeyUser[]>
  forgetKeyUser(bucket: string, connectorId: string): Promise<void>
}

async function usersOf(state: StateTable | FormerKeyUsers, bucket: string): Promise<readonly KeyUser[]> {
  if ('keyUsers' in state) return state.keyUsers(bucket, start + 100 * hour)
  const reader = { connectorId: 'looking', tenantName: 'Nobody', sharedKey: false, requestsPerMinute: 20, until: farFuture }
  const users = await state.registerKeyUser(bucket, reader, start + 100 * hour)
  await state.forgetKeyUser(bucket, 'looking')
  return users.filter(({ connectorId }) => connectorId !== 'looking')
}

async function eachOf<T>(names: readonly string[], read: (name: string) => Promise<T>): Promise<Readonly<Record<string, T>>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)))
}

export async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** The kinds of items that are stored. */
export function kindsOf({ items }: StoredState): string[] {
  return [...new Set(items.map((item) => (text(item, 'pk') === 'OUTAGES' ? 'OUTAGE' : text(item, 'sk').split('#')[0]!)))].sort()
}

export function schemaVersionsOf({ items }: StoredState): string[] {
  return [...new Set(items.map((item) => item['schemaVersion']?.N ?? 'none'))]
}

function text(item: Readonly<Record<string, AttributeValue>>, name: string): string {
  return item[name]?.S ?? ''
}
