/**
 * JSON as text. `JSON.parse` loses digits, repeated keys and the text itself, so the item of a page is cut out of the body as it was
 * received. Every function here takes valid JSON, keeps its own stack and takes time linear in the text.
 */

/** A part of a text: `[from, to)`, in UTF-16 units. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** A body has at most so many levels of objects and lists. An event has four. */
const levelsMax = 64
/** A body has at most so many values: objects, lists, texts, numbers, true, false and null. A page of 500 events has about 20,000. */
export const valuesMax = 1_000_000

/**
 * The reason why a text is not parsed, as the rest of a sentence; undefined if there is none. Parsing holds up everything else of the
 * process, so the size of the value is found before, in time linear in the text. Takes any text. `most`: values.
 */
export function tooComplex(text: string, most = valuesMax): string | undefined {
  let levels = 0
  let values = 0
  let at = 0
  while (at < text.length) {
    const character = text.charCodeAt(at)
    if (character === quote) {
      values++
      at = stringEnd(text, at)
    } else if (character === openBrace || character === openBracket) {
      values++
      if (++levels > levelsMax) return `has more than ${levelsMax} levels`
      at++
    } else if (isDelimiter(character)) {
      if (character === closeBrace || character === closeBracket) levels--
      // The text before a colon is a name.
      else if (character === colon) values--
      at++
    } else {
      values++
      at = scalarEnd(text, at)
    }
    if (values > most) return `has more than ${most.toLocaleString('en')} values`
  }
  return undefined
}

/**
 * Parses JSON. A number that JavaScript cannot hold exactly becomes its digits as a text. The value is in an object, because `null` is
 * JSON too. Nothing if the text is not JSON.
 */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    if (!inexactNumber.test(text)) return { value: JSON.parse(text) }
    // Quotes could make JSON of a text that is none.
    JSON.parse(text)
    return { value: JSON.parse(withExactNumbers(text)) }
  } catch {
    return undefined
  }
}

/** Sixteen digits, or an exponent. Also found inside a text value, where it only costs time. */
const inexactNumber = /\d{16}|\d[eE][+-]?\d/

/**
 * Quotes each number that JavaScript cannot hold exactly. Each number is judged by itself, so the value of an item does not depend on the
 * others of its page. A reviver of `JSON.parse` would do the same, but it recurses, and a few thousand levels are too deep for it.
 */
function withExactNumbers(text: string): string {
  return replaceScalars(text, (scalar) => (!scalar.startsWith('"') && isInexact(scalar) ? `"${scalar}"` : scalar))
}

/** Puts other scalars in the place of those of a JSON value: texts with their quotes, names of members too, numbers, true, false and null. */
export function replaceScalars(text: string, replacement: (scalar: string) => string): string {
  const parts: string[] = []
  let copied = 0
  let at = 0
  while (at < text.length) {
    const character = text.charCodeAt(at)
    if (character === openBrace || character === openBracket || isDelimiter(character)) at++
    else {
      const end = character === quote ? stringEnd(text, at) : scalarEnd(text, at)
      const scalar = text.slice(at, end)
      const replaced = replacement(scalar)
      if (replaced !== scalar) {
        parts.push(text.slice(copied, at), replaced)
        copied = end
      }
      at = end
    }
  }
  return `${parts.join('')}${text.slice(copied)}`
}

function isInexact(scalar: string): boolean {
  return inexactNumber.test(scalar) && !Number.isSafeInteger(Number(scalar)) && String(Number(scalar)) !== scalar
}

/** The elements of the array that is the member `name` of the object; undefined if there is none. Of a repeated member the last counts, as for `JSON.parse`. */
export function elementSpans(text: string, name: string): readonly Span[] | undefined {
  let at = skipSpace(text, 0)
  if (text[at] !== '{') return undefined
  let found: readonly Span[] | undefined
  at = skipSpace(text, at + 1)
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at)
    const isNamed = decodeString(text.slice(at, keyEnd)) === name
    const from = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const to = valueEnd(text, from)
    if (isNamed) found = text[from] === '[' ? spansIn(text, from) : undefined
    at = skipSpace(text, to)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return found
}

function spansIn(text: string, open: number): readonly Span[] {
  const spans: Span[] = []
  let at = skipSpace(text, open + 1)
  while (at < text.length && text[at] !== ']') {
    const to = valueEnd(text, at)
    spans.push({ from: at, to })
    at = skipSpace(text, to)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return spans
}

/**
 * The canonical text of a JSON value. Two items are the same if their canonical texts are: texts are compared decoded, numbers by their
 * digits as written, and white space and the order of keys do not count. A repeated key counts as often as it is there, in its order.
 * `ignored`: paths of members that are left out, as `message.score`. A list adds nothing to the path of its elements.
 */
export function canonicalJson(text: string, ignored: ReadonlySet<string> = nothing): string {
  const open: Container[] = []
  let container = newContainer(false, '')
  let at = 0
  while (at < text.length) {
    const character = text.charCodeAt(at)
    if (character <= 0x20 || character === comma || character === colon) at++
    else if (character === openBrace || character === openBracket) {
      open.push(container)
      container = newContainer(character === openBrace, ignored.size === 0 ? '' : pathOfNext(container))
      at++
    } else if (character === closeBrace || character === closeBracket) {
      const closed = canonicalContainer(container, ignored)
      container = open.pop() ?? newContainer(false, '')
      container.parts.push(closed)
      at++
    } else {
      const end = character === quote ? stringEnd(text, at) : scalarEnd(text, at)
      const scalar = text.slice(at, end)
      // In an object the next text is a key, if every key has its value.
      if (container.isObject && container.keys.length === container.parts.length) container.keys.push(canonicalString(scalar))
      else container.parts.push(character === quote ? canonicalString(scalar) : scalar)
      at = end
    }
  }
  return container.parts.join('')
}

interface Container {
  readonly isObject: boolean
  /** The path of the members, up to and with the dot before their names. */
  readonly path: string
  readonly parts: string[]
  readonly keys: string[]
}

const nothing: ReadonlySet<string> = new Set()

function newContainer(isObject: boolean, path: string): Container {
  return { isObject, path, parts: [], keys: [] }
}

/** The path of the members of the next value. */
function pathOfNext({ isObject, path, keys }: Container): string {
  const key = isObject ? keys.at(-1) : undefined
  return key === undefined ? path : `${path}${decodeString(key)}.`
}

function canonicalContainer({ isObject, path, parts, keys }: Container, ignored: ReadonlySet<string>): string {
  // Texts that are made anew for each of a million empty values would take more memory than the values.
  if (parts.length === 0) return isObject ? '{}' : '[]'
  if (!isObject) return `[${parts.join(',')}]`
  const all = keys.map((_, index) => index)
  const kept = ignored.size === 0 ? all : all.filter((index) => !ignored.has(`${path}${decodeString(keys[index] ?? '""')}`))
  const order = kept.sort((a, b) => compare(nameIn(keys[a]), nameIn(keys[b])) || a - b)
  return `{${order.map((index) => `${keys[index]}:${parts[index]}`).join(',')}}`
}

/** Without its quotes, because a quote sorts after a blank. */
function nameIn(key = '""'): string {
  return key.slice(1, -1)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * Escapes nothing but what it must. A lone surrogate becomes an escape of its own, so two of them stay apart. One that is no escape stands
 * for a byte that is not of the charset: in capitals, so it is no escape of another item either.
 */
function canonicalString(quoted: string): string {
  if (quoted.isWellFormed()) return quoted.includes('\\') ? JSON.stringify(decodeString(quoted)) : quoted
  const parts = quoted.slice(1, -1).split(/(\p{Cs})/u)
  const canonical = parts.map((part, index) =>
    index % 2 === 1 ? byteEscape(part) : JSON.stringify(decodeString(`"${part}"`)).slice(1, -1),
  )
  return `"${canonical.join('')}"`
}

function byteEscape(surrogate: string): string {
  return `\\u${surrogate.charCodeAt(0).toString(16).toUpperCase()}`
}

export function decodeString(quoted: string): string {
  return String(JSON.parse(quoted))
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++
  return at
}

/** The end of the text that begins at `from` with its quote. */
function stringEnd(text: string, from: number): number {
  let at = from
  do {
    at = text.indexOf('"', at + 1)
    if (at === -1) return text.length
  } while (isEscaped(text, at))
  return at + 1
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

function valueEnd(text: string, from: number): number {
  let depth = 0
  let at = from
  while (at < text.length) {
    const character = text.charCodeAt(at)
    if (character === quote) {
      at = stringEnd(text, at)
      if (depth === 0) return at
    } else if (character === openBrace || character === openBracket) {
      depth++
      at++
    } else if (character === closeBrace || character === closeBracket) {
      depth--
      at++
      if (depth === 0) return at
    } else if (depth === 0) {
      return scalarEnd(text, at)
    } else at++
  }
  return at
}

/** The end of a number, true, false or null. */
function scalarEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && !isDelimiter(text.charCodeAt(at))) at++
  return at
}

function isDelimiter(character: number): boolean {
  return character <= 0x20 || character === comma || character === colon || character === closeBrace || character === closeBracket
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
