import { day, type Instant, minuteText } from '../time.ts'
import { keyOldMs } from './thresholds.ts'

/** Sentences about the API keys of a connector. */

/** The part of a status that is about keys. */
interface Keys {
  /** The fingerprints of the keys that the last run could use. */
  readonly keys?: readonly string[]
  readonly rejectedKeys: Readonly<Record<string, unknown>>
  readonly oldestKeyAt?: Instant
}

/** One key, as far as people may see it. */
export interface ShownKey {
  /** When this version of the secret was stored, if the service says so. */
  readonly storedAt?: Instant
  /** The vendor rejected it, and it is tried again at `until`. */
  readonly rejected?: { readonly at: Instant; readonly until: Instant }
  /** Other connectors of the tenant that use the key, and how many of other tenants do (count). */
  readonly usedBy: readonly string[]
  readonly usedByOthers: number
}

const rejected = 'rejected by the vendor (401)'
const rotation = 'add a new key, test it, then retire this one'

/** Days since a key was stored (count). */
function keyAgeDays(storedAt: Instant, now: Instant): number {
  return Math.max(0, Math.floor((now - storedAt) / day))
}

/** Whether a key is near the end of the year that a vendor may give it. */
function isKeyOld(storedAt: Instant, now: Instant): boolean {
  return now - storedAt >= keyOldMs
}

/** Sentences about rejected keys, if there are others, and about old keys. Nothing if there are none. */
export function keysText({ keys = [], rejectedKeys, oldestKeyAt }: Keys, now: Instant): string | undefined {
  const fingerprints = Object.keys(rejectedKeys)
  const all = new Set([...keys, ...fingerprints]).size
  const partly =
    fingerprints.length > 0 && all > 1 ? `${fingerprints.length} of ${all} keys ${rejected}: store a new one in its secret.` : undefined
  const old =
    oldestKeyAt !== undefined && isKeyOld(oldestKeyAt, now)
      ? `A key is ${keyAgeDays(oldestKeyAt, now)} days old, and a vendor may end it after 365 days: ${rotation}.`
      : undefined
  const told = [partly, old].filter((text) => text !== undefined)
  return told.length === 0 ? undefined : told.join(' ')
}

/** `12 days`; a dash if nobody knows. */
export function keyAge({ storedAt }: Pick<ShownKey, 'storedAt'>, now: Instant): string {
  if (storedAt === undefined) return '–'
  const days = keyAgeDays(storedAt, now)
  return `${days} ${days === 1 ? 'day' : 'days'}`
}

/** The state of one key, and what to do about it. */
export function keyState({ storedAt, rejected: refused }: Pick<ShownKey, 'storedAt' | 'rejected'>, now: Instant): string {
  if (refused !== undefined) {
    return `${rejected} at ${minuteText(refused.at)} UTC, tried again at ${minuteText(refused.until)} UTC: store a new one in its secret`
  }
  return storedAt !== undefined && isKeyOld(storedAt, now) ? `in use, but old: ${rotation}` : 'in use'
}

/** The other connectors that use a key. */
export function keyUsers({ usedBy, usedByOthers }: Pick<ShownKey, 'usedBy' | 'usedByOthers'>): string {
  const others = usedByOthers === 0 ? [] : [`${usedByOthers} of other tenants`]
  return [...usedBy, ...others].join(', ') || '–'
}
