import { cutText } from '../functions/domain/text.ts'
import { padToWidth, widthOf } from './screen/cells.ts'

/** A longer cell is cut (characters): a raw event would fill the screen. */
const cellCharactersMax = 60

/** Formats rows as a table for a terminal. Numbers are aligned to the right, everything else to the left. A control character is shown as `·`. */
export function formatTextTable(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const [first] = rows
  if (first === undefined) return 'No rows.\n'
  const names = Object.keys(first)
  const lines = [names, ...rows.map((row) => names.map((name) => cell(row[name])))]
  const widths = names.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))))
  const aligned = names.map((name) => (typeof first[name] === 'number' ? 'right' : 'left'))
  const text = (line: readonly string[]) =>
    line
      .map((value, column) => padToWidth(value, widths[column] ?? 0, aligned[column] ?? 'left'))
      .join('  ')
      .trimEnd()
  const [head = [], ...body] = lines
  return [text(head), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(text), ''].join('\n')
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  return cutText(typeof value === 'object' ? JSON.stringify(value) : String(value), cellCharactersMax)
}
