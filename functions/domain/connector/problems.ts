import type * as z from 'zod/mini'
import { cutText, wholeCharacters } from '../text.ts'

/** Messages about an item that a user wrote. Each gives the value that was seen, the values that are allowed, and so the correction. */

/** One problem of an item. */
export interface Problem {
  /** The place in the item: `logFilters[0].operator`. */
  readonly path: string
  readonly message: string
}

/** A message repeats this much of a value (characters). */
const quotedMax = 60
/** Looks like a key: 20 letters and digits in a row with a digit among them, or a UUID. */
const keyLike = /(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{20}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-/i
/** A problem is stored and shown (characters). */
const messageLengthMax = 1_000
/** A longer name is not compared for misspellings (characters). */
const nameMax = 64

/**
 * Formats a value for a message. A text is shown as JSON, cut to 60 characters. A text that may be a key is shown only by its length,
 * a list only by its size, an object not at all.
 */
export function quote(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  if (keyLike.test(value.slice(0, 2 * quotedMax))) return `a text of ${value.length} characters`
  const visible = (text: string) => JSON.stringify(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escaped)
  return value.length <= quotedMax ? visible(value) : `${visible(`${wholeCharacters(value, quotedMax)}…`)} (${value.length} characters)`
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`
}

/** The `error` of a zod schema: "It is "x". Give `allowed`." */
export function mustBe(allowed: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? `It is missing. Give ${allowed}.` : `It is ${quote(input)}. Give ${allowed}.`)
}

/** "It is "x". Did you mean y? Give one of: …" for a text that is none of `allowed`. */
export function mustBeOneOf(allowed: readonly string[]): (issue: { readonly input?: unknown }) => string {
  const choice = `one of: ${allowed.join(', ')}`
  return ({ input }) => {
    const meant = typeof input === 'string' ? closest(input, allowed) : undefined
    return meant === undefined ? mustBe(choice)({ input }) : `It is ${quote(input)}. Did you mean ${meant}? Give ${choice}.`
  }
}

/** The `error` of a strict object: reports names that it does not know, and a value that is not an object. `what`: "a log filter". */
export function hasOnly(what: string, known: readonly string[]) {
  return (issue: { readonly code?: unknown; readonly input?: unknown; readonly keys?: unknown }): string => {
    if (issue.code !== 'unrecognized_keys' || !Array.isArray(issue.keys))
      return mustBe(`${what}: an object with ${known.join(', ')}`)(issue)
    return issue.keys
      .slice(0, 3)
      .map((name) => unknownName(String(name), what, known))
      .join(' ')
  }
}

/** "x is no attribute of `what`.", with the name that may have been meant, or all names. */
export function unknownName(name: string, what: string, known: readonly string[]): string {
  const meant = closest(name, known)
  const hint = meant === undefined ? `The attributes are ${known.join(', ')}.` : `Did you mean ${meant}?`
  return `${quote(name)} is no attribute of ${what}. ${hint} Rename or remove it.`
}

/** The name among `known` that `name` misspells by at most two letters, or is a part of; undefined if there is none. */
export function closest(name: string, known: readonly string[]): string | undefined {
  if (name.length > nameMax) return undefined
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const seen = plain(name)
  const allowance = Math.min(2, Math.floor(seen.length / 2))
  const ranked = known.map((candidate) => ({ candidate, edits: edits(seen, plain(candidate)) })).sort((a, b) => a.edits - b.edits)
  const near = ranked.find((entry) => entry.edits <= allowance)
  const part = ranked.find(({ candidate }) => seen.length >= 3 && plain(candidate).includes(seen))
  return (near ?? part)?.candidate
}

/** Levenshtein distance. */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1]
    for (let column = 0; column < to.length; column++) {
      const replaced = (row[column] ?? 0) + (letter === to[column] ? 0 : 1)
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}

/** The problems in a zod error, each once. */
export function problemsOf(error: z.core.$ZodError): Problem[] {
  const found = new Map<string, Problem>()
  for (const { path, message } of error.issues) {
    const problem = { path: pathText(path), message: cutText(message, messageLengthMax) }
    found.set(JSON.stringify(problem), problem)
  }
  return [...found.values()]
}

/** Formats a path: `logFilters[0].conditions[2].field`. A name that is not plain is quoted. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`
      const name = String(step)
      if (!/^\w{1,60}$/.test(name) || keyLike.test(name)) return `[${quote(name)}]`
      return index === 0 ? name : `.${name}`
    })
    .join('')
}
