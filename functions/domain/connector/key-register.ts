import type { Instant } from '../time.ts'
import { tenantOf } from './tenant.ts'

/** Decides who owns an API key. A key is owned by the tenants whose connectors have claimed it, and by nobody when none is left. */

/** The claim of one connector, paused or not. It lasts until the connector is deleted or no longer has the key. */
export interface KeyClaim {
  readonly connectorId: string
  readonly tenant: string
  /** The tenants that may use the key as well, if they allow it too. */
  readonly sharedWith: readonly string[]
  /** Any tenant may, if it allows it too. */
  readonly sharedKey: boolean
  /** The acceptance that it was made from. */
  readonly acceptedAt: Instant
}

/** All claims of one key. */
export interface KeyClaims {
  readonly revision: number
  readonly claims: readonly KeyClaim[]
}

/** The keys of a connector as its last acceptance or run found them: by them its claims end although a secret cannot be read any more. */
export interface HeldKeys {
  readonly revision: number
  readonly acceptedAt: Instant
  readonly keys: readonly HeldKey[]
  /** The limiter of its rate group. */
  readonly group?: string
  /** Keys and rate groups that it no longer has, and has not left yet. */
  readonly leaving: readonly string[]
}

export interface HeldKey {
  /** As a user writes it: `name` or `name#jsonKey`. */
  readonly reference: string
  readonly fingerprint: string
}

/** An entry of a user of the key. */
interface KeyEntry {
  readonly connectorId: string
  readonly tenantName: string
  readonly sharedKey: boolean
  readonly acceptedAt?: Instant
}

export type Claiming =
  | { readonly kind: 'held' }
  | { readonly kind: 'claimed'; readonly next: KeyClaims }
  /** The claim of connector `by` does not allow it. */
  | { readonly kind: 'refused'; readonly by: string }
  /** The register of the key has no room for another claim. */
  | { readonly kind: 'full'; readonly count: number }

/** An item of the state table has 400 KB. A run reads the register, so it is kept well below that (bytes). */
const registerBytesMax = 100 * 1024

/**
 * Adds a claim, or brings it up to date. `users`: entries without a claim are of earlier releases, which know no claims; they count as
 * claims of their tenants, so that an upgrade gives nobody's key away.
 */
export function claimKey(register: KeyClaims, claim: KeyClaim, users: readonly KeyEntry[]): Claiming {
  const others = register.claims.filter(({ connectorId }) => connectorId !== claim.connectorId)
  const own = register.claims.find(({ connectorId }) => connectorId === claim.connectorId)
  if (own !== undefined && (own.acceptedAt > claim.acceptedAt || isSameClaim(own, claim))) return { kind: 'held' }
  const rival = [...others, ...claimsOfUsers(register, users)].find(
    (other) => other.connectorId !== claim.connectorId && !(allows(other, claim) && allows(claim, other)),
  )
  if (rival !== undefined) return { kind: 'refused', by: rival.connectorId }
  const claims = [...others, claim]
  if (own === undefined && Buffer.byteLength(JSON.stringify(claims)) > registerBytesMax) return { kind: 'full', count: others.length }
  return { kind: 'claimed', next: { revision: register.revision + 1, claims } }
}

/** Ends the claim of a connector, unless a later acceptance made it. Returns nothing if there is none to end. */
export function releaseKey(register: KeyClaims, connectorId: string, acceptedAt: Instant): KeyClaims | undefined {
  const claims = register.claims.filter((claim) => claim.connectorId !== connectorId || claim.acceptedAt > acceptedAt)
  return claims.length === register.claims.length ? undefined : { revision: register.revision + 1, claims }
}

function isSameClaim(a: KeyClaim, b: KeyClaim): boolean {
  return (
    a.tenant === b.tenant &&
    a.sharedKey === b.sharedKey &&
    a.acceptedAt === b.acceptedAt &&
    JSON.stringify(a.sharedWith) === JSON.stringify(b.sharedWith)
  )
}

function allows(one: KeyClaim, other: KeyClaim): boolean {
  return one.tenant === other.tenant || one.sharedKey || one.sharedWith.includes(other.tenant)
}

function claimsOfUsers({ claims }: KeyClaims, users: readonly KeyEntry[]): KeyClaim[] {
  const claimed = new Set(claims.map(({ connectorId }) => connectorId))
  return users
    .filter(({ connectorId }) => !claimed.has(connectorId))
    .map((user) => ({
      connectorId: user.connectorId,
      tenant: tenantOf(user),
      sharedWith: [],
      sharedKey: user.sharedKey,
      acceptedAt: user.acceptedAt ?? 0,
    }))
}

/**
 * The record after an acceptance or a run has looked at the secrets: `found` has the key of each reference that the connector has, and
 * nothing for a secret that could not be read, whose key stays as it was. Returns `before` itself if nothing changes.
 */
export function heldAfter(
  before: HeldKeys | undefined,
  acceptedAt: Instant,
  found: ReadonlyMap<string, string | undefined>,
  group: string | undefined,
): HeldKeys {
  const known = new Map(before?.keys.map(({ reference, fingerprint }) => [reference, fingerprint]))
  const keys = [...found].flatMap(([reference, now]) => {
    const fingerprint = now ?? known.get(reference)
    return fingerprint === undefined ? [] : [{ reference, fingerprint }]
  })
  const kept = new Set([...keys.map(({ fingerprint }) => fingerprint), ...(group === undefined ? [] : [group])])
  const leaving = [...new Set([...(before?.leaving ?? []), ...bucketsOf(before)])].filter((bucket) => !kept.has(bucket))
  const next = { acceptedAt, keys, ...(group === undefined ? {} : { group }), leaving }
  if (before !== undefined) {
    const { revision, ...content } = before
    if (contentText(content) === contentText(next)) return before
  }
  return { revision: (before?.revision ?? 0) + 1, ...next }
}

/** Every limiter that the connector counts at. */
export function bucketsOf(held: HeldKeys | undefined): readonly string[] {
  if (held === undefined) return []
  const all = [...held.keys.map(({ fingerprint }) => fingerprint), ...(held.group === undefined ? [] : [held.group]), ...held.leaving]
  return [...new Set(all)]
}

function contentText({ acceptedAt, keys, group, leaving }: Omit<HeldKeys, 'revision'>): string {
  return JSON.stringify([acceptedAt, keys.map(({ reference, fingerprint }) => [reference, fingerprint]), group, leaving])
}
