import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { effectLine } from './effects.ts'
import { runScenario } from './run-scenario.ts'
import { drawScenario, type ScenarioName, type ScenarioSize } from './scenario.ts'

/** A seed to run. */
export interface SeedTask {
  readonly scenario: ScenarioName
  readonly seed: number
  readonly size: ScenarioSize
}

/** The result of a seed, after two runs. */
export interface SeedResult {
  readonly seed: number
  readonly proven: number
  readonly delivered: number
  readonly faults: Readonly<Record<string, number>>
  readonly problems: readonly string[]
  readonly expected: readonly string[]
}

/** Runs a seed twice: both runs must have one trace. */
export async function runSeed({ scenario, seed, size }: SeedTask): Promise<SeedResult> {
  const [first, second] = [await once(), await once()]
  const differ = first.trace === second.trace ? [] : ['Each seed has one trace: two runs of this seed differ']
  return { ...first.result, problems: [...first.result.problems, ...differ] }

  async function once() {
    const hash = createHash('sha256')
    const run = await runScenario(drawScenario(scenario, seed, size), { onEffect: (effect) => void hash.update(`${effectLine(effect)}\n`) })
    const { proven, delivered, faults } = run.counts
    return { trace: hash.digest('hex'), result: { seed, proven, delivered, faults, problems: run.problems, expected: run.expected } }
  }
}

parentPort?.on('message', async (task: SeedTask) => parentPort?.postMessage(await runSeed(task)))
