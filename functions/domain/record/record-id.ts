import type { Digest } from '../digest.ts'
import { type SeenHash, seenHash } from '../stream/seen-ids.ts'
import type { StreamId } from '../stream/stream.ts'
import type { VendorItem } from '../vendor.ts'
import { canonicalJson } from './json-text.ts'

/** The identity of an item: the vendor's id and the content together. An update under the same id is another item. */
export interface ItemIdentity {
  /** The vendor's id, or `''` if the item has none. */
  readonly vendorId: string
  /** A digest of the content. */
  readonly content: string
  /** The hash under which the item is seen: of the vendor's id, or of the content if there is none. */
  readonly seenId: SeenHash
}

/** `ignored`: paths of members that do not belong to the identity. */
export function identityOf(item: VendorItem, digest: Digest, ignored: ReadonlySet<string>): ItemIdentity {
  const content = digest(canonicalJson(item.text ?? item.raw, ignored))
  return { vendorId: item.id ?? '', content, seenId: seenHash(digest(item.id ?? content)) }
}

/** The id of a record: 32 lower-case hex digits, always the same for the same event. */
export function recordId(
  digest: Digest,
  connectorId: string,
  stream: StreamId,
  { vendorId, content }: Pick<ItemIdentity, 'vendorId' | 'content'>,
): string {
  return digest(JSON.stringify([connectorId, stream, vendorId, content])).slice(0, 32)
}
