import ipaddr from 'ipaddr.js'
import { RE2JS, RE2JSSyntaxException } from 're2js'
import * as z from 'zod'
import { type FieldTable, recordFields } from '../record/fields.ts'
import { failed, ok, type Result } from '../result.ts'
import { closest, hasOnly, mustBe, mustBeOneOf, quote } from './problems.ts'

/** Log filters keep events of a connector out of the lake. */

const filtersMax = 50
const conditionsMax = 20
const valuesMax = 1_000
const valueCharactersMax = 1_000
/** Regular expressions in all filters of a connector (count): each may take megabytes while it runs. */
const patternsMax = 50
/** Instructions of a compiled pattern (count): a match takes at most as many steps for each character. */
const patternSizeMax = 2_000

/** A filter matches an event when all its conditions hold. */
export interface LogFilter {
  /** Unique within its connector; dropped events are counted under it. */
  readonly name: string
  readonly conditions: readonly Condition[]
  /** `exclude` drops the events that match. If there are `include` filters, an event that matches none of them is dropped. */
  readonly action: 'exclude' | 'include'
  /** The filter drops nothing, and counts the events that it would have dropped. */
  readonly shadow: boolean
}

/**
 * A condition holds if its operator holds for any of its values and, where the field is a list, for any of its elements. No operator
 * holds for a missing field, except the negations. A negation holds exactly where its operator does not hold.
 */
export interface Condition {
  /** Dotted path into the record: `severity`, `syslog.facility`. */
  readonly field: string
  readonly operator: Operator
  /** Empty for `exists` and `notExists`. */
  readonly values: readonly Value[]
}

export type Value = string | number | boolean

/** One value found at a field; never undefined or null. */
type Holds = (found: unknown) => boolean

interface Comparison {
  readonly doc: string
  /** The problem with a condition's value, as a sentence; undefined if there is none. */
  problem(value: Value): string | undefined
  /** Makes the check that a field's value agrees with any of `values`. Throws if one of them has a problem. */
  compile(values: readonly Value[]): Holds
}

/** Texts are compared without regard to case, except by `matches`. A number, true or false is compared with a text as it is written. */
const comparisons = {
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
  ),
  exists: { doc: 'The record has the field. Takes no values.', problem: () => undefined, compile: () => () => true },
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

const operators: readonly Operator[] = [...keysOf(comparisons), ...keysOf(negations)]

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

function isNegation(operator: Operator): operator is Negation {
  return Object.hasOwn(negations, operator)
}

function positiveOf(operator: Operator): PositiveOperator {
  return isNegation(operator) ? negations[operator] : operator
}

function comparison<Wanted, Found>(
  doc: string,
  read: (value: Value) => Result<Wanted, string>,
  find: (found: unknown) => Found | undefined,
  prepare: (wanted: readonly Wanted[]) => (found: Found) => boolean,
): Comparison {
  return {
    doc,
    problem(value) {
      const wanted = read(value)
      return wanted.ok ? undefined : wanted.failure
    },
    compile(values) {
      const agrees = prepare(
        values.map((value) => {
          const wanted = read(value)
          if (!wanted.ok) throw new Error(`A filter was not checked before it was compiled. ${wanted.failure}`)
          return wanted.value
        }),
      )
      return (value) => {
        const found = find(value)
        return found !== undefined && agrees(found)
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

/** All values at a path, with lists flattened. It follows own properties only, so that `constructor` is a name like any other. */
function valuesAt(value: unknown, path: readonly string[], at = 0): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, path, at))
  const name = path[at]
  if (name === undefined) return [value]
  return isObject(value) && Object.hasOwn(value, name) ? valuesAt(value[name], path, at + 1) : []
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

type Matches = (record: Readonly<Record<string, unknown>>) => boolean

function compileCondition({ field, operator, values }: Condition): Matches {
  const path = field.split('.')
  const holds: Holds = comparisons[positiveOf(operator)].compile(values)
  const negated = isNegation(operator)
  return (record) => valuesAt(record, path).some(holds) !== negated
}

/** A reason to drop a record: one exclude filter, or all include filters together under the name of the first. */
interface Drop {
  readonly name: string
  readonly drops: Matches
}

/** The input of `applyFilters`. */
export interface CompiledFilters {
  readonly active: readonly Drop[]
  readonly shadow: readonly Drop[]
}

/** Compiles filters that `logFiltersSchema` has accepted. Throws for any other. */
export function compileFilters(filters: readonly LogFilter[]): CompiledFilters {
  const compiled = filters.map(({ name, action, shadow, conditions }) => {
    const all = conditions.map(compileCondition)
    return { name, action, shadow, matches: (record: Readonly<Record<string, unknown>>) => all.every((holds) => holds(record)) }
  })
  const includes = compiled.filter(({ action, shadow }) => action === 'include' && !shadow)
  const notIncluded: Matches = (record) => !includes.some(({ matches }) => matches(record))
  return {
    active: compiled
      .filter((filter) => !filter.shadow && (filter.action === 'exclude' || filter === includes[0]))
      .map(({ name, action, matches }) => ({ name, drops: action === 'exclude' ? matches : notIncluded })),
    shadow: compiled
      .filter(({ shadow }) => shadow)
      .map(({ name, action, matches }) => ({
        name,
        drops: action === 'exclude' ? matches : (record) => notIncluded(record) && !matches(record),
      })),
  }
}

/**
 * Decides whether a record is kept, and which filters count it. They are the first filter in the list that drops it (the first include
 * filter stands for all of them), and each shadow filter that would drop it if it were active as well.
 */
export function applyFilters(
  { active, shadow }: CompiledFilters,
  record: Readonly<Record<string, unknown>>,
): { readonly keep: boolean; readonly counted: readonly string[] } {
  const dropped = active.find(({ drops }) => drops(record))
  const wouldDrop = shadow.filter(({ drops }) => drops(record))
  return { keep: dropped === undefined, counted: [...(dropped === undefined ? [] : [dropped]), ...wouldDrop].map(({ name }) => name) }
}

const fieldRule = mustBe('the path of a field of the record, such as severity or syslog.facility')

const fieldSchema = z
  .string({ error: fieldRule })
  .max(200, { error: fieldRule })
  .regex(/^[^.\s\p{C}]+(\.[^.\s\p{C}]+)*$/u, { error: fieldRule })
  .superRefine((field, context) => {
    const problem = unknownField(field.split('.'), recordFields)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })

/**
 * The problem with a field that the table does not have. A misspelled field would always be missing, so a negation would match every
 * event. A path into a vendor's own fields is not checked.
 */
function unknownField(path: readonly string[], table: FieldTable, above = ''): string | undefined {
  const [name = '', ...rest] = path
  const field = Object.hasOwn(table, name) ? table[name] : undefined
  if (field === undefined) {
    if (above === '' && rest.length > 0) return undefined
    const meant = closest(name, Object.keys(table))
    const vendors = above === '' ? '; a vendor’s own fields are written vendor.field' : ''
    const hint = meant === undefined ? `The fields are ${Object.keys(table).join(', ')}${vendors}.` : `Did you mean ${above}${meant}?`
    return `${quote(`${above}${name}`)} is no field of a record. ${hint}`
  }
  if (rest.length === 0) return undefined
  if (field.type === 'struct') return unknownField(rest, field.fields, `${above}${name}.`)
  return `${quote(`${above}${name}`)} has no fields inside. Give it without ${quote(`.${rest.join('.')}`)}.`
}

const valueRule = mustBe(`a text of at most ${valueCharactersMax} characters, a number, true or false`)
const valuesRule = mustBe(`a list of at most ${valuesMax} texts or numbers, such as ["low"]`)

const conditionSchema = z
  .strictObject(
    {
      field: fieldSchema,
      operator: z.enum(operators, { error: mustBeOneOf(operators) }),
      values: z
        .array(z.union([z.string().max(valueCharactersMax), z.number(), z.boolean()], { error: valueRule }), { error: valuesRule })
        .max(valuesMax, { error: valuesRule })
        .default([]),
    },
    { error: hasOnly('a condition', ['field', 'operator', 'values']) },
  )
  .superRefine(({ operator, values }, context) => {
    const positive = positiveOf(operator)
    if ((positive === 'exists') !== (values.length === 0)) {
      const message =
        positive === 'exists' ? `${operator} takes no values. Remove them.` : `${operator} needs at least one value. It has none.`
      context.addIssue({ code: 'custom', path: ['values'], message })
    }
    for (const [index, value] of values.entries()) {
      const message = comparisons[positive].problem(value)
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['values', index], message })
    }
  })

const nameRule = mustBe('a name of 1 to 64 letters, digits, dots, blanks, hyphens or underscores, the first a letter or digit')
const conditionsRule = mustBe(`a list of 1 to ${conditionsMax} conditions`)

/** One filter. Its name is the key of its counts in a stored object, so it must be a safe key. */
export const logFilterSchema: z.ZodType<LogFilter> = z.strictObject(
  {
    name: z
      .string({ error: nameRule })
      .regex(/^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$/, { error: nameRule })
      .refine((name) => !(name in {}), { error: ({ input }) => `It is ${quote(input)}, which is reserved. Give another name.` }),
    conditions: z
      .array(z.unknown(), { error: conditionsRule })
      .min(1, { error: conditionsRule })
      .max(conditionsMax, { error: conditionsRule })
      .pipe(z.array(conditionSchema)),
    action: z.enum(['exclude', 'include'], { error: mustBeOneOf(['exclude', 'include']) }).default('exclude'),
    shadow: z.boolean({ error: mustBe('true or false') }).default(false),
  },
  { error: hasOnly('a log filter', ['name', 'conditions', 'action', 'shadow']) },
)

const filtersRule = mustBe(`a list of at most ${filtersMax} log filters`)

/** All filters of a connector. Sizes are checked before the contents, so that a huge item is refused quickly. */
export const logFiltersSchema = z
  .array(z.unknown(), { error: filtersRule })
  .max(filtersMax, { error: filtersRule })
  .superRefine((filters, context) => {
    const patterns = countPatterns(filters)
    const message = `It has ${patterns} regular expressions. Give at most ${patternsMax}; join some with |.`
    if (patterns > patternsMax) context.addIssue({ code: 'custom', message })
  })
  .pipe(z.array(logFilterSchema))
  .superRefine((filters, context) => {
    for (const [index, { name }] of filters.entries()) {
      const first = filters.findIndex((filter) => filter.name === name)
      const message = `${quote(name)} is also the name of logFilters[${first}]. Give each filter its own name: events are counted under it.`
      if (first < index) context.addIssue({ code: 'custom', path: [index, 'name'], message })
    }
  })

function countPatterns(filters: readonly unknown[]): number {
  return valuesAt(filters, ['conditions'])
    .filter((condition) => valuesAt(condition, ['operator']).some((operator) => operator === 'matches' || operator === 'notMatches'))
    .reduce<number>((sum, condition) => sum + valuesAt(condition, ['values']).length, 0)
}
