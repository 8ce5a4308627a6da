import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import * as z from 'zod/mini'
import type { Theme } from '../../functions/widget/question.ts'
import { valuesOf } from '../../functions/widget/views/frame.ts'
import { writeAtomically } from '../services/files.ts'
import { listen, loopback } from '../services/listen.ts'
import { StartupError } from '../services/startup-error.ts'
import { refusalOf } from './gate.ts'

/** Shows a view as HTML. `call` is untrusted. */
type Show = (call: unknown, theme: Theme) => Promise<string>

export interface Page {
  /** The file that opens the page: it leads to the address, with the token. */
  readonly file: string
  readonly address: string
  close(): Promise<void>
}

interface PageOptions {
  readonly show: Show
  readonly onError: (error: unknown) => void
  readonly dataDir: string
  readonly port: number | undefined
}

/** The port without `--port`. */
const pagePortDefault = 4680

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

const bodySchema = z.object({
  call: z.record(z.string(), z.unknown()),
  forms: z.record(z.string(), z.unknown()),
  theme: z.enum(['light', 'dark']),
})

/**
 * Serves the page on this machine alone. Without `port` it takes the usual one, or any other if that is used. The token is new at each
 * start, and only in a file that its owner can read: arguments of a program are visible to every user of the machine. Throws
 * `StartupError` if the port is used or the file cannot be written.
 */
export async function servePage({ show, onError, dataDir, port }: PageOptions): Promise<Page> {
  const [shell, script] = await Promise.all(['shell.html', 'page.js'].map((name) => readFile(new URL(name, import.meta.url), 'utf8')))
  const token = randomBytes(32).toString('base64url')
  let address = ''

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    const refusal = refusalOf({ method, path: url, headers: request.headers }, address, token)
    if (refusal !== undefined) {
      request.resume()
      return send(response, refusal.status, 'text/plain', refusal.message)
    }
    if (url === '/') return send(response, 200, 'text/html', shell ?? '')
    if (url === '/page.js') return send(response, 200, 'text/javascript', script ?? '')
    const body = bodySchema.safeParse(await json(request).catch(() => undefined))
    if (!body.success) return send(response, 400, 'text/plain', 'The call is not as the page makes it. Load the page again.')
    const { call, forms, theme } = body.data
    send(response, 200, 'text/html', await show(valuesOf(call, forms), theme))
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      onError(error)
      send(response, 500, 'text/plain', 'The view failed. The log of the program says why.')
    })
  })
  server.requestTimeout = 10_000
  address = `http://${loopback}:${await listenForPage(server, port)}`
  const file = join(dataDir, 'page.html')
  await writeAtomically(file, `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${address}/#${token}">\n`)
  return {
    file,
    address,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      // It leads nowhere now.
      await rm(file, { force: true })
    },
  }
}

async function listenForPage(server: Parameters<typeof listen>[0], port: number | undefined): Promise<number> {
  if (port !== undefined) return listen(server, port, 'the page')
  try {
    return await listen(server, pagePortDefault, 'the page')
  } catch (error) {
    if (!(error instanceof StartupError)) throw error
    return listen(server, 0, 'the page')
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent) return void response.end()
  response.writeHead(status, { ...headers, 'content-type': `${type}; charset=utf-8` })
  response.end(body)
}
