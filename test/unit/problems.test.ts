import { describe, expect, it } from 'vitest'
import { closest, pathText, quote } from '../../functions/domain/connector/problems.ts'

describe('a quoted value', () => {
  it.each<[unknown, string]>([
    ['text', '"text"'],
    ['a "b"\n', '"a \\"b\\"\\n"'],
    ['a\u200bb\u2028', '"a\\u{200b}b\\u{2028}"'],
    [5, '5'],
    [null, 'null'],
    [['secret'], 'a list of 1'],
    [{ key: 'secret' }, 'an object'],
    ['x'.repeat(60), `"${'x'.repeat(60)}"`],
    ['x'.repeat(61), `"${'x'.repeat(60)}…" (61 characters)`],
  ])('shows %j as %s', (value, shown) => {
    expect(quote(value)).toBe(shown)
  })

  it.each([
    '7c1f0d7be2a94386b1d0c47e9a3f62585c11ab07',
    'Bearer 7c1f0d7be2a94386b1d0c47e9a3f62585c11ab07',
    '0b9a3f62-58c1-4b07-9c1f-0d7be2a94386',
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl',
  ])('does not repeat a text that may be a key: %s', (key) => {
    expect(quote(key)).toBe(`a text of ${key.length} characters`)
  })

  it.each(['tributary/acme-corp-sharepoint-prod', 'https://api-eu.service.example.com', 'greaterThanOrEqualTo'])(
    'repeats an ordinary name: %s',
    (name) => {
      expect(quote(name)).toBe(`"${name}"`)
    },
  )
})

describe('the closest known name', () => {
  const known = ['connectorId', 'name', 'tenantName', 'baseUrl', 'apiKeySecrets', 'in', 'equals']

  it.each([
    ['conectorId', 'connectorId'],
    ['connector_id', 'connectorId'],
    ['TENANTNAME', 'tenantName'],
    ['apiKey', 'apiKeySecrets'],
    ['url', 'baseUrl'],
    ['equal', 'equals'],
    ['x', undefined],
    ['', undefined],
    ['colour', undefined],
    ['n'.repeat(10_000), undefined],
  ])('to %s is %s', (name, meant) => {
    expect(closest(name, known)).toBe(meant)
  })
})

it('a path is written as in code, with a name that is not plain in quotes', () => {
  expect(pathText(['logFilters', 0, 'conditions', 12, 'field'])).toBe('logFilters[0].conditions[12].field')
  expect(pathText(['a b'])).toBe('["a b"]')
})
