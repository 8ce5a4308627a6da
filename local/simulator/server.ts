import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { isStreamName, streamNames } from './catalogue.ts'
import { type SimulatedResponse, VendorModel } from './model.ts'
import type { SimulatorOptions } from './options.ts'

export interface RunningSimulator {
  /** The base URL of the API. */
  readonly url: string
  readonly model: VendorModel
  /** Closes open connections too. */
  close(): Promise<void>
}

/**
 * Puts the simulator behind a port (any free one when `port` is 0 or absent) of `host` (127.0.0.1). With a `backlogMs`, `startAt` is now
 * when it is absent. Beside the API there are `GET /simulator/account` (totals, JSON) and
 * `GET /simulator/events?from&to&stream&customer&until&lateMaxMs` (NDJSON). Throws an error with a sentence when it cannot listen.
 */
export async function startSimulator(
  options: SimulatorOptions = {},
  { port = 0, host = '127.0.0.1' }: { readonly port?: number; readonly host?: string } = {},
): Promise<RunningSimulator> {
  const startAt = options.startAt ?? ((options.backlogMs ?? 0) > 0 ? Date.now() : undefined)
  const model = new VendorModel(startAt === undefined ? options : { ...options, startAt })
  const delayed = new Set<NodeJS.Timeout>()
  let lastNow = 0

  const server = createServer({ keepAliveTimeout: 5_000 }, (request, response) => {
    // A machine's clock may go back, which the model does not accept.
    lastNow = Math.max(lastNow, Date.now())
    const url = new URL(request.url ?? '/', 'http://simulator')
    request.resume()
    if (url.pathname.startsWith('/simulator/')) {
      serveAccount(model, url, response)
      return
    }
    const simulated = model.respond(
      {
        method: request.method ?? 'GET',
        path: url.pathname,
        query: url.search,
        authorization: request.headers.authorization,
        origin: `http://${request.headers.host ?? `${host}:${port}`}`,
      },
      lastNow,
    )
    if (simulated.delayMs === 0) return send(simulated, request, response)
    const timer = setTimeout(() => {
      delayed.delete(timer)
      send(simulated, request, response)
    }, simulated.delayMs)
    delayed.add(timer)
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(cannotListen(error, host, port))))
    server.listen(port, host, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error(`The simulator listens at ${address}, which is not a port.`)
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    model,
    close: () =>
      new Promise((resolve) => {
        for (const timer of delayed) clearTimeout(timer)
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function send(simulated: SimulatedResponse, request: IncomingMessage, response: ServerResponse): void {
  const body = Buffer.from(simulated.body)
  response.writeHead(simulated.status, { ...simulated.headers, 'content-length': body.length })
  if (simulated.truncateAt === undefined) {
    response.end(body)
    return
  }
  // The content-length promises the whole body, but the connection ends before it is sent.
  response.write(Buffer.from(simulated.body.slice(0, simulated.truncateAt)), () => request.socket.destroy())
}

function serveAccount(model: VendorModel, url: URL, response: ServerResponse): void {
  if (url.pathname === '/simulator/account') {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify(model.account.totals(), undefined, 2)}\n`)
    return
  }
  const problem =
    url.pathname === '/simulator/events'
      ? listEvents(model, url.searchParams, response)
      : `There is no ${url.pathname}. Ask for /simulator/account or /simulator/events.`
  if (problem === undefined) return
  response.writeHead(url.pathname === '/simulator/events' ? 400 : 404, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${problem}\n`)
}

/** Writes one line for each event. Returns a sentence when the parameters are wrong. */
function listEvents(model: VendorModel, parameters: URLSearchParams, response: ServerResponse): string | undefined {
  const from = instantOf(parameters.get('from'))
  const to = instantOf(parameters.get('to'))
  if (from === undefined || to === undefined) return 'Give from and to: epoch milliseconds, or a time such as 2026-11-24T20:35:26.120Z.'
  const until = instantOf(parameters.get('until'))
  const streams = parameters.getAll('stream')
  const unknown = streams.find((stream) => !isStreamName(stream))
  if (unknown !== undefined) return `stream ${unknown} is not a stream. Give SERVICE/EVENT, such as ${streamNames[0]}.`
  const customers = parameters.getAll('customer')
  const lateMaxMs = Number(parameters.get('lateMaxMs') ?? Number.POSITIVE_INFINITY)
  if (Number.isNaN(lateMaxMs)) return 'lateMaxMs must be a number of milliseconds.'
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
    return `Port ${port} of ${host} is used by another program. Give another port with --port, or 0 for any free one.`
  if (error.code === 'EACCES') return `Only the administrator may use port ${port}. Give a port above 1023 with --port.`
  return `The simulator cannot listen on ${host}:${port} (${error.code ?? error.message}). Give another address with --host or --port.`
}
