import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { second } from '../../functions/domain/time.ts'
import type { Command, Contender, Job } from './contender.ts'
import { childrenRss } from './process-tree.ts'

export interface RunFigures {
  readonly seconds: number
  /** CPU time of the program and all that it started. */
  readonly cpuSeconds: number
  /** The most memory of all its processes at one time. */
  readonly peakBytes: number
  /** null after a signal. */
  readonly exitCode: number | null
}

export interface Run {
  readonly ended: Promise<RunFigures>
  /** Sends the signal to the program and all that it started. */
  kill(signal: NodeJS.Signals): void
}

const sampleEveryMs = 50

/** They are in groups of their own, so Ctrl-C does not reach them. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) kill(child, 'SIGKILL')
})

/** A shell adds up the CPU time of all that it waited for, which Node does not tell. */
const timed = ['-c', '"$@"; code=$?; times >&3; exit $code', 'sh']

/** Starts one run of the program in its folder. At its end its state is kept, also after a kill. */
export function startRun(contender: Contender, folder: string, job: Job, kind: 'collect' | 'stay'): Run {
  const { command, args, env }: Command = (kind === 'stay' ? contender.stay : undefined)?.(folder, job) ?? contender.collect(folder, job)
  const out = contender.keepState === undefined ? join(folder, 'stdout.log') : nextOutput(contender.outputOf(folder))
  const [stdout, stderr] = [openSync(out, 'a'), openSync(join(folder, 'stderr.log'), 'a')]
  const startedAt = performance.now()
  const child = spawn('sh', [...timed, command, ...args], {
    cwd: folder,
    detached: true,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', stdout, stderr, 'pipe'],
  })
  closeSync(stdout)
  closeSync(stderr)
  running.add(child)
  const ended = follow(child, startedAt).finally(() => {
    running.delete(child)
    contender.keepState?.(folder, out)
  })
  return { ended, kill: (signal) => kill(child, signal) }
}

async function follow(child: ChildProcess, startedAt: number): Promise<RunFigures> {
  let peakBytes = 0
  const sample = () => {
    peakBytes = Math.max(peakBytes, childrenRss(child.pid ?? 0))
  }
  const samples = setInterval(sample, sampleEveryMs)
  let said = ''
  child.stdio[3]?.on('data', (text) => {
    said += text
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  clearInterval(samples)
  return { seconds: (performance.now() - startedAt) / second, cpuSeconds: childrenCpu(said), peakBytes, exitCode }
}

/** Reads the second line of `times`: `0m1.230s 0m0.450s`, user and system time of the children. */
function childrenCpu(said: string): number {
  const times = [...(said.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  return times.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  // The negative id means the group, which has nothing but this run.
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal)
}

function nextOutput(folder: string): string {
  mkdirSync(folder, { recursive: true })
  return join(folder, `${String(readdirSync(folder).length + 1).padStart(4, '0')}.jsonl`)
}
