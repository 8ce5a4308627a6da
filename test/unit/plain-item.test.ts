import { describe, expect, it } from 'vitest'
import { plainItem } from '../../functions/adapters/connectors-table.ts'

describe("an item in DynamoDB's JSON", () => {
  it('becomes the same plain item from a scan, where binary is bytes, and from a stream, where it is base64', () => {
    const bytes = new Uint8Array([1, 2, 255])
    const base64 = Buffer.from(bytes).toString('base64')
    expect(plainItem({ one: { B: bytes }, many: { BS: [bytes] } })).toEqual(plainItem({ one: { B: base64 }, many: { BS: [base64] } }))
  })

  it('becomes a plain item whose sets are lists, always in the same order', () => {
    expect(plainItem({ texts: { SS: ['b', 'a'] }, numbers: { NS: ['10', '9'] } })).toEqual({ texts: ['a', 'b'], numbers: [9, 10] })
  })

  it('keeps a number as a text if JavaScript cannot hold it exactly', () => {
    expect(plainItem({ large: { N: '12345678901234567890' }, small: { N: '-0.5' } })).toEqual({
      large: '12345678901234567890',
      small: -0.5,
    })
  })

  it('may have an attribute named __proto__, which is treated like any other', () => {
    const item = plainItem({ ['__proto__']: { M: { polluted: { BOOL: true } } } })
    expect(Object.keys(item)).toEqual(['__proto__'])
    expect(item['polluted']).toBeUndefined()
  })
})
