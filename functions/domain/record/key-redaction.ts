import { replacement } from '../redaction/redactor.ts'
import type { VendorItem } from '../vendor.ts'
import { decodeString, parseJson, replaceScalars } from './json-text.ts'

/** A shorter key also occurs in texts that have nothing to do with it (characters). */
const keyLengthMin = 16
/** JSON in a text of JSON, and so on: so many times (count). */
const nestingsMax = 3
/** An escape of the innermost text begins with so many backslashes. */
const backslashesMax = 2 ** (nestingsMax + 1)

/**
 * The item with `[redacted]` in place of each of the keys: in every text, name of a member and number, however JSON escapes it, also in
 * JSON that is in a text, and in the vendor's id. `raw` stays JSON. An item without a key is returned as it is, and costs little more than reading its text once. Of an
 * item with a key, bytes that are not of the charset become U+FFFD, because its text is no longer what was received.
 */
export function withoutKeys(item: VendorItem, apiKeys: Iterable<string>): VendorItem {
  const text = item.text ?? item.raw
  const keys = keysIn(text, apiKeys)
  if (keys.length === 0) return item
  const escaped = keys.map(escapedPattern)
  const clean = (decoded: string) => {
    const plain = keys.reduce((rest, key) => rest.replaceAll(key, replacement), decoded)
    return plain.includes('\\') ? escaped.reduce((rest, pattern) => rest.replaceAll(pattern, replacement), plain) : plain
  }
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
  const bare = text.includes('\\') ? withoutEscapes(text) : text
  const keys = [...apiKeys].filter((key) => key.length >= keyLengthMin && bare.includes(withoutEscapes(key)))
  return keys.sort((a, b) => b.length - a.length)
}

/**
 * The text without its backslashes, and with characters in place of their escapes, of visible ASCII as keys are. However deep JSON is in
 * texts of JSON, it is the same. One pass and short matches, because a page may consist of backslashes.
 */
function withoutEscapes(text: string): string {
  return text.replaceAll(/\\{1,64}(?:u005c)?(?:u00([2-7][0-9a-f]))?/gi, (_, hex?: string) =>
    hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

/** The key in a text that is JSON itself: backslashes before its characters, and escapes in their place. */
function escapedPattern(key: string): RegExp {
  const some = `\\\\{1,${backslashesMax}}`
  const parts = (key.match(/\\+|[^\\]/g) ?? []).map((part, index, all) => {
    const count = part.length
    if (part.startsWith('\\')) return `(?:\\\\{${count},${count * backslashesMax}}|(?:${some}u005[cC]){${count}})`
    const hex = part.charCodeAt(0).toString(16).padStart(4, '0')
    // The backslashes before the first character are not of the key, and those of the key itself have been read.
    const before = index === 0 || all[index - 1]?.startsWith('\\') ? '' : `(?:${some})?`
    return `(?:${before}\\u${hex}|${some}u${hex.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)})`
  })
  return new RegExp(parts.join(''), 'g')
}
