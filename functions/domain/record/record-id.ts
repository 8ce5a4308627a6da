import type { Digest } from '../digest.ts'
import type { StreamId } from '../stream/stream.ts'
import type { VendorItem } from '../vendor.ts'
import { canonicalJson } from './json-text.ts'

/** The vendor's id of an item or, if it has none, a hash of the item, so that the same item always has the same id. */
export function itemId(item: VendorItem, digest: Digest): string {
  return item.id ?? digest(item.rawEncoding === undefined ? canonicalJson(item.raw) : item.raw)
}

/** The id of a record: 32 lower-case hex digits, always the same for the same event. */
export function recordId(digest: Digest, connectorId: string, stream: StreamId, itemId: string): string {
  return digest(JSON.stringify([connectorId, stream, itemId])).slice(0, 32)
}
