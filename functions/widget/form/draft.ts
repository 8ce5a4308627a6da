import type { ConnectorAttribute } from '../../domain/connector/connector-schema.ts'
import type { Problem } from '../../domain/connector/problems.ts'
import { failed, ok, type Result } from '../../domain/result.ts'
import { visible, visibleJson } from '../../domain/text.ts'

/** A connector's item as the texts of a form, and back. */

export type Item = Readonly<Record<string, unknown>>

/**
 * The texts that a person has changed in a form, by the name of the attribute. An attribute that is not in it stays as the item has it,
 * also if somebody else changes it meanwhile.
 */
export type Draft = Readonly<Record<string, string>>

/** The text of a box that is ticked; one that is not has an empty text. */
export const ticked = 'yes'

/** The text of an attribute as the form shows it. Every value has one, a wrong value too. Absent: the default of a list, else empty. */
export function textOf(item: Item, attribute: ConnectorAttribute): string {
  const value = item[attribute.name]
  if (attribute.type === 'boolean') return (value ?? defaultOf(attribute)) === true ? ticked : ''
  if (value === undefined) return attribute.type === 'list of texts' ? listByDefault(attribute).join(', ') : ''
  if (attribute.type === 'list of texts' && isListOfPlainTexts(value)) return value.join(', ')
  if (attribute.type === 'list of log filters') return visibleJson(value, 1)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : visibleJson(value)
}

/** The default of an attribute as an item would have it; undefined if it has none that is fixed. */
function defaultOf({ default: byDefault }: ConnectorAttribute): unknown {
  try {
    return byDefault === undefined ? undefined : JSON.parse(byDefault)
  } catch {
    return undefined
  }
}

/** The default of a list of texts. */
function listByDefault(attribute: ConnectorAttribute): readonly string[] {
  const list = defaultOf(attribute)
  return isListOfPlainTexts(list) ? list : []
}

/** The names in a text that lists them. A text that is JSON lists none. */
export function namesIn(text: string): readonly string[] {
  if (/^\s*[[{"]/.test(text)) return []
  return text
    .split(/[,\n]/)
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** The item with the changes of the draft, and the texts that are no values. */
export function itemOf(
  item: Item,
  draft: Draft,
  attributes: readonly ConnectorAttribute[],
): { readonly item: Item; readonly problems: readonly Problem[] } {
  const changed = new Map(Object.entries(item))
  const problems: Problem[] = []
  for (const attribute of attributes) {
    const text = draft[attribute.name]
    if (text === undefined || isSame(text, textOf(item, attribute))) continue
    const value = valueIn(text, attribute)
    if (!value.ok) problems.push({ path: attribute.name, message: value.failure })
    else if (value.value === undefined) changed.delete(attribute.name)
    else changed.set(attribute.name, value.value)
  }
  return { item: Object.fromEntries(changed), problems }
}

/** The value that a text means; undefined if the attribute is left out. A text that is no number stays one, and the schema says so. */
function valueIn(text: string, attribute: ConnectorAttribute): Result<unknown, string> {
  const { type, required } = attribute
  const trimmed = text.trim()
  if (type === 'boolean') return ok(trimmed === ticked)
  // Nothing chosen is not the default.
  if (trimmed === '') return ok(type === 'list of texts' && (required || listByDefault(attribute).length > 0) ? [] : undefined)
  switch (type) {
    case 'number':
      return ok(/^[+-]?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed)
    case 'list of texts':
      return trimmed.startsWith('[') ? jsonOf(trimmed) : ok(namesIn(trimmed))
    case 'list of log filters':
      return jsonOf(trimmed)
    default:
      return ok(trimmed)
  }
}

function jsonOf(text: string): Result<unknown, string> {
  try {
    return ok(JSON.parse(text))
  } catch (thrown) {
    return failed(`It is no JSON: ${thrown instanceof Error ? thrown.message : ''}`)
  }
}

/** A field shows an invisible character as another one, and its browser has line breaks of its own. Neither is a change. */
export function isSame(one: string, other: string): boolean {
  const shown = (text: string) =>
    visible(text)
      .replaceAll(/[\s·]+/g, ' ')
      .trim()
  return shown(one) === shown(other)
}

function isListOfPlainTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '' && one.trim() === one && !/[,\n[]/.test(one))
}
