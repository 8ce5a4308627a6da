import type { Digest } from '../domain/digest.ts'

/** An item of the connectors table as a user wrote it: plain JSON. */
export type ConnectorItem = Readonly<Record<string, unknown>>

/** The same for two items with the same content, in whatever order their attributes are. */
export function digestItem(digest: Digest, item: ConnectorItem): string {
  return digest(sortedJson(item))
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${sortedJson(inner)}`).join(',')}}`
}
