import { digest } from '../functions/adapters/digest.ts'
import { canonicalJson } from '../functions/domain/record/json-text.ts'
import { identityOf, recordId } from '../functions/domain/record/record-id.ts'
import { itemOf } from '../local/simulator/messages.ts'
import { asMade } from './key-in-events.ts'

type Event = Parameters<typeof itemOf>[0]

/** The id of the record of an event that the simulated vendor shows. */
export function expectedRecordId(connectorId: string, event: Event): string {
  const { stream, id } = event
  const raw = JSON.stringify(itemOf(event))
  return recordId(digest, connectorId, stream, identityOf({ id, raw, value: undefined }, digest, new Set()))
}

/** Names an event by what the vendor showed, whatever the release that made a record of it. */
export function eventKey(raw: string): string {
  return digest(asMade(canonicalJson(raw)))
}

/** The `eventKey` of an event that the simulated vendor shows. */
export function expectedKey(event: Event): string {
  const known = keys.get(event) ?? eventKey(JSON.stringify(itemOf(event)))
  keys.set(event, known)
  return known
}

const keys = new WeakMap<Event, string>()
