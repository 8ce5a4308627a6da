import type { Connector } from '../../domain/connector/connector.ts'
import { applyFilters, type CompiledFilters, FilterSteps } from '../../domain/connector/log-filters.ts'
import type { Digest } from '../../domain/digest.ts'
import { type Failure, failure } from '../../domain/failures.ts'
import type { RecordDetail, Sink } from '../../domain/ports.ts'
import { differingFields, fieldPrints } from '../../domain/record/field-prints.ts'
import { withoutKeys } from '../../domain/record/key-redaction.ts'
import { type LakeRecord, toRecord } from '../../domain/record/record.ts'
import { type ItemIdentity, identityOf, recordId } from '../../domain/record/record-id.ts'
import { linkWithKey } from '../../domain/redaction/shown-page.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import type { Changes } from '../../domain/stream/changes.ts'
import { askedRange } from '../../domain/stream/plan.ts'
import { type SeenContent, type SeenId, SeenItems, type SeenVerdict, seenHash } from '../../domain/stream/seen-ids.ts'
import type { Range, StreamCounts, StreamId } from '../../domain/stream/stream.ts'
import type { Instant } from '../../domain/time.ts'
import type { Vendor, VendorItem, VendorPage, VendorRequest, VendorResponse } from '../../domain/vendor.ts'

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
  /** The API keys of the connector, as far as the run knows them. No record may hold one. */
  readonly apiKeys: ReadonlySet<string>
}

export interface FetchedPage extends VendorPage {
  readonly requestedAt: Instant
  readonly receivedAt: Instant
  readonly date?: Instant
  readonly clockErrorMs?: number
}

/** The items of a page that the lake has acknowledged, and those that the filters dropped. */
interface DeliveredPage {
  /** The items that were not seen before. */
  readonly newIds: readonly SeenId[]
  readonly counts: Partial<StreamCounts>
  readonly changes: Changes
  /** The names of the filters that took too many steps on this page, so they were off for the rest of it. */
  readonly filtersOff: readonly string[]
}

/** The lake took the page, or a part of it: `failure`. */
export interface PageDelivery {
  readonly delivered: DeliveredPage
  readonly failure?: Failure
}

/** The request for the next page of the range. Fails with `link-refused`. */
export function pageRequest({ connector, vendor, stream }: PageContext, range: Range): Result<VendorRequest> {
  if (range.nextLink === linkWithKey) return failed(failure('link-refused', 'The link to the next page holds an API key of the connector'))
  if (range.nextLink !== undefined) return vendor.nextRequest(connector.baseUrl, range.nextLink)
  const { from, to } = askedRange(range)
  return ok(vendor.firstRequest(connector.baseUrl, stream, from, to))
}

/** Parses a response as the vendor's page. Fails with `malformed-response`. */
export function parsePage(vendor: Vendor, response: VendorResponse, requestedAt: Instant): Result<FetchedPage> {
  const page = vendor.parsePage(response)
  if (!page.ok) return page
  const { receivedAt, date, clockErrorMs } = response
  const clock = { ...(date === undefined ? {} : { date }), ...(clockErrorMs === undefined ? {} : { clockErrorMs }) }
  return ok({ ...page.value, requestedAt, receivedAt, ...clock })
}

/**
 * Drops the items that are in `seen`, removes keys of the connector from the others, normalises and filters them, and delivers those that the filters keep. Fails with
 * `sink-throttled`, `sink-failed` or `record-refused`. Does not change `seen`. `detail`: how much of a record the lake gets.
 * `countsLate`: a new item of this range came late.
 */
export async function deliverPage(
  ports: DeliverPorts,
  context: PageContext,
  range: Range,
  page: FetchedPage,
  { seen, detail, countsLate }: { readonly seen: SeenItems; readonly detail: RecordDetail; readonly countsLate: boolean },
): Promise<PageDelivery> {
  const ignored = new Set(context.connector.identityIgnoredFields)
  const judged = judge(ports.digest, ignored, page, seen)
  const steps = new FilterSteps()
  const unseen = judged.filter(({ isUnseen }) => isUnseen)
  const arrived: ArrivedItem[] = []
  for (const chunk of chunksOf(unseen)) {
    const decided: ArrivedItem[] = []
    const delivery = await ports.sink.deliver(keptRecords(ports.digest, context, range, page, chunk, steps, decided), detail)
    arrived.push(...(delivery.ok ? decided : acknowledgedOf(decided, delivery.acknowledged)))
    if (delivery.ok) continue
    // The page is read again, and then the items that the lake has are seen.
    const counts = { fetched: arrived.length }
    return {
      delivered: { ...outcomeOf(ports.digest, ignored, countsLate, arrived, counts), changes: noChanges, filtersOff: [...steps.off] },
      failure: delivery.failure,
    }
  }
  const counts = { pages: 1, fetched: page.items.length, alreadySeen: page.items.length - arrived.length }
  return {
    delivered: {
      ...outcomeOf(ports.digest, ignored, countsLate, arrived, counts),
      changes: changesOf(ports.digest, ignored, judged, seen),
      filtersOff: [...steps.off],
    },
  }
}

/** So much of a page is written as lines at the same time (items, UTF-16 units of their text), because a line is several times as large as its item. */
const chunkItemsMax = 500
const chunkLengthMax = 512 * 1024

/** Cuts items, in their order, into groups. An item that is larger than a group makes one alone. */
function* chunksOf(items: readonly JudgedItem[]): Iterable<readonly JudgedItem[]> {
  let chunk: JudgedItem[] = []
  let length = 0
  for (const judged of items) {
    const more = judged.item.raw.length
    if (chunk.length === chunkItemsMax || (chunk.length > 0 && length + more > chunkLengthMax)) {
      yield chunk
      chunk = []
      length = 0
    }
    chunk.push(judged)
    length += more
  }
  if (chunk.length > 0) yield chunk
}

const noChanges: Changes = { again: 0, changed: 0, fields: [] }

interface JudgedItem {
  readonly item: VendorItem
  readonly identity: ItemIdentity
  readonly content: SeenContent
  /** Whether earlier pages had the item, or another version of it. */
  readonly before: SeenVerdict
  /** Neither an earlier page nor this one has had it. */
  readonly isUnseen: boolean
  /** Its id was there before, with other content. */
  readonly isUpdate: boolean
}

function judge(digest: Digest, ignored: ReadonlySet<string>, page: FetchedPage, seen: SeenItems): readonly JudgedItem[] {
  const onPage = new SeenItems(seen.rule)
  return page.items.map((item) => {
    const identity = identityOf(item, digest, ignored)
    const content = { hash: seenHash(identity.content), rule: seen.rule }
    const before = seen.verdict(identity.seenId, content.hash)
    const here = onPage.verdict(identity.seenId, content.hash)
    onPage.add(identity.seenId, content)
    const isUnseen = before !== 'seen' && here !== 'seen'
    return { item, identity, content, before, isUnseen, isUpdate: isUnseen && (before === 'changed' || here === 'changed') }
  })
}

/** How many of the items that came again had changed, and in which fields, where an earlier item can be compared. */
function changesOf(digest: Digest, ignored: ReadonlySet<string>, judged: readonly JudgedItem[], seen: SeenItems): Changes {
  const again = judged.filter(({ before }) => before !== 'new')
  const changed = again.filter(({ before, isUnseen }) => before === 'changed' && isUnseen)
  const fields = changed.flatMap(({ item, identity }) => {
    const kept = seen.fieldsOf(identity.seenId)
    return kept === undefined ? [] : differingFields(kept, item.value, digest, ignored)
  })
  const rule = seen.rule === '' ? {} : { rule: seen.rule }
  return { again: again.length, changed: changed.length, fields: [...new Set(fields)], ...rule }
}

/** An item that the lake has acknowledged, or that the filters dropped. */
interface ArrivedItem extends JudgedItem {
  readonly isMalformed: boolean
  readonly isRedacted: boolean
  readonly isKept: boolean
  /** The filters that count it. */
  readonly counted: readonly string[]
  readonly id: SeenId
}

/** Makes the record of each item when it is asked for, and adds to `decided` what is known of the item then. */
function* keptRecords(
  digest: Digest,
  context: PageContext,
  range: Range,
  page: FetchedPage,
  chunk: readonly JudgedItem[],
  steps: FilterSteps,
  decided: ArrivedItem[],
): Iterable<LakeRecord> {
  for (const judged of chunk) {
    const { record, item } = decide(digest, context, range, page, judged, steps)
    decided.push(item)
    if (item.isKept) yield record
  }
}

/** The items whose records the lake has. `acknowledged`: numbers among the kept ones. */
function acknowledgedOf(decided: readonly ArrivedItem[], acknowledged: ReadonlySet<number> = new Set()): readonly ArrivedItem[] {
  return decided.filter(({ isKept }) => isKept).filter((_, number) => acknowledged.has(number))
}

function decide(
  digest: Digest,
  context: PageContext,
  range: Range,
  page: FetchedPage,
  judged: JudgedItem,
  steps: FilterSteps,
): { readonly record: LakeRecord; readonly item: ArrivedItem } {
  const { connector, vendor, filters, stream, apiKeys } = context
  const { identity, content } = judged
  // The identity is that of the item as received, so it is the same whatever keys this run knows. Everything else sees no key.
  const item = withoutKeys(judged.item, apiKeys)
  const isRedacted = item !== judged.item
  const record = toRecord(vendor.normalise(item, { stream, receivedAt: page.receivedAt }), {
    id: recordId(digest, connector.connectorId, stream, identity),
    eventId: item.id ?? '',
    ingestedAt: page.receivedAt,
    isRedacted,
    ingestMode: range.kind === 'final' || range.kind === 'reread' ? 'backfill' : 'live',
    connector,
  })
  const { keep, counted } = applyFilters(filters, record, steps)
  const id: SeenId = { hash: identity.seenId, mark: keep ? 'delivered' : 'filtered', content }
  return { record, item: { ...judged, isMalformed: record.malformed === true, isRedacted, isKept: keep, counted, id } }
}

/** Names the fields that do not belong to the identity; `''` if all do. */
export function identityRule({ identityIgnoredFields }: Pick<Connector, 'identityIgnoredFields'>, digest: Digest): string {
  return identityIgnoredFields.length === 0 ? '' : digest(JSON.stringify(identityIgnoredFields.toSorted())).slice(0, 8)
}

function outcomeOf(
  digest: Digest,
  ignored: ReadonlySet<string>,
  countsLate: boolean,
  decided: readonly ArrivedItem[],
  counts: Partial<StreamCounts>,
): Omit<DeliveredPage, 'changes' | 'filtersOff'> {
  const countOf = (is: (item: ArrivedItem) => boolean) => decided.filter(is).length
  const byFilter: Record<string, number> = {}
  for (const name of decided.flatMap(({ counted }) => counted)) byFilter[name] = (byFilter[name] ?? 0) + 1
  return {
    newIds: decided.map(({ id, content, item }, index) =>
      index === 0 ? { ...id, content: { ...content, fields: fieldPrints(item.value, digest, ignored) } } : id,
    ),
    counts: {
      ...counts,
      delivered: countOf(({ isKept }) => isKept),
      filtered: countOf(({ isKept }) => !isKept),
      malformed: countOf(({ isMalformed }) => isMalformed),
      late: countsLate ? countOf(({ isUpdate }) => !isUpdate) : 0,
      changed: countOf(({ isUpdate }) => isUpdate),
      redacted: countOf(({ isRedacted }) => isRedacted),
      byFilter,
    },
  }
}
