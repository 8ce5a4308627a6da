import { type Pay, RecordValues } from './field-values.ts'
import { type Check, comparisons, isNegation, type Operator, positiveOf, type Value } from './filter-operators.ts'
import { loadPatterns } from './patterns.ts'

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

interface CompiledFilter extends Omit<LogFilter, 'conditions'> {
  readonly conditions: readonly (Check & Pick<Condition, 'field'> & { readonly path: readonly string[]; readonly isNegated: boolean })[]
}

/** The input of `applyFilters`. */
export type CompiledFilters = readonly CompiledFilter[]

/** The same as `compileFilters`. Loads what the filters need. */
export async function loadFilters(filters: readonly LogFilter[]): Promise<CompiledFilters> {
  const operators = filters.flatMap(({ conditions }) => conditions.map(({ operator }) => positiveOf(operator)))
  if (operators.includes('matches')) await loadPatterns()
  return compileFilters(filters)
}

/** Compiles filters that `logFiltersSchema` has accepted. Throws for any other. For regular expressions `loadPatterns` must have ended. */
export function compileFilters(filters: readonly LogFilter[]): CompiledFilters {
  return filters.map(({ conditions, ...filter }) => ({
    ...filter,
    conditions: conditions.map(({ field, operator, values }) => ({
      ...comparisons[positiveOf(operator)].compile(values),
      field,
      path: field.split('.'),
      isNegated: isNegation(operator),
    })),
  }))
}

/**
 * When the filters of a connector that are on have taken so many steps on one page, the one that has taken the most is off (count). A step
 * takes at most 15 ns, so this is three seconds; most steps take a tenth. A regular expression that is made for it takes ten times as long.
 */
const pageStepsMax = 200_000_000
/** When all filters together, also those that are off, have taken so many steps on one page, all are off (count). */
const pageStepsInAllMax = 2 * pageStepsMax

/** The steps of a connector's filters on one page. Steps are counted and no time is measured, so the same page gives the same result. */
export class FilterSteps {
  readonly off = new Set<string>()
  private readonly taken = new Map<string, number>()
  private ofThoseOn = 0
  private inAll = 0

  /** Counts the steps of a filter before it takes them. Returns false if it is off: it may not take them. */
  take(name: string, steps: number): boolean {
    if (this.off.has(name)) return false
    this.taken.set(name, (this.taken.get(name) ?? 0) + steps)
    this.ofThoseOn += steps
    while (this.ofThoseOn > pageStepsMax) this.switchOffWorst()
    if (this.inAll + steps > pageStepsInAllMax) this.switchOff(name)
    if (this.off.has(name)) return false
    this.inAll += steps
    return true
  }

  /** The steps of all filters (count). */
  get total(): number {
    return this.inAll
  }

  private switchOffWorst(): void {
    const [worst] = [...this.taken].sort(([, a], [, b]) => b - a)
    if (worst !== undefined) this.switchOff(worst[0])
  }

  private switchOff(name: string): void {
    this.off.add(name)
    this.ofThoseOn -= this.taken.get(name) ?? 0
    this.taken.delete(name)
  }
}

/** A condition takes 100 ns by itself: it looks for values that are there already (steps). */
const conditionSteps = 8

/** Whether a filter matches a record; `off`: it may not take the steps to find out. */
type Verdict = 'yes' | 'no' | 'off'

function judge({ name, conditions }: CompiledFilter, values: RecordValues, steps: FilterSteps): Verdict {
  const pay: Pay = (count) => steps.take(name, count)
  for (const { field, path, isNegated, agrees } of conditions) {
    const found = pay(conditionSteps) ? values.at(field, path, pay) : undefined
    const isTrue = found === undefined ? undefined : agrees(found, pay)
    if (isTrue === undefined) return 'off'
    if (isTrue === isNegated) return 'no'
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
  const values = new RecordValues(record)
  const verdicts = new Map<CompiledFilter, Verdict>()
  const verdictOf = (filter: CompiledFilter): Verdict => {
    const verdict = verdicts.get(filter) ?? judge(filter, values, steps)
    verdicts.set(filter, verdict)
    return verdict
  }
  const includes = filters.filter(({ action, shadow }) => action === 'include' && !shadow)
  let leftOut: boolean | undefined
  const isLeftOut = () => {
    leftOut ??= !includes.some((filter) => verdictOf(filter) !== 'no')
    return leftOut
  }
  const drops = (filter: CompiledFilter): boolean => {
    if (filter.action === 'exclude') return verdictOf(filter) === 'yes'
    if (filter.shadow) return isLeftOut() && verdictOf(filter) === 'no'
    return filter === includes[0] && isLeftOut()
  }
  const dropped = filters.find((filter) => !filter.shadow && drops(filter))
  const wouldDrop = filters.filter((filter) => filter.shadow && drops(filter))
  return { keep: dropped === undefined, counted: [...(dropped === undefined ? [] : [dropped]), ...wouldDrop].map(({ name }) => name) }
}
