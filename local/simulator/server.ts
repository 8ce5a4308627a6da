import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { isStreamName, streamNames } from './catalogue.ts'
import { type SimulatedResponse, VendorModel } from './model.ts'
import type { SimulatorOptions } from './options.ts'

export interface RunningSimulator {
  /** The base URL. */
  readonly url: string
  readonly model: VendorModel
  /** Ends open connections too. */
  close(): Promise<void>
}

/**
 * The simulator behind a port (any free one when `port` is 0 or absent) of `host` (127.0.0.1). Events are as old as `startAt`
 * says; where there is a `backlogMs` without it, it is now. Beside the API it answers `GET /simulator/account` (totals, JSON)
 * and `GET /simulator/events?from&to&stream&customer&until&lateMaxMs` (NDJSON). Throws a sentence when it cannot listen.
 */
export async function startSimulator(
  options: SimulatorOptions = {},
  { port = 0, host = '127.0.0.1' }: { readonly port?: number; readonly host?: string } = {},
): Promise<RunningSimulator> {
  const startAt = options.startAt ?? ((options.backlogMs ?? 0) > 0 ? Date.now() : undefined)
  const model = new VendorModel(startAt === undefined ? options : { ...options, startAt })
  const waiting = new Set<NodeJS.Timeout>()
  let lastNow = 0

  const server = createServer({ keepAliveTimeout: 5_000 }, (request, response) => {
    // The model wants time that never goes back; a machine's clock may.
    lastNow = Math.max(lastNow, Date.now())
    const url = new URL(request.url ?? '/', 'http://simulator')
    request.resume()
    if (url.pathname.startsWith('/simulator/')) {
      answerAccount(model, url, response)
      return
    }
    const answer = model.answer(
      {
        method: request.method ?? 'GET',
        path: url.pathname,
        query: url.search,
        authorization: request.headers.authorization,
        origin: `http://${request.headers.host ?? `${host}:${port}`}`,
      },
      lastNow,
    )
    if (answer.delayMs === 0) return send(answer, request, response)
    const timer = setTimeout(() => {
      waiting.delete(timer)
      send(answer, request, response)
    }, answer.delayMs)
    waiting.add(timer)
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(cannotListen(error, host, port))))
    server.listen(port, host, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error(`The simulator listens at ${address}, which is no port.`)
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    model,
    close: () =>
      new Promise((resolve) => {
        for (const timer of waiting) clearTimeout(timer)
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function send(answer: SimulatedResponse, request: IncomingMessage, response: ServerResponse): void {
  const body = Buffer.from(answer.body)
  response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length })
  if (answer.truncateAt === undefined) {
    response.end(body)
    return
  }
  // The headers promise the whole body; the connection ends before it.
  response.write(Buffer.from(answer.body.slice(0, answer.truncateAt)), () => request.socket.destroy())
}

function answerAccount(model: VendorModel, url: URL, response: ServerResponse): void {
  if (url.pathname === '/simulator/account') {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify(model.account.totals(), undefined, 2)}\n`)
    return
  }
  const problem =
    url.pathname === '/simulator/events'
      ? listEvents(model, url.searchParams, response)
      : `There is no ${url.pathname}: ask for /simulator/account or /simulator/events.`
  if (problem === undefined) return
  response.writeHead(url.pathname === '/simulator/events' ? 400 : 404, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${problem}\n`)
}

/** Writes one line an event, or answers what is wrong with the parameters. */
function listEvents(model: VendorModel, parameters: URLSearchParams, response: ServerResponse): string | undefined {
  const from = instantOf(parameters.get('from'))
  const to = instantOf(parameters.get('to'))
  if (from === undefined || to === undefined)
    return 'from and to are wanted: epoch milliseconds, or a time such as 2026-11-24T20:35:26.120Z.'
  const until = instantOf(parameters.get('until'))
  const streams = parameters.getAll('stream')
  const unknown = streams.find((stream) => !isStreamName(stream))
  if (unknown !== undefined) return `stream ${unknown} is none; a stream is service/event, such as ${streamNames[0]}.`
  const customers = parameters.getAll('customer')
  const lateMaxMs = Number(parameters.get('lateMaxMs') ?? Number.POSITIVE_INFINITY)
  if (Number.isNaN(lateMaxMs)) return 'lateMaxMs is a number of milliseconds.'
  function* lines(): Iterable<string> {
    for (const customer of customers.length === 0 ? model.customers : customers) {
      for (const stream of streams.length === 0 ? streamNames : streams.filter(isStreamName)) {
        for (const { seed: _, ...event } of model.eventsVisible(stream, from ?? 0, to ?? 0, until, { lateMaxMs, customer })) {
          yield `${JSON.stringify({ ...event, shown: model.account.shown.has(event.id) })}\n`
        }
      }
    }
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  pipeline(Readable.from(lines()), response, () => {})
  return undefined
}

function instantOf(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  const at = /^-?\d+$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} of ${host} is taken by another program. Give another one with --port, or 0 for any that is free.`
  if (error.code === 'EACCES') return `Port ${port} may be used by the administrator only. Give one above 1023 with --port.`
  return `The simulator cannot listen on ${host}:${port} (${error.code ?? error.message}). Give another address with --host or --port.`
}
