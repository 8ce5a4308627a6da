/** Cuts a text to `lengthMax` UTF-16 units, its `…` included. It never cuts a character in two: half a surrogate pair is no text. */
export function cutText(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${wholeCharacters(text, lengthMax - 1)}…`
}

/** The first `lengthMax` UTF-16 units of a text, or one fewer where the last would be half a character. */
export function wholeCharacters(text: string, lengthMax: number): string {
  const cut = text.slice(0, Math.max(0, lengthMax))
  return cut.length < text.length && /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut
}

/**
 * A text in which every character shows: control characters (C0 and C1, so also the escape sequences of terminals that begin with them),
 * characters that change the direction of writing or that nobody sees, line and paragraph separators, and half characters are `·`. So a
 * vendor's or a tenant's text can neither steer the terminal that shows it nor look like another one. An emoji that is joined of several
 * is shown as these.
 */
export function visible(text: string): string {
  return text.replaceAll(unseen, '·')
}

// The selectors of a form, U+FE00 to U+FE0F, belong to many emoji and hide nothing.
const unseen = /(?![\ufe00-\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** A value as JSON in which the same characters are escaped, but for the line feeds of `indent`. A program reads the same value from it. */
export function visibleJson(value: unknown, indent = 0): string {
  const escaped = (character: string) =>
    character === '\n' ? character : Array.from({ length: character.length }, (_, i) => `\\u${hex4(character.charCodeAt(i))}`).join('')
  return JSON.stringify(value, undefined, indent).replaceAll(unseen, escaped)
}

function hex4(unit: number): string {
  return unit.toString(16).padStart(4, '0')
}

/** The same for a text of several lines. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n')
}
