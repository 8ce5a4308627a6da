import * as z from 'zod'
import { connectorAttributes } from '../functions/domain/connector/connector-schema.ts'
import { type KeyBudget, type KeyUser, keyBudgets, limitPerMinute } from '../functions/domain/operate/test/budget.ts'
import { durationText } from '../functions/domain/time.ts'
import type { Vendor } from '../functions/domain/vendor.ts'
import type { Item } from './answers.ts'

/** The budgets of the keys that items name, the scarcest first. Items with a mistake and paused ones ask for nothing. */
export function budgetsOf(items: readonly Item[], vendors: ReadonlyMap<string, Vendor>): readonly KeyBudget[] {
  return keyBudgets(items.flatMap((item) => keyUserOf(item, vendors)))
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

/** Nothing for a paused connector, and for an item with a mistake in these attributes. */
function keyUserOf(item: Item, vendors: ReadonlyMap<string, Vendor>): readonly KeyUser[] {
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
  const { connectorId, apiKeySecrets, intervalMinutes, requestsPerMinute, requestsPerDay, rateGroup } = parsed.data
  return [
    {
      connectorId,
      streams: vendor.streams(own.data).length,
      intervalMinutes,
      keys: rateGroup === undefined ? [...new Set(apiKeySecrets)] : [`rate group ${rateGroup}`],
      limitPerMinute: limitPerMinute(requestsPerMinute, requestsPerDay),
    },
  ]
}

/** A budget for `--json`. */
export function budgetJson({ keys, connectorIds, streams, ofPass, perMinute, limit, ageMs, fits }: KeyBudget) {
  return {
    key: keys.join(', '),
    connectorIds,
    streams,
    requestsPerPass: ofPass,
    requestsPerMinute: perMinute,
    limitPerMinute: limit,
    isEnough: fits,
    expectedAge: durationText(ageMs),
    expectedAgeMs: ageMs,
  }
}

/** A budget for people. */
export function budgetRow({ keys, connectorIds, streams, ofPass, perMinute, limit, ageMs, fits }: KeyBudget) {
  return {
    key: keys.join(', '),
    connectors: connectorIds.length,
    streams,
    'requests a pass': ofPass,
    'a minute': Math.round(perMinute * 10) / 10,
    'of at most': Math.round(limit * 10) / 10,
    'expected age': `up to ${durationText(ageMs)}`,
    '': fits ? '' : 'too many',
  }
}
