import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filterOperators, type Operator, type Value } from '../../functions/domain/connector/filter-operators.ts'
import { applyFilters, type Condition, compileFilters, type LogFilter } from '../../functions/domain/connector/log-filters.ts'
import { loadPatterns } from '../../functions/domain/connector/patterns.ts'

await loadPatterns()

const word = fc.constantFrom('a', 'b', 'ab', 'aB', 'ba', 'ß', 'σς', '5', '12')
const address = fc.constantFrom('10.0.0.1', '10.1.0.1', '192.0.2.1', '::1', '2001:db8::7')
const scalar = fc.oneof(word, address, fc.integer({ min: 0, max: 20 }), fc.boolean())
const field = fc.constantFrom('a', 'b', 'c.d', 'c.e', '__proto__', 'constructor.name')
const found = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.constant(null))
const record = fc.record({ a: found, b: found, c: fc.record({ d: found, e: found }, { requiredKeys: [] }) }, { requiredKeys: [] })

function valuesOf(operator: Operator): fc.Arbitrary<readonly Value[]> {
  const list = (value: fc.Arbitrary<Value>) => fc.array(value, { minLength: 1, maxLength: 3 })
  if (/exists/i.test(operator)) return fc.constant([])
  if (/cidr/i.test(operator)) return list(fc.constantFrom('10.0.0.0/8', '10.0.0.0/16', '192.0.2.1', '::/0', '2001:db8::/32'))
  if (/matches/i.test(operator)) return list(fc.constantFrom('^a', 'b$', '(a|b)+', '\\d', '.'))
  if (/greater|less/.test(operator)) return list(fc.integer({ min: 0, max: 20 }))
  return list(scalar)
}

const operators = filterOperators()
const negated = operators.flatMap(({ name, negation }) => (negation === undefined ? [] : [{ name, negation }]))
const condition: fc.Arbitrary<Condition> = fc
  .constantFrom(...operators.flatMap(({ name, negation }) => [name, ...(negation === undefined ? [] : [negation])]))
  .chain((operator) => fc.record({ field, operator: fc.constant(operator), values: valuesOf(operator) }))
const filter = fc.record({
  action: fc.constantFrom('exclude', 'include'),
  shadow: fc.boolean(),
  conditions: fc.array(condition, { minLength: 1, maxLength: 3 }),
})
const filters: fc.Arbitrary<LogFilter[]> = fc
  .array(filter, { maxLength: 5 })
  .map((list) => list.map((one, index) => ({ ...one, name: `f${index}` }) as LogFilter))

type LakeRecord = Readonly<Record<string, unknown>>
const holds = (one: Condition, of: LakeRecord) =>
  !applyFilters(compileFilters([{ name: 'it', action: 'exclude', shadow: false, conditions: [one] }]), of).keep
const matches = ({ conditions }: LogFilter, of: LakeRecord) => conditions.every((one) => holds(one, of))

describe('for every record', () => {
  it.each(negated)('$negation holds exactly if $name does not', ({ name, negation }) => {
    return fc.assert(
      fc.property(field, valuesOf(name), record, (path, values, of) => {
        expect(holds({ field: path, operator: negation, values }, of)).toBe(!holds({ field: path, operator: name, values }, of))
      }),
    )
  })

  it.each(operators)('$name holds for several values exactly if it holds for one of them alone', ({ name }) => {
    return fc.assert(
      fc.property(field, valuesOf(name), record, (path, values, of) => {
        const alone = values.length === 0 ? [[]] : values.map((value) => [value])
        expect(holds({ field: path, operator: name, values }, of)).toBe(
          alone.some((one) => holds({ field: path, operator: name, values: one }, of)),
        )
      }),
    )
  })

  it.each(operators)('$name holds for a list exactly if it holds for one of its elements', ({ name }) => {
    return fc.assert(
      fc.property(valuesOf(name), fc.array(scalar, { maxLength: 4 }), (values, list) => {
        const one = { field: 'a', operator: name, values }
        expect(holds(one, { a: list })).toBe(list.some((element) => holds(one, { a: element })))
      }),
    )
  })

  it.each(operators)('$name does not hold for a missing field', ({ name }) => {
    return fc.assert(
      fc.property(valuesOf(name), record, (values, of) => {
        expect(holds({ field: 'not.there', operator: name, values }, of)).toBe(false)
      }),
    )
  })

  it('the record is kept exactly if it matches no exclude filter and, if there are include filters, at least one of them', () => {
    return fc.assert(
      fc.property(filters, record, (all, of) => {
        const active = all.filter(({ shadow }) => !shadow)
        const includes = active.filter(({ action }) => action === 'include')
        const excluded = active.some((one) => one.action === 'exclude' && matches(one, of))
        const included = includes.length === 0 || includes.some((one) => matches(one, of))
        expect(applyFilters(compileFilters(all), of).keep).toBe(!excluded && included)
      }),
    )
  })

  it('exactly one active filter counts a dropped record, and none counts a kept one, whatever the shadow filters count', () => {
    return fc.assert(
      fc.property(filters, record, (all, of) => {
        const { keep, counted } = applyFilters(compileFilters(all), of)
        const active = counted.filter((name) => all.some((one) => one.name === name && !one.shadow))
        expect(active).toHaveLength(keep ? 0 : 1)
        expect(new Set(counted).size).toBe(counted.length)
      }),
    )
  })

  it('shadow filters change only their own counts', () => {
    return fc.assert(
      fc.property(filters, record, (all, of) => {
        const active = all.filter(({ shadow }) => !shadow)
        const alone = applyFilters(compileFilters(active), of)
        const together = applyFilters(compileFilters(all), of)
        expect(together.keep).toBe(alone.keep)
        expect(together.counted.filter((name) => active.some((one) => one.name === name))).toEqual(alone.counted)
      }),
    )
  })

  it('a shadow filter counts a record that the others keep exactly if it drops the record once it is active', () => {
    return fc.assert(
      fc.property(filters, record, (all, of) => {
        const shadow = all.find((one) => one.shadow)
        if (shadow === undefined) return
        const active = all.filter((one) => !one.shadow)
        const before = applyFilters(compileFilters(active), of)
        const after = applyFilters(compileFilters([...active, { ...shadow, shadow: false }]), of)
        const counted = applyFilters(compileFilters([...active, shadow]), of).counted.includes(shadow.name)
        if (before.keep) expect(counted).toBe(!after.keep)
      }),
    )
  })
})
