import type { Digest } from '../digest.ts'
import type { StreamId } from '../stream/stream.ts'
import type { VendorItem } from '../vendor.ts'

/** The vendor's id of an item or, if it has none, a hash of the item, so that the same item always has the same id. */
export function itemId(item: VendorItem, digest: Digest): string {
  return item.id ?? digest(canonicalJson(item.raw))
}

/** The id of a record: 32 lower-case hex digits, always the same for the same event. */
export function recordId(digest: Digest, connectorId: string, stream: StreamId, itemId: string): string {
  return digest(JSON.stringify([connectorId, stream, itemId])).slice(0, 32)
}

/** An item as JSON text, with its keys in the order received. */
export function rawJson(item: unknown): string {
  try {
    return JSON.stringify(item) ?? 'null'
  } catch (thrown) {
    // JSON.parse reads nesting of any depth, but JSON.stringify recurses and runs out of stack at some thousand levels.
    if (thrown instanceof RangeError) return canonicalJson(item)
    throw thrown
  }
}

/** JSON text with sorted keys, for a JSON value of any depth: it keeps its own stack instead of recursing. */
export function canonicalJson(value: unknown): string {
  const parts: string[] = []
  const todo: ({ readonly text: string } | { readonly value: unknown })[] = [{ value }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if ('text' in next) parts.push(next.text)
    else if (typeof next.value !== 'object' || next.value === null) parts.push(JSON.stringify(next.value) ?? 'null')
    else {
      const list = Array.isArray(next.value)
      const members = Object.entries(next.value)
      if (!list) members.sort(([a], [b]) => (a < b ? -1 : 1))
      parts.push(list ? '[' : '{')
      todo.push({ text: list ? ']' : '}' })
      for (const [index, [key, member]] of [...members.entries()].reverse()) {
        todo.push({ value: member }, { text: `${index === 0 ? '' : ','}${list ? '' : `${JSON.stringify(key)}:`}` })
      }
    }
  }
  return parts.join('')
}
