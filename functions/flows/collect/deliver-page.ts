import type { Connector } from '../../domain/connector/connector.ts'
import type { CompiledFilters } from '../../domain/connector/log-filters.ts'
import { applyFilters } from '../../domain/connector/log-filters.ts'
import type { Digest } from '../../domain/digest.ts'
import type { Sink } from '../../domain/ports.ts'
import { type LakeRecord, toRecord } from '../../domain/record/record.ts'
import { itemId, recordId } from '../../domain/record/record-id.ts'
import { ok, type Result } from '../../domain/result.ts'
import { askedRange } from '../../domain/stream/plan.ts'
import type { SeenHash, SeenMark } from '../../domain/stream/seen-ids.ts'
import type { Range, StreamCounts, StreamId } from '../../domain/stream/stream.ts'
import type { Instant } from '../../domain/time.ts'
import type { Vendor, VendorPage, VendorRequest, VendorResponse } from '../../domain/vendor.ts'

export interface DeliverPorts {
  readonly sink: Sink
  readonly digest: Digest
}

/** The connector and the stream that a page belongs to. */
export interface PageContext {
  readonly connector: Connector
  readonly vendor: Vendor
  readonly filters: CompiledFilters
  readonly stream: StreamId
}

export interface FetchedPage extends VendorPage {
  readonly requestedAt: Instant
  readonly receivedAt: Instant
  readonly clockErrorMs?: number
}

/** A page after the lake has acknowledged it. */
export interface DeliveredPage {
  /** Ids that were not seen before, and whether each was delivered or filtered. */
  readonly newIds: readonly { readonly hash: SeenHash; readonly mark: SeenMark }[]
  readonly counts: Partial<StreamCounts>
}

/** The request for the next page of the range. Fails with `link-refused`. */
export function pageRequest({ connector, vendor, stream }: PageContext, range: Range): Result<VendorRequest> {
  if (range.nextLink !== undefined) return vendor.nextRequest(connector.baseUrl, range.nextLink)
  const { from, to } = askedRange(range)
  return ok(vendor.firstRequest(connector.baseUrl, stream, from, to))
}

/** Parses a response as the vendor's page. Fails with `malformed-response`. */
export function parsePage(vendor: Vendor, response: VendorResponse, requestedAt: Instant): Result<FetchedPage> {
  const page = vendor.parsePage(response)
  if (!page.ok) return page
  const { receivedAt, clockErrorMs } = response
  return ok({ ...page.value, requestedAt, receivedAt, ...(clockErrorMs === undefined ? {} : { clockErrorMs }) })
}

/**
 * Drops the items that are in `seen`, normalises and filters the others, and delivers those that the filters keep. Fails with
 * `sink-throttled` or `sink-failed`. Does not change `seen`.
 */
export async function deliverPage(
  ports: DeliverPorts,
  context: PageContext,
  range: Range,
  page: FetchedPage,
  seen: ReadonlySet<SeenHash>,
): Promise<Result<DeliveredPage>> {
  const { connector, vendor, filters, stream } = context
  const { digest } = ports
  const newIds = new Map<SeenHash, SeenMark>()
  const byFilter: Record<string, number> = {}
  const records: LakeRecord[] = []
  let malformed = 0
  for (const item of page.items) {
    const id = itemId(item, digest)
    const hash = digest(id).slice(0, 16)
    if (seen.has(hash) || newIds.has(hash)) continue
    const record = toRecord(vendor.normalise(item, { stream, receivedAt: page.receivedAt }), {
      id: recordId(digest, connector.connectorId, stream, id),
      ingestedAt: page.receivedAt,
      ingestMode: range.kind === 'final' || range.kind === 'reread' ? 'backfill' : 'live',
      connector,
    })
    const { keep, counted } = applyFilters(filters, record)
    for (const name of counted) byFilter[name] = (byFilter[name] ?? 0) + 1
    if (record.malformed === true) malformed += 1
    if (keep) records.push(record)
    newIds.set(hash, keep ? 'delivered' : 'filtered')
  }
  if (records.length > 0) {
    const delivered = await ports.sink.deliver(records)
    if (!delivered.ok) return delivered
  }
  return ok({
    newIds: [...newIds].map(([hash, mark]) => ({ hash, mark })),
    counts: {
      pages: 1,
      fetched: page.items.length,
      delivered: records.length,
      filtered: newIds.size - records.length,
      alreadySeen: page.items.length - newIds.size,
      malformed,
      late: range.kind === 'reread' ? newIds.size : 0,
      byFilter,
    },
  })
}
