import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import * as z from 'zod/mini'
import { StartupError } from './services/startup-error.ts'

/**
 * These limits fit a function with 320 MB. On a larger machine Node would let 128 MB of dead objects, and the buffers that they
 * hold outside the heap, pile up before it collects garbage.
 */
export const nodeFlags = ['--max-old-space-size=256', '--max-semi-space-size=8']

/** The pause before a worker that died is started again (ms). It doubles with each death in a row. */
const pauseMsFirst = 1_000
const pauseMsMax = 60_000
/** A worker that lived this long (ms) died for a new reason. */
const livesMs = 60_000

/** The process that runs the functions. When it dies, another takes its place. */
export interface FunctionsProcess {
  /** Calls the function `operate` for the owner of this machine. Throws if the process dies before it has answered. */
  operate(event: Readonly<Record<string, unknown>>): Promise<unknown>
  /** Asks runs in progress to stop at the next safe point, and kills the process after `withinMs`. */
  stop(withinMs: number): Promise<void>
}

interface FunctionsOptions {
  readonly role: 'owner' | 'guest'
  readonly environment: Readonly<Record<string, string>>
  readonly onLine: (line: string) => void
  /** Takes a sentence for the person who started the program. */
  readonly print: (sentence: string) => void
  /** Makes work that a dead process had begun ready for the next one. */
  readonly beforeRestart: () => Promise<void>
  /** The program of the process; a test has another one. */
  readonly script?: URL
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/**
 * Starts `worker.ts` with the environment that Lambda would give the functions, and nothing else from this process. Each line of
 * its log goes to `onLine`. Resolves when it is ready. Throws `StartupError` when it ends before that. If it dies later, it is started
 * again.
 */
export async function startFunctions(options: FunctionsOptions): Promise<FunctionsProcess> {
  const { print, beforeRestart, sleep = (ms, signal) => wait(ms, undefined, { signal }).catch(() => undefined) } = options
  const stopping = new AbortController()
  let worker = startWorker(options)
  if (!(await worker.ready)) throw new StartupError('The functions did not start. Their own messages above say why.')

  async function keepAlive(): Promise<void> {
    let deaths = 0
    for (;;) {
      const startedAt = performance.now()
      const how = await worker.ended
      if (stopping.signal.aborted) return
      deaths = performance.now() - startedAt < livesMs ? deaths + 1 : 1
      const pauseMs = Math.min(pauseMsMax, pauseMsFirst * 2 ** (deaths - 1))
      print(
        `The process of the functions ended ${how}. It starts again in ${pauseMs / 1_000} s, and nothing is lost: its runs are repeated.`,
      )
      await sleep(pauseMs, stopping.signal)
      if (stopping.signal.aborted) return
      // The services may have failed too; the program then ends by itself.
      await beforeRestart().catch(() => undefined)
      if (stopping.signal.aborted) return
      worker = startWorker(options)
    }
  }
  const kept = keepAlive()
  return {
    operate: (event) => worker.operate(event),
    async stop(withinMs) {
      stopping.abort()
      const force = setTimeout(() => worker.kill('SIGKILL'), withinMs)
      worker.kill('SIGTERM')
      await kept
      clearTimeout(force)
    },
  }
}

interface Worker {
  /** False when it ended before it was ready. */
  readonly ready: Promise<boolean>
  /** Resolves when all its lines are out, with words for its end: "by SIGKILL". */
  readonly ended: Promise<string>
  operate(event: Readonly<Record<string, unknown>>): Promise<unknown>
  kill(signal: NodeJS.Signals): void
}

/** The answer of the worker to a call of `operate`. */
const operated = z.object({ id: z.number(), answer: z.unknown() })

function startWorker({ role, environment, onLine, script = new URL('worker.ts', import.meta.url) }: FunctionsOptions): Worker {
  const { PATH = '', HOME = '', NODE_EXTRA_CA_CERTS } = process.env
  const child = spawn(process.execPath, [...nodeFlags, '--enable-source-maps', script.pathname, role], {
    env: { PATH, HOME, ...(NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS }), ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  for (const stream of [child.stdout, child.stderr]) if (stream !== null) createInterface({ input: stream }).on('line', onLine)
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(`because the system refused it (${message})`))
    child.once('close', (code, signal) => resolve(signal === null ? `with exit code ${code}` : `by ${signal}`))
  })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  child.on('message', (message) => {
    const { success, data } = operated.safeParse(message)
    if (!success) return
    waiting.get(data.id)?.resolve(data.answer)
    waiting.delete(data.id)
  })
  void ended.then((how) => {
    for (const { reject } of waiting.values()) reject(new Error(`the process of the functions ended ${how}`))
  })
  let calls = 0
  const operate = (event: Readonly<Record<string, unknown>>) => {
    calls += 1
    const answer = Promise.withResolvers<unknown>()
    waiting.set(calls, answer)
    child.send({ id: calls, operate: event })
    return answer.promise
  }
  const ready = new Promise<boolean>((resolve) => {
    child.once('message', () => resolve(true))
    void ended.then(() => resolve(false))
  })
  return { ready, ended, operate, kill: (signal) => void child.kill(signal) }
}
