import { describe, expect, it } from 'vitest'
import { digest } from '../../functions/adapters/digest.ts'
import { readResponse } from '../../functions/adapters/http/response.ts'
import { identityOf } from '../../functions/domain/record/record-id.ts'
import { nextRequest } from '../../functions/vendors/trendmicro-cas/links.ts'
import { listOf, parsePage, textOf, timeOf } from '../../functions/vendors/trendmicro-cas/wire.ts'

/** The trace id is that of the body, as the adapter cleans it, or the one that was sent. */
const answer = (body: unknown, sent?: string) => {
  const { traceId = sent } = (body ?? {}) as { readonly traceId?: string }
  return { body, text: JSON.stringify(body), receivedAt: 0, ...(typeof traceId === 'string' ? { traceId } : {}) }
}
const parse = (body: unknown) => parsePage(answer(body))

describe('a page', () => {
  it('has its items, its link and its trace id', () => {
    const body = { current_link: 'c', next_link: 'https://n', security_events: [{ log_item_id: 'a' }], traceId: 't', something: 'new' }
    expect(parse(body)).toEqual({
      ok: true,
      value: { items: [{ id: 'a', raw: '{"log_item_id":"a"}', value: { log_item_id: 'a' } }], nextLink: 'https://n', traceId: 't' },
    })
  })

  it('has no items if the list is null, or if the response has no body', () => {
    expect(parse({ current_link: '', next_link: '', security_events: null, traceId: 't' })).toEqual({
      ok: true,
      value: { items: [], traceId: 't' },
    })
    expect(parsePage({ body: undefined, text: '', receivedAt: 0 })).toEqual({ ok: true, value: { items: [] } })
  })

  it('is a throttled request, with its wait, if it is that error under status 200', () => {
    const body = { code: -4_290_001, msg: 'Maximum allowed requests exceeded', traceId: 't' }
    expect(parsePage({ ...answer(body), retryAfterMs: 5_000 })).toMatchObject({
      ok: false,
      failure: { code: 'throttled', traceId: 't', retryAfterMs: 5_000 },
    })
  })

  it.each([[{ next_link: 'null' }], [{ next_link: '' }], [{ next_link: null }], [{ next_link: ' ' }], [{}]])(
    'is the last one if it has %j',
    (link) => {
      expect(parse({ ...link, security_events: [] })).toEqual({ ok: true, value: { items: [] } })
    },
  )

  it.each(['x', 'ä', '😀'])('has of an endless link of %s no more than is needed to refuse it by its length', (unit) => {
    const page = parse({ next_link: `https://n.example/${unit.repeat(500_000)}`, security_events: [] })
    const link = page.ok ? page.value.nextLink : undefined
    expect(link?.length).toBeLessThan(10_000)
    expect(link?.isWellFormed()).toBe(true)
    expect(nextRequest('https://n.example', link ?? '')).toEqual({
      ok: false,
      failure: { code: 'link-refused', detail: 'The link to the next page has more than 8000 characters' },
    })
  })

  it('has at most ten times as many items as were asked for', () => {
    const items = (count: number) => parse({ security_events: Array(count).fill({ log_item_id: 'a' }), traceId: 't' })
    expect(items(5_000)).toMatchObject({ ok: true, value: { items: { length: 5_000 } } })
    expect(items(5_001)).toMatchObject({
      ok: false,
      failure: { code: 'malformed-response', detail: 'The response has 5001 events, and a page has at most 500', traceId: 't' },
    })
  })

  it('does not fail for an item that is malformed', () => {
    const items = [null, 1, 'CEF:0|…', [], {}, { message: 'text' }]
    expect(parse({ security_events: items })).toEqual({
      ok: true,
      value: { items: items.map((value) => ({ value, raw: JSON.stringify(value) })) },
    })
  })

  it.each([
    ['no list', { traceId: 't' }, /security_events/],
    ['an object for a list', { security_events: {}, traceId: 't' }, /security_events/],
    ['a link that is no text', { security_events: [], next_link: 5, traceId: 't' }, /next_link/],
    ['an error', { code: -5_000_001, msg: 'An unexpected situation', traceId: 't' }, /error code -5000001 \("An unexpected situation"\)/],
    [
      'an error that names a mail',
      { code: -5_000_001, msg: 'No mail "Q3 forecast"', traceId: 't' },
      /\(a message of 21 characters, left out/,
    ],
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

/** The records' own part of a body with status 200, as it comes over the wire. */
function itemsOf(body: string | Buffer) {
  const response = readResponse(200, { 'content-type': 'application/json' }, body, 0)
  const page = response.ok ? parsePage(response.value) : response
  if (!page.ok) throw new Error(page.failure.detail)
  return page.value.items
}

describe('an item as received', () => {
  it('keeps its digits, its repeated keys and its white space', () => {
    const item =
      '{"log_item_id":"n", "message":{"size":12345678901234567890,"ratio":0.1000000000000000055,"big":1e400,"rule":"one","rule":"two","half":"\\ud83d"}}'
    expect(itemsOf(`{"next_link":"","security_events":[ ${item} ]}`)).toMatchObject([{ id: 'n', raw: item }])
  })

  it('keeps each digit of a numeric id', () => {
    const ids = ['9007199254918487', '9007199254918488', '9007199254918489', '12345678901234567890']
    const body = `{"security_events":[${ids.map((id) => `{"log_item_id":${id},"message":{}}`).join(',')}]}`
    expect(itemsOf(body).map((item) => item.id)).toEqual(ids)
  })

  it('is its bytes in base64 if some of them are not of the charset, and the others of the page are as they are', () => {
    const bad = Buffer.concat([Buffer.from('{"log_item_id":"b","message":{"file_name":"'), Buffer.from([0xe4, 0x62]), Buffer.from('"}}')])
    const good = '{"log_item_id":"a","message":{"file_name":"ä�"}}'
    const body = Buffer.concat([Buffer.from(`{"security_events":[${good},`), bad, Buffer.from(`,${good}],"next_link":""}`)])
    expect(itemsOf(body)).toEqual([
      { id: 'a', raw: good, value: JSON.parse(good) },
      {
        id: 'b',
        raw: bad.toString('base64'),
        rawEncoding: 'base64',
        text: bad.toString('latin1').replace('äb', '\udce4\udc62b'),
        value: undefined,
      },
      { id: 'a', raw: good, value: JSON.parse(good) },
    ])
  })

  it('is the same one with a byte that is not of the charset, whatever a field shows that does not belong to its identity', () => {
    const identity = (score: string, name: readonly number[]) => {
      const [before, after] = [`{"log_item_id":"a","message":{"score":${score},"file_name":"`, '"}}']
      const body = Buffer.concat([
        Buffer.from(`{"security_events":[${before}`, 'latin1'),
        Buffer.from(name),
        Buffer.from(`${after}]}`, 'latin1'),
      ])
      const [item] = itemsOf(body)
      expect(item?.rawEncoding).toBe('base64')
      return identityOf(item!, digest, new Set(['message.score']))
    }
    expect(identity('2', [0xff])).toEqual(identity('1', [0xff]))
    expect(identity('"\xff"', [0xff])).toEqual(identity('"\xfe"', [0xff]))
    expect(identity('1', [0xfe])).not.toEqual(identity('1', [0xff]))
    expect(identity('1', [0xff, 0xff])).not.toEqual(identity('1', [0xff]))
    expect(identity('"\xff"', [...Buffer.from('\\udcff')])).not.toEqual(identity('1', [0xff]))
    const [other] = itemsOf('{"security_events":[{"log_item_id":"a","message":{"file_name":"\\udcff"}}]}')
    expect(identityOf(other!, digest, new Set())).not.toEqual(identity('1', [0xff]))
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

  it('may be a number', () => {
    expect(id({ log_item_id: 7 })).toBe('7')
  })

  it('is absent if it is blank or not a text', () => {
    expect([id({ log_item_id: '' }), id({ log_item_id: {} }), id({})]).toEqual([undefined, undefined, undefined])
  })
})

describe('a time', () => {
  const at = Date.UTC(2020, 6, 19, 22, 51, 30)
  const receipt = at + 60_000

  it.each([
    ['2020-07-19T22:51:30.000Z', at],
    ['2020-07-19T22:51:30Z', at],
    ['2020-07-19t22:51:30z', at],
    ['2020-07-19T22:51Z', at - 30_000],
    ['2020-07-19T22:51:30,5Z', at + 500],
    ['2020-07-20T00:51:30+02', at],
    [at / 1_000, at],
    [`${at / 1_000}`, at],
    [at / 1_000 + 0.25, at + 250],
    [at + 123, at + 123],
    [`${at + 123}`, at + 123],
    ['2020-07-20T22:52:30Z', receipt + 86_400_000],
    ['2000-01-01T00:00:00Z', Date.UTC(2000, 0)],
    ['2020-07-19T22:51:30', at],
    ['2020-07-19 22:51:30', at],
    ['2020-07-19T22:51:30.123', at + 123],
    ['2020-07-19T22:51:30.123456Z', at + 123],
    ['2020-07-20T07:51:30+09:00', at],
    ['2020-07-19T18:51:30.5-0400', at + 500],
  ])('is read from %s', (text, expected) => {
    expect(timeOf(text, receipt)).toBe(expected)
  })

  it.each([
    '',
    'yesterday',
    '2020-02-31T00:00:00Z',
    '2020-07-19',
    '2020-07-19T25:00:00Z',
    '0000-01-01T00:00:00+01:00',
    '0001-01-01T00:00:00Z',
    '1601-01-01T00:00:00Z',
    '1999-12-31T23:59:59.999Z',
    '9999-12-31T23:59:59.9999999Z',
    '2020-07-20T22:52:30.001Z',
    '2020-07-19T22:51:30+99:99',
    '2020-07-19T22:51:30+24:00',
    '2020-07-19T22:51:30+02:60',
    0,
    -1,
    Number.POSITIVE_INFINITY,
    at * 1_000,
    null,
    {},
  ])('is absent if the value is %j', (value) => {
    expect(timeOf(value, receipt)).toBeUndefined()
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
