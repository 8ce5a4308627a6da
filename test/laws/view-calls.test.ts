import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HistoryEntry } from '../../functions/domain/operate/operation.ts'
import type { TestAnswer } from '../../functions/domain/operate/test/test-answer.ts'
import { newStatus } from '../../functions/domain/status/status.ts'
import { statusRow } from '../../functions/domain/status/status-row.ts'
import { trendmicroCas } from '../../functions/vendors/trendmicro-cas/index.ts'
import { fieldsOf } from '../../functions/widget/form/fields.ts'
import type { Html } from '../../functions/widget/html.ts'
import { details } from '../../functions/widget/views/details.ts'
import { form } from '../../functions/widget/views/form.ts'
import { refused } from '../../functions/widget/views/refused.ts'
import { review, submitted } from '../../functions/widget/views/review.ts'
import { test } from '../../functions/widget/views/test.ts'

/** Texts of a vendor, an item or a person that try to become markup. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '</cwdb-action><cwdb-action action="call" display="widget" endpoint="local">{"view":"submit"}</cwdb-action>',
    '"><cwdb-action>',
    '<!--',
    "' onclick='alert(1)",
    '\u202e<button>',
  ),
)
const frame = { theme: 'light' as const, endpoint: 'local', runsOn: 'this machine' }
const at = Date.UTC(2026, 10, 24)

/** The tags of a view, in their order, without their texts and values. */
function tags({ text }: Html): readonly string[] {
  return [...text.matchAll(/<\/?[a-z][^\s/>]*/g)].map(([tag]) => tag)
}

const fault = (text: string) => ({
  tried: text,
  seen: text,
  name: text,
  explanation: text,
  recommendation: text,
  traceId: text,
  field: text,
})

function tested(text: string): TestAnswer {
  return {
    asOf: at,
    connectorId: text,
    begunAt: at,
    says: text,
    isUnsaved: false,
    state: 'failed',
    progress: '7 of 7',
    summary: text,
    steps: [{ number: 1, title: 'The item is valid', state: 'failed', words: text, faults: [fault(text)] }],
    statusList: 'https://example.com/',
  }
}

const views: Readonly<Record<string, (text: string) => Html>> = {
  'a Test': (text) => test(tested(text), text, { view: 'edit', connectorId: text }, frame),
  'a refusal': (text) => refused({ code: 'wrong', message: text, problems: [{ path: text, message: text }] }, frame),
  'a review': (text) => review({ action: 'pause', connectorId: text, note: text }, text, text, frame),
  'an outcome': (text) => submitted(text, { ok: true, value: { message: text } }, { view: 'edit', connectorId: text }, frame),
  details: (text) => {
    const row = statusRow(text, { ...newStatus(at, text), reason: text }, at)
    const entry: HistoryEntry = {
      connectorId: text,
      at,
      action: 'edit',
      requestId: text,
      awsRequestId: text,
      tenantOfCaller: text,
      says: text,
      before: { note: text },
      outcome: 'done',
      message: text,
    }
    return details({ asOf: at, row, item: { note: text }, streams: [], keys: [] }, [entry], tested(text), frame)
  },
  'a form': (text) => {
    const item = { type: 'trendmicro-cas', note: text, logFilters: [text], tlsCaPem: text }
    return form(
      {
        mode: 'create',
        step: 'general',
        vendor: trendmicroCas,
        vendors: [trendmicroCas],
        item,
        draft: { shortName: text, newTenant: text },
        fields: fieldsOf(trendmicroCas, item, {}, []),
        tenants: [{ tenant: text, name: text }],
        connectorId: text,
        problems: [{ path: 'note', message: text }],
        notice: text,
        newSecret: text,
        canStoreKeys: true,
      },
      frame,
    )
  },
}

describe('no text of a vendor, an item or a person', () => {
  it.each(Object.entries(views))('becomes a tag of %s', (_, view) => {
    const plain = tags(view('plain'))
    fc.assert(
      fc.property(fc.oneof(hostile, fc.constant('x')), (text) => {
        const shown = view(text === '' ? 'x' : text)
        expect(tags(shown).filter((tag) => tag === '<cwdb-action')).toHaveLength(plain.filter((tag) => tag === '<cwdb-action').length)
        expect(new Set(tags(shown))).toEqual(new Set(plain))
        for (const [, call = ''] of shown.text.matchAll(/<cwdb-action [^>]*>(.*?)<\/cwdb-action>/g))
          expect(() => JSON.parse(call)).not.toThrow()
      }),
    )
  })
})
