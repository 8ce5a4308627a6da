import type { Digest } from '../digest.ts'
import { shownField } from '../vendor-words.ts'
import { canonicalJson } from './json-text.ts'

/**
 * Fingerprints of the fields of an item: 4 bytes of the hash of a field's path, and 4 of its value's. They tell later which fields of the
 * same id differ, in a few hundred bytes and without keeping a value. `ignored`: paths that do not belong to the identity, as for
 * `canonicalJson`; they have no fingerprint. Fingerprints are compared only if they were made with the same paths.
 */

const printBytes = 8
/** Fields that are kept at most (count). */
const fieldsMax = 64

export function fieldPrints(item: unknown, digest: Digest, ignored: ReadonlySet<string>): Uint8Array {
  const prints = [...fieldsOf(item, ignored)].slice(0, fieldsMax).map(([path, value]) => print(path, value, digest, ignored))
  return Buffer.from(prints.join(''), 'hex')
}

/** The names of the fields of `item` that differ from those that were kept, or were not there. */
export function differingFields(kept: Uint8Array, item: unknown, digest: Digest, ignored: ReadonlySet<string>): readonly string[] {
  const hex = Buffer.from(kept).toString('hex')
  const before = new Set(Array.from({ length: kept.length / printBytes }, (_, index) => hex.slice(index * 16, index * 16 + 16)))
  return [...fieldsOf(item, ignored)]
    .slice(0, fieldsMax)
    .filter(([path, value]) => !before.has(print(path, value, digest, ignored)))
    .map(([path]) => shownField(path))
}

function print(path: string, value: unknown, digest: Digest, ignored: ReadonlySet<string>): string {
  return `${digest(path).slice(0, 8)}${digest(textOf(path, value, ignored)).slice(0, 8)}`
}

/** A value that is nested thousands of levels deep has no fingerprint: JSON.stringify recurses. */
function textOf(path: string, value: unknown, ignored: ReadonlySet<string>): string {
  try {
    return canonicalJson(JSON.stringify({ [path]: value }), ignored)
  } catch {
    return ''
  }
}

/** The members of the item, and those of its objects in place of the objects: `message.action`. */
function* fieldsOf(item: unknown, ignored: ReadonlySet<string>): Iterable<readonly [string, unknown]> {
  if (!isObject(item)) return
  for (const [name, value] of Object.entries(item)) {
    if (ignored.has(name)) continue
    if (!isObject(value)) yield [name, value]
    else
      for (const [inner, innerValue] of Object.entries(value)) {
        const path = `${name}.${inner}`
        if (!ignored.has(path)) yield [path, innerValue]
      }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
