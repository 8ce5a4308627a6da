import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import type { Log } from '../domain/ports.ts'

/** The one typed wrapper of every function: what throws is logged with its function's name, then thrown on, so that the trigger retries. */
export function lambda<Event>(name: string, log: Log, handle: (event: Event, context: Context) => Promise<void>) {
  return middy<Event, void>()
    .use({
      onError: ({ error }) => log({ level: 'error', event: 'function-failed', message: `${name} failed; its trigger tries again`, error }),
    })
    .handler(handle)
}
