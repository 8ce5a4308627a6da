import { pathToFileURL } from 'node:url'

/**
 * The process of one execution environment. It imports the function as Lambda's runtime does, and calls it with each event that its
 * parent sends. Arguments: the file and the name of the handler.
 */

interface Invocation {
  readonly event: unknown
  readonly context: Readonly<Record<string, unknown>>
  /** In epoch ms. */
  readonly deadline: number
}

const [file = '', name = ''] = process.argv.slice(2)
const send = (message: unknown) => process.send?.(message)

try {
  const startedAt = performance.now()
  const { [name]: handler } = await import(pathToFileURL(file).href)
  process.on('message', ({ event, context, deadline }: Invocation) => {
    const getRemainingTimeInMillis = () => Math.max(0, deadline - Date.now())
    Promise.resolve()
      .then(() => handler(event, { ...context, getRemainingTimeInMillis }))
      .then(
        (result) => send({ result, ...used() }),
        (error) => send({ error: describe(error), ...used() }),
      )
  })
  send({ ready: true, importMs: performance.now() - startedAt })
} catch (error) {
  send({ ready: false, error: describe(error) })
}

function used() {
  return { memoryBytes: process.resourceUsage().maxRSS * 1024 }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
