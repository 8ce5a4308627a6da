import type { ConnectorItem } from '../functions/flows/item-digest.ts'

/** How the names of the connectors begin whose key has more to do than it allows, or is one that two tenants contest. */
export const prefixes = { crowded: 'crowded-', contested: 'contested-' } as const

/** Whether the connector has such a key. */
export function isOf(kind: 'overloaded key' | 'contested key', { connectorId }: ConnectorItem): boolean {
  const name = String(connectorId).replace(/^[a-z0-9-]+\./, '')
  return name.startsWith(kind === 'overloaded key' ? prefixes.crowded : prefixes.contested)
}
