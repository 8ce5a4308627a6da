import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, elementSpans, parseJson } from '../../functions/domain/record/json-text.ts'

/** A JSON value as a tree of texts, so that it can be written in several ways: number literals and repeated keys included. */
type Tree = { readonly scalar: string } | { readonly list: readonly Tree[] } | { readonly members: readonly (readonly [string, Tree])[] }

const numbers = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom('12345678901234567890', '0.1000000000000000055', '1e400', '-0', '1E5', '9007199254918487'),
)
const scalars = fc.oneof(
  numbers,
  fc.constantFrom('true', 'false', 'null', '"\\ud83d"', '"\\ude00"', '"\\u0041"'),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
)
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    scalars.map((scalar) => ({ scalar })),
    fc.array(tie('tree'), { maxLength: 4 }).map((list) => ({ list })),
    fc.array(fc.tuple(fc.string(), tie('tree')), { maxLength: 4 }).map((members) => ({ members })),
  ),
}))

/** Writes the value with white space between its parts, its keys backwards if they differ, and its texts with escapes. */
function written(value: Tree, odd: boolean): string {
  const space = odd ? ' \n\t' : ''
  if ('scalar' in value) return odd && value.scalar.startsWith('"') ? escaped(value.scalar) : value.scalar
  if ('list' in value) return `[${space}${value.list.map((each) => written(each, odd)).join(`${space},${space}`)}${space}]`
  const differ = new Set(value.members.map(([key]) => key)).size === value.members.length
  const members = odd && differ ? value.members.toReversed() : value.members
  const parts = members.map(([key, each]) => {
    const name = JSON.stringify(key)
    return `${odd ? escaped(name) : name}${space}:${space}${written(each, odd)}`
  })
  return `{${space}${parts.join(`${space},${space}`)}${space}}`
}

function escaped(quoted: string): string {
  const text = String(JSON.parse(quoted))
  return `"${[...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
}

describe('the canonical text of an item', () => {
  it('does not depend on white space, the order of keys and escapes', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(canonicalJson(written(value, true))).toBe(canonicalJson(written(value, false)))
      }),
      { numRuns: 1_000 },
    )
  })

  it('is JSON with the value of the item, so two items with other values differ', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed: unknown = JSON.parse(canonicalJson(JSON.stringify(value)))
        expect(parsed).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 1_000 },
    )
  })

  it.each([
    ['digits beyond 2^53', '{"n":9007199254918487}', '{"n":9007199254918488}'],
    ['digits of a fraction', '{"n":0.1}', '{"n":0.1000000000000000055}'],
    ['numbers beyond the largest', '{"n":1e400}', '{"n":1e401}'],
    ['half characters', '{"t":"\\ud83d"}', '{"t":"\\ud83c"}'],
    ['a byte that is not of the charset and an escape', '{"t":"\udcff\\n"}', '{"t":"\\udcff\\n"}'],
    ['a repeated key', '{"rule":"one","rule":"two"}', '{"rule":"two"}'],
    ['the order of a repeated key', '{"rule":"one","rule":"two"}', '{"rule":"two","rule":"one"}'],
    ['a number and its text', '{"n":1}', '{"n":"1"}'],
    ['the place of a value', '{"a":{"b":1},"c":2}', '{"a":{"b":1,"c":2}}'],
    ['an empty key', '{"":"a","b":""}', '{"":"","b":"a"}'],
  ])('differs by %s', (_, one, other) => {
    expect(canonicalJson(one)).not.toBe(canonicalJson(other))
  })

  it('is made of any depth and width', () => {
    const deep = `${'[{"a":'.repeat(20_000)}1${'}]'.repeat(20_000)}`
    expect(canonicalJson(deep)).toBe(deep)
    const wide = JSON.stringify(Array.from({ length: 300_000 }, (_, index) => index))
    expect(canonicalJson(wide)).toBe(wide)
    const long = JSON.stringify({ t: '\\"'.repeat(1_000_000) })
    expect(canonicalJson(long)).toBe(long)
  })
})

describe('the elements of a list', () => {
  it('are cut out of the body as they were received', () => {
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 5 }), fc.boolean(), fc.dictionary(fc.string(), fc.jsonValue()), (items, odd, others) => {
        const texts = items.map((item) => written(item, odd))
        const before = Object.entries(others).map(([name, value]) => `${JSON.stringify(`x${name}`)}: ${JSON.stringify(value)},`)
        const body = ` {${before.join('\n')} "list" :[ ${texts.join(' ,\n')} ], "after": [[1], "]"]}`
        const spans = elementSpans(body, 'list')
        expect(spans?.map(({ from, to }) => body.slice(from, to))).toEqual(texts)
      }),
      { numRuns: 1_000 },
    )
  })

  it('are those of the last list if the name is there twice, as for JSON.parse', () => {
    const body = '{"list":[1],"\\u006cist":[2,3],"other":{"list":[4]}}'
    expect(elementSpans(body, 'list')?.map(({ from, to }) => body.slice(from, to))).toEqual(['2', '3'])
  })

  it.each(['{"list":{"0":1}}', '{"other":[1]}', '[1]', '"list"', '{}', '{"list":null}'])('are none in %s', (body) => {
    expect(elementSpans(body, 'list')).toBeUndefined()
  })
})

describe('a parsed number', () => {
  it('is its digits as a text if JavaScript cannot hold it', () => {
    const { value } =
      parseJson('{"a":12345678901234567890,"b":0.1000000000000000055,"c":1e400,"d":7,"e":0.5,"f":1e3,"g":"1234567890123456"}') ?? {}
    expect(value).toEqual({
      a: '12345678901234567890',
      b: '0.1000000000000000055',
      c: '1e400',
      d: 7,
      e: 0.5,
      f: 1_000,
      g: '1234567890123456',
    })
  })

  it('is the same whatever else is on the page', () => {
    const number = fc.oneof(numbers, fc.constantFrom('7.10', '7.0', '1.50', '0.10e1', '1e-7', '123456789.123456789'))
    fc.assert(
      fc.property(number, tree, (one, other) => {
        const together = parseJson(`[${one},${written(other, true)}]`)?.value as readonly unknown[]
        expect(together[0]).toEqual(parseJson(one)?.value)
      }),
      { numRuns: 1_000 },
    )
    expect(parseJson('[7.10,"1234567890123456"]')).toEqual({ value: [7.1, '1234567890123456'] })
  })
})

describe('a parsed text', () => {
  it('is what JSON.parse makes of it, but for the numbers that JavaScript cannot hold', () => {
    fc.assert(
      fc.property(tree, fc.boolean(), (value, odd) => {
        const text = written(value, odd)
        expect(textsOf(parseJson(text)?.value)).toEqual(textsOf(JSON.parse(text)))
      }),
      { numRuns: 1_000 },
    )
  })

  it.each(['[01234567890123456]', '{1234567890123456:1}', '[1234567890123456x]', '[1e5', '"1234567890123456', '[1234567890123456 1]'])(
    'is none if it is not JSON: %s',
    (text) => {
      expect(parseJson(text)).toBeUndefined()
    },
  )

  it('may be of any depth beside a number that JavaScript cannot hold', () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const { value } = parseJson(`[12345678901234567890,{"a":${deep}},"b"]`) ?? {}
    expect(value).toMatchObject(['12345678901234567890', {}, 'b'])
  })
})

/** A value with one word for every number, also for one that is a text or that JSON cannot hold. */
function textsOf(value: unknown): unknown {
  const isNumber = (each: unknown) =>
    typeof each === 'number' || each === null || (typeof each === 'string' && /^-?\d[\d.]*([eE][+-]?\d+)?$/.test(each))
  return JSON.parse(JSON.stringify(value), (_, each: unknown) => (isNumber(each) ? 'a number' : each))
}
