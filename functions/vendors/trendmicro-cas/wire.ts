import * as z from 'zod/mini'
import { failure } from '../../domain/failures.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { type Instant, minute } from '../../domain/time.ts'
import type { VendorItem, VendorPage, VendorResponse } from '../../domain/vendor.ts'
import '../../domain/schema-messages.ts'

/** A page. `next_link` is strict, because a link that is not a text must not make this the last page. */
const pageSchema = z.object({
  security_events: z.array(z.unknown()),
  next_link: z.nullish(z.string()),
  traceId: z.catch(z.nullish(z.string()), null),
})

/** The body that the vendor sends with every status but 200. It was seen with status 200 too. */
const errorSchema = z.object({ code: z.int(), msg: z.string().check(z.maxLength(200)) })

const traceSchema = z.object({ traceId: z.string().check(z.minLength(1)) })

type Members = Readonly<Record<string, unknown>>

/** An item that is not malformed. */
export interface WireItem {
  readonly item: Members
  readonly message: Members
}

export function parsePage({ body, traceId: sent }: VendorResponse): Result<VendorPage> {
  const traceId = traceSchema.safeParse(body).data?.traceId ?? sent
  const trace = traceId === undefined ? {} : { traceId }
  const page = pageSchema.safeParse(body)
  if (!page.success) return failed(failure('malformed-response', problemOf(body, page.error), trace))
  const link = page.data.next_link?.trim() ?? ''
  return ok({ items: page.data.security_events.map(toItem), ...(link === '' ? {} : { nextLink: link }), ...trace })
}

function problemOf(body: unknown, error: z.core.$ZodError): string {
  const stated = errorSchema.safeParse(body)
  if (stated.success) return `The vendor responded with status 200 and error ${stated.data.code} (${stated.data.msg}) instead of a page`
  const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`)
  return `The response is not a page: ${problems.join('; ')}`
}

function toItem(raw: unknown): VendorItem {
  const item = membersOf(raw)
  const id = idOf(item?.['log_item_id']) ?? idOf(membersOf(item?.['message'])?.['log_item_id'])
  return id === undefined ? { raw } : { id, raw }
}

/** A number that is too large to be exact is ignored, because several items could have it. */
function idOf(value: unknown): string | undefined {
  return typeof value === 'number' && !Number.isSafeInteger(value) ? undefined : textOf(value) || undefined
}

/** Returns nothing if the item is malformed: not an object, or an object without a message. */
export function parseItem(raw: unknown): WireItem | undefined {
  const item = membersOf(raw)
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
  return [value].flat().flatMap((entry) => textOf(entry) ?? [])
}

const timePattern = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/

/** Between these two instants a year has four digits. */
const yearZero = Date.parse('0000-01-01T00:00:00Z')
const yearTenThousand = Date.UTC(10_000, 0)

/** A time with or without milliseconds. A time without a zone is UTC. Nothing if the value is not a time. */
export function timeOf(value: unknown): Instant | undefined {
  const parts = typeof value === 'string' ? timePattern.exec(value.trim()) : null
  if (parts === null) return undefined
  const [, date, time, fraction = '', zone = 'Z'] = parts
  const local = Date.parse(`${date}T${time}${fraction}Z`)
  // Date reads 31 February as 2 or 3 March, and 24:00 as the next day.
  if (Number.isNaN(local) || new Date(local).getUTCDate() !== Number(date?.slice(-2))) return undefined
  const at = local - zoneOffset(zone)
  return at >= yearZero && at < yearTenThousand ? at : undefined
}

function zoneOffset(zone: string): number {
  const digits = zone.replaceAll(/\D/g, '')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return (zone.startsWith('-') ? -minutes : minutes) * minute
}
