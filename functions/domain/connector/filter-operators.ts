import ipaddr from 'ipaddr.js'
import { RE2JS, RE2JSSyntaxException } from 're2js'
import { failed, ok, type Result } from '../result.ts'
import { mustBe, quote } from './problems.ts'

/** The operators of log filters: how each compares a field with the values of a condition. */

/** Instructions of a compiled pattern (count): a match takes at most as many steps for each character. */
const patternSizeMax = 2_000

export type Value = string | number | boolean

/** The check of one value found at a field; never undefined or null. */
export interface Check {
  readonly holds: (found: unknown) => boolean
  /** How many steps the check takes at most (count): characters that are looked at, for each value or instruction of a pattern. */
  readonly steps: (found: unknown) => number
}

interface Comparison {
  readonly doc: string
  /** The problem with a condition's value, as a sentence; undefined if there is none. */
  problem(value: Value): string | undefined
  /** Makes the check that a field's value agrees with any of `values`. Throws if one of them has a problem. */
  compile(values: readonly Value[]): Check
}

/** Texts are compared without regard to case, except by `matches`. A number, true or false is compared with a text as it is written. */
export const comparisons = {
  equals: comparison('The field equals the value.', readText, foldedText, (wanted) => memberOf(new Set(wanted))),
  in: comparison('The field is in the list of values; the same as equals.', readText, foldedText, (wanted) => memberOf(new Set(wanted))),
  contains: ofTexts('The field contains the value.', (text, wanted) => text.includes(wanted)),
  startsWith: ofTexts('The field begins with the value.', (text, wanted) => text.startsWith(wanted)),
  endsWith: ofTexts('The field ends with the value.', (text, wanted) => text.endsWith(wanted)),
  matches: comparison(
    'The regular expression (RE2) matches any part of the field. Case matters, unless the expression begins with (?i).',
    readPattern,
    plainText,
    any((text: string, pattern: RE2JS) => pattern.test(text)),
    (pattern) => pattern.programSize(),
  ),
  exists: {
    doc: 'The record has the field. Takes no values.',
    problem: () => undefined,
    compile: () => ({ holds: () => true, steps: () => 1 }),
  },
  greaterThan: ofNumbers('The field is a number greater than the value.', (number, bound) => number > bound),
  greaterOrEqual: ofNumbers('The field is a number greater than or equal to the value.', (number, bound) => number >= bound),
  lessThan: ofNumbers('The field is a number less than the value.', (number, bound) => number < bound),
  lessOrEqual: ofNumbers('The field is a number less than or equal to the value.', (number, bound) => number <= bound),
  inCidr: comparison('The field is an IP address in the network.', readNetwork, addressFound, any(isWithin)),
} as const satisfies Record<string, Comparison>

type PositiveOperator = keyof typeof comparisons

const negations = {
  notEquals: 'equals',
  notIn: 'in',
  notContains: 'contains',
  notStartsWith: 'startsWith',
  notEndsWith: 'endsWith',
  notMatches: 'matches',
  notExists: 'exists',
  notInCidr: 'inCidr',
} as const satisfies Record<string, PositiveOperator>

type Negation = keyof typeof negations

export type Operator = PositiveOperator | Negation

export const operators: readonly Operator[] = [...keysOf(comparisons), ...keysOf(negations)]

/** All operators, for the docs; `negation` holds exactly where the operator does not. */
export function filterOperators(): readonly { readonly name: Operator; readonly negation?: Operator; readonly doc: string }[] {
  return keysOf(comparisons).map((name) => {
    const negation = keysOf(negations).find((one) => negations[one] === name)
    return { name, ...(negation === undefined ? {} : { negation }), doc: comparisons[name].doc }
  })
}

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[]
}

export function isNegation(operator: Operator): operator is Negation {
  return Object.hasOwn(negations, operator)
}

export function positiveOf(operator: Operator): PositiveOperator {
  return isNegation(operator) ? negations[operator] : operator
}

function comparison<Wanted, Found>(
  doc: string,
  read: (value: Value) => Result<Wanted, string>,
  find: (found: unknown) => Found | undefined,
  prepare: (wanted: readonly Wanted[]) => (found: Found) => boolean,
  stepsPerCharacter: (wanted: Wanted) => number = () => 1,
): Comparison {
  return {
    doc,
    problem(value) {
      const wanted = read(value)
      return wanted.ok ? undefined : wanted.failure
    },
    compile(values) {
      const wanted = values.map((value) => {
        const one = read(value)
        if (!one.ok) throw new Error(`A filter was not checked before it was compiled. ${one.failure}`)
        return one.value
      })
      const agrees = prepare(wanted)
      const perCharacter = wanted.reduce((sum, one) => sum + stepsPerCharacter(one), 0)
      return {
        holds(value) {
          const found = find(value)
          return found !== undefined && agrees(found)
        },
        steps: (value) => perCharacter * Math.max(1, plainText(value)?.length ?? 0),
      }
    },
  }
}

function any<Found, Wanted>(agree: (found: Found, wanted: Wanted) => boolean) {
  return (wanted: readonly Wanted[]) => (found: Found) => wanted.some((one) => agree(found, one))
}

function ofTexts(doc: string, agree: (text: string, wanted: string) => boolean): Comparison {
  return comparison(doc, readText, foldedText, any(agree))
}

function ofNumbers(doc: string, agree: (number: number, bound: number) => boolean): Comparison {
  return comparison(doc, readNumber, numberFound, any(agree))
}

function memberOf<T>(set: ReadonlySet<T>) {
  return (found: T) => set.has(found)
}

/** Folds to upper case, because the lower case of a letter can depend on its neighbours. */
function fold(text: string): string {
  return text.toUpperCase()
}

function plainText(found: unknown): string | undefined {
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? String(found) : undefined
}

function foldedText(found: unknown): string | undefined {
  const text = plainText(found)
  return text === undefined ? undefined : fold(text)
}

function readText(value: Value): Result<string, string> {
  if (value === '') return failed('It is an empty text, and no field of a record is empty. Give some text, or use exists or notExists.')
  return ok(fold(String(value)))
}

const decimal = /^[+-]?\d+(\.\d+)?$/

function numberFound(found: unknown): number | undefined {
  if (typeof found === 'string') return decimal.test(found) ? Number(found) : undefined
  return typeof found === 'number' ? found : undefined
}

function readNumber(value: Value): Result<number, string> {
  const number = numberFound(value)
  return number === undefined
    ? failed(mustBe('a number, such as 10 or 0.5; for a time the epoch in milliseconds')({ input: value }))
    : ok(number)
}

function readPattern(value: Value): Result<RE2JS, string> {
  const rule = 'Give a regular expression of RE2: without lookaround and backreferences.'
  if (typeof value !== 'string' || value === '') return failed(`It is ${quote(value)}. ${rule}`)
  try {
    const pattern = RE2JS.compile(value)
    if (pattern.programSize() <= patternSizeMax) return ok(pattern)
    return failed(`It is ${quote(value)}, which is too large when its repetitions are written out. Give a simpler regular expression.`)
  } catch (thrown) {
    if (!(thrown instanceof RE2JSSyntaxException)) throw thrown
    const where = thrown.getPattern() === null ? '' : ` at ${quote(thrown.getPattern())}`
    return failed(`It is ${quote(value)}, which is not a regular expression: ${thrown.getDescription()}${where}. ${rule}`)
  }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = readonly [Address, number]

function addressFound(found: unknown): Address | undefined {
  if (typeof found !== 'string') return undefined
  // Other ways of writing IPv4 exist ("10.1", "0x7f000001", "010.0.0.1"), and no two readers agree on them.
  if (ipaddr.IPv4.isValidFourPartDecimal(found)) return ipaddr.IPv4.parse(found)
  if (!found.includes(':') || !ipaddr.IPv6.isValid(found)) return undefined
  const address = ipaddr.IPv6.parse(found)
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

function readNetwork(value: Value): Result<Network, string> {
  const [text = '', bits, ...more] = String(value).split('/')
  const address = addressFound(text)
  if (address !== undefined && more.length === 0) {
    const width = address.kind() === 'ipv4' ? 32 : 128
    // The prefix of an IPv4 address that is written as IPv6 counts all 128 bits.
    const skipped = width === 32 && text.includes(':') ? 96 : 0
    const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) - skipped : Number.NaN
    if (prefix >= 0 && prefix <= width) return ok([address, prefix])
  }
  return failed(mustBe('a network in CIDR notation or an address, such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32')({ input: value }))
}

function isWithin(address: Address, [network, prefix]: Network): boolean {
  return address.kind() === network.kind() && address.match(network, prefix)
}
