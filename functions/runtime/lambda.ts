import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import type { Log } from '../domain/ports.ts'

/** Wraps the handler of every function: it logs an error with the function's name and throws it again, so that the trigger retries. */
export function lambda<Event, Response = void>(name: string, log: Log, handle: (event: Event, context: Context) => Promise<Response>) {
  return middy<Event, Response>()
    .use({
      onError: ({ error }) =>
        log({ level: 'error', event: 'function-failed', message: `The function ${name} failed. Its trigger tries again.`, error }),
    })
    .handler(handle)
}
