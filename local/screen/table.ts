import { cutToWidth, padToWidth, widthOf, wrapToWidth } from './cells.ts'

/** A table that fits a terminal of any size. */

export interface Column<Name extends string> {
  readonly name: Name
  readonly title: string
  readonly align: 'left' | 'right'
  /** No wider than this (columns). */
  readonly widthMax?: number
}

export interface Block<Name extends string> {
  readonly cells: Readonly<Record<Name, string>>
  /** A sentence under the row, wrapped; empty: none. */
  readonly detail: string
}

const gap = '  '
const indent = '  '

/**
 * The headings, and each row with its sentence as lines of at most `width` columns. When not all columns fit, those that `sacrifices` names
 * go, the first one first.
 */
export function tableLines<Name extends string>(
  columns: readonly Column<Name>[],
  blocks: readonly Block<Name>[],
  { width, sacrifices }: { readonly width: number; readonly sacrifices: readonly Name[] },
): { readonly heading: string; readonly blocks: readonly (readonly string[])[] } {
  const widths = columns.map((column) => {
    const widest = Math.max(widthOf(column.title), ...blocks.map(({ cells }) => widthOf(cells[column.name])))
    return { column, width: Math.min(column.widthMax ?? widest, widest) }
  })
  const shown = fitting(widths, width, sacrifices)
  const line = (text: (column: Column<Name>) => string) => {
    const texts = shown.map((each) => padToWidth(text(each.column), each.width, each.column.align))
    return cutToWidth(texts.join(gap).trimEnd(), width)
  }
  const lines = ({ cells, detail }: Block<Name>) => [
    line(({ name }) => cells[name]),
    ...(detail === '' ? [] : wrapToWidth(detail, width - indent.length).map((text) => `${indent}${text}`)),
  ]
  return { heading: line(({ title }) => title), blocks: blocks.map(lines) }
}

interface Measured<Name extends string> {
  readonly column: Column<Name>
  readonly width: number
}

function fitting<Name extends string>(
  all: readonly Measured<Name>[],
  width: number,
  [first, ...others]: readonly Name[],
): readonly Measured<Name>[] {
  const needed = all.reduce((sum, each) => sum + each.width + gap.length, -gap.length)
  if (needed <= width || first === undefined) return all
  return fitting(
    all.filter(({ column }) => column.name !== first),
    width,
    others,
  )
}

/**
 * As many whole blocks as fit into `height` lines, the first ones first, and how many these are. One line is kept free if more blocks are
 * left. A first block that is too high alone is cut.
 */
export function fittingBlocks(
  blocks: readonly (readonly string[])[],
  height: number,
  isAll: boolean,
): { readonly lines: readonly string[]; readonly count: number } {
  const all = blocks.flat()
  if (isAll && all.length <= height) return { lines: all, count: blocks.length }
  const lines: string[] = []
  let count = 0
  for (const block of blocks) {
    if (lines.length + block.length > height - 1) break
    lines.push(...block)
    count += 1
  }
  return count > 0 ? { lines, count } : { lines: all.slice(0, Math.max(0, height - 1)), count: Math.min(1, blocks.length) }
}
