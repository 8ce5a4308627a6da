import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { filterOperators } from '../../functions/domain/connector/filter-operators.ts'
import { logFilterSchema, logFiltersSchema } from '../../functions/domain/connector/log-filter-schema.ts'
import { applyFilters, type Condition, compileFilters, FilterSteps, type LogFilter } from '../../functions/domain/connector/log-filters.ts'

const record = {
  severity: 'high',
  action: 'Quarantine',
  file_name: 'Straße.EXE',
  location: '10.1.2.3',
  email_recipients: ['ann@example.com', 'Bob@Example.com'],
  email_subject: 'Invoice 4711',
  timestamp: 1_790_000_000_000,
  malformed: true,
  syslog: { facility: 4, hostname: 'api.example.com' },
  vendor: { score: '7.5', source_ip: '2001:db8::1', mapped: '::ffff:192.0.2.9', hops: [{ ip: '192.0.2.1' }, { ip: '198.51.100.2' }] },
}

function holds(condition: Condition): boolean {
  const filters = compileFilters([{ name: 'it', action: 'exclude', shadow: false, conditions: [condition] }])
  return !applyFilters(filters, record).keep
}

describe('a condition', () => {
  const cases: [Condition['field'], Condition['operator'], Condition['values'], boolean][] = [
    ['severity', 'equals', ['low', 'HIGH'], true],
    ['severity', 'equals', ['hig'], false],
    ['syslog.facility', 'equals', [4], true],
    ['syslog.facility', 'equals', ['4'], true],
    ['malformed', 'equals', [true], true],
    ['email_recipients', 'equals', ['bob@example.com'], true],
    ['severity', 'in', ['low', 'high'], true],
    ['severity', 'in', ['low', 'medium'], false],
    ['file_name', 'contains', ['STRASSE'], true],
    ['file_name', 'contains', ['gasse'], false],
    ['email_subject', 'startsWith', ['re:', 'invoice'], true],
    ['email_subject', 'startsWith', ['4711'], false],
    ['email_recipients', 'endsWith', ['@example.com'], true],
    ['email_recipients', 'endsWith', ['@example.org'], false],
    ['email_subject', 'matches', ['\\d{4}$'], true],
    ['email_subject', 'matches', ['invoice'], false],
    ['email_subject', 'matches', ['(?i)invoice'], true],
    ['severity', 'exists', [], true],
    ['user', 'exists', [], false],
    ['syslog.hostname', 'exists', [], true],
    ['timestamp', 'greaterThan', [1_780_000_000_000], true],
    ['vendor.score', 'greaterThan', ['7.5'], false],
    ['vendor.score', 'greaterOrEqual', [7.5], true],
    ['vendor.score', 'lessThan', [10], true],
    ['vendor.score', 'lessThan', [7.5], false],
    ['vendor.score', 'lessOrEqual', [7.5], true],
    ['severity', 'lessThan', [10], false],
    ['location', 'inCidr', ['192.0.2.0/24', '10.0.0.0/8'], true],
    ['location', 'inCidr', ['10.1.2.4'], false],
    ['vendor.source_ip', 'inCidr', ['2001:db8::/32'], true],
    ['vendor.source_ip', 'inCidr', ['0.0.0.0/0'], false],
    ['vendor.mapped', 'inCidr', ['192.0.2.0/24'], true],
    ['location', 'inCidr', ['::ffff:10.0.0.0/104'], true],
    ['vendor.hops.ip', 'inCidr', ['198.51.100.0/24'], true],
    ['severity', 'inCidr', ['::/0'], false],
    ['severity', 'notEquals', ['low'], true],
    ['email_recipients', 'notEquals', ['ann@example.com'], false],
    ['severity', 'notIn', ['low', 'high'], false],
    ['email_subject', 'notContains', ['offer'], true],
    ['email_subject', 'notStartsWith', ['Invoice'], false],
    ['email_recipients', 'notEndsWith', ['@example.org'], true],
    ['email_recipients', 'notEndsWith', ['Ann@example.com'], false],
    ['email_subject', 'notMatches', ['^Invoice'], false],
    ['user', 'notExists', [], true],
    ['severity', 'notExists', [], false],
    ['location', 'notInCidr', ['192.168.0.0/16'], true],
    ['vendor.hops.ip', 'notInCidr', ['192.0.2.0/24'], false],
  ]

  it.each(cases)('with the field %s, the operator %s and the values %j is %s', (field, operator, values, expected) => {
    expect(holds({ field, operator, values })).toBe(expected)
  })

  it('is tried above with every operator', () => {
    const tried = new Set(cases.map(([, operator]) => operator))
    expect(
      filterOperators()
        .flatMap(({ name, negation }) => [name, ...(negation === undefined ? [] : [negation])])
        .filter((name) => !tried.has(name)),
    ).toEqual([])
  })
})

describe('a field', () => {
  it.each(['__proto__', 'constructor', 'toString', 'severity.length', 'email_recipients.length', 'vendor.hops.constructor.name'])(
    'is missing if the record does not have it as its own property: %s',
    (field) => {
      expect(holds({ field, operator: 'exists', values: [] })).toBe(false)
      expect(holds({ field, operator: 'notEquals', values: ['x'] })).toBe(true)
    },
  )

  it('is missing if it is an empty list or null', () => {
    const filters = compileFilters([
      { name: 'it', action: 'exclude', shadow: false, conditions: [{ field: 'a.b', operator: 'exists', values: [] }] },
    ])
    expect([{ a: [] }, { a: { b: [] } }, { a: { b: null } }, { a: null }, {}].map((it) => applyFilters(filters, it).keep)).toEqual(
      Array(5).fill(true),
    )
  })
})

const bySeverity = (name: string, severity: string, more: Partial<LogFilter> = {}): LogFilter => ({
  name,
  action: 'exclude',
  shadow: false,
  conditions: [{ field: 'severity', operator: 'equals', values: [severity] }],
  ...more,
})
const apply = (filters: readonly LogFilter[], severity: string) => applyFilters(compileFilters(filters), { severity })

describe('log filters', () => {
  it('keep every event if there are none', () => {
    expect(apply([], 'low')).toEqual({ keep: true, counted: [] })
  })

  it('match an event if all their conditions hold', () => {
    const filter = bySeverity('both', 'low', {
      conditions: [
        { field: 'severity', operator: 'equals', values: ['low'] },
        { field: 'action', operator: 'equals', values: ['pass'] },
      ],
    })
    const compiled = compileFilters([filter])
    expect(applyFilters(compiled, { severity: 'low', action: 'Pass' }).keep).toBe(false)
    expect(applyFilters(compiled, { severity: 'low', action: 'Block' }).keep).toBe(true)
  })

  it('count a dropped event once, under the first filter that drops it', () => {
    const filters = [bySeverity('a', 'high'), bySeverity('b', 'low'), bySeverity('c', 'low')]
    expect(apply(filters, 'low')).toEqual({ keep: false, counted: ['b'] })
  })

  it('that include keep the events that any of them matches, and count the others under the first of them', () => {
    const filters = [bySeverity('a', 'high', { action: 'include' }), bySeverity('b', 'medium', { action: 'include' })]
    expect(apply(filters, 'medium')).toEqual({ keep: true, counted: [] })
    expect(apply(filters, 'low')).toEqual({ keep: false, counted: ['a'] })
  })

  it('that exclude an event win over those that include it', () => {
    const filters = [bySeverity('in', 'low', { action: 'include' }), bySeverity('out', 'low')]
    expect(apply(filters, 'low')).toEqual({ keep: false, counted: ['out'] })
  })

  it('in shadow only count the events that they would have dropped', () => {
    const filters = [bySeverity('out', 'low', { shadow: true }), bySeverity('in', 'low', { action: 'include', shadow: true })]
    expect(apply(filters, 'low')).toEqual({ keep: true, counted: ['out'] })
    expect(apply(filters, 'high')).toEqual({ keep: true, counted: ['in'] })
  })

  it('in shadow count an event that another filter drops, too', () => {
    const filters = [bySeverity('out', 'low'), bySeverity('also', 'low', { shadow: true })]
    expect(apply(filters, 'low')).toEqual({ keep: false, counted: ['out', 'also'] })
  })

  it('that include in shadow do not count an event that an active filter includes', () => {
    const filters = [bySeverity('high', 'high', { action: 'include' }), bySeverity('low', 'low', { action: 'include', shadow: true })]
    expect(apply(filters, 'high')).toEqual({ keep: true, counted: [] })
  })
})

function problems(schema: z.ZodMiniType, value: unknown): string[] {
  const parsed = schema.safeParse(value)
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${z.core.toDotPath(path)}: ${message}`)
}

const written = (condition: object) => ({ name: 'it', conditions: [condition] })

describe('the schema of log filters', () => {
  it('accepts a filter as a user writes it, and fills in the defaults', () => {
    expect(logFilterSchema.parse(written({ field: 'severity', operator: 'exists' }))).toEqual({
      name: 'it',
      action: 'exclude',
      shadow: false,
      conditions: [{ field: 'severity', operator: 'exists', values: [] }],
    })
  })

  it.each([
    [
      { field: 'severity', operator: 'equal', values: ['x'] },
      'conditions[0].operator: It is "equal". Did you mean equals? Give one of: equals, in,',
    ],
    [{ field: 'severity', operator: 'equals' }, 'conditions[0].values: equals needs at least one value. It has none.'],
    [
      { field: 'severity', operator: 'equals', values: 'low' },
      'conditions[0].values: It is "low". Give a list of at most 1000 texts or numbers, such as ["low"].',
    ],
    [{ field: 'severity', operator: 'equals', values: ['low', ''] }, 'conditions[0].values[1]: It is an empty text'],
    [
      { field: 'severity', operator: 'equals', values: [{}] },
      'conditions[0].values[0]: It is an object. Give a text of at most 1000 characters, a number, true or false.',
    ],
    [{ field: 'severity', operator: 'exists', values: ['x'] }, 'conditions[0].values: exists takes no values. Remove them.'],
    [
      { field: 'raw', operator: 'matches', values: ['ok', '(ab'] },
      'conditions[0].values[1]: It is "(ab", which is not a regular expression: missing closing ) at "(ab". Give a regular expression of RE2',
    ],
    [
      { field: 'raw', operator: 'notMatches', values: ['(?=x)'] },
      'conditions[0].values[0]: It is "(?=x)", which is not a regular expression: invalid or unsupported Perl syntax at "(?=". ',
    ],
    [
      { field: 'raw', operator: 'matches', values: ['(?:\\pL{900}x){1,}\\pL{900}\\pL{900}'] },
      'conditions[0].values[0]: It is "(?:\\\\pL{900}x){1,}\\\\pL{900}\\\\pL{900}", which is too large',
    ],
    [{ field: 'raw', operator: 'matches', values: [5] }, 'conditions[0].values[0]: It is 5. Give a regular expression'],
    [{ field: 'timestamp', operator: 'lessThan', values: ['soon'] }, 'conditions[0].values[0]: It is "soon". Give a number'],
    [{ field: 'timestamp', operator: 'lessThan', values: [true] }, 'conditions[0].values[0]: It is true. Give a number'],
    [
      { field: 'location', operator: 'inCidr', values: ['10.0.0.0/33'] },
      'conditions[0].values[0]: It is "10.0.0.0/33". Give a network in CIDR notation',
    ],
    [{ field: 'location', operator: 'inCidr', values: ['10.1'] }, 'conditions[0].values[0]: It is "10.1". Give a network'],
    [{ field: 'location', operator: 'inCidr', values: ['::/'] }, 'conditions[0].values[0]: It is "::/". Give a network'],
    [
      { field: 'severty', operator: 'notEquals', values: ['low'] },
      'conditions[0].field: "severty" is no field of a record. Did you mean severity?',
    ],
    [
      { field: 'syslog.host', operator: 'exists' },
      'conditions[0].field: "syslog.host" is no field of a record. Did you mean syslog.hostname?',
    ],
    [{ field: 'severity.name', operator: 'exists' }, 'conditions[0].field: "severity" has no fields inside. Give it without ".name".'],
    [{ field: 'a..b', operator: 'exists' }, 'conditions[0].field: It is "a..b". Give the path of a field of the record'],
    [{ operator: 'exists' }, 'conditions[0].field: It is missing. Give the path'],
    [
      { field: 'severity', operator: 'exists', value: [] },
      'conditions[0]: "value" is no attribute of a condition. Did you mean values? Rename or remove it.',
    ],
    ['severity', 'conditions[0]: It is "severity". Give a condition: an object with field, operator, values.'],
  ])('names the mistake in the condition %j', (condition, message) => {
    expect(problems(logFilterSchema, written(condition as object))).toEqual([expect.stringContaining(message)])
  })

  it.each([
    [{ name: '_it' }, 'name: It is "_it". Give a name of 1 to 64 letters'],
    [{ name: 'constructor' }, 'name: It is "constructor", which is reserved. Give another name.'],
    [{ name: '' }, 'name: It is "". Give a name'],
    [{ conditions: [] }, 'conditions: It is a list of 0. Give a list of 1 to 20 conditions.'],
    [
      { conditions: Array(21).fill({ field: 'user', operator: 'exists' }) },
      'conditions: It is a list of 21. Give a list of 1 to 20 conditions.',
    ],
    [{ action: 'drop' }, 'action: It is "drop". Give one of: exclude, include.'],
    [{ shadow: 'yes' }, 'shadow: It is "yes". Give true or false.'],
    [{ Condition: [] }, '"Condition" is no attribute of a log filter. Did you mean conditions?'],
  ])('names the mistake in the filter %j', (part, message) => {
    expect(problems(logFilterSchema, { ...written({ field: 'user', operator: 'exists' }), ...part })).toEqual([
      expect.stringContaining(message),
    ])
  })

  it('accepts 1000 values, and no more', () => {
    const values = (count: number) =>
      written({ field: 'user', operator: 'in', values: Array.from({ length: count }, (_, i) => `user ${i}`) })
    expect(problems(logFilterSchema, values(1_000))).toEqual([])
    expect(problems(logFilterSchema, values(1_001))).toEqual([expect.stringContaining('It is a list of 1001. Give a list of at most 1000')])
  })

  it('accepts 50 filters, and no more', () => {
    const filters = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ ...written({ field: 'user', operator: 'exists' }), name: `f${i}` }))
    expect(problems(logFiltersSchema, filters(50))).toEqual([])
    expect(problems(logFiltersSchema, filters(51))).toEqual([
      expect.stringContaining('It is a list of 51. Give a list of at most 50 log filters.'),
    ])
  })

  it('refuses two filters with the same name', () => {
    const filter = written({ field: 'user', operator: 'exists' })
    expect(problems(logFiltersSchema, [filter, filter])).toEqual([
      expect.stringContaining('[1].name: "it" is also the name of logFilters[0].'),
    ])
  })

  it('refuses more than 50 regular expressions before it compiles them, because each takes memory', () => {
    const filters = [written({ field: 'raw', operator: 'matches', values: Array(51).fill('(') })]
    expect(problems(logFiltersSchema, filters)).toEqual([
      expect.stringContaining('It has 51 regular expressions. Give at most 50; join some with |.'),
    ])
  })
})

describe('the size of all filters together', () => {
  const of = (operator: string, values: readonly string[]) => [{ ...written({ field: 'raw', operator, values }), name: 'f' }]

  it('may be 10,000 instructions of regular expressions', () => {
    const large = (count: number) => of('matches', Array(count).fill('(ab|cd|ef){100}'))
    expect(problems(logFiltersSchema, large(9))).toEqual([])
    expect(problems(logFiltersSchema, large(10))).toEqual([
      expect.stringMatching(/together: \d{5} instructions when their repetitions are written out, at most 10000\. Give simpler ones\.$/),
    ])
  })

  it('is no concern of a regular expression that is wrong by itself, which is named', () => {
    expect(problems(logFiltersSchema, of('matches', ['ok', '(']))).toEqual([expect.stringContaining('which is not a regular expression')])
  })

  it('may be 100,000 characters of values', () => {
    const long = (count: number) => of('in', [...Array.from({ length: 99 }, (_, i) => String(i).padStart(1_000)), 'x'.repeat(count)])
    expect(problems(logFiltersSchema, long(1_000))).toEqual([])
    const two = [...long(1_000), { ...of('in', ['x'])[0], name: 'g' }]
    expect(problems(logFiltersSchema, two)).toEqual([
      expect.stringContaining('Its values have 100001 characters together. Give at most 100000.'),
    ])
  })
})

describe('a page on which the filters take too many steps', () => {
  const filter = (name: string, action: LogFilter['action'], conditions: readonly Condition[], shadow = false): LogFilter => ({
    name,
    action,
    shadow,
    conditions,
  })
  const slow: Condition = { field: 'raw', operator: 'matches', values: ['(?i)(invoice|payment|urgent|wire transfer)'] }
  const quick: Condition = { field: 'severity', operator: 'equals', values: ['low'] }
  /** 30 such records are a little less than the bound. */
  const record = { severity: 'low', raw: 'urgent'.padEnd(160_000) }

  function page(filters: readonly LogFilter[], records: number) {
    const steps = new FilterSteps()
    const compiled = compileFilters(filters)
    return { kept: Array.from({ length: records }, () => applyFilters(compiled, record, steps).keep), off: [...steps.off] }
  }

  it('has the filter that took the most off from there on, and keeps the events that it would drop', () => {
    const { kept, off } = page([filter('slow', 'exclude', [slow])], 40)
    expect(off).toEqual(['slow'])
    expect(kept.indexOf(true)).toBeGreaterThan(20)
    expect(kept.slice(kept.indexOf(true))).not.toContain(false)
  })

  it('has the same result each time', () => {
    const filters = [filter('slow', 'exclude', [slow]), filter('slower', 'exclude', [slow, slow], true)]
    expect(page(filters, 40)).toEqual(page(filters, 40))
  })

  it('leaves the other filters on', () => {
    const filters = [
      filter('slow', 'exclude', [{ ...slow, values: ['(?i)(invoice|payment|urgent|wire transfer){3}'] }]),
      filter('low', 'exclude', [quick]),
    ]
    const { kept, off } = page(filters, 40)
    expect(off).toEqual(['slow'])
    expect(kept).not.toContain(true)
  })

  it('keeps all if the filter that is off is an include filter', () => {
    const none: Condition = { ...slow, values: ['(?i)(nothing of this|is in the record)'] }
    const { kept, off } = page([filter('wanted', 'include', [none])], 60)
    expect(off).toEqual(['wanted'])
    expect(kept[0]).toBe(false)
    expect(kept.at(-1)).toBe(true)
  })

  it('counts nothing for a shadow filter that is off', () => {
    const steps = new FilterSteps()
    const compiled = compileFilters([filter('slow', 'exclude', [slow], true)])
    const counted = Array.from({ length: 40 }, () => applyFilters(compiled, record, steps).counted)
    expect(counted[0]).toEqual(['slow'])
    expect(counted.at(-1)).toEqual([])
  })

  it('is one that takes steps by the length of its texts only: an ordinary page of 500 events is far from it', () => {
    const ten = Array.from({ length: 10 }, (_, i) => filter(`f${i}`, 'exclude', [slow]))
    const steps = new FilterSteps()
    const compiled = compileFilters(ten)
    for (let i = 0; i < 500; i++) applyFilters(compiled, { raw: 'x'.repeat(800) }, steps)
    expect([...steps.off]).toEqual([])
  })
})

/** Linear time takes milliseconds here; a backtracking engine takes longer than any test run (ms). */
const linearTimeMaxMs = 5_000

it.each(['(a+)+$', '(a|aa)+$', '(x+x+)+y', '^(([a-z])+.)+[A-Z]([a-z])+$'])('the pathological pattern %s takes linear time', (pattern) => {
  const filters = compileFilters([
    { name: 'it', action: 'exclude', shadow: false, conditions: [{ field: 'raw', operator: 'matches', values: [pattern] }] },
  ])
  const startedAt = performance.now()
  applyFilters(filters, { raw: `${'a'.repeat(50_000)}!` })
  expect(performance.now() - startedAt).toBeLessThan(linearTimeMaxMs)
})
