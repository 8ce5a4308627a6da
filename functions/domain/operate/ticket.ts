import type { Digest } from '../digest.ts'
import { type Instant, minute } from '../time.ts'
import type { Caller, Change } from './operation.ts'

/**
 * Tickets for changes that come from a dashboard. Whoever may edit a dashboard can make the browser of an operator call the function
 * `operate`. So a change from there needs a ticket, and only the review page of `operate` itself has one: the person has seen what it does.
 */

/** A ticket is good for so long (ms). */
export const ticketMs = 10 * minute

/** The secret text of a ticket: 128 random bits, in hex. */
export function isTicket(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{32}$/.test(text)
}

/** A ticket as it is stored. Its secret text cannot be computed from it. */
export interface StoredTicket {
  /** SHA-256 of the secret text. */
  readonly hash: string
  /** A digest of all that the ticket is good for. */
  readonly boundTo: string
  readonly until: Instant
}

/** The stored form of a ticket. */
export function hashOfTicket(digest: Digest, ticket: string): string {
  return digest(`ticket ${ticket}`)
}

/** The id of the request that a ticket makes. It is no part of the page, and does not give the ticket away. */
export function requestIdOf(digest: Digest, ticket: string): string {
  return `page-${digest(`request ${ticket}`).slice(0, 32)}`
}

/** `page`: a person has seen the change on a review page. `go-on`: `operate` itself goes on with a change whose request was answered. */
export type TicketPurpose = 'page' | 'go-on'

/**
 * A digest of all that a ticket is good for: its purpose, the alias, the whole change, and the version of the connector's item that the
 * person has seen (absent: there is none).
 */
export function boundTo(digest: Digest, purpose: TicketPurpose, { tenant }: Pick<Caller, 'tenant'>, change: Change, version = ''): string {
  return digest(sortedJson([purpose, tenant, version, change]))
}

/** JSON with the members of each object in the order of their names, because a form may give them back in another order. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner !== 'object' || inner === null || Array.isArray(inner)
      ? inner
      : Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))),
  )
}
