import { type SimulatedResponse, VendorModel } from '../../local/simulator/model.ts'
import type { SimulatorOptions } from '../../local/simulator/options.ts'

/** Noon, so that no day and no daily limit ends during a test. */
export const noon = Date.parse('2026-11-24T12:00:00.000Z')
export const second = 1_000
export const minute = 60_000
export const hour = 3_600_000

interface Item {
  readonly log_item_id: string
  readonly message: Readonly<Record<string, unknown>>
}

export interface Page {
  readonly current_link: string
  readonly next_link: string
  readonly last_log_item_generation_time: string
  readonly security_events: readonly Item[]
  readonly traceId: string
}

export function time(at: number): string {
  return new Date(at).toISOString()
}

export function ask(
  model: VendorModel,
  now: number,
  parameters: Readonly<Record<string, string | number>>,
  key = 'key-one',
): SimulatedResponse {
  const query = new URLSearchParams(Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]))
  return model.respond({ path: '/v1/siem/security_events', query: query.toString(), authorization: `Bearer ${key}` }, now)
}

export function range(from: number, to: number, more: Readonly<Record<string, string | number>> = {}): Record<string, string | number> {
  return { service: 'sharepoint', event: 'securityrisk', start: time(from), end: time(to), ...more }
}

export function pageOf({ status, body }: SimulatedResponse): Page {
  if (status !== 200) throw new Error(`${status}: ${body}`)
  return JSON.parse(body)
}

export function pageIdOf(link: string): string {
  return new URL(link, 'https://api.tmcas.trendmicro.com').searchParams.get('page_id') ?? ''
}

/** Reads all pages of a query. Each page is requested `everyMs` after the one before, the first at `now`. */
export function readAll(model: VendorModel, now: number, parameters: Readonly<Record<string, string | number>>, everyMs = 0): Page[] {
  const pages = [pageOf(ask(model, now, parameters))]
  for (let page = pages[0]; page !== undefined && page.next_link !== ''; ) {
    page = pageOf(ask(model, now + everyMs * pages.length, { page_id: pageIdOf(page.next_link) }))
    pages.push(page)
  }
  return pages
}

export function idsOf(pages: readonly Page[]): string[] {
  return pages.flatMap(({ security_events }) => security_events.map(({ log_item_id }) => log_item_id))
}

/** No limit of requests. */
export const free: SimulatorOptions = { requestsPerMinute: 0 }
export const stream = 'sharepoint/securityrisk'
/** An event a second. */
export const lively = new VendorModel({ ...free, eventsPerHour: 3_600 })

export function visible(model: VendorModel, from: number, to: number): string[] {
  return [...model.eventsVisible(stream, from, to)].map(({ id }) => id)
}
