import { eventTypeNames, isEventType, isService, type StreamName, serviceNames } from './catalogue.ts'
import type { Random } from './random.ts'

/** A query, fixed at the time of its first page, so that all its pages belong together. Times are on the vendor's clock. */
export interface Snapshot {
  readonly customer: string
  readonly stream: StreamName
  readonly start: number
  readonly end: number
  readonly startText: string
  readonly endText: string
  readonly limit: number
  readonly format: 'json' | 'cef'
  /** The pages show events that could be seen at this time. */
  readonly takenAt: number
  /** Decides the order when it is random. */
  readonly seed: number
}

/** A request that the vendor refuses. */
export interface Refusal {
  readonly status: number
  readonly problem: string
}

/** Without start or end the vendor takes a range of 5 minutes. */
const defaultRangeMs = 5 * 60_000
const limitMax = 500

interface Range {
  readonly start: number
  readonly end: number
  readonly startText: string
  readonly endText: string
}

/** Reads the parameters of a first page. */
export function parseQuery(
  parameters: URLSearchParams,
  customer: string,
  vendorNow: number,
  random: Random,
): { readonly snapshot: Snapshot } | Refusal {
  const service = parameters.get('service')
  const event = parameters.get('event')
  const limitText = parameters.get('limit')
  const format = parameters.get('format') ?? 'json'
  if (service === null) return badRequest('The mandatory parameter service is missing')
  if (!isService(service)) return badRequest(`service ${service} is not one of ${serviceNames.join(', ')}`)
  if (event === null) return badRequest('The mandatory parameter event is missing')
  if (!isEventType(event)) return badRequest(`event ${event} is not one of ${eventTypeNames.join(', ')}`)
  const limit = limitText === null ? limitMax : parseLimit(limitText)
  if (Number.isNaN(limit)) return badRequest(`limit ${limitText} is not from 1 to ${limitMax}`)
  if (format !== 'json' && format !== 'cef') return badRequest(`format ${format} is not cef`)
  const range = parseRange(parameters.get('start'), parameters.get('end'), vendorNow)
  if ('problem' in range) return range
  const stream: StreamName = `${service}/${event}`
  return { snapshot: { customer, stream, ...range, limit, format, takenAt: vendorNow, seed: random() } }
}

function parseRange(startText: string | null, endText: string | null, vendorNow: number): Range | Refusal {
  const givenStart = startText === null ? undefined : parseTime(startText)
  const givenEnd = endText === null ? undefined : parseTime(endText)
  if (Number.isNaN(givenStart)) return badRequest(`start ${startText} is not a time such as 2020-07-19T22:51:40.000Z`)
  if (Number.isNaN(givenEnd)) return badRequest(`end ${endText} is not a time such as 2020-07-19T22:51:40.000Z`)
  const end = givenEnd ?? (givenStart === undefined ? vendorNow : givenStart + defaultRangeMs)
  const start = givenStart ?? end - defaultRangeMs
  if (end < start) return badRequest(`end ${endText} is earlier than start ${startText}`)
  return { start, end, startText: startText ?? new Date(start).toISOString(), endText: endText ?? new Date(end).toISOString() }
}

/** Returns NaN for a text that is not a whole number from 1 to `limitMax`. */
function parseLimit(text: string): number {
  const limit = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : Number.NaN
  return limit <= limitMax ? limit : Number.NaN
}

function badRequest(problem: string): Refusal {
  return { status: 400, problem }
}

/** Returns NaN for a text that is not a time as the vendor documents it. */
function parseTime(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(text) ? Date.parse(text) : Number.NaN
}
