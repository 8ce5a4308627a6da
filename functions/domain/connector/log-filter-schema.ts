import * as z from 'zod/mini'
import { type FieldTable, recordFields } from '../record/fields.ts'
import { valuesAt } from './field-values.ts'
import { comparisons, operators, positiveOf } from './filter-operators.ts'
import type { LogFilter } from './log-filters.ts'
import { loadPatterns } from './patterns.ts'
import { closest, hasOnly, mustBe, mustBeOneOf, quote } from './problems.ts'

/** The log filters of a connector as users write them: what is allowed, and what is wrong with the rest. */

await loadPatterns()

const filtersMax = 50
const conditionsMax = 20
const valuesMax = 1_000
const valueCharactersMax = 1_000
/** Regular expressions in all filters of a connector (count): each may take megabytes while it runs. */
const patternsMax = 50
/** All regular expressions of a connector together (instructions): the steps that they take for one character. */
const programSizeMax = 10_000
/** All values of a connector's filters together (characters). */
const filterCharactersMax = 100_000

const fieldRule = mustBe('the path of a field of the record, such as severity or syslog.facility')

const fieldSchema = z
  .string({ error: fieldRule })
  .check(z.maxLength(200, { error: fieldRule }), z.regex(/^[^.\s\p{C}]+(\.[^.\s\p{C}]+)*$/u, { error: fieldRule }))
  .check(
    z.superRefine((field, context) => {
      const problem = unknownField(field.split('.'), recordFields)
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
    }),
  )

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
      values: z._default(
        z
          .array(z.union([z.string().check(z.maxLength(valueCharactersMax)), z.number(), z.boolean()], { error: valueRule }), {
            error: valuesRule,
          })
          .check(z.maxLength(valuesMax, { error: valuesRule })),
        [],
      ),
    },
    { error: hasOnly('a condition', ['field', 'operator', 'values']) },
  )
  .check(
    z.superRefine(({ operator, values }, context) => {
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
    }),
  )

const nameRule = mustBe('a name of 1 to 64 letters, digits, dots, blanks, hyphens or underscores, the first a letter or digit')
const conditionsRule = mustBe(`a list of 1 to ${conditionsMax} conditions`)

/** One filter. Its name is the key of its counts in a stored object, so it must be a safe key. */
export const logFilterSchema: z.ZodMiniType<LogFilter> = z.strictObject(
  {
    name: z.string({ error: nameRule }).check(
      z.regex(/^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$/, { error: nameRule }),
      z.refine((name) => !(name in {}), { error: ({ input }) => `It is ${quote(input)}, which is reserved. Give another name.` }),
    ),
    conditions: z.pipe(
      z
        .array(z.unknown(), { error: conditionsRule })
        .check(z.minLength(1, { error: conditionsRule }), z.maxLength(conditionsMax, { error: conditionsRule })),
      z.array(conditionSchema),
    ),
    action: z._default(z.enum(['exclude', 'include'], { error: mustBeOneOf(['exclude', 'include']) }), 'exclude'),
    shadow: z._default(z.boolean({ error: mustBe('true or false') }), false),
  },
  { error: hasOnly('a log filter', ['name', 'conditions', 'action', 'shadow']) },
)

const filtersRule = mustBe(`a list of at most ${filtersMax} log filters`)

/** The sizes are checked before the contents, so that a huge item is refused quickly. */
const filterSizes = z
  .array(z.unknown(), { error: filtersRule })
  .check(z.maxLength(filtersMax, { error: filtersRule }))
  .check(
    z.superRefine((filters, context) => {
      const patterns = countPatterns(filters)
      const message = `It has ${patterns} regular expressions. Give at most ${patternsMax}; join some with |.`
      if (patterns > patternsMax) context.addIssue({ code: 'custom', message })
    }),
  )

/** All filters of a connector. */
export const logFiltersSchema = z.pipe(filterSizes, z.array(logFilterSchema)).check(
  z.superRefine((filters, context) => {
    for (const [index, { name }] of filters.entries()) {
      const first = filters.findIndex((filter) => filter.name === name)
      const message = `${quote(name)} is also the name of logFilters[${first}]. Give each filter its own name: events are counted under it.`
      if (first < index) context.addIssue({ code: 'custom', path: [index, 'name'], message })
    }
    const message = totalProblem(filters)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  }),
)

/** The problem with all filters of a connector together, without the regular expressions that are wrong by themselves. */
function totalProblem(filters: readonly LogFilter[]): string | undefined {
  const conditions = filters.flatMap((filter) => filter.conditions)
  const characters = conditions.flatMap(({ values }) => values).reduce<number>((sum, value) => sum + String(value).length, 0)
  if (characters > filterCharactersMax) {
    return `Its values have ${characters} characters together. Give at most ${filterCharactersMax}.`
  }
  const { matches } = comparisons
  const patterns = conditions
    .filter(({ operator }) => positiveOf(operator) === 'matches')
    .flatMap(({ values }) => values.filter((value) => matches.problem(value) === undefined))
  const size = matches.compile(patterns).price.perCharacter
  if (size <= programSizeMax) return undefined
  return `Its regular expressions are too large together: ${size} instructions when their repetitions are written out, at most ${programSizeMax}. Give simpler ones.`
}

function countPatterns(filters: readonly unknown[]): number {
  return valuesAt(filters, ['conditions'])
    .filter((condition) => valuesAt(condition, ['operator']).some((operator) => operator === 'matches' || operator === 'notMatches'))
    .reduce<number>((sum, condition) => sum + valuesAt(condition, ['values']).length, 0)
}
