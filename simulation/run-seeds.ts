import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Options } from './options.ts'
import { replayCommand, seedMax } from './scenario.ts'
import type { SeedResult, SeedTask } from './seed-worker.ts'

type Many = Extract<Options, { readonly kind: 'many' }>

export interface SeedsResult {
  readonly seeds: number
  readonly seconds: number
  readonly events: number
  readonly records: number
  /** Faults that happened, by kind, and in how many seeds. */
  readonly faults: Readonly<Record<string, { readonly count: number; readonly seeds: number }>>
  /** Claims that were broken as expected, and in how many seeds. */
  readonly expected: Readonly<Record<string, number>>
  /** Seeds in which a claim did not hold, with the command that replays each. */
  readonly failures: readonly { readonly replay: string; readonly problems: readonly string[] }[]
}

/** Runs many seeds, on as many threads as there are cores. `progress` is called after each of them. */
export async function runSeeds(options: Many, progress: (done: number, failed: number) => void): Promise<SeedsResult> {
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1_000
  const results: SeedResult[] = []
  let next = options.firstSeed ?? randomInt(seedMax + 1)
  let begun = 0
  const isOver = () => ('seeds' in options.until ? begun >= options.until.seeds : seconds() >= options.until.seconds)
  const worker = async () => {
    const thread = new Worker(new URL('./seed-worker.ts', import.meta.url))
    while (!isOver()) {
      begun += 1
      const { scenario, size } = options
      const task: SeedTask = { scenario, size, seed: next }
      next = (next + 1) % (seedMax + 1)
      results.push(await runOn(thread, task))
      progress(results.length, results.filter(({ problems }) => problems.length > 0).length)
    }
    await thread.terminate()
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return { ...summed(options, results), seconds: Math.round(seconds() * 10) / 10 }
}

function runOn(thread: Worker, task: SeedTask): Promise<SeedResult> {
  return new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.postMessage(task)
  })
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

function summed({ scenario, size }: Many, results: readonly SeedResult[]): Omit<SeedsResult, 'seconds'> {
  const kinds = [...new Set(results.flatMap(({ faults }) => Object.keys(faults)))].sort()
  const faults = kinds.map((kind) => {
    const counts = results.flatMap((result) => result.faults[kind] ?? [])
    return [kind, { count: counts.reduce((sum, count) => sum + count, 0), seeds: counts.length }] as const
  })
  const failed = results.filter(({ problems }) => problems.length > 0).sort((a, b) => a.seed - b.seed)
  return {
    seeds: results.length,
    events: results.reduce((sum, { proven }) => sum + proven, 0),
    records: results.reduce((sum, { delivered }) => sum + delivered, 0),
    faults: Object.fromEntries(faults),
    expected: countsOf(results.flatMap((result) => result.expected)),
    failures: failed.map(({ seed, problems }) => ({ replay: replayCommand({ name: scenario, seed, size }), problems })),
  }
}
