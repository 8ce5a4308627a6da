import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { effectLine } from './effects.ts'
import { runScenario } from './run-scenario.ts'
import { drawScenario, type ScenarioName, type ScenarioSize } from './scenario.ts'

/** A seed to run once. */
export interface SeedTask {
  readonly scenario: ScenarioName
  readonly seed: number
  readonly size: ScenarioSize
}

/** One run of a seed. */
export interface SeedRun {
  readonly seed: number
  /** The SHA-256 of its trace. */
  readonly trace: string
  readonly proven: number
  readonly delivered: number
  readonly faults: Readonly<Record<string, number>>
  readonly problems: readonly string[]
}

export type SeedMessage = { readonly hours: number } | { readonly run: SeedRun }

async function runSeed({ scenario, seed, size }: SeedTask, onHour: (hours: number) => void): Promise<SeedRun> {
  const hash = createHash('sha256')
  const onEffect = (effect: Parameters<typeof effectLine>[0]) => void hash.update(`${effectLine(effect)}\n`)
  const { counts, problems } = await runScenario(drawScenario(scenario, seed, size), { onEffect, onHour })
  const { proven, delivered, faults } = counts
  return { seed, trace: hash.digest('hex'), proven, delivered, faults, problems }
}

const send = (message: SeedMessage) => parentPort?.postMessage(message)
parentPort?.on('message', async (task: SeedTask) => send({ run: await runSeed(task, (hours) => send({ hours })) }))
