import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Options } from './options.ts'
import { replayCommand, seedMax } from './scenario.ts'
import type { SeedMessage, SeedRun, SeedTask } from './seed-worker.ts'

type Many = Extract<Options, { readonly kind: 'many' }>

export interface SeedsResult {
  readonly seeds: number
  readonly seconds: number
  readonly events: number
  readonly records: number
  /** Faults that happened, by kind, and in how many seeds. */
  readonly faults: Readonly<Record<string, { readonly count: number; readonly seeds: number }>>
  /** Seeds in which a claim did not hold, with the command that replays each. */
  readonly failures: readonly { readonly replay: string; readonly problems: readonly string[] }[]
}

/**
 * Runs many seeds, each twice to compare the traces, on as many threads as there are cores. `progress` is called with one line of text
 * that replaces the one before.
 */
export async function runSeeds(options: Many, progress: (text: string) => void): Promise<SeedsResult> {
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1_000
  const results: SeedRun[] = []
  const seeds = seedsOf(options, seconds)
  const firstRuns = new Map<number, SeedRun>()
  const show = (hours = 0) => progress(progressText(results, options.size.hours < shownHoursMin ? 0 : hours, options))
  const worker = async () => {
    const thread = new Worker(new URL('./seed-worker.ts', import.meta.url))
    for (let { value: seed } = seeds.next(); seed !== undefined; seed = seeds.next().value) {
      const { scenario, size } = options
      const run = await runOn(thread, { scenario, size, seed }, show)
      const twin = firstRuns.get(seed)
      firstRuns.set(seed, run)
      if (twin === undefined) continue
      firstRuns.delete(seed)
      results.push(twin.trace === run.trace ? run : { ...run, problems: [...run.problems, differ] })
      show()
    }
    await thread.terminate()
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return { ...summed(options, results), seconds: Math.round(seconds() * 10) / 10 }
}

/** The progress of a run is shown if it is so long (simulated hours). */
const shownHoursMin = 24
const differ = 'Each seed has one trace: two runs of this seed differ'

/** The seeds in their order, each twice in a row, so that two threads take the two runs of a long one. */
function* seedsOf({ firstSeed = randomInt(seedMax + 1), until }: Many, seconds: () => number): Generator<number, undefined> {
  const isOver = (begun: number) => ('seeds' in until ? begun >= until.seeds : seconds() >= until.seconds)
  for (let begun = 0; !isOver(begun); begun++) {
    const seed = (firstSeed + begun) % (seedMax + 1)
    yield seed
    yield seed
  }
}

function progressText(results: readonly SeedRun[], hours: number, { until }: Many): string {
  const failed = results.filter(({ problems }) => problems.length > 0).length
  return [
    'seeds' in until ? `${results.length} of ${until.seeds} seeds` : `${results.length} seeds`,
    ...(failed === 0 ? [] : [`${failed} with a broken claim`]),
    ...(hours === 0 ? [] : [`a run is in hour ${hours}`]),
  ].join(', ')
}

function runOn(thread: Worker, task: SeedTask, onHour: (hours: number) => void): Promise<SeedRun> {
  return new Promise((resolve, reject) => {
    const listener = (message: SeedMessage) => {
      if ('hours' in message) return onHour(message.hours)
      thread.off('message', listener).off('error', reject)
      resolve(message.run)
    }
    thread.on('message', listener).on('error', reject)
    thread.postMessage(task)
  })
}

function summed({ scenario, size }: Many, results: readonly SeedRun[]): Omit<SeedsResult, 'seconds'> {
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
    failures: failed.map(({ seed, problems }) => ({ replay: replayCommand({ name: scenario, seed, size }), problems })),
  }
}
