import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Reading } from './gauge.ts'

export interface BenchProcess {
  stop(): Promise<void>
}

type Environment = Readonly<Record<string, string>>

/** Starts `npm run simulator` with these flags. */
export async function startSimulatorProcess(flags: readonly string[]): Promise<BenchProcess & { readonly url: string }> {
  const child = spawn(process.execPath, [path('../local/simulator/main.ts'), '--port', '0', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error('The simulator did not start. Its own messages above say why.')))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /runs at (http:\/\/\S+);/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  return { url, stop: () => stop(child) }
}

/** Starts the table's stream and the rule, with a tick every `tickMs`. */
export async function startTriggersProcess(environment: Environment, tickMs: number): Promise<BenchProcess> {
  const child = spawn(process.execPath, [path('triggers.ts'), String(tickMs)], {
    env: environmentOf(environment),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await ready(child, () => {})
  return { stop: () => stop(child) }
}

/** The counts of a page, from the log. */
export interface PageRead {
  readonly fetched: number
  readonly delivered: number
}

/** Starts the same process as `npm start` does for the functions, with `collect` only. `checkout`: another one than this. */
export async function startCollectorProcess(
  environment: Environment,
  options: {
    readonly checkout?: URL | undefined
    readonly nodeFlags?: readonly string[]
    readonly onReading?: (reading: Reading) => void
    readonly onPage?: (page: PageRead) => void
  } = {},
): Promise<BenchProcess> {
  const { checkout = new URL('../', import.meta.url), nodeFlags: more = [], onReading, onPage } = options
  const { nodeFlags }: typeof import('../local/functions.ts') = await import(new URL('local/functions.ts', checkout).href)
  const gauge = onReading === undefined ? [] : ['--import', path('gauge.ts')]
  const child = spawn(process.execPath, [...nodeFlags, ...more, ...gauge, new URL('local/worker.ts', checkout).pathname, 'guest'], {
    env: environmentOf(environment),
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line)
      if (entry.event === 'page-read') onPage?.(entry)
      else if (entry.level === 'warn' || entry.level === 'error') process.stderr.write(`${line}\n`)
    })
  }
  await ready(child, (message) => onReading?.(message as Reading))
  return { stop: () => stop(child) }
}

function path(file: string): string {
  return new URL(file, import.meta.url).pathname
}

function environmentOf(environment: Environment): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], ...environment }
}

function ready(child: ChildProcess, onMessage: (message: unknown) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('A process of the bench did not start. Its own messages above say why.')))
    child.on('message', (message) => (message === 'ready' ? resolve() : onMessage(message)))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
