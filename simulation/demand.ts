import type { ConnectorItem } from '../functions/flows/item-digest.ts'
import type { Scenario } from './scenario.ts'

/** The attributes of an item that its demand follows from. Each scenario sets the first three. */
interface Asking {
  readonly apiKeySecrets: readonly string[]
  readonly eventTypes: readonly string[]
  readonly intervalMinutes: number
  readonly requestsPerMinute?: number
}

/** The limit of an item that does not say it (requests a minute). */
const requestsPerMinuteDefault = 20

/**
 * Whether the connectors that share a key with this one need more requests than the key allows: each stream two in each interval,
 * and two for each page of its events, which are read early and again when late ones have arrived. Then not every live event can be in time.
 */
export function isOverloaded({ items, world }: Pick<Scenario, 'items' | 'world'>, connectorId: string): boolean {
  const asking = items as readonly (ConnectorItem & Asking)[]
  const own = asking.find((item) => item['connectorId'] === connectorId)
  if (own === undefined) return false
  const sharing = asking.filter(({ apiKeySecrets }) => apiKeySecrets.some((secret) => own.apiKeySecrets.includes(secret)))
  const pagesPerMinute = (world.vendor.eventsPerHour ?? 0) / world.pageItems / 60
  const demand = sharing.reduce(
    (sum, { eventTypes, intervalMinutes }) => sum + eventTypes.length * 2 * (1 / intervalMinutes + pagesPerMinute),
    0,
  )
  const limit = Math.min(...sharing.map(({ requestsPerMinute = requestsPerMinuteDefault }) => requestsPerMinute))
  return demand > limit * own.apiKeySecrets.length
}
