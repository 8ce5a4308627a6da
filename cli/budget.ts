import * as z from 'zod'
import { connectorAttributes } from '../functions/domain/connector/connector-schema.ts'
import { day, durationText, minute } from '../functions/domain/time.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import type { Item } from './answers.ts'

/** Requests that connectors ask of their keys, against what the vendor allows the keys. */

/** In each interval a stream asks for its new events, and again for those that came late. */
const requestsPerStream = 2
/** The lake has a record within this time after it was delivered (ms). */
const lakeMs = minute

export interface KeyBudget {
  /** The secrets, or the rate group, whose limit the connectors share. */
  readonly key: string
  readonly connectorIds: readonly string[]
  readonly streams: number
  /** One pass over all streams (count). */
  readonly requestsPerPass: number
  /** In the mean, at the intervals of the connectors. */
  readonly requestsPerMinute: number
  /** The limit of the vendor. */
  readonly limitPerMinute: number
  /** The age of an event when it is in the lake, when nothing is behind (ms). */
  readonly expectedAgeMs: number
  readonly isEnough: boolean
}

/** A budget for each key, the scarcest first. Items with a mistake and paused ones ask for nothing. */
export function budgetsOf(items: readonly Item[], vendors: ReadonlyMap<string, Vendor>): readonly KeyBudget[] {
  const byKey = Map.groupBy(
    items.flatMap((item) => askingOf(item, vendors)),
    keyOf,
  )
  return [...byKey]
    .map(([key, sharing]) => budgetOf(key, sharing))
    .sort((a, b) => b.requestsPerMinute / b.limitPerMinute - a.requestsPerMinute / a.limitPerMinute)
}

function budgetOf(key: string, sharing: readonly Asking[]): KeyBudget {
  const streams = sum(sharing.map((asking) => asking.streams))
  const requestsPerPass = streams * requestsPerStream
  const requestsPerMinute = sum(sharing.map((asking) => (asking.streams * requestsPerStream) / asking.intervalMinutes))
  const limitPerMinute = Math.min(...sharing.map(limitOf))
  const intervalMs = Math.max(...sharing.map(({ intervalMinutes }) => intervalMinutes)) * minute
  const passMs = (requestsPerPass / limitPerMinute) * minute
  return {
    key,
    connectorIds: sharing.map(({ connectorId }) => connectorId),
    streams,
    requestsPerPass,
    requestsPerMinute,
    limitPerMinute,
    expectedAgeMs: Math.max(intervalMs, passMs) + passMs + lakeMs,
    isEnough: requestsPerMinute <= limitPerMinute,
  }
}

/** Keys of a rate group share one limit. Otherwise each key of the pool has its own. */
function limitOf({ requestsPerMinute, requestsPerDay, rateGroup, apiKeySecrets }: Asking): number {
  const each = Math.min(requestsPerMinute, requestsPerDay === undefined ? Number.POSITIVE_INFINITY : (requestsPerDay * minute) / day)
  return each * (rateGroup === undefined ? apiKeySecrets.length : 1)
}

function keyOf({ rateGroup, apiKeySecrets }: Asking): string {
  if (rateGroup !== undefined) return `rate group ${rateGroup}`
  return [...apiKeySecrets].sort().join(', ')
}

/** The attributes that requests follow from. */
const askingSchema = z.object({
  connectorId: z.string(),
  type: z.string(),
  apiKeySecrets: z.array(z.string()).min(1),
  enabled: z.literal(true),
  intervalMinutes: z.number().positive(),
  requestsPerMinute: z.number().positive(),
  requestsPerDay: z.number().positive().optional(),
  rateGroup: z.string().optional(),
})
type Asking = z.output<typeof askingSchema> & { readonly streams: number }

/** Nothing for a paused connector, and for an item with a mistake in these attributes. */
function askingOf(item: Item, vendors: ReadonlyMap<string, Vendor>): readonly Asking[] {
  const defaults = connectorAttributes().flatMap(({ name, default: byDefault }) =>
    byDefault === undefined || !(name in askingSchema.shape) ? [] : [[name, JSON.parse(byDefault)]],
  )
  const parsed = askingSchema.safeParse({ ...Object.fromEntries(defaults), ...item })
  const vendor = parsed.success ? vendors.get(parsed.data.type) : undefined
  const { contentTypes, eventTypes } = item
  const own = vendor?.attributes.safeParse({
    ...(contentTypes === undefined ? {} : { contentTypes }),
    ...(eventTypes === undefined ? {} : { eventTypes }),
  })
  if (!parsed.success || vendor === undefined || own?.success !== true) return []
  return [{ ...parsed.data, streams: vendor.streams(own.data).length }]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

/** The budget in words. */
export function budgetRow({
  key,
  connectorIds,
  streams,
  requestsPerPass,
  requestsPerMinute,
  limitPerMinute,
  expectedAgeMs,
  isEnough,
}: KeyBudget) {
  return {
    key,
    connectors: connectorIds.length,
    streams,
    'requests a pass': requestsPerPass,
    'a minute': Math.round(requestsPerMinute * 10) / 10,
    'of at most': Math.round(limitPerMinute * 10) / 10,
    'expected age': `up to ${durationText(expectedAgeMs)}`,
    '': isEnough ? '' : 'too many',
  }
}
