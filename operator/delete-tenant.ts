import type { Clock } from '../functions/domain/ports.ts'
import { minute, second } from '../functions/domain/time.ts'
import type { Lake, LakeObject } from './lake.ts'
import { countLines, type Lines, withoutRecords } from './tenant-lines.ts'
import type { Tables, TenantState } from './tenant-state.ts'

/** A deployment, on AWS or in a data folder. */
export interface Deployment {
  readonly tables: Tables
  readonly lake: Lake
  readonly clock: Clock
  /** The functions run: they retire a connector whose item is gone, and a run may still be under way then. */
  readonly isLive: boolean
  /** Called with a line about the progress. */
  readonly say: (text: string) => void
}

export interface Deleted {
  readonly connectors: number
  readonly stateItems: number
  readonly secretNames: readonly string[]
  readonly records: number
  /** Objects of the lake, and former versions of them, that held records of the tenant. */
  readonly objects: number
  /** Objects of the lake that could not be read or replaced, or hold a line that may be the tenant's, with the reason. */
  readonly failed: readonly { readonly object: string; readonly reason: string }[]
  /** Ids of connectors that somebody has made while they were deleted. */
  readonly cameBack: readonly string[]
}

/** The functions retire a connector within this time (ms). */
const retiredWithinMs = 10 * minute
/** A run ends within 5 minutes, and Firehose writes what it got a minute later (ms). */
const settledAfterMs = 8 * minute
const lookEveryMs = 5 * second

/** The connectors are still there after `retiredWithinMs`. */
export class NotRetired extends Error {}

/**
 * Deletes everything of a tenant, of which the tables held `found`: its connectors, then its records in the lake, then its state. A second call completes what the first
 * left undone, so the state, which names the connectors, goes last. Throws `NotRetired`, or the errors of the tables; a failure of one
 * object of the lake is in the result.
 */
export async function deleteTenant({ tables, lake, clock, isLive, say }: Deployment, tenant: string, found: TenantState): Promise<Deleted> {
  await tables.deleteConnectors(found.items)
  say(`Deleted from the connectors table: ${countText(found.items.length, 'item')}.`)
  if (isLive) await settle(tables, found, clock, say)
  const cleaned = await cleanLake(lake, tenant, say)
  // A run that was under way may have written since.
  const state = await tables.find(tenant)
  await tables.deleteState(state)
  say(`Deleted from the state table: ${countText(state.keys.length, 'item')}.`)
  return {
    connectors: found.connectorIds.length,
    stateItems: state.keys.length,
    secretNames: state.secretNames,
    ...cleaned,
    cameBack: state.items,
  }
}

/** Returns when no run of the tenant can deliver any more, and Firehose has written what it had. */
async function settle(tables: Tables, { connectorIds }: TenantState, clock: Clock, say: (text: string) => void): Promise<void> {
  const giveUpAt = clock.now() + retiredWithinMs
  let retiredAt = await tables.retiredAt(connectorIds)
  if (retiredAt === undefined) say('Waiting for the functions to retire the connectors.')
  while (retiredAt === undefined) {
    if (clock.now() >= giveUpAt) {
      throw new NotRetired(
        'The functions have not retired the connectors within 10 minutes, so nothing more was deleted. Look for errors of the function connector-changed, then start this command again.',
      )
    }
    await clock.sleepUntil(clock.now() + lookEveryMs)
    retiredAt = await tables.retiredAt(connectorIds)
  }
  const settledAt = retiredAt + settledAfterMs
  if (settledAt > clock.now()) {
    say(
      `Waiting until ${new Date(settledAt).toISOString().slice(11, 19)} UTC: a run may still be under way, and Firehose may hold records.`,
    )
  }
  await clock.sleepUntil(settledAt)
}

/** Objects that are read at the same time (count). Each takes some megabytes. */
const objectsAtOnce = 8
const sayEveryObjects = 1_000

async function cleanLake(
  lake: Lake,
  tenant: string,
  say: (text: string) => void,
): Promise<Pick<Deleted, 'records' | 'objects' | 'failed'>> {
  let looked = 0
  let records = 0
  let objects = 0
  const failed: { object: string; reason: string }[] = []
  const all = lake.objects()[Symbol.asyncIterator]()
  const progress = () =>
    `Looked through ${countText(looked, 'object')} of the lake. Deleted: ${countText(records, 'record')} in ${countText(objects, 'object')}.`

  async function work(): Promise<void> {
    for (let next = await all.next(); next.done !== true; next = await all.next()) {
      const object = next.value
      try {
        const { records: removed, unclear } = await cleanObject(object, tenant)
        records += removed
        if (removed > 0) objects++
        if (unclear > 0) failed.push({ object: object.name, reason: unclearText(unclear) })
      } catch (error) {
        failed.push({ object: object.name, reason: error instanceof Error ? error.message : String(error) })
      }
      looked++
      if (looked % sayEveryObjects === 0) say(progress())
    }
  }
  await Promise.all(Array.from({ length: objectsAtOnce }, work))
  say(progress())
  return { records, objects, failed }
}

/** Returns how many records it removed. A former version is deleted whole: nobody queries it. */
async function cleanObject(object: LakeObject, tenant: string): Promise<Lines> {
  const lines = await countLines(await object.read(), tenant)
  if (object.isFormer && lines.records + lines.unclear > 0) {
    await object.remove()
    return { ...lines, unclear: 0 }
  }
  if (lines.records === 0) return lines
  const rest = await withoutRecords(await object.read(), tenant)
  if (rest === undefined) await object.remove()
  else await object.replace(rest)
  return lines
}

function unclearText(count: number): string {
  const what = count === 1 ? 'It has a line that is no record, but names' : `It has ${count} lines that are no records, but name`
  return `${what} the tenant. Look at it, and delete it if nobody needs the rest.`
}

/** `1 record`, `2 records`. */
export function countText(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}
