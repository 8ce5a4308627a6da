import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { StartupError } from './services/startup-error.ts'

/**
 * These limits fit a function with 320 MB. On a larger machine Node would let 128 MB of dead objects, and the buffers that they
 * hold outside the heap, pile up before it collects garbage.
 */
export const nodeFlags = ['--max-old-space-size=256', '--max-semi-space-size=8']

/** The process that runs the functions. */
export interface FunctionsProcess {
  /** Resolves when the process has ended, for any reason. */
  readonly ended: Promise<void>
  /** Asks runs in progress to stop at the next safe point, and kills the process after `withinMs`. */
  stop(withinMs: number): Promise<void>
}

/**
 * Starts `worker.ts` with the environment that Lambda would give the functions, and nothing else from this process. Each line of
 * its log goes to `onLine`. Resolves when it is ready.
 */
export async function startFunctions(options: {
  readonly role: 'owner' | 'guest'
  readonly environment: Readonly<Record<string, string>>
  readonly onLine: (line: string) => void
}): Promise<FunctionsProcess> {
  const { role, environment, onLine } = options
  const { PATH = '', HOME = '', NODE_EXTRA_CA_CERTS } = process.env
  const child = spawn(process.execPath, [...nodeFlags, '--enable-source-maps', new URL('worker.ts', import.meta.url).pathname, role], {
    env: { PATH, HOME, ...(NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS }), ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  for (const stream of [child.stdout, child.stderr]) if (stream !== null) createInterface({ input: stream }).on('line', onLine)
  const ended = once(child, 'exit').then(() => undefined)
  const ready = await Promise.race([once(child, 'message').then(() => true), ended.then(() => false)])
  if (!ready) throw new StartupError('The functions did not start. Their own messages above say why.')
  return {
    ended,
    async stop(withinMs) {
      const force = setTimeout(() => child.kill('SIGKILL'), withinMs)
      child.kill('SIGTERM')
      await ended
      clearTimeout(force)
    },
  }
}
