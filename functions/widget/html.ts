import { visible, visibleLines } from '../domain/text.ts'

/** Markup that is safe to show. Only `html` and `json` make it, and they escape every text that they put into it. */
class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

export type Html = Markup

type Part = string | number | Html | readonly Html[]

/** Makes markup: `` html`<b>${name}</b>` ``. Texts are escaped; markup is put in unchanged. */
export function html(markup: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Markup(markup.reduce((text, next, i) => `${text}${markupOf(parts[i - 1] ?? '')}${next}`))
}

/** A text whose line breaks and indentation stay, for a `pre`. */
export function lines(text: string): Html {
  const indented = (line: string) => `${/^ */.exec(line)?.[0] ?? ''}${escaped(line.trimStart())}`
  return new Markup(text.split('\n').map(indented).join('\n'))
}

/** A text as a field of a form holds it: its blanks and line breaks stay, because the field sends them back. */
export function exact(text: string): Html {
  return new Markup(visibleLines(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? ''))
}

/** A value as JSON, to stand between two tags. Nothing in it needs escaping there, so its reader need not unescape it. */
export function json(value: unknown): Html {
  return new Markup(JSON.stringify(value).replaceAll(/[<>&\p{C}\p{Zl}\p{Zp}]/gu, unicode))
}

/** The first rows that take at most `bytesMax` together in the JSON that a function returns. */
export function fitting(rows: readonly Html[], bytesMax: number): readonly Html[] {
  const encoder = new TextEncoder()
  let bytes = 0
  const over = rows.findIndex((row) => {
    bytes += encoder.encode(JSON.stringify(row.text)).length
    return bytes > bytesMax
  })
  return over === -1 ? rows : rows.slice(0, over)
}

function markupOf(part: Part): string {
  if (part instanceof Markup) return part.text
  return Array.isArray(part) ? part.map(markupOf).join('') : escaped(String(part))
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Escapes a text. An invisible character, or one that changes the direction of writing, is shown as `·`. */
function escaped(text: string): string {
  return visible(text.replaceAll(/\s+/g, ' ')).replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}

function unicode(character: string): string {
  return Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
}
