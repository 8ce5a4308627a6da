import ipaddr from 'ipaddr.js'
import type { RE2JS } from 're2js'
import { failed, ok, type Result } from '../result.ts'
import type { FieldValues, Pay, Price, Reading } from './field-values.ts'
import { patterns } from './patterns.ts'
import { mustBe, quote } from './problems.ts'

/** The operators of log filters: how each compares a field with the values of a condition. */

/** Instructions of a compiled pattern (count): a match takes at most as many steps for each character. */
const patternSizeMax = 2_000

export type Value = string | number | boolean

/** The check of a condition. */
export interface Check {
  /** Whether one of the values agrees. Returns undefined if the steps may not be taken. */
  readonly agrees: (field: FieldValues, pay: Pay) => boolean | undefined
  readonly price: Price
}

/**
 * The prices of the operators. A step takes at most 15 ns, so a price is the time of the slowest input that is known, divided by 15 and
 * rounded up. Measured with Node 24; the slowest inputs are named. A regular expression is the exception: one that is made for it takes up to
 * 110 ns an instruction and character while RE2 builds its automaton. With that price usual expressions would be switched off.
 */
const prices = {
  /** Reading a value as it is: a number becomes a text in 240 ns. */
  plain: { perValue: 16, perCharacter: 0 },
  /** "ﬃ" becomes three letters in 42 ns; a letter of English takes 0.1 ns. A short text takes 125 ns. */
  fold: { perValue: 10, perCharacter: 3 },
  /** Digits are checked and read: 1.3 ns a digit, and 85 ns. */
  number: { perValue: 8, perCharacter: 1 },
  /** A text that is no address by its form takes 20 ns, an IPv4 address 0.6 to 1 µs, and a text that may be IPv6 up to 35 µs. */
  address: { other: 6, ipv4: 70, ipv6: 2_400 },
  /** A text is hashed: 1.4 ns a character, and 90 ns. */
  member: { perValue: 8, perCharacter: 1 },
  /** `endsWith` takes 3 ns for each character of a value, and 2 ns. `startsWith` takes a fifth. */
  edge: { perWanted: 1, charactersPerStep: 4 },
  /**
   * A search takes up to 6 ns for each character of the text. A value of more than 250 characters, all alike but for one, takes up to
   * 0.8 ns more for each of its own.
   */
  search: { perWanted: 1, charactersPerStep: 24 },
  /** A bound takes 3 to 9 ns, and the loop over them 20 ns. */
  bound: { perValue: 2, perWanted: 2 },
  /** A network takes 32 ns, and the loop over them 20 ns. */
  network: { perValue: 2, perWanted: 3 },
  /** A regular expression takes up to 600 ns for a text of three characters. */
  pattern: { perWanted: 40 },
} as const

interface Comparison {
  readonly doc: string
  /** The problem with a condition's value, as a sentence; undefined if there is none. */
  problem(value: Value): string | undefined
  /** Makes the check that a field's value agrees with any of `values`. Throws if one of them has a problem. */
  compile(values: readonly Value[]): Check
}

const plain: Reading<string> = { read: plainText, price: () => prices.plain.perValue }
const folded: Reading<string> = {
  read: (value) => {
    const text = plainText(value)
    return text === undefined ? undefined : fold(text)
  },
  price: (value) => prices.plain.perValue + prices.fold.perValue + lengthOf(value) * prices.fold.perCharacter,
}
const numbers: Reading<number> = {
  read: numberFound,
  price: (value) => prices.number.perValue + lengthOf(value) * prices.number.perCharacter,
}
const addresses: Reading<Address> = {
  read: addressFound,
  price: (value) => (mayBeIpv6(value) ? prices.address.ipv6 : isIpv4(value) ? prices.address.ipv4 : prices.address.other),
}

/** Texts are compared without regard to case, except by `matches`. A number, true or false is compared with a text as it is written. */
export const comparisons = {
  equals: comparison('The field equals the value.', folded, readText, memberOf, () => prices.member),
  in: comparison('The field is in the list of values; the same as equals.', folded, readText, memberOf, () => prices.member),
  contains: comparison(
    'The field contains the value.',
    folded,
    readText,
    any((text, wanted) => text.includes(wanted)),
    priceOfSearch,
  ),
  startsWith: comparison(
    'The field begins with the value.',
    folded,
    readText,
    any((text, wanted) => text.startsWith(wanted)),
    priceOfEdge,
  ),
  endsWith: comparison(
    'The field ends with the value.',
    folded,
    readText,
    any((text, wanted) => text.endsWith(wanted)),
    priceOfEdge,
  ),
  matches: comparison(
    'The regular expression (RE2) matches any part of the field. Case matters, unless the expression begins with (?i).',
    plain,
    readPattern,
    any((text, pattern) => pattern.test(text)),
    priceOfPatterns,
  ),
  exists: {
    doc: 'The record has the field. Takes no values.',
    problem: () => undefined,
    compile: () => ({ agrees: ({ all }) => all.length > 0, price: { perValue: 0, perCharacter: 0 } }),
  },
  greaterThan: ofNumbers('The field is a number greater than the value.', (number, bound) => number > bound),
  greaterOrEqual: ofNumbers('The field is a number greater than or equal to the value.', (number, bound) => number >= bound),
  lessThan: ofNumbers('The field is a number less than the value.', (number, bound) => number < bound),
  lessOrEqual: ofNumbers('The field is a number less than or equal to the value.', (number, bound) => number <= bound),
  inCidr: comparison('The field is an IP address in the network.', addresses, readNetwork, any(isWithin), priceOfNetworks),
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
  reading: Reading<Found>,
  readWanted: (value: Value) => Result<Wanted, string>,
  prepare: (wanted: readonly Wanted[]) => (found: Found) => boolean,
  priceOf: (wanted: readonly Wanted[]) => Price,
): Comparison {
  return {
    doc,
    problem(value) {
      const wanted = readWanted(value)
      return wanted.ok ? undefined : wanted.failure
    },
    compile(values) {
      const wanted = values.map((value) => {
        const one = readWanted(value)
        if (!one.ok) throw new Error(`A filter was not checked before it was compiled. ${one.failure}`)
        return one.value
      })
      const agrees = prepare(wanted)
      const price = priceOf(wanted)
      return {
        agrees(field, pay) {
          const found = field.as(reading, pay)
          if (found === undefined) return undefined
          const steps = found.values.length * price.perValue + found.characters * price.perCharacter
          return pay(steps) ? found.values.some(agrees) : undefined
        },
        price,
      }
    },
  }
}

function any<Found, Wanted>(agree: (found: Found, wanted: Wanted) => boolean) {
  return (wanted: readonly Wanted[]) => (found: Found) => wanted.some((one) => agree(found, one))
}

function ofNumbers(doc: string, agree: (number: number, bound: number) => boolean): Comparison {
  return comparison(doc, numbers, readNumber, any(agree), priceOfBounds)
}

function sumOf<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((sum, one) => sum + of(one), 0)
}

function priceOfSearch(wanted: readonly string[]): Price {
  const { perWanted, charactersPerStep } = prices.search
  return { perValue: perWanted * wanted.length, perCharacter: sumOf(wanted, ({ length }) => 1 + Math.floor(length / charactersPerStep)) }
}

function priceOfEdge(wanted: readonly string[]): Price {
  const { perWanted, charactersPerStep } = prices.edge
  return { perValue: sumOf(wanted, ({ length }) => perWanted + Math.floor(length / charactersPerStep)), perCharacter: 0 }
}

/** An instruction looks at each character. */
function priceOfPatterns(wanted: readonly RE2JS[]): Price {
  const instructions = sumOf(wanted, (pattern) => pattern.programSize())
  return { perValue: prices.pattern.perWanted * wanted.length + instructions, perCharacter: instructions }
}

function priceOfBounds(wanted: readonly number[]): Price {
  return { perValue: prices.bound.perValue + prices.bound.perWanted * wanted.length, perCharacter: 0 }
}

function priceOfNetworks(wanted: readonly Network[]): Price {
  return { perValue: prices.network.perValue + prices.network.perWanted * wanted.length, perCharacter: 0 }
}

function memberOf<T>(wanted: readonly T[]) {
  const set = new Set(wanted)
  return (found: T) => set.has(found)
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 0
}

/** Folds to upper case, because the lower case of a letter can depend on its neighbours. */
function fold(text: string): string {
  return text.toUpperCase()
}

function plainText(found: unknown): string | undefined {
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? String(found) : undefined
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
  const { RE2JS, RE2JSSyntaxException } = patterns()
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

/** Longer texts are no IPv6 address (characters): one has 45, and the name of a zone a few more. */
const addressLengthMax = 64
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
/** Other ways of writing IPv4 exist ("10.1", "0x7f000001", "010.0.0.1"), and no two readers agree on them. */
const ipv4 = new RegExp(`^(?:${octet}\\.){3}${octet}$`)

function isIpv4(found: unknown): found is string {
  return typeof found === 'string' && found.length <= addressLengthMax && ipv4.test(found)
}

function mayBeIpv6(found: unknown): found is string {
  return typeof found === 'string' && found.length <= addressLengthMax && found.includes(':')
}

function addressFound(found: unknown): Address | undefined {
  if (isIpv4(found)) return ipaddr.IPv4.parse(found)
  if (!mayBeIpv6(found) || !ipaddr.IPv6.isValid(found)) return undefined
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
