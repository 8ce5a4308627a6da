import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Reading } from './gauge.ts'

const path = (file: string) => new URL(file, import.meta.url).pathname

export interface SimulatorProcess {
  readonly url: string
  stop(): Promise<void>
}

/** `npm run simulator` with these flags, in a process of its own. */
export async function startSimulatorProcess(flags: readonly string[]): Promise<SimulatorProcess> {
  const child = spawn(process.execPath, [path('../local/simulator/main.ts'), '--port', '0', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /answers at (http:\/\/\S+);/.exec(line)?.[1]
    if (url === undefined) continue
    child.stdout.resume()
    return { url, stop: () => stop(child) }
  }
  throw new Error('The simulator did not start; what it said stands above.')
}

export interface CollectorProcess {
  stop(): Promise<void>
}

export interface CollectorOptions {
  readonly environment: Readonly<Record<string, string>>
  readonly nodeFlags?: readonly string[]
  readonly onReading?: (reading: Reading) => void
  /** Lines of the functions' log that say what a page held. */
  readonly onPage?: (page: { readonly fetched: number; readonly delivered: number }) => void
}

/** A process that runs the shipped `collect`, as `npm start` has it, and nothing else: a guest of the services. */
export async function startCollectorProcess(options: CollectorOptions): Promise<CollectorProcess> {
  const { environment, nodeFlags = [], onReading, onPage } = options
  const gauge = onReading === undefined ? [] : ['--import', path('gauge.ts')]
  const child = spawn(process.execPath, [...(process.env['BF']??'').split(' ').filter(Boolean), ...nodeFlags, ...gauge, path('../local/worker.ts'), 'guest'], {
    env: { PATH: process.env['PATH'], ...Object.fromEntries(Object.entries(process.env).filter(([k])=>k.startsWith('MALLOC'))), ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line)
      if (entry.event === 'page-read') onPage?.(entry)
      else if (entry.level === 'error' || entry.level === 'warn') process.stderr.write(`${line}\n`)
    })
  }
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('The collecting process did not start; what it said stands above.')))
    child.on('message', (message) => {
      if (message === 'ready') resolve()
      else onReading?.(message as Reading)
    })
  })
  return { stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
