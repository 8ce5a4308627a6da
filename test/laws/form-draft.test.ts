import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connectorAttributes } from '../../functions/domain/connector/connector-schema.ts'
import { visibleLines } from '../../functions/domain/text.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'
import { type Item, itemOf, textOf, ticked } from '../../functions/widget/form/draft.ts'
import { boxName, chosenIn, fieldName, fieldsOf, redrafted, sentBy } from '../../functions/widget/form/fields.ts'

const attributes = connectorAttributes(trendmicroCas)
const text = fc.string({ unit: 'binary', maxLength: 30 })
const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  text,
  number: fc.oneof(fc.integer(), fc.double(), text),
  boolean: fc.oneof(fc.boolean(), text),
  'list of texts': fc.oneof(fc.array(text, { maxLength: 4 }), fc.array(fc.constantFrom('teams', 'sharepoint', 'a#b', 'c')), fc.jsonValue()),
  'list of log filters': fc.jsonValue(),
}
/** Any item, a wrong one too, with any attributes absent. */
const items: fc.Arbitrary<Item> = fc
  .record(Object.fromEntries(attributes.map(({ name, type }) => [name, values[type] ?? fc.jsonValue()])), { requiredKeys: [] })
  .chain((item) => fc.dictionary(fc.constantFrom('later', 'other'), fc.jsonValue()).map((others) => ({ ...others, ...item })))

/** The values that a browser sends for a form as it was drawn: line breaks become CRLF in a long text, and nothing in a short one. */
function drawnAndSent(item: Item, isLong: boolean) {
  const fields = fieldsOf(trendmicroCas, item, {}, [])
  const call = Object.fromEntries(
    fields.flatMap(({ attribute, choices }) => {
      const { name, type } = attribute
      if (choices !== undefined) return chosenIn(item, {}, attribute).map((value) => [boxName(name, value), ticked])
      const shown = textOf(item, attribute)
      if (type === 'boolean') return shown === ticked ? [[fieldName(name), ticked]] : []
      return [[fieldName(name), visibleLines(shown).replaceAll(/\r?\n/g, isLong ? '\r\n' : ' ')]]
    }),
  )
  return { fields, sent: sentBy(call, fields, []) }
}

describe('a form of an item', () => {
  it('that is sent as it was drawn changes nothing, whatever the item holds', () => {
    fc.assert(
      fc.property(items, fc.boolean(), (item, isLong) => {
        const { fields, sent } = drawnAndSent(item, isLong)
        const draft = redrafted({}, sent, item, fields)
        expect(itemOf(item, draft, attributes)).toEqual({ item, problems: [] })
      }),
    )
  })

  it('changes the attributes of the draft alone, also if somebody else has changed others meanwhile', () => {
    fc.assert(
      fc.property(items, items, fc.constantFrom('note', 'rateGroup'), fc.stringMatching(/^[a-z]{1,9}$/), (before, now, name, note) => {
        const { fields, sent } = drawnAndSent(before, true)
        const draft = redrafted({}, { ...sent, [name]: note }, before, fields)
        if (textOf(before, attributes.find((each) => each.name === name) ?? attributes[0]!) === note) return
        expect(itemOf(now, draft, attributes).item).toEqual({ ...now, [name]: note })
      }),
    )
  })

  it('reads each kind of value as an item has it', () => {
    const draft = {
      intervalMinutes: ' 7 ',
      requestsPerDay: 'many',
      sharedWith: 'globex, newco\ninitech',
      sharedKey: ticked,
      note: '',
      logFilters: '[{"name":"a"}]',
    }
    expect(itemOf({ note: 'old', name: 'n' }, draft, attributes)).toEqual({
      item: {
        name: 'n',
        intervalMinutes: 7,
        requestsPerDay: 'many',
        sharedWith: ['globex', 'newco', 'initech'],
        sharedKey: true,
        logFilters: [{ name: 'a' }],
      },
      problems: [],
    })
  })

  it('tells a text that is no JSON, and leaves the attribute as it is', () => {
    const { item, problems } = itemOf({ logFilters: [] }, { logFilters: '[{' }, attributes)
    expect(item).toEqual({ logFilters: [] })
    expect(problems).toMatchObject([{ path: 'logFilters', message: expect.stringContaining('It is no JSON') }])
  })

  it('takes nothing chosen for nothing, and not for the default', () => {
    expect(itemOf({}, { contentTypes: '' }, attributes).item).toEqual({ contentTypes: [] })
  })
})
