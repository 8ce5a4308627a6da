/** Markup that may be shown. Only `html` and `json` make it, and every text that is put into it is escaped. */
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

/** `` html`<b>${name}</b>` ``: texts are escaped, markup is put in as it is. */
export function html(markup: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Markup(markup.reduce((text, next, i) => `${text}${markupOf(parts[i - 1] ?? '')}${next}`))
}

/** A value as JSON between two tags. It holds nothing that has to be escaped there, so whoever reads it need not unescape. */
export function json(value: unknown): Html {
  return new Markup(JSON.stringify(value).replaceAll(/[<>&\p{C}\p{Zl}\p{Zp}]/gu, unicode))
}

/** Cut to so many characters. */
export function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text
}

function markupOf(part: Part): string {
  if (part instanceof Markup) return part.text
  return Array.isArray(part) ? part.map(markupOf).join('') : escaped(String(part))
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** What cannot be seen, or would turn the direction of writing, is shown as `·`. */
function escaped(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\p{C}/gu, '·')
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}

function unicode(character: string): string {
  return Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
}
