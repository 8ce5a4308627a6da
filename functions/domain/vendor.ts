import type { ZodMiniType } from 'zod/mini'
import type { Span } from './record/json-text.ts'
import type { RecordBody } from './record/record.ts'
import type { Result } from './result.ts'
import type { StreamId } from './stream/stream.ts'
import type { Instant } from './time.ts'

/** One GET; the adapter adds the key, the trace id and the bounds. `url` is absolute and on the connector's own origin. */
export interface VendorRequest {
  readonly url: string
}

/** One response, read in full and parsed as JSON; all of it is untrusted. */
export interface VendorResponse {
  /** The body, parsed. A number that JavaScript cannot hold exactly is its digits as a text. Undefined if the response has no body (204). */
  readonly body: unknown
  /** The body as received, decoded. A byte that is not of its charset is a lone surrogate, U+DC00 and the byte. */
  readonly text: string
  /** The bytes of a part of `text` in base64, if some of them are not of its charset. Absent if the whole body is of the charset. */
  readonly undecodable?: (part: Span) => string | undefined
  /** When the last byte arrived. */
  readonly receivedAt: Instant
  /** Its `Date` header, in whole seconds; absent without one. A cached response is as old as this. */
  readonly date?: Instant
  /** The vendor's clock minus ours (ms), from its `Date` header; 0 if it is within the header's resolution, absent without one. */
  readonly clockErrorMs?: number
  readonly traceId?: string
  /** The wait that the response asks for (ms), at most an hour. */
  readonly retryAfterMs?: number
}

/** One item of a page, before it is normalised. */
export interface VendorItem {
  /** The vendor's own id, absent where the item has none. */
  readonly id?: string
  /** The item's own text, as received; with `rawEncoding` `base64`, its bytes. */
  readonly raw: string
  /** Set if some bytes of the item are not of the body's charset. */
  readonly rawEncoding?: 'base64'
  /** With `rawEncoding`, the item's own text: a byte that is not of the charset is a lone surrogate. It decides which item this is. */
  readonly text?: string
  /** The item, parsed; undefined with `rawEncoding`. */
  readonly value: unknown
}

export interface VendorPage {
  readonly items: readonly VendorItem[]
  /** As received, for `nextRequest`; absent on the last page. */
  readonly nextLink?: string
  readonly traceId?: string
}

/** The abilities of a connector, and how to get its credentials, for people. */
export interface VendorCard {
  /** The regions of the service and the host of each. */
  readonly regions: readonly { readonly title: string; readonly host: string }[]
  /** The steps to the base URL and to an API key, one sentence each. */
  readonly baseUrlSteps: readonly string[]
  readonly apiKeySteps: readonly string[]
  /** The permission that an API key needs: "the API type …". */
  readonly keyPermission: string
  /** A question about a connector that is answered and has never had an event. */
  readonly noEvents: string
  /** A key is valid for so long (days), and a customer has at most so many (count). */
  readonly keyLifeDays: number
  readonly keysMax: number
  /** Requests a minute that one key is allowed. */
  readonly requestsPerMinute: number
  /** The vendor's own pages. */
  readonly links: readonly { readonly title: string; readonly url: string }[]
}

/** Everything that a vendor must provide, all of it pure. A second vendor is a second folder with one of these. */
export interface Vendor {
  /** The connector's `type`. */
  readonly type: string
  readonly title: string
  /** The kind of product, as people look for it. */
  readonly category: string
  /** The names of content types and event types for people, by the names that an item has. */
  readonly labels: Readonly<Record<string, string>>
  readonly card: VendorCard
  /** Everything that can be collected, by the names that an item has. */
  readonly offer: VendorAttributes
  /** The columns of the lake that find the events of a content type. */
  locate(contentType: string): Readonly<Record<string, string>>
  /** The hosts that `baseUrl` may name. */
  readonly hosts: readonly string[]
  /** How long the vendor keeps events for retrieval (ms). */
  readonly retentionMs: number
  /** Items on one page at most (count). */
  readonly pageItemsMax: number
  /** Parses the attributes of a connector that are this vendor's own, and fills in their defaults; strict. */
  readonly attributes: ZodMiniType<VendorAttributes>
  /** The `lateArrivalMinutes` of a connector that sets none. */
  lateArrivalMinutes(attributes: VendorAttributes): number
  /** Cuts a pasted address down to the service's root: `https://host/v1/…` becomes `https://host`. Other text is returned unchanged. */
  baseUrlOf(pasted: string): string
  streams(attributes: VendorAttributes): readonly StreamId[]
  describe(stream: StreamId): { readonly service: string; readonly event: string }
  /** The request for the first page of `[from, to]`, with both bounds to the millisecond. */
  firstRequest(baseUrl: string, stream: StreamId, from: Instant, to: Instant): VendorRequest
  /** The request for the next page. Fails with `link-refused` unless the link leads to `baseUrl`'s own origin, however it is written. */
  nextRequest(baseUrl: string, link: string): Result<VendorRequest>
  /** Fails with `malformed-response`, or with `throttled` for a refusal under status 200. A malformed item does not fail the page. */
  parsePage(response: VendorResponse): Result<VendorPage>
  /** Never fails. A value that does not fit stays in `raw` only; an item that the vendor does not document is marked `malformed`. */
  normalise(item: VendorItem, origin: { readonly stream: StreamId; readonly receivedAt: Instant }): RecordBody
}

export interface VendorAttributes {
  readonly contentTypes: readonly string[]
  readonly eventTypes: readonly string[]
}
