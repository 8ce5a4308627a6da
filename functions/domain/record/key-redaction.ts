import type { VendorItem } from '../vendor.ts'
import { decodeString, parseJson, replaceScalars } from './json-text.ts'

/** A shorter key also occurs in texts that have nothing to do with it (characters). */
const keyLengthMin = 16
const replacement = '[redacted]'

/**
 * The item with `[redacted]` in place of each of the keys: in every text, name of a member and number, however JSON escapes it, and in
 * the vendor's id. `raw` stays JSON. An item without a key is returned as it is, and costs little more than reading its text once. Of an
 * item with a key, bytes that are not of the charset become U+FFFD, because its text is no longer what was received.
 */
export function withoutKeys(item: VendorItem, apiKeys: Iterable<string>): VendorItem {
  const text = item.text ?? item.raw
  const keys = keysIn(text, apiKeys)
  if (keys.length === 0) return item
  const clean = (decoded: string) => keys.reduce((rest, key) => rest.replaceAll(key, replacement), decoded)
  const cleaned = replaceScalars(text, (scalar) => {
    const decoded = scalar.startsWith('"') ? decodeString(scalar) : scalar
    const without = clean(decoded)
    return without === decoded ? scalar : JSON.stringify(without)
  })
  if (cleaned === text) return item
  const raw = cleaned.toWellFormed()
  const id = item.id === undefined ? {} : { id: clean(item.id) }
  return { ...id, raw, value: item.rawEncoding === undefined ? parseJson(raw)?.value : undefined }
}

/** The keys that may be in the text, the longest first, because one may be a part of another. */
function keysIn(text: string, apiKeys: Iterable<string>): readonly string[] {
  const plain = text.includes('\\') ? unescaped(text) : text
  const keys = [...apiKeys].filter((key) => key.length >= keyLengthMin && plain.includes(key))
  return keys.sort((a, b) => b.length - a.length)
}

/** Undoes the escapes that a key can have, which is of visible ASCII. Others stay. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(?:u00([2-7][0-9a-f])|([^u]))/gi, (written, hex?: string, character = '') => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    return '"\\/'.includes(character) ? character : written
  })
}
