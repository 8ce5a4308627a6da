import { describe, expect, it } from 'vitest'
import { listOf, parsePage, textOf, timeOf } from '../../functions/vendors/trendmicro-cas/wire.ts'

const answer = (body: unknown, traceId?: string) => ({ body, receivedAt: 0, ...(traceId === undefined ? {} : { traceId }) })
const parse = (body: unknown) => parsePage(answer(body))

describe('a page', () => {
  it('has its items, its link and its trace id', () => {
    const body = { current_link: 'c', next_link: 'https://n', security_events: [{ log_item_id: 'a' }], traceId: 't', something: 'new' }
    expect(parse(body)).toEqual({
      ok: true,
      value: { items: [{ id: 'a', raw: { log_item_id: 'a' } }], nextLink: 'https://n', traceId: 't' },
    })
  })

  it.each([[{ next_link: '' }], [{ next_link: null }], [{ next_link: ' ' }], [{}]])('is the last one if it has %j', (link) => {
    expect(parse({ ...link, security_events: [] })).toEqual({ ok: true, value: { items: [] } })
  })

  it('has the trace id that was sent if it names none', () => {
    expect(parsePage(answer({ security_events: [], traceId: 7 }, 'sent'))).toMatchObject({ ok: true, value: { traceId: 'sent' } })
  })

  it('does not fail for an item that is malformed', () => {
    const items = [null, 1, 'CEF:0|…', [], {}, { message: 'text' }]
    expect(parse({ security_events: items })).toEqual({ ok: true, value: { items: items.map((raw) => ({ raw })) } })
  })

  it.each([
    ['no list', { traceId: 't' }, /security_events/],
    ['null for a list', { security_events: null, traceId: 't' }, /security_events/],
    ['an object for a list', { security_events: {}, traceId: 't' }, /security_events/],
    ['a link that is no text', { security_events: [], next_link: 5, traceId: 't' }, /next_link/],
    ['an error', { code: -4_290_001, msg: 'Maximum allowed requests exceeded', traceId: 't' }, /error -4290001 \(Maximum allowed/],
  ])('is malformed and keeps its trace id if it has %s', (_, body, detail) => {
    expect(parse(body)).toMatchObject({
      ok: false,
      failure: { code: 'malformed-response', traceId: 't', detail: expect.stringMatching(detail) },
    })
  })

  it.each([[null], [[]], ['text'], [3]])('cannot be %j', (body) => {
    expect(parsePage(answer(body, 'sent'))).toMatchObject({ ok: false, failure: { code: 'malformed-response', traceId: 'sent' } })
  })
})

describe('the id of an item', () => {
  const id = (item: unknown) => {
    const page = parse({ security_events: [item] })
    return page.ok ? page.value.items[0]?.id : 'failed'
  }

  it('is in the item or in its message', () => {
    expect(id({ log_item_id: 'a', message: { log_item_id: 'b' } })).toBe('a')
    expect(id({ log_item_id: '', message: { log_item_id: 'b' } })).toBe('b')
    expect(id({ message: { log_item_id: 'b' } })).toBe('b')
  })

  it('may be a number if it is exact', () => {
    expect(id({ log_item_id: 7 })).toBe('7')
    expect(id(JSON.parse('{"log_item_id": 12345678901234567890}'))).toBeUndefined()
  })

  it('is absent if it is blank or not a text', () => {
    expect([id({ log_item_id: '' }), id({ log_item_id: {} }), id({})]).toEqual([undefined, undefined, undefined])
  })
})

describe('a time', () => {
  const at = Date.UTC(2020, 6, 19, 22, 51, 30)

  it.each([
    ['2020-07-19T22:51:30.000Z', at],
    ['2020-07-19T22:51:30Z', at],
    ['2020-07-19T22:51:30', at],
    ['2020-07-19 22:51:30', at],
    ['2020-07-19T22:51:30.123', at + 123],
    ['2020-07-19T22:51:30.123456Z', at + 123],
    ['2020-07-20T07:51:30+09:00', at],
    ['2020-07-19T18:51:30.5-0400', at + 500],
  ])('is read from %s', (text, expected) => {
    expect(timeOf(text)).toBe(expected)
  })

  it.each([
    '',
    'yesterday',
    '2020-02-31T00:00:00Z',
    '2020-07-19',
    '2020-07-19T25:00:00Z',
    '0000-01-01T00:00:00+01:00',
    1_595_199_090,
    null,
    {},
  ])('is absent if the value is %j', (value) => {
    expect(timeOf(value)).toBeUndefined()
  })
})

describe('a text', () => {
  it('may come as a number or a boolean', () => {
    expect([textOf('a'), textOf(1.5), textOf(false)]).toEqual(['a', '1.5', 'false'])
  })

  it('is never an object or a list', () => {
    expect([textOf({}), textOf([]), textOf(null)]).toEqual([undefined, undefined, undefined])
  })
})

describe('a list', () => {
  it('may come as a text', () => {
    expect([listOf('a'), listOf(['a', 2]), listOf(undefined)]).toEqual([['a'], ['a', '2'], []])
  })

  it('leaves out values that are not texts', () => {
    expect(listOf(['a', null, {}, ['b']])).toEqual(['a'])
  })
})
