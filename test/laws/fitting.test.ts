import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitting } from '../../functions/widget/fitting.ts'
import { type Html, html, json, lines } from '../../functions/widget/html.ts'

const note = '<p>The rest is left out.</p>'
const bytesOf = (page: string) => Buffer.byteLength(JSON.stringify(page))

const text = fc.string({
  unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.constantFrom('<', '"', '&', '\n')),
  maxLength: 60,
})
const block: fc.Arbitrary<Html> = fc.oneof(
  text.map((given) => html`<p title="${given}">${given}</p>`),
  text.map((given) => html`<pre>${lines(given.repeat(5))}</pre>`),
  fc.array(text, { maxLength: 8 }).map(
    (cells) => html`<table><tbody>
${cells.map((cell) => html`<tr><td>${cell}<br></td><td><button type="button">${cell}</button><cwdb-action>${json({ cell })}</cwdb-action></td></tr>\n`)}</tbody></table>`,
  ),
  text.map((given) => html`<form><label>Name <input name="a" value="${given}"></label><svg><path d="M0 0"/></svg></form>`),
)
const page = fc.array(block, { maxLength: 20 }).map((blocks) => html`<style>.tb { color: red }</style><div class="tb">${blocks}</div>`.text)

/** The elements of a page in their order. Throws if one is not closed where it should be. */
function elementsOf(markup: string): readonly string[] {
  const open: string[] = []
  const all: string[] = []
  for (const [tag, end, name = ''] of markup.matchAll(/<(\/?)([\w-]+)[^>]*>/g)) {
    if (end === '/') expect(open.pop()).toBe(name)
    else {
      all.push(tag)
      if (!['input', 'br'].includes(name) && !tag.endsWith('/>')) open.push(name)
    }
  }
  expect(open).toEqual([])
  return all
}

describe('a page that does not fit', () => {
  it('has at most the bytes that it may have, closes what it opens, and ends with the note', () => {
    fc.assert(
      fc.property(page, fc.integer({ min: 300, max: 4_000 }), (whole, bytesMax) => {
        const cut = fitting(whole, note, bytesMax)
        expect(bytesOf(cut)).toBeLessThanOrEqual(bytesMax + 2)
        if (bytesOf(whole) <= bytesMax + 2) {
          expect(cut).toBe(whole)
          return
        }
        expect(cut).toMatch(/<p>The rest is left out\.<\/p>(<\/div>)?$/)
        const kept = elementsOf(cut)
        expect(elementsOf(whole).slice(0, kept.length - 1)).toEqual(kept.slice(0, -1))
      }),
    )
  })

  it('has each button with the whole of its call, and each form whole or not at all', () => {
    fc.assert(
      fc.property(page, fc.integer({ min: 300, max: 4_000 }), (whole, bytesMax) => {
        const cut = fitting(whole, note, bytesMax)
        expect(cut.match(/<\/button><cwdb-action>/g)?.length).toBe(cut.match(/<button/g)?.length)
        for (const [, call = ''] of cut.matchAll(/<cwdb-action>(.*?)<\/cwdb-action>/g)) expect(() => JSON.parse(call)).not.toThrow()
        expect(cut.match(/<form/g)?.length).toBe(cut.match(/<\/svg><\/form>/g)?.length)
      }),
    )
  })
})
