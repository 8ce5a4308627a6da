import stringWidth from 'string-width'
import wrapAnsi from 'wrap-ansi'
import { visible } from '../../functions/domain/text.ts'

/** Texts in a terminal: how many columns they take, and how they are made to fit. Every text that is shown in a frame passes here. */

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** The columns that a text takes: a Chinese character takes two, an accent none. */
export function widthOf(text: string): number {
  return stringWidth(visible(text))
}

/** The text in at most `width` columns; if it is longer, it ends with `…`. It never shows half a character, nor a control character. */
export function cutToWidth(text: string, width: number): string {
  const shown = visible(text)
  if (stringWidth(shown) <= width) return shown
  let cut = ''
  let used = 1
  for (const { segment } of segmenter.segment(shown)) {
    used += stringWidth(segment)
    if (used > width) break
    cut += segment
  }
  return width > 0 ? `${cut}…` : ''
}

/** The text in exactly `width` columns. */
export function padToWidth(text: string, width: number, align: 'left' | 'right'): string {
  const cut = cutToWidth(text, width)
  const blanks = ' '.repeat(Math.max(0, width - stringWidth(cut)))
  return align === 'left' ? `${cut}${blanks}` : `${blanks}${cut}`
}

/** The text as lines of at most `width` columns, broken between words where that is possible. */
export function wrapToWidth(text: string, width: number): readonly string[] {
  return wrapAnsi(visible(text), Math.max(1, width), { hard: true }).split('\n')
}

/** Lines broken between words, each with its indent, and a little more on the lines after the first. */
export function wrapIndented(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const indent = /^ */.exec(line)?.[0] ?? ''
      const [first = '', ...others] = wrapToWidth(line.slice(indent.length), width - indent.length - indentMore.length)
      return [`${indent}${first}`, ...others.map((other) => `${indent}${indentMore}${other}`)]
    })
    .join('\n')
}

const indentMore = '  '

/** The parts side by side, on as many lines as they need. A part is broken only if it is wider than a line. */
export function joinToWidth(parts: readonly string[], width: number): readonly string[] {
  const lines: string[] = []
  for (const part of parts) {
    const joined = `${lines.at(-1) ?? ''}   ${part}`
    if (lines.length > 0 && widthOf(joined) <= width) lines.splice(-1, 1, joined)
    else lines.push(part)
  }
  return lines.flatMap((line) => wrapToWidth(line, width))
}
