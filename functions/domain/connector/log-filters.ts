import { type Check, comparisons, isNegation, type Operator, positiveOf, type Value } from './filter-operators.ts'

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

interface CompiledFilter extends Omit<LogFilter, 'conditions'> {
  readonly conditions: readonly (Check & { readonly path: readonly string[]; readonly isNegated: boolean })[]
}

/** The input of `applyFilters`. */
export type CompiledFilters = readonly CompiledFilter[]

/** Compiles filters that `logFiltersSchema` has accepted. Throws for any other. */
export function compileFilters(filters: readonly LogFilter[]): CompiledFilters {
  return filters.map(({ conditions, ...filter }) => ({
    ...filter,
    conditions: conditions.map(({ field, operator, values }) => ({
      ...comparisons[positiveOf(operator)].compile(values),
      path: field.split('.'),
      isNegated: isNegation(operator),
    })),
  }))
}

/**
 * The filters of a connector take at most so many steps on one page (count). A step of a regular expression takes up to 11 ns (measured:
 * an alternation without regard to case), so this is two seconds. Ten such filters over the raw text of 500 events take a fifth of it.
 */
const pageStepsMax = 200_000_000

/**
 * The steps of a connector's filters on one page. Beyond the bound the filter that has taken the most is off for the rest of the page. Steps
 * are counted and no time is measured, so the same page gives the same result.
 */
export class FilterSteps {
  readonly off = new Set<string>()
  private readonly taken = new Map<string, number>()
  private total = 0

  /** Counts the steps of a filter before it takes them. Returns false if it is off. */
  take(name: string, steps: number): boolean {
    if (this.off.has(name)) return false
    this.taken.set(name, (this.taken.get(name) ?? 0) + steps)
    this.total += steps
    while (this.total > pageStepsMax) this.switchOffWorst()
    return !this.off.has(name)
  }

  private switchOffWorst(): void {
    const [worst = ['', this.total] as const] = [...this.taken].sort(([, a], [, b]) => b - a)
    const [name, steps] = worst
    this.off.add(name)
    this.taken.delete(name)
    this.total -= steps
  }
}

/** Whether a filter matches a record; `off`: it may not take the steps to find out. */
type Verdict = 'yes' | 'no' | 'off'

function judge({ name, conditions }: CompiledFilter, record: Readonly<Record<string, unknown>>, steps: FilterSteps): Verdict {
  for (const { path, isNegated, holds, steps: stepsOf } of conditions) {
    const found = valuesAt(record, path)
    const wanted = found.reduce<number>((sum, value) => sum + stepsOf(value), 1)
    if (!steps.take(name, wanted)) return 'off'
    if (found.some(holds) === isNegated) return 'no'
  }
  return 'yes'
}

/**
 * Decides whether a record is kept, and which filters count it. They are the first filter in the list that drops it (the first include
 * filter stands for all of them), and each shadow filter that would drop it if it were active as well. A filter that is off drops nothing:
 * an include filter that is off keeps all. `steps`: of the page; they are counted in it.
 */
export function applyFilters(
  filters: CompiledFilters,
  record: Readonly<Record<string, unknown>>,
  steps: FilterSteps = new FilterSteps(),
): { readonly keep: boolean; readonly counted: readonly string[] } {
  const verdicts = new Map<CompiledFilter, Verdict>()
  const verdictOf = (filter: CompiledFilter): Verdict => {
    const verdict = verdicts.get(filter) ?? judge(filter, record, steps)
    verdicts.set(filter, verdict)
    return verdict
  }
  const includes = filters.filter(({ action, shadow }) => action === 'include' && !shadow)
  const isLeftOut = () => !includes.some((filter) => verdictOf(filter) !== 'no')
  const drops = (filter: CompiledFilter): boolean => {
    if (filter.action === 'exclude') return verdictOf(filter) === 'yes'
    if (filter.shadow) return isLeftOut() && verdictOf(filter) === 'no'
    return filter === includes[0] && isLeftOut()
  }
  const dropped = filters.find((filter) => !filter.shadow && drops(filter))
  const wouldDrop = filters.filter((filter) => filter.shadow && drops(filter))
  return { keep: dropped === undefined, counted: [...(dropped === undefined ? [] : [dropped]), ...wouldDrop].map(({ name }) => name) }
}
