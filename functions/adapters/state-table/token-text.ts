import * as z from 'zod'
import type { Token } from '../../domain/token-bucket.ts'

/**
 * The tokens of a bucket as one text. A key at 6,000 requests a minute has that many: as objects they would pass the 400 KB
 * that an item may have, as columns with differences they take about 60 KB, and one text is cheap to marshal.
 */

const columns = z.object({
  /** Each process once, with its colon. */
  processes: z.array(z.string()),
  /** Each `at` less the one before. */
  at: z.array(z.number()),
  /** An index into `processes`, and what follows it in `by`. */
  process: z.array(z.number()),
  number: z.array(z.union([z.number(), z.string()])),
  settled: z.array(z.number()),
})

type Columns = z.infer<typeof columns>

export function tokensToText(tokens: readonly Token[]): string {
  const text: Columns = { processes: [], at: [], process: [], number: [], settled: [] }
  const indexes = new Map<string, number>()
  let before = 0
  for (const { at, by, released } of tokens) {
    const cut = by.lastIndexOf(':') + 1
    const process = by.slice(0, cut)
    const index = indexes.get(process) ?? indexes.size
    if (index === indexes.size) {
      indexes.set(process, index)
      text.processes.push(process)
    }
    text.at.push(at - before)
    text.process.push(index)
    text.number.push(numberOr(by.slice(cut)))
    text.settled.push(released ? 1 : 0)
    before = at
  }
  return JSON.stringify(text)
}

/** Throws where the text is not one that `tokensToText` made. */
export function tokensFromText(text: string): Token[] {
  const { processes, at, process, number, settled } = columns.parse(JSON.parse(text))
  let last = 0
  return at.map((difference, i) => {
    last += difference
    return { at: last, by: `${processes[process[i] ?? -1] ?? ''}${number[i] ?? ''}`, released: settled[i] === 1 }
  })
}

function numberOr(text: string): number | string {
  const number = Number(text)
  return Number.isSafeInteger(number) && String(number) === text ? number : text
}
