import { comparisons, type Holds, isNegation, type Operator, positiveOf, type Value } from './filter-operators.ts'

/** Log filters keep events of a connector out of the lake. */

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

/** All values at a path, with lists flattened. It follows own properties only, so that `constructor` is a name like any other. */
export function valuesAt(value: unknown, path: readonly string[], at = 0): readonly unknown[] {
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
