import { describe, expect, it } from 'vitest'
import { filterOperators, type Operator } from '../../functions/domain/connector/filter-operators.ts'
import { logFiltersSchema } from '../../functions/domain/connector/log-filter-schema.ts'
import { applyFilters, type Condition, compileFilters, FilterSteps, type LogFilter } from '../../functions/domain/connector/log-filters.ts'

const operators = filterOperators().flatMap(({ name, negation }) => [name, ...(negation === undefined ? [] : [negation])])

function valuesOf(operator: Operator): Condition['values'] {
  if (/exists/i.test(operator)) return []
  if (/cidr/i.test(operator)) return ['10.0.0.0/8']
  if (/greater|less/.test(operator)) return [1e9]
  return ['xyz']
}

const on = (field: string, operator: Operator, values = valuesOf(operator)): Condition => ({ field, operator, values })

/** Filters that drop nothing, so that each of them looks at every record. */
function shadows(count: number, conditions: readonly Condition[]): LogFilter[] {
  const filters = Array.from({ length: count }, (_, i) => ({ name: `f${i}`, action: 'exclude' as const, shadow: true, conditions }))
  expect(logFiltersSchema.safeParse(filters).success).toBe(true)
  return filters
}

function page(filters: readonly LogFilter[], records: Iterable<Readonly<Record<string, unknown>>>) {
  const steps = new FilterSteps()
  const compiled = compileFilters(filters)
  for (const record of records) applyFilters(compiled, record, steps)
  return { total: steps.total, off: [...steps.off] }
}

const recipients = (count: number, of = (i: number): unknown => `user${i}@example.com`) => ({
  email_recipients: Array.from({ length: count }, (_, i) => of(i)),
})

/** The same condition 20 times, the most that a filter may have. It holds, so all are tried. */
const twenty = (condition: Condition) => Array<Condition>(20).fill(condition)

describe('the steps of a condition', () => {
  it.each(operators)('with %s grow by at least six for each element of a list', (operator) => {
    const total = (count: number) => page(shadows(1, [on('email_recipients', operator)]), [recipients(count)]).total
    expect(total(2_000) - total(1_000)).toBeGreaterThanOrEqual(6_000)
    expect(total(0)).toBeGreaterThan(0)
  })

  it.each(operators.filter((operator) => !/exists|cidr/i.test(operator)))('with %s grow by at least one for each character', (operator) => {
    const total = (count: number) => page(shadows(1, [on('raw', operator)]), [{ raw: 'x'.repeat(count) }]).total
    expect(total(2_000) - total(1_000)).toBeGreaterThanOrEqual(1_000)
  })

  it.each(['contains', 'startsWith', 'endsWith', 'matches', 'lessThan', 'inCidr'] as const)(
    'with %s grow by at least one for each of its values and each element',
    (operator) => {
      const one = valuesOf(operator)
      const of = (i: number) => (operator === 'inCidr' ? '192.0.2.1' : `${i}`)
      const total = (count: number) =>
        page(shadows(1, [on('email_recipients', operator, Array(count).fill(one).flat())]), [recipients(100, of)]).total
      expect(total(50) - total(25)).toBeGreaterThanOrEqual(25 * 100)
    },
  )

  it('are at least 2,000 for each text that may be an IPv6 address, because reading it takes 35 µs', () => {
    expect(page(shadows(1, [on('email_recipients', 'inCidr')]), [recipients(100, (i) => `2001:db8::${i}`)]).total).toBeGreaterThan(200_000)
    expect(page(shadows(1, [on('email_recipients', 'inCidr')]), [recipients(100, () => 'a:'.repeat(30))]).total).toBeGreaterThan(200_000)
  })

  it('grow with a long value that is looked for, because a search goes through it again and again', () => {
    const total = (length: number) => page(shadows(1, [on('raw', 'contains', ['x'.repeat(length)])]), [{ raw: 'x'.repeat(1_000) }]).total
    expect(total(1_000) - total(1)).toBeGreaterThan(20 * 1_000)
  })

  it('are paid before a list is looked at', () => {
    const list = new Proxy(Array(100_000_000), {
      get: (target, name) => {
        if (name === 'length') return target.length
        throw new Error('The list was looked at.')
      },
    })
    expect(page(shadows(3, [on('email_recipients', 'exists')]), [{ email_recipients: list }]).off).toEqual(['f0', 'f1', 'f2'])
  })
})

describe('the values of a path', () => {
  it('are collected once for a record, whatever the number of conditions', () => {
    const one = page(shadows(1, [on('email_recipients', 'exists')]), [recipients(10_000)]).total
    const thousand = page(shadows(50, twenty(on('email_recipients', 'exists'))), [recipients(10_000)]).total
    expect(thousand - one).toBeLessThan(1_000 * 10)
  })

  it('are folded once for a record, whatever the number of conditions', () => {
    const one = page(shadows(1, [on('raw', 'notStartsWith')]), [{ raw: 'x'.repeat(100_000) }]).total
    const thousand = page(shadows(50, twenty(on('raw', 'notStartsWith'))), [{ raw: 'x'.repeat(100_000) }]).total
    expect(thousand - one).toBeLessThan(1_000 * 20)
  })
})

/** As many values as a page may have. */
const many = 220_000

describe('a page that is made to hold up the filters', () => {
  it.each([
    [
      'one event with very many recipients, each compared with many texts',
      [recipients(many)],
      on('email_recipients', 'notContains', ['xyz', 'zyx']),
    ],
    [
      'one event with very many addresses',
      [recipients(many, (i) => `2001:db8::${(i % 65_536).toString(16)}`)],
      on('email_recipients', 'notInCidr'),
    ],
    ['events with many recipients each', Array<object>(500).fill(recipients(10_000)), on('email_recipients', 'notContains')],
  ] as const)('switches filters off: %s', (_, records, condition) => {
    const { off } = page(shadows(5, twenty(condition)), records as readonly Record<string, unknown>[])
    expect(off).not.toEqual([])
  })

  it('takes at most 400 million steps in all, however many filters are switched off', () => {
    const records = Array(100).fill(recipients(10_000))
    const { total, off } = page(shadows(50, twenty(on('email_recipients', 'notContains'))), records)
    expect(total).toBeLessThanOrEqual(400_000_000)
    expect(off).toHaveLength(50)
  })
})

describe('a usual page', () => {
  it('of 5,000 events takes less than a tenth of the steps with twenty usual filters', () => {
    const usual: Condition[][] = [
      [on('severity', 'in', ['low', 'informational'])],
      [on('action', 'equals', ['Pass']), on('severity', 'notEquals', ['high', 'critical'])],
      [on('email_recipients', 'endsWith', ['@example.org', '@test.example.org', '@lists.example.org'])],
      [on('email_subject', 'startsWith', ['re:', 'fwd:', 'automatic reply', 'out of office'])],
      [on('file_name', 'contains', ['.tmp', 'thumbs.db', 'desktop.ini'])],
      [on('location', 'inCidr', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'])],
      [on('timestamp', 'lessThan', [1_600_000_000_000])],
      [on('user', 'notExists', []), on('severity', 'equals', ['low'])],
      [on('email_subject', 'contains', ['newsletter', 'unsubscribe', 'digest'])],
      [
        on(
          'user',
          'in',
          Array.from({ length: 100 }, (_, i) => `service-${i}@example.com`),
        ),
      ],
    ]
    const event = (i: number) => ({
      severity: 'medium',
      action: 'Quarantine',
      user: `user${i}@example.com`,
      email_recipients: [`ann${i}@example.com`, `bob${i}@example.com`, `eve${i}@example.com`],
      email_subject: `Invoice ${i} of the fourth quarter, with the corrections`,
      file_name: `invoice-${i}.pdf`,
      location: `203.0.113.${i % 256}`,
      timestamp: 1_790_000_000_000 + i,
      raw: 'x'.repeat(1_500),
    })
    const filters = [...usual, ...usual].flatMap((conditions, i) => shadows(1, conditions).map((one) => ({ ...one, name: `f${i}` })))
    const { total, off } = page(
      filters,
      Array.from({ length: 5_000 }, (_, i) => event(i)),
    )
    expect(off).toEqual([])
    expect(total).toBeLessThan(20_000_000)
  })
})
