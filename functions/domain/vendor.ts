import type { ZodType } from 'zod'
import type { RecordBody } from './record/record.ts'
import type { Result } from './result.ts'
import type { StreamId } from './stream/stream.ts'
import type { Instant } from './time.ts'

/** One GET; the adapter adds the key, the trace id and the bounds. `url` is absolute and on the connector's own origin. */
export interface VendorRequest {
  readonly url: string
}

/** One answer, read in full and parsed as JSON; `body` is untrusted. */
export interface VendorResponse {
  readonly body: unknown
  /** When the last byte came. */
  readonly receivedAt: Instant
  /** The vendor's clock less ours (ms), from its `Date` header, 0 where it is within the header's resolution; absent without one. */
  readonly clockErrorMs?: number
  readonly traceId?: string
}

/** One item of a page, before it is normalised. */
export interface VendorItem {
  /** The vendor's own id, absent where the item has none. */
  readonly id?: string
  /** The item as received. */
  readonly raw: unknown
}

export interface VendorPage {
  readonly items: readonly VendorItem[]
  /** As received, for `nextRequest`; absent on the last page. */
  readonly nextLink?: string
  readonly traceId?: string
}

/** What a vendor must provide. A second vendor is a second folder with one of these. All of it is pure. */
export interface Vendor {
  /** The connector's `type`. */
  readonly type: string
  readonly title: string
  /** The hosts that `baseUrl` may name. */
  readonly hosts: readonly string[]
  /** How long the vendor keeps events for retrieval (ms). */
  readonly retentionMs: number
  /** The most items that one page holds. */
  readonly pageItemsMax: number
  /** The attributes of a connector that are this vendor's own, with their defaults; strict. */
  readonly attributes: ZodType<VendorAttributes>
  /** The `lateArrivalMinutes` of a connector that names none. */
  lateArrivalMinutes(attributes: VendorAttributes): number
  /** A pasted address, cut down to the service's root: `https://host/v1/…` becomes `https://host`. Text that is no URL is returned as it is. */
  baseUrlOf(pasted: string): string
  streams(attributes: VendorAttributes): readonly StreamId[]
  describe(stream: StreamId): { readonly service: string; readonly event: string }
  /** Asks for `[from, to]`, both bounds sent, to the millisecond. */
  firstRequest(baseUrl: string, stream: StreamId, from: Instant, to: Instant): VendorRequest
  /** Fails with `link-refused` unless the link, in any of its forms, leads to `baseUrl`'s own origin. */
  nextRequest(baseUrl: string, link: string): Result<VendorRequest>
  /** Fails with `malformed-response`; a malformed item is no failure of the page. */
  parsePage(response: VendorResponse): Result<VendorPage>
  /** Never fails: what does not fit stays in `raw`, and an item that is none is marked `malformed`. */
  normalise(item: VendorItem, origin: { readonly stream: StreamId; readonly receivedAt: Instant }): RecordBody
}

export interface VendorAttributes {
  readonly contentTypes: readonly string[]
  readonly eventTypes: readonly string[]
}
