import { expect, it } from 'vitest'
import { applyFilters, compileFilters, type LogFilter, loadFilters } from '../../functions/domain/connector/log-filters.ts'

/** No module of this file loads the regular expressions by itself. */
const filter = (operator: 'matches' | 'notMatches'): LogFilter => ({
  name: 'it',
  action: 'exclude',
  shadow: false,
  conditions: [{ field: 'severity', operator, values: ['^lo'] }],
})

it('a filter with a regular expression is compiled after the package of regular expressions was loaded', async () => {
  expect(() => compileFilters([filter('matches')])).toThrow('before loadPatterns')
  const filters = await loadFilters([filter('notMatches')])
  expect(applyFilters(filters, { severity: 'low' }).keep).toBe(true)
  expect(applyFilters(filters, { severity: 'high' }).keep).toBe(false)
})
