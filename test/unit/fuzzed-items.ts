import { itemFields, messageFields } from '../../functions/vendors/trendmicro-cas/fields.ts'
import { between, pick, type Random, randomFrom, unit } from '../../local/simulator/random.ts'

/** Texts of JSON, as they are between their quotes. */
const pieces = [
  ...['a', 'Report', ' ', 'x'.repeat(300), 'user@example.com', '0123456789abcdef', 'u0030123456789abcdef', '[redacted]'],
  ...['\\"', '\\\\', '\\/', '\\b', '\\n', '\\r', '\\r\\n', '\\t', '\\u0000', '\\u001b[31m', '\\u007f', '\\u0085', '\\u2028', '\\u2029'],
  ...['|', '=', '\\\\|', '\\\\=', '\\u00e9', 'é', 'ß', 'İ', '予算', '年度', '👩‍👩‍👧', '\\ud83c\\udf0a', '\\ud800', '\\udc00x', '\\uDBFF'],
  ...['\u200b', '\u200d', '\u202e', '\u2066', '\ufeff', '\ufe0f', '\u00ad', '\u0085', '\u2028', '\u2029', '\u007f', '\u009b', '\u{e0001}'],
]
const times = [
  ...[
    '"2026-11-24T11:59:00Z"',
    '"2026-11-24T11:59:00.1234567Z"',
    '"2026-11-24 11:59"',
    '"2026-11-24t11:59:00,5z"',
    '" 2026-11-24T11:59:00 "',
  ],
  ...[
    '"2026-11-24T13:59:00+02:00"',
    '"2026-11-24T13:59:00+0200"',
    '"2026-11-24T09:29:00.25-0230"',
    '"2026-11-24T13:59+02"',
    '"2026-11-24T13:59-00:00"',
  ],
  ...[
    '"2026-02-29T00:00:00Z"',
    '"2024-02-29T23:59:59Z"',
    '"2026-02-31T00:00:00Z"',
    '"2026-11-24T24:00:00Z"',
    '"2026-11-24T23:60:00Z"',
    '"2026-11-24T23:59:60Z"',
  ],
  ...[
    '"2026-13-01T00:00:00Z"',
    '"2026-00-10T00:00:00Z"',
    '"2026-11-00T00:00:00Z"',
    '"2026-11-24T11:59:00+24:00"',
    '"2026-11-24T11:59:00+23:59"',
    '"2026-11-24T11:59:00+2"',
  ],
  ...[
    '"0001-01-01T00:00:00Z"',
    '"1999-12-31T23:59:59.999Z"',
    '"2000-01-01T00:00:00Z"',
    '"2999-01-01T00:00:00Z"',
    '"2026-11-24T11:59:00.Z"',
    '"2026-11-24T11:59:00Zx"',
  ],
  ...[
    '1795953540',
    '1795953540.5',
    '1795953540000',
    '1795953540000.75',
    '"1795953540"',
    '"99999999999"',
    '100000000000',
    '99999999',
    '1e12',
    '-1795953540',
  ],
  ...[
    '"2026-11-24T11:59:00.000000000000000000001Z"',
    '"2026-11-24T11:59Z"',
    '"2026-11-24"',
    '"11:59"',
    '"soon"',
    '"２026-11-24T11:59:00Z"',
    '"2026-11-24T11:59:00\\u0000"',
  ],
]
const numbers = [
  '0',
  '-0',
  '1',
  '-1',
  '1.0',
  '1.50',
  '1e3',
  '1E+2',
  '1e400',
  '-1e400',
  '9007199254740993',
  '12345678901234567890',
  '0.1',
  '5e-324',
]
const risks = ['High', 'high risk', 'MEDIUM', 'low', 'No risk', 'none', 'Normal', 'Information', 'unknown', 'Critical!', 'nobody', 'İNFO']
const threats = ['Malware', 'phishing', 'SPYWARE', 'Trojan.x', 'Business Email Compromise', 'other', 'PhIsHing\\n']

/** Items as JSON, with the documented fields in any order: absent, empty, of the documented type or of another. */
export function fuzzedItems(seed: number, count: number): readonly string[] {
  const random = randomFrom(seed, 17, 4)
  return Array.from({ length: count }, () => itemOf(random))
}

function itemOf(random: Random): string {
  if (unit(random) < 0.03) return anyValue(random, 0)
  const message = unit(random) < 0.04 ? anyValue(random, 0) : object(random, [...members(random, messageFields), ...unknownMembers(random)])
  return object(random, [
    ...members(random, itemFields),
    ...unknownMembers(random),
    ...(unit(random) < 0.02 ? [] : [['message', message] as const]),
  ])
}

type Member = readonly [name: string, value: string]

function members(random: Random, table: Readonly<Record<string, { readonly type: string }>>): readonly Member[] {
  const isThere = unit(random)
  return Object.entries(table).flatMap(([name, { type }]) => (unit(random) < isThere ? [[name, fieldOf(random, name, type)] as const] : []))
}

function fieldOf(random: Random, name: string, type: string): string {
  if (unit(random) < 0.1) return anyValue(random, 0)
  if (type === 'bigint') return pick(random, times)
  if (name === 'risk_level' && unit(random) < 0.8) return `"${pick(random, risks)}"`
  if (name === 'threat_type' && unit(random) < 0.8) return `"${pick(random, threats)}"`
  return type === 'array<string>' && unit(random) < 0.7 ? list(random, () => anyValue(random, 3)) : text(random)
}

function unknownMembers(random: Random): readonly Member[] {
  return Array.from({ length: between(random, 0, 2) }, () => [
    pick(random, ['brand_new', '__proto__', 'constructor', '', 'Zürich']),
    anyValue(random, 0),
  ])
}

function object(random: Random, all: readonly Member[]): string {
  const space = pick(random, ['', '', ' ', '\n  '])
  const inOrder = unit(random) < 0.5 ? all : all.toReversed()
  const repeated = unit(random) < 0.05 ? inOrder.slice(0, 1) : []
  return `{${[...inOrder, ...repeated].map(([name, value]) => `${space}"${name}"${space}:${space}${value}`).join(',')}${space}}`
}

function anyValue(random: Random, level: number): string {
  switch (between(random, 0, level > 2 ? 3 : 5)) {
    case 0:
      return pick(random, ['null', 'true', 'false', '""'])
    case 1:
      return pick(random, numbers)
    case 2:
    case 3:
      return text(random)
    case 4:
      return list(random, () => anyValue(random, level + 1))
    default:
      return unit(random) < 0.1
        ? `${'['.repeat(50)}${'{"a":'.repeat(5)}1${'}'.repeat(5)}${']'.repeat(50)}`
        : object(random, [['a', anyValue(random, level + 1)]])
  }
}

function list(random: Random, value: () => string): string {
  return `[${Array.from({ length: between(random, 0, 3) }, value).join(',')}]`
}

function text(random: Random): string {
  return `"${Array.from({ length: between(random, 0, 5) }, () => pick(random, pieces)).join('')}"`
}
