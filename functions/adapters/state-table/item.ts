import * as z from 'zod/mini'
import { NewerSchema, StateUnavailable } from '../../domain/state-errors.ts'
import type { Attributes } from './expressions.ts'
import { formatKey } from './item-keys.ts'
import '../../domain/schema-messages.ts'

/** The version of the items that this release writes, and the highest that it can read. */
export const schemaVersion = 1

/** The attributes that every item has. */
const header = z.object({
  pk: z.string(),
  sk: z.string(),
  schemaVersion: z.number(),
  /** Names the write that made the item, so that a write can find out whether it took place. */
  writeId: z.optional(z.string()),
})

/** Throws `NewerSchema` for an item of a newer release, and `StateUnavailable` for one that does not fit `schema`. */
export function parseItem<T>(item: Attributes, schema: z.ZodMiniType<T>): T {
  const head = header.safeParse(item)
  if (head.success && head.data.schemaVersion > schemaVersion) {
    throw new NewerSchema(formatKey(head.data), head.data.schemaVersion, schemaVersion)
  }
  const parsed = head.success ? schema.safeParse(item) : head
  if (parsed.success) return parsed.data as T
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
  const key = head.success ? formatKey(head.data) : 'without a key or version'
  throw new StateUnavailable(
    `The state item ${key} is not what a release writes (${mistakes}). Restore it from a backup, or delete it to start over.`,
  )
}

export function writeIdOf(item: Attributes): string | undefined {
  return parseItem(item, header).writeId
}
