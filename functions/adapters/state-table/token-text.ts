import * as z from 'zod/mini'
import type { Token } from '../../domain/token-bucket.ts'

/**
 * The tokens of a bucket as one text. A key with 6,000 requests a minute has 6,000 tokens. As objects they would be larger than the
 * 400 KB that DynamoDB allows for an item; as columns of differences they take about 60 KB, and one text is cheap to marshal.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */

const columns = z.object({
  /** The process part of every `by`, with its colon, each once. */
  processes: z.array(z.string()),
  /** Each `at`, as the difference from the one before (ms). */
  at: z.array(z.number()),
  /** The process part of each `by`, as an index into `processes`. */
  process: z.array(z.number()),
  /** The part of each `by` after its process. */
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

/** Throws if the text is not one that `tokensToText` made. */
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
