import type { Digest } from '../digest.ts'
import { wholeCharacters } from '../text.ts'

/**
 * Fingerprints of the fields of an item: 4 bytes of the hash of a field's path, and 4 of its value's. They tell later which fields of the
 * same id differ, in a few hundred bytes and without keeping a value.
 */

const printBytes = 8
/** Fields that are kept at most (count). */
const fieldsMax = 64
const nameCharactersMax = 100

export function fieldPrints(item: unknown, digest: Digest): Uint8Array {
  const prints = [...fieldsOf(item)].slice(0, fieldsMax).map(([path, value]) => print(path, value, digest))
  return Buffer.from(prints.join(''), 'hex')
}

/** The names of the fields of `item` that differ from those that were kept, or were not there. */
export function differingFields(kept: Uint8Array, item: unknown, digest: Digest): readonly string[] {
  const hex = Buffer.from(kept).toString('hex')
  const before = new Set(Array.from({ length: kept.length / printBytes }, (_, index) => hex.slice(index * 16, index * 16 + 16)))
  return [...fieldsOf(item)]
    .slice(0, fieldsMax)
    .filter(([path, value]) => !before.has(print(path, value, digest)))
    .map(([path]) => wholeCharacters(path.replaceAll(/[\p{C}\p{Z}]/gu, ' '), nameCharactersMax))
}

function print(path: string, value: unknown, digest: Digest): string {
  return `${digest(path).slice(0, 8)}${digest(jsonOf(value)).slice(0, 8)}`
}

/** A value that is nested thousands of levels deep has no fingerprint: JSON.stringify recurses. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}

/** The members of the item, and those of its objects in place of the objects: `message.action`. */
function* fieldsOf(item: unknown): Iterable<readonly [string, unknown]> {
  if (!isObject(item)) return
  for (const [name, value] of Object.entries(item)) {
    if (!isObject(value)) yield [name, value]
    else for (const [inner, innerValue] of Object.entries(value)) yield [`${name}.${inner}`, innerValue]
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
