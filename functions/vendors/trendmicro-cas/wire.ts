import * as z from 'zod/mini'
import { failure } from '../../domain/failures.ts'
import { elementSpans, type Span } from '../../domain/record/json-text.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { day, type Instant, minute, second } from '../../domain/time.ts'
import type { VendorItem, VendorPage, VendorResponse } from '../../domain/vendor.ts'
import { shownCode, shownMessage } from '../../domain/vendor-words.ts'
import '../../domain/schema-messages.ts'
import { storableLink } from './links.ts'
import { pageItemsMax } from './request.ts'

/** A page; `null` for no events was seen. `next_link` is strict, because a link that is not a text must not make this the last page. */
const pageSchema = z.object({
  security_events: z.nullable(z.array(z.unknown())),
  next_link: z.nullish(z.string()),
})

/** The body that the vendor sends with every status but 200. It was seen with status 200 too. */
const errorSchema = z.object({ code: z.int(), msg: z.string() })

/** Texts that stand for no link. No page has such an address. */
const noLink = ['', 'null']

/** More items than this are no page (count). A page was never seen with more than it was asked for; a vendor that sends a few more loses none. */
const itemsMax = 10 * pageItemsMax

type Members = Readonly<Record<string, unknown>>

/** An item that is not malformed. */
export interface WireItem {
  readonly item: Members
  readonly message: Members
}

/** Seen with status 429, and with status 200. */
const throttledCode = -4_290_001

export function parsePage(response: VendorResponse): Result<VendorPage> {
  const { body, text, traceId, retryAfterMs } = response
  const trace = traceId === undefined ? {} : { traceId }
  // Without a body there is no event in the range.
  if (body === undefined) return ok({ items: [], ...trace })
  const page = pageSchema.safeParse(body)
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (!page.success) {
    const code = errorSchema.safeParse(body).data?.code === throttledCode ? 'throttled' : 'malformed-response'
    return failed(failure(code, problemOf(body, page.error), { ...trace, ...wait }))
  }
  const link = storableLink(page.data.next_link?.trim() ?? '')
  const values = page.data.security_events ?? []
  if (values.length > itemsMax) {
    const detail = `The response has ${values.length} events, and a page has at most ${pageItemsMax}`
    return failed(failure('malformed-response', detail, trace))
  }
  const spans = elementSpans(text, 'security_events') ?? []
  const items = spans.map((span, index) => toItem(values[index], span, response))
  return ok({ items, ...(noLink.includes(link) ? {} : { nextLink: link }), ...trace })
}

function problemOf(body: unknown, error: z.core.$ZodError): string {
  const stated = errorSchema.safeParse(body)
  if (stated.success) {
    const { code, msg } = stated.data
    return `The vendor responded with status 200 and error ${shownCode(code)} (${shownMessage(msg)}) instead of a page`
  }
  const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`)
  return `The response is not a page: ${problems.join('; ')}`
}

function toItem(value: unknown, span: Span, { text, undecodable }: VendorResponse): VendorItem {
  const own = text.slice(span.from, span.to)
  const item = membersOf(value)
  const id = textOf(item?.['log_item_id']) || textOf(membersOf(item?.['message'])?.['log_item_id']) || undefined
  const bytes = undecodable?.(span)
  const rest = bytes === undefined ? { raw: own, value } : { raw: bytes, rawEncoding: 'base64' as const, text: own, value: undefined }
  return id === undefined ? rest : { id, ...rest }
}

/** Returns nothing if the item is malformed: not an object, or an object without a message. */
export function parseItem(value: unknown): WireItem | undefined {
  const item = membersOf(value)
  const message = membersOf(item?.['message'])
  return item === undefined || message === undefined ? undefined : { item, message }
}

function membersOf(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined
}

/** A text; a number or a boolean becomes one. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** A list of texts. The vendor sends a list of one as a plain text too. */
export function listOf(value: unknown): string[] {
  if (value === undefined) return []
  return (Array.isArray(value) ? value : [value]).flatMap((entry) => textOf(entry) ?? [])
}

const usualTimePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/
const timePattern = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?(Z|z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?$/
const epochPattern = /^\d{9,13}(\.\d+)?$/
/** No protected service is older, so an earlier time stands for none: year 1 and 1601 were seen. */
const earliest: Instant = Date.UTC(2000, 0)
/** An epoch time below this is in seconds: as ms it would be in 1973. */
const epochMsMin = 100_000_000_000

/**
 * A time as text, with or without seconds, a fraction and a zone, which is UTC by default; or the time since 1970 in seconds or ms.
 * Nothing if the value is not a time, or one that no event can have: before 2000, or more than a day after the receipt.
 */
export function timeOf(value: unknown, receivedAt: Instant): Instant | undefined {
  const text = textOf(value)?.trim() ?? ''
  const at = text === '' ? undefined : epochPattern.test(text) ? epochTime(Number(text)) : writtenTime(text)
  return at !== undefined && at >= earliest && at <= receivedAt + day ? at : undefined
}

function epochTime(time: number): Instant {
  return Math.floor(time < epochMsMin ? time * second : time)
}

function writtenTime(text: string): Instant | undefined {
  // Nearly all times are written so, and then nothing must be taken apart.
  if (usualTimePattern.test(text)) return realTime(text)
  const parts = timePattern.exec(text)
  if (parts === null) return undefined
  const [, date, time, seconds = ':00', fraction = '0', zone = 'Z'] = parts
  const local = realTime(`${date}T${time}${seconds}.${fraction}Z`)
  return local === undefined ? undefined : local - zoneOffset(zone)
}

/** Nothing if there is no such time: Date reads 31 February as 2 or 3 March, and 24:00 as the next day. */
function realTime(text: string): Instant | undefined {
  const at = Date.parse(text)
  return Number.isNaN(at) || new Date(at).getUTCDate() !== Number(text.slice(8, 10)) ? undefined : at
}

function zoneOffset(zone: string): number {
  const digits = zone.replaceAll(/\D/g, '')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return (zone.startsWith('-') ? -minutes : minutes) * minute
}
